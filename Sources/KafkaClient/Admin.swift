import CRdKafka
import Glibc

/// A topic to be created.
public struct NewTopic: Hashable, Sendable {
    public var name: String
    public var partitions: Int
    /// Nil leaves it to the brokers' default.
    public var replication: Int?
    /// Topic properties, such as `cleanup.policy`.
    public var configuration: [String: String]

    public init(_ name: String, partitions: Int, replication: Int? = nil, configuration: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.configuration = configuration
    }
}

/// Looks at the cluster and creates topics. Every call waits for a broker, up to its time-out. Thread-safe.
public final class Admin: Sendable {
    private let client: ClientHandle

    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    public init(_ properties: ClientProperties, log: ClientLog.Handler? = nil) throws {
        client = try ClientHandle(RD_KAFKA_PRODUCER, Configuration(properties), events: RD_KAFKA_EVENT_ERROR, log: log)
    }

    /// Describes the cluster without creating anything.
    ///
    /// - Throws: What keeps the client from its brokers, as far as it says so: at once when time cannot mend it, such
    ///   as refused credentials, else when the time is up.
    public func metadata(topic: String? = nil, timeout: Duration) throws(KafkaError) -> ClusterMetadata {
        let deadline = ContinuousClock.now + timeout
        var complaint: KafkaError?
        while true {
            do throws(KafkaError) {
                let left = max(.milliseconds(1), deadline - ContinuousClock.now)
                return try client.metadata(topic: topic, timeout: min(left, .milliseconds(250)))
            } catch {
                complaint = client.complaint("connect") ?? complaint
                if let complaint, complaint.reaction == .stop { throw complaint }
                guard ContinuousClock.now < deadline else { throw complaint ?? error }
                // The client may know at once that it has no broker, and not wait for one.
                usleep(20_000)
            }
        }
    }

    public func watermarks(_ partition: TopicPartition, timeout: Duration) throws(KafkaError) -> Watermarks {
        try client.watermarks(partition, timeout: timeout)
    }

    /// For each partition the offset of the first record whose log timestamp (milliseconds since 1970) is not older;
    /// nil where there is none.
    public func offsets(
        at milliseconds: Int64, of partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64?] {
        try client.offsets(at: milliseconds, of: partitions, timeout: timeout)
    }

    /// Creates the topics, and waits until the controller has. Returns an error per topic that was refused,
    /// `.topicAlreadyExists` (reaction `ignore`) among them.
    /// - Throws: When the request failed as a whole, so that nothing is known of any topic.
    public func create(_ topics: [NewTopic], timeout: Duration) throws(KafkaError) -> [String: KafkaError] {
        guard !topics.isEmpty else { return [:] }
        var requests: [OpaquePointer?] = []
        defer { rd_kafka_NewTopic_destroy_array(&requests, requests.count) }
        for topic in topics { requests.append(try Self.request(for: topic)) }

        let event = try answer(to: "create topics", RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout: timeout) {
            rd_kafka_CreateTopics(client.pointer, &requests, requests.count, $0, $1)
        }
        defer { rd_kafka_event_destroy(event) }
        guard let result = rd_kafka_event_CreateTopics_result(event) else {
            throw KafkaError(.inconsistent, "create topics")
        }
        var count = 0
        let answers = rd_kafka_CreateTopics_result_topics(result, &count)
        return Self.refusals(in: UnsafeBufferPointer(start: answers, count: count), "create the topic")
    }

    /// Adds partitions to a topic until it has `partitions` of them, and waits until the controller has.
    /// - Throws: Also when the topic has as many already (`.invalidPartitions`).
    public func grow(_ topic: String, to partitions: Int, timeout: Duration) throws(KafkaError) {
        let made: Result<OpaquePointer, KafkaError> = withErrorText { text, size in
            if let request = rd_kafka_NewPartitions_new(topic, partitions, text, size) { return .success(request) }
            return .failure(
                KafkaError(.invalidArgument, "add partitions", message: String(cString: text), topic: topic))
        }
        var request: OpaquePointer? = try made.get()
        defer { rd_kafka_NewPartitions_destroy(request) }
        let event = try answer(to: "add partitions", RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout: timeout) {
            rd_kafka_CreatePartitions(client.pointer, &request, 1, $0, $1)
        }
        defer { rd_kafka_event_destroy(event) }
        guard let result = rd_kafka_event_CreatePartitions_result(event) else {
            throw KafkaError(.inconsistent, "add partitions", topic: topic)
        }
        var count = 0
        let answers = rd_kafka_CreatePartitions_result_topics(result, &count)
        let refusals = Self.refusals(in: UnsafeBufferPointer(start: answers, count: count), "add partitions")
        if let refusal = refusals[topic] { throw refusal }
    }

    /// The properties of a topic, with what it inherits from the brokers; those without a value, as secrets, are
    /// missing.
    ///
    /// - Throws: `.unsupportedFeature` of brokers that cannot tell, `.topicAuthorizationFailed` where we may not ask.
    public func configuration(of topic: String, timeout: Duration) throws(KafkaError) -> [String: String] {
        guard !topic.isEmpty, var resource = Optional(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic))
        else {
            throw KafkaError(.invalidArgument, "describe the topic", message: "it needs a name", topic: topic)
        }
        defer { rd_kafka_ConfigResource_destroy(resource) }
        // Every broker knows. librdkafka would wait for a controller, which not every cluster has.
        let broker = try metadata(timeout: timeout).brokers.first?.id
        let event = try answer(
            to: "describe the topic", RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, by: broker, timeout: timeout
        ) {
            rd_kafka_DescribeConfigs(client.pointer, &resource, 1, $0, $1)
        }
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        guard let result = rd_kafka_event_DescribeConfigs_result(event),
            let answers = rd_kafka_DescribeConfigs_result_resources(result, &count), count == 1, let answer = answers[0]
        else { throw KafkaError(.inconsistent, "describe the topic", topic: topic) }
        let code = rd_kafka_ConfigResource_error(answer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(
                KafkaErrorCode(code), "describe the topic",
                message: rd_kafka_ConfigResource_error_string(answer).map { String(cString: $0) }, topic: topic)
        }
        var configuration: [String: String] = [:]
        let entries = rd_kafka_ConfigResource_configs(answer, &count)
        for case let entry? in UnsafeBufferPointer(start: entries, count: count) {
            guard let name = rd_kafka_ConfigEntry_name(entry), let value = rd_kafka_ConfigEntry_value(entry) else {
                continue
            }
            configuration[String(cString: name)] = String(cString: value)
        }
        return configuration
    }

    /// Sends a request and waits for the controller, or the broker that is named, to have dealt with it.
    ///
    /// - Returns: The event with the answer, for the caller to destroy.
    /// - Throws: When the request failed as a whole.
    private func answer(
        to what: String, _ operation: rd_kafka_admin_op_t, by broker: Int32? = nil, timeout: Duration,
        send: (_ options: OpaquePointer?, _ answers: OpaquePointer) -> Void
    ) throws(KafkaError) -> OpaquePointer {
        let options = rd_kafka_AdminOptions_new(client.pointer, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        try withOptionCheck { text, size in
            rd_kafka_AdminOptions_set_request_timeout(options, timeout.timeout, text, size)
        }
        if let broker {
            try withOptionCheck { text, size in rd_kafka_AdminOptions_set_broker(options, broker, text, size) }
        } else {
            // The controller's own patience; a little less, so that its answer still arrives.
            try withOptionCheck { text, size in
                rd_kafka_AdminOptions_set_operation_timeout(options, max(1, timeout.timeout / 10 * 9), text, size)
            }
        }
        guard let pointer = rd_kafka_queue_new(client.pointer) else {
            preconditionFailure("rd_kafka_queue_new never returns NULL")
        }
        let answers = QueueHandle(taking: pointer, of: client)
        send(options, answers.pointer)
        // librdkafka answers by itself when the time is up; the second more only covers its own delay.
        guard let event = rd_kafka_queue_poll(answers.pointer, (timeout + .seconds(1)).timeout) else {
            throw KafkaError(.timedOut, what)
        }
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            defer { rd_kafka_event_destroy(event) }
            throw KafkaError(
                KafkaErrorCode(code), what, message: rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        return event
    }

    /// What the controller refused, by topic.
    private static func refusals(
        in answers: UnsafeBufferPointer<OpaquePointer?>, _ operation: String
    ) -> [String: KafkaError] {
        var refusals: [String: KafkaError] = [:]
        for case let answer? in answers {
            let code = rd_kafka_topic_result_error(answer)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR, let name = rd_kafka_topic_result_name(answer) else { continue }
            let topic = String(cString: name)
            refusals[topic] = KafkaError(
                KafkaErrorCode(code), operation,
                message: rd_kafka_topic_result_error_string(answer).map { String(cString: $0) }, topic: topic)
        }
        return refusals
    }

    private static func request(for topic: NewTopic) throws(KafkaError) -> OpaquePointer {
        // librdkafka would send these and leave the answer to the controller.
        guard !topic.name.isEmpty, topic.partitions >= 1, topic.replication ?? 1 >= 1 else {
            throw KafkaError(
                .invalidArgument, "create the topic",
                message: "it needs a name, at least one partition and at least one replica", topic: topic.name)
        }
        let made: Result<OpaquePointer, KafkaError> = withErrorText { text, size in
            let request = rd_kafka_NewTopic_new(
                topic.name, Int32(clamping: topic.partitions), Int32(clamping: topic.replication ?? -1), text, size)
            if let request { return .success(request) }
            return .failure(
                KafkaError(.invalidArgument, "create the topic", message: String(cString: text), topic: topic.name))
        }
        let request = try made.get()
        for (key, value) in topic.configuration.sorted(by: { $0.key < $1.key }) {
            let result = rd_kafka_NewTopic_set_config(request, key, value)
            guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
                rd_kafka_NewTopic_destroy(request)
                throw KafkaError(result, "set \(key) of the topic to be created", topic: topic.name)
            }
        }
        return request
    }

    private func withOptionCheck(
        _ body: (UnsafeMutablePointer<CChar>, Int) -> rd_kafka_resp_err_t
    ) throws(KafkaError) {
        let failure: KafkaError? = withErrorText { text, size in
            let result = body(text, size)
            guard result != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
            return KafkaError(KafkaErrorCode(result), "prepare a request", message: String(cString: text))
        }
        if let failure { throw failure }
    }
}
