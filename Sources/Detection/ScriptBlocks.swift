import EventSchema
public import Events

/// What the parts of script blocks may take before the oldest block goes on as far as it came.
public struct ScriptBlockLimits: Hashable, Sendable {
    /// Blocks that wait for parts.
    public var blocks: Int
    /// Parts of one block; a block that claims more is taken part by part.
    public var parts: Int
    /// Text of one block in bytes, as it stands in JSON; the rest of a longer one is cut. A block is no larger than the
    /// largest record there may be, either.
    public var text: Int
    /// Records of all blocks in bytes.
    public var bytes: Int
    /// How long a block waits for its next part, in event time, in nanoseconds.
    public var patience: Int64

    public init(
        blocks: Int = 1_000, parts: Int = 500, text: Int = 1 << 20, bytes: Int = 32 << 20,
        patience: Int64 = 30_000_000_000
    ) {
        self.blocks = blocks
        self.parts = parts
        self.text = text
        self.bytes = bytes
        self.patience = patience
    }
}

/// Running totals of rejoined script blocks, and what waits now.
public struct ScriptBlockCounters: Hashable, Sendable {
    /// Parts that were taken in.
    public var parts: UInt64 = 0
    /// Parts that were matched by themselves: their block claims more than ``ScriptBlockLimits/parts``.
    public var alone: UInt64 = 0
    /// Blocks all of whose parts came.
    public var complete: UInt64 = 0
    /// Blocks that went on without all their parts, because their time was over or the input ended.
    public var incomplete: UInt64 = 0
    /// Blocks that went on without all their parts, because a limit was reached.
    public var evicted: UInt64 = 0
    /// Blocks whose text was cut: to ``ScriptBlockLimits/text``, or to fit into the largest record there may be.
    public var cut: UInt64 = 0
    /// Blocks that wait for parts now.
    public var waiting = 0
    /// The bytes of these.
    public var held = 0

    public init() {}
}

/// What a script block that came in parts was made of.
public struct ScriptBlockMakeup: Hashable, Sendable {
    /// How many parts it claims to have.
    public var total: Int64
    /// Those that came, in order.
    public var parts: [Part]
    /// Whether its text was cut.
    public var isCut: Bool

    public struct Part: Hashable, Sendable {
        /// Counted from 1.
        public var sequence: Int64
        public var origin: RecordOrigin
    }

    public var isComplete: Bool { Int64(parts.count) == total }
}

/// Parts of PowerShell script blocks on their way to being whole.
///
/// Windows writes a long script block as several 4104 events. A pattern that lies across two of them, or a condition
/// on two names in different ones, is in none. Parts wait here, in any order of arrival, until all are there or their time
/// is over, and take part as one event: the record of the first part with the text of all.
struct ScriptBlocks {
    /// Parts of one block come from one host, through one partition.
    struct Key: Hashable {
        var topic: TopicID
        var partition: Int32
        var host: [UInt8]
        var block: [UInt8]
    }

    struct Part {
        var sequence: Int64
        var text: [UInt8]
        var bytes: [UInt8]
        var origin: RecordOrigin
        var time: EventTime
        /// As far ahead as the part may have moved the watermark.
        var limit: EventTime
    }

    private struct Block {
        var total: Int64
        var parts: [Part] = []
        var newest: EventTime
        var size = 0
        /// When it began, in the order of all.
        let number: UInt64

        var isComplete: Bool { Int64(parts.count) == total }
        /// The part whose record stands for the block.
        var first: Part { parts.min { $0.sequence < $1.sequence } ?? parts[0] }
    }

    /// A block as one event.
    struct Joined {
        var bytes: [UInt8]
        var origin: RecordOrigin
        var time: EventTime
        var limit: EventTime
        /// The record of the first part, should the joined one be too large for anything.
        var first: [UInt8]
        var makeup: ScriptBlockMakeup
    }

    let limits: ScriptBlockLimits
    /// The largest record there may be.
    private let recordBytes: Int
    private var blocks: [Key: Block] = [:]
    private var size = 0
    private var number: UInt64 = 0
    private var totals = ScriptBlockCounters()

    var counters: ScriptBlockCounters {
        var counters = totals
        counters.waiting = blocks.count
        counters.held = size
        return counters
    }

    init(limits: ScriptBlockLimits, recordBytes: Int) {
        self.limits = limits
        self.recordBytes = recordBytes
    }

    var isEmpty: Bool { blocks.isEmpty }

    /// Every part that waits: where it stands and when it happened.
    var waiting: some Sequence<(origin: RecordOrigin, time: EventTime)> {
        blocks.values.lazy.flatMap { $0.parts.lazy.map { ($0.origin, $0.time) } }
    }

    // MARK: Parts

    /// Takes a part in. A part that is there already, as after a producer's retry, changes nothing.
    ///
    /// - Returns: blocks that must go on to make room, incomplete.
    mutating func add(_ part: Part, to key: Key, total: Int64) -> [Joined] {
        totals.parts += 1
        var block = blocks[key] ?? newBlock(total, part.time)
        guard !block.parts.contains(where: { $0.sequence == part.sequence }) else { return [] }
        block.parts.append(part)
        block.newest = max(block.newest, part.time)
        block.size += part.bytes.count + part.text.count
        size += part.bytes.count + part.text.count
        blocks[key] = block
        var pushed: [Joined] = []
        while blocks.count > limits.blocks || size > limits.bytes, blocks.count > 1 {
            guard let oldest = blocks.min(by: { $0.value.number < $1.value.number })?.key else { break }
            if let joined = take(oldest, isPushed: true) { pushed.append(joined) }
        }
        return pushed
    }

    private mutating func newBlock(_ total: Int64, _ time: EventTime) -> Block {
        number += 1
        return Block(total: total, newest: time, number: number)
    }

    /// Notes a part whose block claims too many to be waited for.
    mutating func passAlone() { totals.alone += 1 }

    // MARK: Blocks

    /// Blocks that are complete and whose time the watermark has reached, and those it has passed by the patience.
    mutating func release(upTo watermark: EventTime) -> [Joined] {
        guard !blocks.isEmpty else { return [] }
        let (deadline, overflow) = watermark.nanoseconds.subtractingReportingOverflow(limits.patience)
        let due = blocks.filter { _, block in
            block.isComplete && block.first.time <= watermark || !overflow && block.newest.nanoseconds <= deadline
        }
        return release(due.keys)
    }

    /// Blocks that are complete, whatever the time.
    mutating func releaseComplete() -> [Joined] {
        guard !blocks.isEmpty else { return [] }
        return release(blocks.filter(\.value.isComplete).keys)
    }

    /// All of them: no part comes any more.
    mutating func releaseAll() -> [Joined] { release(blocks.keys) }

    private mutating func release(_ keys: some Collection<Key>) -> [Joined] {
        let joined = Array(keys).compactMap { take($0) }
        return joined.sorted { left, right in
            (left.time, left.origin.topic.rawValue, left.origin.partition, left.origin.offset)
                < (right.time, right.origin.topic.rawValue, right.origin.partition, right.origin.offset)
        }
    }

    /// - Parameter isPushed: whether it goes on to make room.
    private mutating func take(_ key: Key, isPushed: Bool = false) -> Joined? {
        guard let block = blocks.removeValue(forKey: key) else { return nil }
        size -= block.size
        if block.isComplete {
            totals.complete += 1
        } else if isPushed {
            totals.evicted += 1
        } else {
            totals.incomplete += 1
        }
        let parts = block.parts.sorted { $0.sequence < $1.sequence }
        let first = parts[0]
        let (bytes, isCut) = joined(block, parts)
        if isCut { totals.cut += 1 }
        return Joined(
            bytes: bytes, origin: first.origin, time: first.time,
            limit: block.parts.map(\.limit).max() ?? first.limit, first: first.bytes,
            makeup: ScriptBlockMakeup(
                total: block.total,
                parts: parts.map { ScriptBlockMakeup.Part(sequence: $0.sequence, origin: $0.origin) }, isCut: isCut))
    }

    /// The record of the first part, and in it, under a name of Apus, the text of all and where they stand. One record
    /// says everything: it can be kept, evaluated again and shown like any other.
    ///
    /// - Parameter parts: of the block, in their order.
    private func joined(_ block: Block, _ parts: [Part]) -> (bytes: [UInt8], isCut: Bool) {
        let first = parts[0]
        guard let close = first.bytes.lastIndex(of: UInt8(ascii: "}")) else { return ([], false) }
        var places = #""total":\#(block.total),"complete":\#(block.isComplete),"parts":["#
        for (index, part) in parts.enumerated() {
            places += #"\#(index > 0 ? "," : ""){"sequence":\#(part.sequence),"partition":\#(part.origin.partition),"#
            places += #""offset":\#(part.origin.offset)}"#
        }
        places += "]}}}"
        var bytes = Array(first.bytes[..<close])
        let last = bytes.last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes += #""apus":{"script_block":{"text":""#.utf8
        let end = min(recordBytes - places.utf8.count - 8, bytes.count + limits.text)
        var isCut = false
        for part in parts where !isCut { isCut = !Self.append(part.text, to: &bytes, upTo: end) }
        bytes += #"","#.utf8
        bytes += places.utf8
        return (bytes, isCut)
    }

    /// Appends text as it stands between the quotes of a JSON string; false when it does not fit, and is cut.
    private static func append(_ text: [UInt8], to bytes: inout [UInt8], upTo end: Int) -> Bool {
        for byte in text {
            // Room for the longest escape, and for the rest of a character that has begun.
            guard bytes.count + 6 <= end || byte & 0xC0 == 0x80 && bytes.count < end else { return false }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += "\\u00\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8
            default: bytes.append(byte)
            }
        }
        return true
    }
}
