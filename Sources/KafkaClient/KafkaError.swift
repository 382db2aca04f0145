import CRdKafka

/// A failed Kafka operation: what happened, doing what, where, and what to do about it.
public struct KafkaError: Error, Hashable, Sendable {
    public let code: KafkaErrorCode
    /// librdkafka's or the broker's own words.
    public let message: String
    /// What was being done, as in "cannot …": `commit offsets`, `write a record`.
    public let operation: String
    public var topic: String?
    public var partition: Int32?
    /// The client instance is of no further use (idempotence or group membership is broken for good).
    public let isFatal: Bool
    /// librdkafka says that the same call may succeed.
    public let isRetriable: Bool
    /// librdkafka says that the open transaction must be aborted.
    public let requiresAbort: Bool

    public init(
        _ code: KafkaErrorCode, _ operation: String, message: String? = nil, topic: String? = nil,
        partition: Int32? = nil, isFatal: Bool = false, isRetriable: Bool = false, requiresAbort: Bool = false
    ) {
        self.code = code
        self.operation = operation
        self.message = message ?? code.summary
        self.topic = topic
        self.partition = partition
        self.isFatal = isFatal
        self.isRetriable = isRetriable
        self.requiresAbort = requiresAbort
    }

    /// What the caller does. librdkafka's flags know the circumstances, so they come before the table; where they
    /// leave a choice, the table makes it: what no repetition mends stops.
    public var reaction: Reaction {
        let listed = Classifier.lists(code) ? code.reaction : nil
        if isFatal { return listed == .stop ? .stop : .rejoin }
        if requiresAbort {
            // Aborting is all librdkafka asks for; the code says whether a new attempt makes sense.
            switch listed {
            case .dropLane, .rejoin, .stop: return listed ?? .stop
            case .ignore, .retry, .abortTransaction, nil: return .abortTransaction
            }
        }
        if isRetriable { return .retry }
        return code.reaction
    }
}

extension KafkaError {
    /// librdkafka has given up starting this partition, since it could not fetch the committed offset: the partition
    /// stays assigned and is not read. It says so in words only (seen with 2.0.2, for NOT_COORDINATOR).
    public var leavesPartitionUnread: Bool {
        partition != nil && message.hasPrefix("Failed to fetch committed offset")
    }

    init(_ code: rd_kafka_resp_err_t, _ operation: String, topic: String? = nil, partition: Int32? = nil) {
        self.init(KafkaErrorCode(code), operation, topic: topic, partition: partition)
    }

    init(_ code: rd_kafka_resp_err_t, _ operation: String, at partition: TopicPartition?) {
        self.init(KafkaErrorCode(code), operation, topic: partition?.topic, partition: partition?.partition)
    }

    /// Reads and destroys an `rd_kafka_error_t`.
    init(consuming error: OpaquePointer, _ operation: String, topic: String? = nil) {
        defer { rd_kafka_error_destroy(error) }
        self.init(
            KafkaErrorCode(rd_kafka_error_code(error)), operation,
            message: String(cString: rd_kafka_error_string(error)), topic: topic,
            isFatal: rd_kafka_error_is_fatal(error) != 0, isRetriable: rd_kafka_error_is_retriable(error) != 0,
            requiresAbort: rd_kafka_error_txn_requires_abort(error) != 0)
    }
}

extension KafkaError: CustomStringConvertible {
    public var description: String {
        var text = "cannot \(operation)"
        if let topic { text += " (topic \(topic)\(partition.map { ", partition \($0)" } ?? ""))" }
        text += ": \(message) [\(code.name)]"
        if let advice { text += ". \(advice)" }
        return text
    }

    /// What the operator can do, where that is known.
    public var advice: String? {
        let name = topic ?? "NAME"
        return switch code {
        case .unknownTopicOrPartition, .unknownTopic, .unknownPartition:
            "Create the topic (kafka-topics --create --topic \(name)) or correct its name in the configuration"
        case .transport, .allBrokersDown, .resolve, .networkException:
            "Check kafka.brokers (or --brokers), the network, and that security.protocol fits the listener"
        case .timedOut, .requestTimedOut, .messageTimedOut:
            "Check that the brokers are up and that their advertised listeners can be reached from here"
        case .ssl:
            "Check ssl.ca.location, the certificate and key, and that the brokers' names match their certificates"
        case .authentication, .saslAuthenticationFailed:
            "Check sasl.mechanism, sasl.username and the password"
        case .unsupportedSASLMechanism:
            "Set sasl.mechanism to one that the brokers' listener offers"
        case .topicAuthorizationFailed:
            "Grant the client's principal access to topic \(name) (kafka-acls --add --topic \(name))"
        case .groupAuthorizationFailed:
            "Grant the client's principal READ on the consumer group (kafka-acls --add --group)"
        case .transactionalIDAuthorizationFailed:
            "Grant the client's principal WRITE and DESCRIBE on the transactional id"
        case .clusterAuthorizationFailed:
            "Grant the client's principal the cluster operation (kafka-acls --add --cluster)"
        case .messageTooLarge, .batchTooLarge:
            "Raise message.max.bytes here and max.message.bytes on topic \(name), or make the record smaller"
        case .invalidReplicationFactor:
            "Ask for no more replicas than the cluster has brokers"
        case .offsetOutOfRange, .autoOffsetReset:
            "Records were deleted before they were read; set the group's offsets and raise the topic's retention"
        case .fenced, .producerFenced, .invalidProducerEpoch:
            """
            If it repeats: give each running instance a kafka.instance_id of its own, and raise \
            kafka.transaction_timeout if transactions take that long
            """
        case .invalidTransactionTimeout:
            "Lower kafka.transaction_timeout, or raise the brokers' transaction.max.timeout.ms"
        case .fencedInstance:
            "Give each running instance a kafka.instance_id (group.instance.id) of its own, or none"
        case .inconsistentGroupProtocol:
            "Use the same partition.assignment.strategy in every member of the group"
        case .unsupportedFeature, .unsupportedVersion:
            "Use a newer broker or a newer librdkafka"
        case .systemResource:
            "Raise the limits of the process (open files, threads, memory)"
        default:
            nil
        }
    }
}
