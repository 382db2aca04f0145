/// A topic by its index in the table of topic names its process keeps.
public struct TopicID: Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }
}

/// Where a record stands in Kafka. No two records share one.
public struct RecordOrigin: Hashable, Sendable {
    public var topic: TopicID
    public var partition: Int32
    public var offset: Int64

    public init(topic: TopicID, partition: Int32, offset: Int64) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }
}
