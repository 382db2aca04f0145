import CRdKafka

public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let topic: String
    public let partition: Int32

    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public var description: String { "\(topic)[\(partition)]" }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// Where to read next. Plain numbers are offsets; the constants are Kafka's logical ones.
public struct Offset: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    public static func at(_ offset: Int64) -> Offset { Offset(rawValue: offset) }
    /// The oldest record.
    public static let beginning = Offset(rawValue: -2)
    /// After the newest record.
    public static let end = Offset(rawValue: -1)
    /// The group's committed offset, else what `auto.offset.reset` says.
    public static let committed = Offset(rawValue: -1000)

    /// What a value of `auto.offset.reset` means, nil for `error`; without a value what librdkafka takes for it.
    public init?(reset value: String?) {
        switch value {
        case nil, "largest", "latest", "end": self = .end
        case "error": return nil
        default: self = .beginning
        }
    }
}

/// A partition and the offset of the next record to read there.
public struct PartitionOffset: Hashable, Sendable, CustomStringConvertible {
    public let partition: TopicPartition
    public let offset: Int64

    public init(_ partition: TopicPartition, _ offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    public var description: String { "\(partition)@\(offset)" }
}

/// Offsets from the oldest record (`low`) to behind the newest (`high`).
public struct Watermarks: Hashable, Sendable {
    public let low: Int64
    public let high: Int64

    public init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}

/// An owned `rd_kafka_topic_partition_list_t`.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(taking pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        self.pointer = pointer
    }

    init(capacity: Int) {
        guard let pointer = rd_kafka_topic_partition_list_new(Int32(clamping: capacity)) else {
            preconditionFailure("rd_kafka_topic_partition_list_new never returns NULL")
        }
        self.pointer = pointer
    }

    init(_ partitions: some Collection<TopicPartition>) {
        self.init(capacity: partitions.count)
        for partition in partitions { add(partition) }
    }

    init(_ offsets: some Collection<PartitionOffset>) {
        self.init(capacity: offsets.count)
        for entry in offsets { add(entry.partition, offset: entry.offset) }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    func add(_ partition: TopicPartition, offset: Int64? = nil) {
        let element = rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
        if let offset { element?.pointee.offset = offset }
    }

    var partitions: [TopicPartition] { pointer.pointee.partitions }
}

extension rd_kafka_topic_partition_list_t {
    /// Borrowed: valid as long as the list.
    var elements: UnsafeBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeBufferPointer(start: elems, count: Int(cnt))
    }

    var partitions: [TopicPartition] { elements.map(\.topicPartition) }

    /// The entries that carry a real offset.
    var offsets: [PartitionOffset] {
        elements.filter { $0.offset >= 0 }.map { PartitionOffset($0.topicPartition, $0.offset) }
    }

    func firstError(_ operation: String) -> KafkaError? {
        elements.first { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }
            .map { KafkaError($0.err, operation, at: $0.topicPartition) }
    }
}

extension rd_kafka_topic_partition_t {
    var topicPartition: TopicPartition { TopicPartition(String(cString: topic), partition) }
}

extension Duration {
    /// For librdkafka's time-outs: whole milliseconds, rounded up, within `Int32`; never negative, since
    /// -1 means "for ever" there.
    var timeout: Int32 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
