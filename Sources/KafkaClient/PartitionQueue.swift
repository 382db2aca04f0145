import CRdKafka
public import Dispatch
import Synchronization

/// The messages of one assigned partition. Only this queue receives them, and it does so from before the
/// assignment took effect until the partition is given back; then it stays empty for ever.
///
/// ```
/// let batch = MessageBatch(capacity: 512)
/// try queue.activate(on: lane) {
///     while try queue.consumeBatch(into: batch) > 0 {
///         for message in batch { … }
///         if overBudget { queue.wake(); return }     // others get their turn
///     }
/// }
/// ```
///
/// Thread-safe. Meant for one lane: order is lost when several threads consume.
public final class PartitionQueue: Sendable {
    public let partition: TopicPartition
    private let handle: QueueHandle
    private let state: Mutex<State>

    private enum State {
        case idle
        case active(Wakeup)
        case retired
    }

    /// Takes the partition's queue away from the consumer's: nothing lands there any more. Called before
    /// `rd_kafka_assign`; librdkafka remembers it for later assignments, too.
    init?(_ partition: TopicPartition, of client: ClientHandle) {
        guard let queue = rd_kafka_queue_get_partition(client.pointer, partition.topic, partition.partition) else {
            return nil
        }
        rd_kafka_queue_forward(queue, nil)
        self.partition = partition
        handle = QueueHandle(taking: queue, of: client)
        state = Mutex(.idle)
    }

    deinit { retire() }

    /// Runs `handler` on `queue` whenever messages may be waiting: once right away, then each time the empty
    /// queue received something. The handler drains until `consumeBatch` returns 0, or calls `wake()`:
    /// a handler that does neither is not called again.
    ///
    /// Calling it a second time replaces the handler. Does nothing when the partition was given back.
    /// - Throws: `.systemResource` when the process has no file descriptor left.
    public func activate(on queue: DispatchQueue, handler: @escaping @Sendable () -> Void) throws(KafkaError) {
        let wakeup = try Wakeup(on: queue, handler: handler)
        state.withLock { state in
            if case .retired = state { return }
            state = .active(wakeup)
            wakeup.watch(handle)
        }
    }

    /// No more wake-ups. Messages stay in the queue, and librdkafka stops fetching when it is full.
    public func deactivate() {
        state.withLock { state in
            guard case .active = state else { return }
            Wakeup.unwatch(handle)
            state = .idle
        }
    }

    /// Runs the handler once more, after what is already on its Dispatch queue. Allocates nothing.
    public func wake() {
        state.withLock { state in
            if case .active(let wakeup) = state { wakeup.raise() }
        }
    }

    /// Replaces the content of `batch` with the waiting messages, at most `max`, without waiting. Returns
    /// their number, always 0 when the partition was given back. Resets `max.poll.interval.ms`.
    ///
    /// - Parameter patience: Waits that long for `max` messages. Not for lanes, and giving the partition back waits,
    ///   too.
    @discardableResult
    public func consumeBatch(
        max: Int = .max, into batch: MessageBatch, patience: Duration = .zero
    ) throws(KafkaError) -> Int {
        // Under the lock, since after a reassignment the same queue belongs to a new PartitionQueue.
        let failure: KafkaError? = state.withLock { state in
            if case .retired = state {
                batch.clear()
                return nil
            }
            do throws(KafkaError) {
                try batch.fill(from: handle, limit: max, patience: patience)
                return nil
            } catch {
                return error
            }
        }
        if var failure {
            failure.topic = partition.topic
            failure.partition = partition.partition
            throw failure
        }
        return batch.count
    }

    /// Messages fetched and not yet consumed.
    public var waiting: Int { rd_kafka_queue_length(handle.pointer) }

    /// Called when the partition is given back, and before it may be assigned again.
    func retire() {
        state.withLock { state in
            if case .active = state { Wakeup.unwatch(handle) }
            state = .retired
        }
    }
}
