import EventSchema
import Events

/// How far the hits of each input partition were taken, where a lane that crashed is followed by one that hands some of
/// them on once more (`at_least_once`).
///
/// A lane hands hits on in the order of their records' offsets, its producer writes them in that order, and an offset is
/// committed only when all hits below it are written. So whoever goes on after a crash, and a lane that goes on without
/// knowing that it has been replaced, repeats only hits up to the newest one here; of that record it may add some.
struct TakenHits {
    private struct Newest {
        var offset: Int64
        /// Of that record: which of its rules and join keys were there.
        var hits: [UInt64]
    }

    private var partitions: [EventClocks.SourcePartition: Newest] = [:]

    /// Notes a hit, unless it was there before: false then.
    mutating func insert(_ hit: ForwardedHit, rule: String) -> Bool {
        let origin = hit.event.origin
        let partition = EventClocks.SourcePartition(topic: origin.topic, partition: origin.partition)
        let digest = FNV1a.hash(HitHeader.recordKey(rule: rule, hit.key))
        guard var newest = partitions[partition], newest.offset >= origin.offset else {
            partitions[partition] = Newest(offset: origin.offset, hits: [digest])
            return true
        }
        guard newest.offset == origin.offset, !newest.hits.contains(digest) else { return false }
        newest.hits.append(digest)
        partitions[partition] = newest
        return true
    }
}

extension TakenHits {
    /// - Parameter topics: names by number.
    func state(topics: [String]) -> [TimeState.Taken] {
        partitions.map { partition, newest in
            TimeState.Taken(
                topic: topics[Int(partition.topic.rawValue)], partition: partition.partition, offset: newest.offset,
                hits: newest.hits)
        }.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }

    init(_ state: [TimeState.Taken], topics: [String]) {
        for taken in state {
            guard let topic = topics.firstIndex(of: taken.topic) else { continue }
            let partition = EventClocks.SourcePartition(
                topic: TopicID(rawValue: UInt16(topic)), partition: taken.partition)
            partitions[partition] = Newest(offset: taken.offset, hits: taken.hits)
        }
    }
}
