import EventSchema
import Foundation
import Traffic

/// Records end to end in memory, each followed by a line break, as in a file.
struct Corpus {
    private(set) var bytes: [UInt8] = []
    private(set) var records: [Range<Int>] = []

    var count: Int { records.count }
    /// Without the line breaks.
    var payloadBytes: Int { bytes.count - records.count }

    mutating func append(_ record: [UInt8]) {
        records.append(bytes.count..<bytes.count + record.count)
        bytes += record
        bytes.append(0x0A)
    }

    /// Calls `body` with each record and its number.
    @inline(__always)
    func eachRecord(_ body: (UnsafeRawBufferPointer, Int) -> Void) {
        bytes.withUnsafeBytes { bytes in
            for index in records.indices { body(UnsafeRawBufferPointer(rebasing: bytes[records[index]]), index) }
        }
    }
}

/// The records everything is measured on, from the traffic generator with a fixed seed.
struct Corpora {
    /// Workstations and servers as they are: 0.9 to 3 KB, 1.4 KB on average.
    let mixed: Corpus
    /// Those of 850 to 1,200 bytes: several kinds of event, 1.1 KB on average.
    let kilobyte: Corpus
    /// Connections to port 443 and nothing else: what makes a host-wide correlation work hardest.
    let connections: Corpus

    init(_ scale: Scale) throws {
        // Far more events than are kept, since the other two corpora are selections.
        let plan = try TrafficPlan(
            seed: 11, events: max(scale.records * 12, TrafficPlan.minimumEvents), hosts: 500,
            start: EventTime(nanoseconds: 1_780_000_000_000_000_000), seconds: 900)
        var generator = TrafficGenerator(plan: plan)
        var buffer: [UInt8] = []
        var mixed = Corpus()
        var kilobyte = Corpus()
        var connections = Corpus()
        while generator.next(into: &buffer) != nil {
            if mixed.count < scale.records { mixed.append(buffer) }
            if kilobyte.count < scale.records, (850...1200).contains(buffer.count) { kilobyte.append(buffer) }
            if connections.count < scale.records, Self.isToPort443(buffer) { connections.append(buffer) }
        }
        (self.mixed, self.kilobyte, self.connections) = (mixed, kilobyte, connections)
    }

    private static func isToPort443(_ record: [UInt8]) -> Bool {
        let text = Array(#""port":443"#.utf8)
        return record.indices.dropLast(text.count - 1).contains { start in
            record[start] == text[0] && record[start..<start + text.count].elementsEqual(text)
        }
    }
}
