import Detection
import Events
import KafkaClient
import Synchronization

/// Notices that events of one host come in partitions of different numbers, although rules rely on all of them coming
/// to one lane: producers without a record key, with another key, or with another partitioner.
///
/// Sees what its instance reads, over all its memberships, and samples it: hosts that keep sending are noticed soon,
/// and nothing is said of those that are not. An instance that has one partition number only cannot notice anything.
/// Thread-safe.
///
/// *Cost:* 64 KiB; one decrement per record, and a lock for every ``interval``-th.
final class KeyWatch: Sendable {
    /// Records of a lane between two looks.
    static let interval = 64
    /// A power of two.
    private static let capacity = 4096

    private struct Place {
        var key: UInt64
        var partition: Int32
        var topic: TopicID
    }

    /// Each key has one place it can be remembered at, and the newest key has it.
    private let places = Mutex([Place?](repeating: nil, count: capacity))

    /// Where the key was seen before, if that was in a partition of another number.
    func note(_ key: UInt64, in topic: TopicID, _ partition: Int32) -> (topic: TopicID, partition: Int32)? {
        // The low bits of FNV-1a are its weakest.
        let index = Int(truncatingIfNeeded: (key ^ key >> 32) & UInt64(Self.capacity - 1))
        let former = places.withLock { places in
            defer { places[index] = Place(key: key, partition: partition, topic: topic) }
            return places[index]
        }
        guard let former, former.key == key, former.partition != partition else { return nil }
        return (former.topic, former.partition)
    }
}

/// What one lane has noticed since it last said so. Of one lane, on its queue.
struct StrayKeys {
    private var untilLook = KeyWatch.interval
    private(set) var records = 0
    /// Where the last of them was, and where it had been before.
    private(set) var example: (now: TopicID, before: (topic: TopicID, partition: Int32))?

    /// The detector has just taken a record of `topic` that decoded.
    @inline(__always)
    mutating func evaluated(by detector: Detector, _ topic: TopicID, _ partition: Int32, _ watch: KeyWatch) {
        untilLook -= 1
        if untilLook == 0 { look(detector, topic, partition, watch) }
    }

    private mutating func look(_ detector: Detector, _ topic: TopicID, _ partition: Int32, _ watch: KeyWatch) {
        untilLook = KeyWatch.interval
        guard let key = detector.partitionKeyHash, let before = watch.note(key, in: topic, partition) else { return }
        records += 1
        example = (topic, before)
    }

    /// What was noticed since the last call.
    mutating func take() -> (records: Int, now: TopicID, before: (topic: TopicID, partition: Int32))? {
        defer {
            records = 0
            example = nil
        }
        return example.map { (records, $0.now, $0.before) }
    }
}
