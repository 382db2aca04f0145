import CRdKafka
import Dispatch
import Glibc

/// Runs a handler on a Dispatch queue after it was raised from any thread, any number of times.
/// Raising several times before the handler runs runs it once; raising while it runs runs it again.
///
/// An eventfd with a read source: librdkafka can write to it by itself, and raising allocates nothing.
final class Wakeup: Sendable {
    private let descriptor: Int32
    // Invariant: assigned once; Dispatch sources may be cancelled and released on any thread.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    init(on queue: DispatchQueue, handler: @escaping @Sendable () -> Void) throws(KafkaError) {
        let descriptor = apus_kafka_eventfd()
        guard descriptor >= 0 else {
            throw KafkaError(
                .systemResource, "open an eventfd to be woken by librdkafka", message: String(cString: strerror(errno)))
        }
        self.descriptor = descriptor
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler {
            // Cleared first: what is raised from here on is seen by the next run.
            apus_kafka_eventfd_clear(descriptor)
            handler()
        }
        // Dispatch may look at the descriptor until this runs.
        source.setCancelHandler { close(descriptor) }
        source.activate()
    }

    deinit { source.cancel() }

    func raise() { apus_kafka_eventfd_raise(descriptor) }

    /// librdkafka raises it when the empty queue receives something. Raised once right away, since what is
    /// in the queue already will never do it. Replaces any earlier wakeup of the queue.
    func watch(_ queue: QueueHandle) {
        apus_kafka_queue_signal(queue.pointer, descriptor)
        raise()
    }

    /// Returns when librdkafka no longer writes to the descriptor (both sides hold the queue's lock).
    static func unwatch(_ queue: QueueHandle) {
        apus_kafka_queue_unsignal(queue.pointer)
    }
}
