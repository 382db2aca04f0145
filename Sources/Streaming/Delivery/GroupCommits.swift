import KafkaClient
import Synchronization

/// Commits of a membership to its group outside of transactions: what was asked for, and whom the answers concern.
/// Thread-safe.
final class GroupCommits: Sendable {
    private let last = Atomic<Int>(0)
    /// Those that wait for an answer, by id.
    private let waiting = Mutex<[Int: ContinuousClock.Instant]>([:])
    private let report: @Sendable (PipelineEvent) -> Void

    init(report: @escaping @Sendable (PipelineEvent) -> Void) {
        self.report = report
    }

    /// False when the commit could not even be asked for.
    func ask(for offsets: [PartitionOffset], by consumer: Consumer) -> Bool {
        let id = last.add(1, ordering: .relaxed).newValue
        waiting.withLock { $0[id] = .now }
        do throws(KafkaError) {
            try consumer.commitLater(offsets, id: id)
            return true
        } catch {
            waiting.withLock { $0[id] = nil }
            report(.commitFailed(error))
            return false
        }
    }

    /// Takes the group's answer, and tells the lanes whose offsets it is about.
    ///
    /// - Parameter lane: the lane of a partition number, if there still is one.
    func answered(_ result: CommitResult, lane: (Int32) -> PartitionLane?) {
        let asked = waiting.withLock { $0.removeValue(forKey: result.id) }
        let partitions = Dictionary(grouping: result.offsets, by: \.partition.partition)
        if let error = result.error {
            report(.commitFailed(error))
            for partition in partitions.keys { lane(partition)?.repeatCommit() }
        } else {
            for (partition, offsets) in partitions {
                if let asked { report(.checkpointed(partition: partition, after: .now - asked)) }
                lane(partition)?.confirm(offsets)
            }
            report(.committed(result.offsets))
        }
    }
}
