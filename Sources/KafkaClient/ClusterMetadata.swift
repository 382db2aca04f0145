import CRdKafka

/// Brokers and topics at one moment.
public struct ClusterMetadata: Hashable, Sendable {
    public struct Broker: Hashable, Sendable {
        public let id: Int32
        public let host: String
        public let port: Int32
    }

    public struct Topic: Hashable, Sendable {
        public let name: String
        public let partitions: [Partition]
        /// Why the topic is not described: missing, or not allowed to be seen.
        public let error: KafkaError?
    }

    public struct Partition: Hashable, Sendable {
        public let id: Int32
        /// Nil while there is no leader.
        public let leader: Int32?
        public let replicas: Int
        public let inSyncReplicas: Int
    }

    public let brokers: [Broker]
    public let topics: [Topic]

    public func topic(_ name: String) -> Topic? { topics.first { $0.name == name } }
}

extension ClientHandle {
    /// Always asks for all topics: naming one in a request would create it where the brokers and
    /// `allow.auto.create.topics` permit (a producer cannot forbid it).
    func metadata(topic name: String?, timeout: Duration) throws(KafkaError) -> ClusterMetadata {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let result = rd_kafka_metadata(pointer, 1, nil, &answer, timeout.timeout)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
            throw KafkaError(result, "fetch the cluster's metadata")
        }
        defer { rd_kafka_metadata_destroy(answer) }
        let metadata = answer.pointee
        let brokers = UnsafeBufferPointer(start: metadata.brokers, count: Int(metadata.broker_cnt)).map {
            ClusterMetadata.Broker(id: $0.id, host: String(cString: $0.host), port: $0.port)
        }
        let topics = UnsafeBufferPointer(start: metadata.topics, count: Int(metadata.topic_cnt)).map { topic in
            let topicName = String(cString: topic.topic)
            let partitions = UnsafeBufferPointer(start: topic.partitions, count: Int(topic.partition_cnt)).map {
                ClusterMetadata.Partition(
                    id: $0.id, leader: $0.leader >= 0 ? $0.leader : nil, replicas: Int($0.replica_cnt),
                    inSyncReplicas: Int($0.isr_cnt))
            }
            let error =
                topic.err == RD_KAFKA_RESP_ERR_NO_ERROR
                ? nil : KafkaError(topic.err, "describe the topic", topic: topicName)
            return ClusterMetadata.Topic(name: topicName, partitions: partitions, error: error)
        }
        return ClusterMetadata(brokers: brokers, topics: topics.filter { name == nil || $0.name == name })
    }

    func watermarks(_ partition: TopicPartition, timeout: Duration) throws(KafkaError) -> Watermarks {
        var low: Int64 = 0
        var high: Int64 = 0
        let result = rd_kafka_query_watermark_offsets(
            pointer, partition.topic, partition.partition, &low, &high, timeout.timeout)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(result, "ask for the first and last offset", at: partition)
        }
        return Watermarks(low: low, high: high)
    }

    /// For each partition the offset of the first record whose log timestamp is not older; nil where there is none.
    func offsets(
        at milliseconds: Int64, of partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64?] {
        let list = PartitionList(capacity: partitions.count)
        for partition in partitions { list.add(partition, offset: milliseconds) }
        let result = rd_kafka_offsets_for_times(pointer, list.pointer, timeout.timeout)
        if let error = list.pointer.pointee.firstError("look up offsets by time") { throw error }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "look up offsets by time") }
        return Dictionary(
            list.pointer.pointee.elements.map { ($0.topicPartition, $0.offset >= 0 ? $0.offset : nil) },
            uniquingKeysWith: { _, last in last })
    }
}
