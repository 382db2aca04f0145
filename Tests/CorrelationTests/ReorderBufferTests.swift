import EventSchema
import Events
import Testing

@testable import Correlation

@Suite struct ReorderBufferTests {
    private struct Row {
        var name: String
        var seconds: Double
        var tiebreaker: Int64?
        var topic: UInt16 = 0
        var partition: Int32 = 0
        var offset: Int64 = 0
    }

    /// In their order: time, tiebreaker with a present one first, topic, partition, offset, arrival.
    private static let rows = [
        Row(name: "earlier", seconds: 1, offset: 9),
        Row(name: "tie 1", seconds: 2, tiebreaker: 1, offset: 8),
        Row(name: "tie 2", seconds: 2, tiebreaker: 2, offset: 3),
        Row(name: "no tiebreaker", seconds: 2, offset: 1),
        Row(name: "offset 2", seconds: 2, offset: 2),
        Row(name: "offset 2 again", seconds: 2, offset: 2),
        Row(name: "partition 1", seconds: 2, partition: 1, offset: 0),
        Row(name: "topic 1", seconds: 2, topic: 1),
        Row(name: "later", seconds: 3),
    ]

    private static func insert(_ row: Row, _ buffer: inout ReorderBuffer<String>) {
        let event = RetainedEvent(
            copying: UnsafeRawBufferPointer(start: nil, count: 0),
            origin: RecordOrigin(
                topic: TopicID(rawValue: row.topic), partition: row.partition, offset: row.offset),
            timestamp: Timeline.time(row.seconds), tiebreaker: row.tiebreaker)
        buffer.insert(row.name, event: event)
    }

    private static func drain(_ buffer: inout ReorderBuffer<String>, upTo seconds: Double) -> [String] {
        var names: [String] = []
        while let name = buffer.next(upTo: Timeline.time(seconds)) { names.append(name) }
        return names
    }

    @Test(arguments: 0..<20) func givesEventsInOrder(rotation: Int) {
        var buffer = ReorderBuffer<String>()
        // Rows of the same place keep the order in which they arrive.
        let twin = Self.rows.firstIndex { $0.name == "offset 2 again" } ?? 0
        var others = Self.rows
        let last = others.remove(at: twin)
        let start = rotation % others.count
        let turned = others[start...] + others[..<start]
        for row in rotation < 10 ? Array(turned) : turned.reversed() { Self.insert(row, &buffer) }
        Self.insert(last, &buffer)
        #expect(Self.drain(&buffer, upTo: 10) == Self.rows.map(\.name))
        #expect(buffer.count == 0)
    }

    @Test func holdsWhatTheWatermarkHasNotPassed() {
        var buffer = ReorderBuffer<String>()
        for row in Self.rows.reversed() { Self.insert(row, &buffer) }
        #expect(Self.drain(&buffer, upTo: 0.5).isEmpty)
        #expect(Self.drain(&buffer, upTo: 1) == ["earlier"])
        #expect(Self.drain(&buffer, upTo: 2).last == "topic 1")
        #expect(Array(buffer.payloads) == ["later"])
    }
}
