import Synchronization

/// What a `Consumer` reports, always on its control queue.
public enum ConsumerEvent: Sendable {
    /// These partitions are ours. Their reading starts at the committed offsets; activate the queues.
    case assigned([PartitionQueue])
    /// These partitions must be given back: finish the lanes, commit, then call `finish()`.
    case revoked(Revocation)
    /// The result of `Consumer.commitLater`.
    case committed(CommitResult)
    /// Something failed, of the whole client or of one topic. Most of it librdkafka repairs by itself;
    /// `reaction` tells.
    case failed(KafkaError)
    /// librdkafka's statistics as JSON, every `statistics.interval.ms`.
    case statistics(String)
}

public struct CommitResult: Sendable {
    /// As given to `commitLater`.
    public let id: Int
    public let offsets: [PartitionOffset]
    public let error: KafkaError?
}

/// Partitions on their way out. The group waits for `finish()`: until then, unless they are `lost`, nobody
/// else reads them and commits are accepted. It waits no longer than `max.poll.interval.ms` (5 minutes), and
/// other members stand still meanwhile, so the owner bounds the work.
///
/// Dropping the object without `finish()` finishes it as well.
public final class Revocation: Sendable {
    public let partitions: [TopicPartition]
    /// The group has given them away already: commits fail or, worse, would rewind the new owner. Drop the
    /// work instead.
    public let isLost: Bool
    private let completion: Mutex<(@Sendable () -> Void)?>

    init(_ partitions: [TopicPartition], isLost: Bool, completion: @escaping @Sendable () -> Void) {
        self.partitions = partitions
        self.isLost = isLost
        self.completion = Mutex(completion)
    }

    deinit { finish() }

    /// Gives the partitions back: their queues stay empty from here on. From any thread; later calls do nothing.
    public func finish() {
        let completion = self.completion.withLock { completion in
            defer { completion = nil }
            return completion
        }
        completion?()
    }
}
