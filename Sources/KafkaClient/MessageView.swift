import CRdKafka

/// One message of a `MessageBatch`, borrowed: valid until the batch is cleared, refilled or released.
/// Reading it allocates nothing, except where said.
public struct MessageView {
    let message: UnsafePointer<rd_kafka_message_t>

    public enum Kind: Hashable, Sendable {
        case record
        /// The reader has caught up; only with `enable.partition.eof`. `offset` is the next record's.
        case endOfPartition
        /// The partition has a problem; see `error`. There may be more records behind it.
        case error
    }

    public var kind: Kind {
        switch message.pointee.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR: .record
        case RD_KAFKA_RESP_ERR__PARTITION_EOF: .endOfPartition
        default: .error
        }
    }

    /// Why this is not a record. Allocates.
    public var error: KafkaError? {
        guard kind == .error else { return nil }
        // For errors, librdkafka puts its words into the payload.
        let words = value.map { String(decoding: $0, as: UTF8.self) }
        return KafkaError(
            KafkaErrorCode(message.pointee.err), "read records", message: words,
            topic: topic.isEmpty ? nil : topic, partition: partition >= 0 ? partition : nil)
    }

    public var partition: Int32 { message.pointee.partition }
    public var offset: Int64 { message.pointee.offset }

    /// Milliseconds since 1970, by the producer's or the broker's clock; nil when the record has none.
    public var timestamp: Int64? {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = rd_kafka_message_timestamp(message, &type)
        return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || milliseconds < 0 ? nil : milliseconds
    }

    /// Nil for a record without key; an empty key is not nil.
    public var key: UnsafeRawBufferPointer? {
        message.pointee.key.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len) }
    }

    /// Nil for a tombstone; an empty value is not nil.
    public var value: UnsafeRawBufferPointer? {
        message.pointee.payload.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.len) }
    }

    /// Allocates; a `PartitionQueue` already knows its topic.
    public var topic: String {
        guard let topic = message.pointee.rkt, let name = rd_kafka_topic_name(topic) else { return "" }
        return String(cString: name)
    }

    /// Parsed by librdkafka when first asked for, which allocates there.
    public var headers: Headers {
        var headers: OpaquePointer?
        // A record without headers answers with an error and leaves nil.
        let result = rd_kafka_message_headers(message, &headers)
        return Headers(pointer: result == RD_KAFKA_RESP_ERR_NO_ERROR ? headers : nil)
    }

    /// The headers of a message, in the producer's order; names may repeat. Borrowed like the message.
    public struct Headers: Sequence, IteratorProtocol {
        let pointer: OpaquePointer?
        private var index = 0

        init(pointer: OpaquePointer?) {
            self.pointer = pointer
        }

        public mutating func next() -> Header? {
            guard let pointer else { return nil }
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            guard rd_kafka_header_get_all(pointer, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR,
                let name
            else { return nil }
            index += 1
            return Header(
                nameBytes: name, value: value.map { UnsafeRawBufferPointer(start: $0, count: size) })
        }

        /// The last value under that name, as Kafka's own clients look headers up. Nil when there is none.
        public func last(_ name: String) -> UnsafeRawBufferPointer? {
            guard let pointer else { return nil }
            var value: UnsafeRawPointer?
            var size = 0
            guard rd_kafka_header_get_last(pointer, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let value
            else { return nil }
            return UnsafeRawBufferPointer(start: value, count: size)
        }
    }

    public struct Header {
        let nameBytes: UnsafePointer<CChar>
        /// Nil for a header without value.
        public let value: UnsafeRawBufferPointer?
        /// Allocates for long names.
        public var name: String { String(cString: nameBytes) }
    }
}
