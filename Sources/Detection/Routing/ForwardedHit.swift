import Correlation
import EventSchema
public import Events

/// A record of the correlate topic. Its value is the event as it stands in the input topic.
public struct ForwardedRecord: Sendable {
    /// Rule and join key: all that one correlation must bring together has the same key, and never an empty one.
    public var key: [UInt8]
    /// The value of the header named ``ForwardedRecord/header``.
    public var hit: [UInt8]
    public var value: [UInt8]
    /// Where the event stands in the input topic.
    public var origin: RecordOrigin

    /// The header that tells what the event is a hit of.
    public static let header = "apus-hit"
    /// The header of a record that only tells how far an input lane has come.
    public static let watermarkHeader = "apus-watermark"
    static let version: UInt8 = 2
}

/// An event that matches stages of one correlation, for one join key.
struct ForwardedHit {
    var query: Int
    var key: CorrelationKey
    /// Ascending.
    var stages: [Int]
    var event: RetainedEvent
    /// Further ahead of its record's time than a wrong clock may be: no watermark will pass it for long.
    var isAhead: Bool
    /// Put together of several records, and so not handed on in the order of offsets.
    var isJoined: Bool
}

/// The form of a hit in the header; version first:
///
///     rule id  rule hash  topic  partition  offset  time  tiebreaker?  late?  ahead?  joined?  stages  join key
///
/// Topics and rules go by name, since numbers differ between processes.
struct HitHeader: Equatable {
    var rule: String
    /// The beginning of the rule's content hash.
    var hash: String
    var topic: String
    var partition: Int32
    var offset: Int64
    var time: EventTime
    var tiebreaker: Int64?
    var isLate: Bool
    var isAhead: Bool
    var isJoined: Bool
    var stages: [Int]
    var key: CorrelationKey

    /// The key of the record that carries it.
    var recordKey: [UInt8] { Self.recordKey(rule: rule, key) }

    static func recordKey(rule: String, _ key: CorrelationKey) -> [UInt8] {
        var writer = StateWriter()
        writer.append(rule)
        key.write(to: &writer)
        return writer.bytes
    }

    var bytes: [UInt8] {
        var writer = StateWriter()
        writer.append(ForwardedRecord.version)
        writer.append(rule)
        writer.append(hash)
        writer.append(topic)
        writer.append(signed: Int64(partition))
        writer.append(signed: offset)
        writer.append(time)
        writer.append(tiebreaker != nil)
        if let tiebreaker { writer.append(signed: tiebreaker) }
        writer.append(isLate)
        writer.append(isAhead)
        writer.append(isJoined)
        writer.append(count: stages.count)
        for stage in stages { writer.append(count: stage) }
        key.write(to: &writer)
        return writer.bytes
    }
}

extension HitHeader {
    init(_ bytes: [UInt8]) throws(StateCorruption) {
        var reader = StateReader(bytes)
        let version = try reader.byte()
        guard version == ForwardedRecord.version else { throw StateCorruption("version \(version) is not known") }
        rule = try reader.text()
        hash = try reader.text()
        topic = try reader.text()
        partition = try reader.integer(Int32.self)
        offset = try reader.signed()
        time = try reader.time()
        tiebreaker = try reader.flag() ? try reader.signed() : nil
        isLate = try reader.flag()
        isAhead = try reader.flag()
        isJoined = try reader.flag()
        stages = []
        for _ in 0..<(try reader.count()) { stages.append(Int(clamping: try reader.unsigned())) }
        key = try CorrelationKey(&reader)
        try reader.finish()
    }
}

/// How far an input lane has come: no event at or before these times follows from it but late ones.
struct LaneWatermark: Equatable {
    var lane: Int32
    /// How many input lanes there are, as far as this one knows.
    var lanes: Int
    /// Of the group, when the lane began: of two lanes of one number the one of the higher generation is in its place,
    /// and the other has yet to notice.
    var generation: Int32
    /// Whether the lane has nothing to read: the others need not wait for it.
    var isIdle: Bool
    /// By the dotted name of the timestamp field.
    var clocks: [(field: String, time: EventTime?)]

    var bytes: [UInt8] {
        var writer = StateWriter()
        writer.append(ForwardedRecord.version)
        writer.append(signed: Int64(lane))
        writer.append(unsigned: UInt64(clamping: lanes))
        writer.append(signed: Int64(generation))
        writer.append(isIdle)
        writer.append(count: clocks.count)
        for clock in clocks {
            writer.append(clock.field)
            writer.append(clock.time)
        }
        return writer.bytes
    }

    static func == (left: LaneWatermark, right: LaneWatermark) -> Bool { left.bytes == right.bytes }
}

extension LaneWatermark {
    /// More input lanes than Kafka has partitions for one topic in practice; a corrupt number must not reserve memory.
    private static let mostLanes: UInt64 = 100_000

    init(_ bytes: [UInt8]) throws(StateCorruption) {
        var reader = StateReader(bytes)
        let version = try reader.byte()
        guard version == ForwardedRecord.version else { throw StateCorruption("version \(version) is not known") }
        lane = try reader.integer(Int32.self)
        let lanes = try reader.unsigned()
        guard lane >= 0, lanes <= Self.mostLanes, UInt64(lane) < lanes else {
            throw StateCorruption("lane \(lane) of \(lanes)")
        }
        self.lanes = Int(lanes)
        generation = try reader.integer(Int32.self)
        isIdle = try reader.flag()
        clocks = []
        for _ in 0..<(try reader.count()) { clocks.append((try reader.text(), try reader.optionalTime())) }
        try reader.finish()
    }
}
