import CRdKafka

/// A Kafka or librdkafka error code. It wraps the raw number, so a code that this version does not
/// know survives unchanged into logs and metrics.
///
/// Positive codes come from brokers (the Kafka protocol), negative ones from librdkafka itself.
public struct KafkaErrorCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    init(_ code: rd_kafka_resp_err_t) {
        rawValue = code.rawValue
    }

    var response: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: rawValue) }

    /// The symbolic name, such as `UNKNOWN_TOPIC_OR_PART` or `_TRANSPORT`: stable, fit for a metric label.
    public var name: String { String(cString: rd_kafka_err2name(response)) }

    /// librdkafka's sentence about the code.
    public var summary: String { String(cString: rd_kafka_err2str(response)) }
}

extension KafkaErrorCode: CustomStringConvertible {
    public var description: String { name }
}

extension KafkaErrorCode {
    public static let none = KafkaErrorCode(RD_KAFKA_RESP_ERR_NO_ERROR)

    // Reaching and talking to brokers.
    public static let transport = KafkaErrorCode(RD_KAFKA_RESP_ERR__TRANSPORT)
    public static let allBrokersDown = KafkaErrorCode(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    public static let resolve = KafkaErrorCode(RD_KAFKA_RESP_ERR__RESOLVE)
    public static let timedOut = KafkaErrorCode(RD_KAFKA_RESP_ERR__TIMED_OUT)
    public static let timedOutInQueue = KafkaErrorCode(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE)
    public static let requestTimedOut = KafkaErrorCode(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
    public static let messageTimedOut = KafkaErrorCode(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
    public static let networkException = KafkaErrorCode(RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION)
    public static let leaderNotAvailable = KafkaErrorCode(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    public static let notLeader = KafkaErrorCode(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
    public static let notEnoughReplicas = KafkaErrorCode(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS)
    public static let coordinatorLoading = KafkaErrorCode(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS)
    public static let coordinatorNotAvailable = KafkaErrorCode(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
    public static let notCoordinator = KafkaErrorCode(RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
    public static let brokerNotAvailable = KafkaErrorCode(RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE)
    public static let replicaNotAvailable = KafkaErrorCode(RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE)
    public static let notEnoughReplicasAfterAppend = KafkaErrorCode(
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    public static let storageError = KafkaErrorCode(RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR)
    public static let fencedLeaderEpoch = KafkaErrorCode(RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH)
    public static let unknownLeaderEpoch = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH)
    public static let notController = KafkaErrorCode(RD_KAFKA_RESP_ERR_NOT_CONTROLLER)
    public static let unknownServerError = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN)
    public static let waitingForCoordinator = KafkaErrorCode(RD_KAFKA_RESP_ERR__WAIT_COORD)

    // Identity and rights.
    public static let ssl = KafkaErrorCode(RD_KAFKA_RESP_ERR__SSL)
    public static let authentication = KafkaErrorCode(RD_KAFKA_RESP_ERR__AUTHENTICATION)
    public static let saslAuthenticationFailed = KafkaErrorCode(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
    public static let unsupportedSASLMechanism = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM)
    public static let topicAuthorizationFailed = KafkaErrorCode(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    public static let groupAuthorizationFailed = KafkaErrorCode(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
    public static let clusterAuthorizationFailed = KafkaErrorCode(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
    public static let transactionalIDAuthorizationFailed = KafkaErrorCode(
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)

    // Topics and records.
    public static let unknownTopicOrPartition = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    public static let unknownTopic = KafkaErrorCode(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    public static let unknownPartition = KafkaErrorCode(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    public static let topicAlreadyExists = KafkaErrorCode(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    public static let invalidTopic = KafkaErrorCode(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION)
    public static let invalidReplicationFactor = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR)
    public static let invalidTopicConfiguration = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_CONFIG)
    public static let policyViolation = KafkaErrorCode(RD_KAFKA_RESP_ERR_POLICY_VIOLATION)
    public static let messageTooLarge = KafkaErrorCode(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    public static let batchTooLarge = KafkaErrorCode(RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
    public static let invalidRecord = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_RECORD)
    public static let badMessage = KafkaErrorCode(RD_KAFKA_RESP_ERR__BAD_MSG)
    public static let badCompression = KafkaErrorCode(RD_KAFKA_RESP_ERR__BAD_COMPRESSION)
    public static let queueFull = KafkaErrorCode(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    public static let purgedFromQueue = KafkaErrorCode(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    public static let purgedInFlight = KafkaErrorCode(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    public static let throttled = KafkaErrorCode(RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED)

    // Consuming.
    public static let partitionEOF = KafkaErrorCode(RD_KAFKA_RESP_ERR__PARTITION_EOF)
    public static let offsetOutOfRange = KafkaErrorCode(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    public static let autoOffsetReset = KafkaErrorCode(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    public static let maxPollExceeded = KafkaErrorCode(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
    public static let assignmentLost = KafkaErrorCode(RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST)
    public static let illegalGeneration = KafkaErrorCode(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
    public static let unknownMember = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
    public static let rebalanceInProgress = KafkaErrorCode(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
    public static let fencedInstance = KafkaErrorCode(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
    public static let inconsistentGroupProtocol = KafkaErrorCode(RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL)
    public static let groupMaxSizeReached = KafkaErrorCode(RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED)
    public static let invalidSessionTimeout = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT)
    /// STALE_MEMBER_EPOCH of KIP-848; librdkafka 2.0.2 has no name for it.
    public static let staleMemberEpoch = KafkaErrorCode(rawValue: 113)
    public static let noOffset = KafkaErrorCode(RD_KAFKA_RESP_ERR__NO_OFFSET)
    public static let unstableOffsetCommit = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)

    // Idempotence and transactions.
    public static let fenced = KafkaErrorCode(RD_KAFKA_RESP_ERR__FENCED)
    public static let producerFenced = KafkaErrorCode(RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
    public static let invalidProducerEpoch = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
    public static let coordinatorFenced = KafkaErrorCode(RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED)
    public static let outOfOrderSequence = KafkaErrorCode(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    public static let unknownProducer = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID)
    public static let invalidTransactionState = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_TXN_STATE)
    public static let invalidProducerIDMapping = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING)
    public static let invalidTransactionTimeout = KafkaErrorCode(RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT)
    public static let unsupportedForMessageFormat = KafkaErrorCode(
        RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT)
    public static let concurrentTransactions = KafkaErrorCode(RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS)
    public static let gaplessGuarantee = KafkaErrorCode(RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE)

    // Our own side.
    public static let fatal = KafkaErrorCode(RD_KAFKA_RESP_ERR__FATAL)
    public static let state = KafkaErrorCode(RD_KAFKA_RESP_ERR__STATE)
    public static let notConfigured = KafkaErrorCode(RD_KAFKA_RESP_ERR__NOT_CONFIGURED)
    public static let outdated = KafkaErrorCode(RD_KAFKA_RESP_ERR__OUTDATED)
    public static let conflict = KafkaErrorCode(RD_KAFKA_RESP_ERR__CONFLICT)
    public static let invalidArgument = KafkaErrorCode(RD_KAFKA_RESP_ERR__INVALID_ARG)
    public static let systemResource = KafkaErrorCode(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE)
    public static let inconsistent = KafkaErrorCode(RD_KAFKA_RESP_ERR__INCONSISTENT)
    public static let unsupportedFeature = KafkaErrorCode(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
    public static let unsupportedVersion = KafkaErrorCode(RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
    public static let destroyed = KafkaErrorCode(RD_KAFKA_RESP_ERR__DESTROY)
    public static let noOperation = KafkaErrorCode(RD_KAFKA_RESP_ERR__NOOP)
}
