import CRdKafka

/// A Kafka cluster inside this process, listening on loopback ports chosen by the system: librdkafka's mock
/// cluster. Any Kafka client can use it, in this process or another.
///
/// Its limits, seen with librdkafka 2.0.2 (2026-11):
/// - A partition keeps its newest 5 MB; older records vanish without a sign but the low watermark. A single
///   record of 20 MB behind others was acknowledged, and could not be read.
/// - Topics come from `createTopic`. `Admin.create` times out, since there is no controller. Producing or
///   subscribing to an unknown topic creates it with four partitions, whatever `allow.auto.create.topics`
///   says; asking for metadata does not.
/// - It has no topic properties and does not answer for them: `Admin.configuration(of:)` throws `.unsupportedFeature`.
/// - A group's first rebalance takes some seconds. Commits during an eager rebalance are refused with
///   `.rebalanceInProgress`, where Apache Kafka still takes them.
/// - Transactions go through the motions: aborted records can be read with `read_committed`. Do not rely on
///   offsets that were sent in a transaction.
/// - By its documentation, a broker that is down stays the leader of what it has; use `setLeader`.
///
/// `Sendable`, and thread-safe, because the mock cluster runs on its own thread and every call here is handed
/// to it. Its memory, topics and offsets go with the object; close its clients first.
public final class EmbeddedBroker: Sendable {
    /// Requests by their Kafka protocol number, for injecting errors.
    public struct API: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int16
        public init(rawValue: Int16) { self.rawValue = rawValue }

        public static let produce = API(rawValue: 0)
        public static let fetch = API(rawValue: 1)
        public static let listOffsets = API(rawValue: 2)
        public static let metadata = API(rawValue: 3)
        public static let offsetCommit = API(rawValue: 8)
        public static let offsetFetch = API(rawValue: 9)
        public static let findCoordinator = API(rawValue: 10)
        public static let joinGroup = API(rawValue: 11)
        public static let heartbeat = API(rawValue: 12)
        public static let syncGroup = API(rawValue: 14)
        public static let initProducerID = API(rawValue: 22)
        public static let addPartitionsToTransaction = API(rawValue: 24)
        public static let addOffsetsToTransaction = API(rawValue: 25)
        public static let endTransaction = API(rawValue: 26)
        public static let transactionOffsetCommit = API(rawValue: 28)
    }

    public enum Coordinator: String, Sendable {
        case group
        case transaction
    }

    /// For `bootstrap.servers`.
    public let bootstrapServers: String
    public let brokers: Int
    private let cluster: ClusterHandle

    /// The cluster lives on a client of its own, and must be destroyed before it.
    ///
    /// `@unchecked Sendable` because the mock cluster locks itself or runs calls on its own thread, and the
    /// pointer never changes.
    private final class ClusterHandle: @unchecked Sendable {
        let pointer: OpaquePointer
        private let client: ClientHandle

        init(brokers: Int, client: ClientHandle) throws(KafkaError) {
            guard let pointer = rd_kafka_mock_cluster_new(client.pointer, Int32(clamping: brokers)) else {
                throw KafkaError(rd_kafka_last_error(), "start the embedded broker")
            }
            self.pointer = pointer
            self.client = client
        }

        deinit { rd_kafka_mock_cluster_destroy(pointer) }
    }

    /// Starts `brokers` brokers, numbered from 1, and creates the topics.
    public init(brokers: Int = 1, topics: [(name: String, partitions: Int)] = []) throws {
        let client = try ClientHandle(RD_KAFKA_PRODUCER, Configuration([:]))
        cluster = try ClusterHandle(brokers: brokers, client: client)
        bootstrapServers = rd_kafka_mock_cluster_bootstraps(cluster.pointer).map { String(cString: $0) } ?? ""
        self.brokers = brokers
        for topic in topics { try createTopic(topic.name, partitions: topic.partitions) }
    }

    /// Properties for a client of this broker.
    public var properties: ClientProperties { ["bootstrap.servers": bootstrapServers] }

    public func createTopic(_ name: String, partitions: Int, replication: Int = 1) throws(KafkaError) {
        try check(
            rd_kafka_mock_topic_create(
                cluster.pointer, name, Int32(clamping: partitions), Int32(clamping: replication)),
            "create the topic", topic: name)
    }

    // MARK: Trouble

    /// The next requests of this kind fail, one per code, in order; `.transport` breaks the connection instead.
    public func fail(_ api: API, with errors: [KafkaErrorCode]) {
        let codes = errors.map(\.response)
        rd_kafka_mock_push_request_errors_array(cluster.pointer, api.rawValue, codes.count, codes)
    }

    /// The next requests of this kind to one broker fail; those to the others do not.
    public func fail(_ api: API, of broker: Int32, with errors: [KafkaErrorCode]) throws(KafkaError) {
        for error in errors {
            try check(
                apus_kafka_mock_fail(cluster.pointer, broker, api.rawValue, error.response), "inject an error")
        }
    }

    /// Takes back the failures that have not happened yet.
    public func clearFailures(of api: API) {
        rd_kafka_mock_clear_request_errors(cluster.pointer, api.rawValue)
    }

    /// From now on the brokers do not know this kind of request, as old ones do not. Connections made before still do.
    public func withdraw(_ api: API) throws(KafkaError) {
        try check(rd_kafka_mock_set_apiversion(cluster.pointer, api.rawValue, -1, -1), "withdraw a request")
    }

    /// Metadata answers carry this error for the topic; `.none` ends it.
    public func setError(_ code: KafkaErrorCode, ofTopic name: String) {
        rd_kafka_mock_topic_set_error(cluster.pointer, name, code.response)
    }

    /// Breaks the connections and accepts no new ones; leadership stays where it is. Nil is every broker.
    public func takeDown(broker: Int32? = nil) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_down(cluster.pointer, broker ?? -1), "take the broker down")
    }

    public func bringUp(broker: Int32? = nil) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_up(cluster.pointer, broker ?? -1), "bring the broker up")
    }

    /// Every answer takes at least that long.
    public func setRoundTrip(_ time: Duration, broker: Int32? = nil) throws(KafkaError) {
        try check(
            rd_kafka_mock_broker_set_rtt(cluster.pointer, broker ?? -1, time.timeout), "set the round-trip time")
    }

    /// Nil takes the leader away.
    public func setLeader(_ broker: Int32?, of partition: TopicPartition) throws(KafkaError) {
        try check(
            rd_kafka_mock_partition_set_leader(cluster.pointer, partition.topic, partition.partition, broker ?? -1),
            "set the leader", topic: partition.topic)
    }

    public func setCoordinator(_ broker: Int32, of kind: Coordinator, id: String) throws(KafkaError) {
        try check(
            rd_kafka_mock_coordinator_set(cluster.pointer, kind.rawValue, id, broker), "set the coordinator of \(id)")
    }

    private func check(
        _ result: rd_kafka_resp_err_t, _ operation: String, topic: String? = nil
    ) throws(KafkaError) {
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, operation, topic: topic) }
    }
}
