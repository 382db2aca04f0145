import CRdKafka

/// Reusable room for the messages of one `PartitionQueue.consumeBatch`: filling, reading and clearing
/// allocate nothing. It holds librdkafka's buffers, so clear it as soon as the messages are dealt with.
///
/// Not Sendable: it belongs to the lane that fills it.
public final class MessageBatch {
    public let capacity: Int
    public private(set) var count = 0
    private let storage: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    /// Messages must be destroyed before their client: held while there are any.
    private var client: ClientHandle?

    public init(capacity: Int) {
        precondition(capacity > 0, "a batch has room for at least one message")
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
        storage.initialize(repeating: nil, count: capacity)
    }

    deinit {
        clear()
        storage.deallocate()
    }

    /// Destroys the messages. Every `MessageView` of this batch is invalid from here on.
    public func clear() {
        for index in 0..<count { rd_kafka_message_destroy(storage[index]) }
        count = 0
        client = nil
    }

    /// Replaces the content with what waits in the queue, at most `limit`. Waits for as many up to `patience`.
    func fill(from queue: QueueHandle, limit: Int, patience: Duration = .zero) throws(KafkaError) {
        clear()
        let received = rd_kafka_consume_batch_queue(
            queue.pointer, patience.timeout, storage, Swift.min(limit, capacity))
        guard received >= 0 else { throw KafkaError(rd_kafka_last_error(), "read records") }
        guard received > 0 else { return }
        count = received
        client = queue.client
    }
}

extension MessageBatch: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(index: Int) -> MessageView {
        precondition(index >= 0 && index < count, "message \(index) of \(count)")
        guard let message = storage[index] else { preconditionFailure("librdkafka fills every slot it counts") }
        return MessageView(message: UnsafePointer(message))
    }
}
