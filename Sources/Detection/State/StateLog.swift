import Correlation

/// Reads one partition of the state topic, in its order, into the state that counts.
///
/// Records count once the marker of their checkpoint has come:
///
///     K5 E5 M5   K6 E6 M6   K7 E7 │ end      5 and 6 count; 7 is a torn tail
///
/// The keys of a torn tail are to be written again, as they were before, by the first checkpoint of the lane that goes
/// on from here: then whatever stands before a marker counts, and no other markers are needed, which compaction removes.
///
/// What has an older epoch than something before it was written by an instance that had lost the partition without
/// knowing it yet: it does not count, and its keys are to be written again, too.
public struct StateLog {
    private let owner: StateOwner
    private var pending: [[UInt8]: (stamp: CheckpointStamp, value: [UInt8]?)] = [:]
    private var records: [[UInt8]: [UInt8]] = [:]
    private var marker: CheckpointMarker?
    /// What stands before a marker and belongs to it; the next one replaces it.
    private var markerParts: [[UInt8]: (stamp: CheckpointStamp, value: [UInt8])] = [:]
    private var rewrites: Set<[UInt8]> = []
    private var highest: CheckpointStamp?
    private var problems = StateProblems()
    private var recordCount: UInt64 = 0
    private var byteCount: UInt64 = 0

    public init(owner: StateOwner) {
        self.owner = owner
    }

    /// Takes the next record of the partition.
    ///
    /// - Parameters:
    ///   - stamp: from the record's header; nil when there is none or it makes no sense.
    public mutating func read(key: [UInt8], value: [UInt8]?, stamp: CheckpointStamp?) {
        recordCount += 1
        byteCount += UInt64(key.count + (value?.count ?? 0))
        guard key.count >= 3 else {
            problems.add(.corrupt, "a key of \(key.count) bytes")
            return
        }
        guard key[0] == StateKey.version else {
            problems.add(.unknownVersion, "format \(key[0]), this is format \(StateKey.version)")
            return
        }
        guard key[1] == owner.rawValue else {
            if StateOwner(rawValue: key[1]) == nil { problems.add(.corrupt, "no owner \(key[1])") }
            return
        }
        guard let stamp else {
            problems.add(.corrupt, "no \(CheckpointStamp.header) header")
            return
        }
        if let highest, stamp.epoch < highest.epoch {
            problems.add(.zombie, "epoch \(stamp.epoch) after \(highest.epoch)")
            rewrites.insert(key)
            return
        }
        highest = max(highest ?? stamp, stamp)
        if key == StateKey.marker(owner) {
            mark(value, stamp)
        } else if key.starts(with: StateKey.marker(owner)) {
            markerParts[key] = value.map { (stamp, $0) }
        } else {
            pending[key] = (stamp, value)
        }
    }

    private mutating func mark(_ value: [UInt8]?, _ stamp: CheckpointStamp) {
        guard let value else { return }
        let read: CheckpointMarker
        do throws(StateCorruption) {
            read = try CheckpointMarker(value) { number in
                let part = markerParts[StateKey.marker(owner, part: number)]
                return part.flatMap { $0.stamp == stamp ? $0.value : nil }
            }
        } catch {
            problems.add(.corrupt, "a marker: \(error)")
            return
        }
        // Also those of earlier epochs: compaction has removed their markers. What an earlier owner left torn is not
        // among them, for it was written again before this marker.
        for (key, change) in pending {
            records[key] = change.value
            rewrites.remove(key)
        }
        pending = [:]
        marker = read
    }

    /// The state as of the last finished checkpoint.
    public consuming func finish() -> StateSnapshot {
        for (key, change) in pending {
            problems.add(.torn, "checkpoint \(change.stamp.number) of epoch \(change.stamp.epoch)")
            rewrites.insert(key)
        }
        return StateSnapshot(
            records: records, marker: marker, rewrites: rewrites, highest: highest, problems: problems,
            recordCount: recordCount, byteCount: byteCount)
    }
}

/// What a partition of the state topic holds for one owner.
public struct StateSnapshot: Sendable {
    let records: [[UInt8]: [UInt8]]
    /// How far reading had come at the last finished checkpoint; nil when there has been none.
    public let marker: CheckpointMarker?
    /// Keys whose newest record in the topic does not count.
    let rewrites: Set<[UInt8]>
    /// The newest stamp, of finished checkpoints or not.
    public let highest: CheckpointStamp?
    public let problems: StateProblems
    /// Records read, of whatever kind, and their bytes.
    public let recordCount: UInt64
    public let byteCount: UInt64

    /// Keys that hold something.
    public var count: Int { records.count }

    /// A topic that holds nothing.
    public static let empty = StateLog(owner: .input).finish()

    /// The epoch of the lane that starts from here: above everything in the topic, and above those of instances
    /// that lost the partition in an earlier generation of the group and have not written yet.
    ///
    /// A group that is made anew counts its generations from the beginning, so a generation alone would not do.
    public func nextEpoch(generation: Int32) -> Int64 {
        max(Int64(generation), (highest?.epoch ?? 0) + 1)
    }

    /// The number of its first checkpoint.
    public var nextNumber: UInt64 { (highest?.number ?? 0) + 1 }

    /// The same topic when its content must not be used, because the group's offsets have been moved: all of it is
    /// to be removed by the first checkpoint.
    public var discarded: StateSnapshot {
        StateSnapshot(
            records: [:], marker: nil, rewrites: rewrites.union(records.keys), highest: highest, problems: problems,
            recordCount: recordCount, byteCount: byteCount)
    }
}

/// Problems by kind: how many, and the first of each in words.
public struct StateProblems: Hashable, Sendable {
    public private(set) var counts: [StateProblem: UInt64] = [:]
    public private(set) var examples: [StateProblem: String] = [:]

    public init() {}

    public var isEmpty: Bool { counts.isEmpty }

    mutating func add(_ problem: StateProblem, _ detail: @autoclosure () -> String) {
        counts[problem, default: 0] += 1
        if examples[problem] == nil { examples[problem] = detail() }
    }

    mutating func add(_ other: StateProblems) {
        for (problem, count) in other.counts { counts[problem, default: 0] += count }
        examples.merge(other.examples) { first, _ in first }
    }
}
