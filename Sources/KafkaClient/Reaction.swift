/// What the caller does about an error. Callers switch on this, never on codes.
public enum Reaction: String, Hashable, Sendable, CaseIterable {
    /// Nothing is wrong: librdkafka recovers by itself, or the code only informs.
    case ignore
    /// The same call may succeed later. Repeat it, within the caller's own limit.
    case retry
    /// The open transaction cannot be committed: abort it, and write the same work in a new one.
    case abortTransaction
    /// The group refuses our membership as we gave it: abort, ask the group anew which partitions are ours, and drop
    /// the uncommitted work of those that are not. Their new owner does it again.
    case dropLane
    /// This client is of no further use, or what became of a commit is unknown: give consumer, producer and all
    /// uncommitted work up, and start over from what is committed.
    case rejoin
    /// Nothing this process does can help: stop it, and tell the operator.
    case stop
}

/// The one place where codes become reactions.
enum Classifier {
    struct Rule {
        let code: KafkaErrorCode
        let reaction: Reaction
        let reason: String

        init(_ code: KafkaErrorCode, _ reaction: Reaction, _ reason: String) {
            self.code = code
            self.reaction = reaction
            self.reason = reason
        }
    }

    /// A code missing here stops: repeating a failure nobody has thought about hides it. (In a transaction
    /// librdkafka's own judgement goes first: see ``KafkaError/reaction``.)
    static let unlisted = Rule(.none, .stop, "an unknown failure must be seen, not repeated")

    static let rules: [Rule] = [
        Rule(.none, .ignore, "no error"),

        Rule(.transport, .retry, "a connection broke; librdkafka reconnects"),
        Rule(.allBrokersDown, .retry, "librdkafka goes on trying every broker"),
        Rule(.resolve, .retry, "name servers fail for a while, too"),
        Rule(.timedOut, .retry, "the broker may have been slow, the result is unknown"),
        Rule(.timedOutInQueue, .retry, "the request never left this process"),
        Rule(.requestTimedOut, .retry, "the replicas were slow"),
        Rule(.networkException, .retry, "a broker lost its connection to another"),
        Rule(.leaderNotAvailable, .retry, "an election is going on"),
        Rule(.notLeader, .retry, "our metadata was old; librdkafka refreshes it"),
        Rule(.notEnoughReplicas, .retry, "replicas come back"),
        Rule(.coordinatorLoading, .retry, "the new coordinator is reading its log"),
        Rule(.coordinatorNotAvailable, .retry, "the coordinator is being elected"),
        Rule(.notCoordinator, .retry, "the coordinator moved; librdkafka looks it up"),
        Rule(.waitingForCoordinator, .retry, "the coordinator is not known yet"),
        Rule(.concurrentTransactions, .retry, "the previous transaction is still being completed"),
        Rule(.unstableOffsetCommit, .retry, "offsets of an open transaction; stable soon"),
        Rule(.queueFull, .retry, "delivery reports make room"),
        Rule(.throttled, .retry, "a quota; it refills"),
        Rule(.brokerNotAvailable, .retry, "the broker is starting or stopping"),
        Rule(.replicaNotAvailable, .retry, "our metadata was old; librdkafka refreshes it"),
        Rule(.notEnoughReplicasAfterAppend, .retry, "written, but by too few replicas; an idempotent repeat is safe"),
        Rule(.storageError, .retry, "the leader's disk failed; another replica takes over"),
        Rule(.fencedLeaderEpoch, .retry, "our metadata was old; librdkafka refreshes it"),
        Rule(.unknownLeaderEpoch, .retry, "the broker's metadata is old; it catches up"),
        Rule(.notController, .retry, "the controller moved; librdkafka looks it up"),

        Rule(.messageTimedOut, .abortTransaction, "a record was given up; its transaction is incomplete"),
        Rule(.purgedFromQueue, .abortTransaction, "an abort purged the record"),
        Rule(.purgedInFlight, .abortTransaction, "an abort purged the record on its way"),
        Rule(.messageTooLarge, .abortTransaction, "this record can never be written; the others can"),
        Rule(.batchTooLarge, .abortTransaction, "the batch must be built again, smaller"),
        Rule(.invalidRecord, .abortTransaction, "the broker refused this record only"),
        Rule(.inconsistent, .abortTransaction, "records of the transaction failed; their reports say why"),
        Rule(.unknownServerError, .abortTransaction, "a broker failed inside; the next attempt may find it well"),
        Rule(.outOfOrderSequence, .abortTransaction, "a gap in the sequence; only an abort resets it"),
        Rule(.unknownProducer, .abortTransaction, "the broker forgot our sequence; an abort bumps the epoch"),

        Rule(.maxPollExceeded, .dropLane, "the group has given the partitions away"),
        Rule(.assignmentLost, .dropLane, "the group has given the partitions away"),
        Rule(.illegalGeneration, .dropLane, "the group went on without us"),
        Rule(.unknownMember, .dropLane, "the group has forgotten us; librdkafka rejoins"),
        Rule(.rebalanceInProgress, .dropLane, "the commit was not accepted and the partition may move"),
        Rule(.unknownPartition, .dropLane, "the partition is gone, or not assigned to us"),
        Rule(.staleMemberEpoch, .dropLane, "the group went on without us"),

        Rule(.fenced, .rejoin, "our transaction timed out, or another instance has our transactional id"),
        Rule(.producerFenced, .rejoin, "our transaction timed out, or another instance has our transactional id"),
        Rule(.invalidProducerEpoch, .rejoin, "our transaction timed out, or another instance has our transactional id"),
        Rule(.coordinatorFenced, .rejoin, "another coordinator has taken over; the outcome is unknown"),
        Rule(.invalidTransactionState, .rejoin, "the coordinator sees another state than we do; its own counts"),
        Rule(.invalidProducerIDMapping, .rejoin, "the coordinator has forgotten our id; only a new start registers it"),
        Rule(.outdated, .rejoin, "the answer came after the call was given up; its outcome is unknown"),
        Rule(.fatal, .rejoin, "librdkafka has given the client up"),
        Rule(.gaplessGuarantee, .rejoin, "going on would leave a hole in the output"),

        Rule(.fencedInstance, .stop, "another member runs under our group.instance.id"),
        Rule(.inconsistentGroupProtocol, .stop, "the group's members use another assignor"),
        Rule(.groupMaxSizeReached, .stop, "the group may have no more members"),
        Rule(.invalidSessionTimeout, .stop, "the brokers refuse session.timeout.ms"),
        Rule(.invalidTransactionTimeout, .stop, "the brokers refuse transaction.timeout.ms"),
        Rule(.unsupportedForMessageFormat, .stop, "a topic has a message format from before transactions"),

        Rule(.ssl, .stop, "certificates or keys are wrong; only new ones help"),
        Rule(.authentication, .stop, "the credentials are wrong"),
        Rule(.saslAuthenticationFailed, .stop, "the credentials are wrong"),
        Rule(.unsupportedSASLMechanism, .stop, "the brokers offer another mechanism"),
        Rule(.topicAuthorizationFailed, .stop, "an ACL is missing"),
        Rule(.groupAuthorizationFailed, .stop, "an ACL is missing"),
        Rule(.clusterAuthorizationFailed, .stop, "an ACL is missing"),
        Rule(.transactionalIDAuthorizationFailed, .stop, "an ACL is missing"),

        Rule(.unknownTopicOrPartition, .stop, "a topic is missing; the operator decides about creating it"),
        Rule(.unknownTopic, .stop, "a topic is missing; the operator decides about creating it"),
        Rule(.invalidTopic, .stop, "no broker will ever accept the name"),
        Rule(.invalidReplicationFactor, .stop, "the cluster has fewer brokers"),
        Rule(.invalidTopicConfiguration, .stop, "the topic's configuration is refused"),
        Rule(.policyViolation, .stop, "the cluster's policy refuses it"),
        Rule(.offsetOutOfRange, .stop, "records were deleted before they were read: loss must be seen"),
        Rule(.autoOffsetReset, .stop, "no offset to start from, and auto.offset.reset is error"),
        Rule(.unsupportedFeature, .stop, "the broker or librdkafka is too old"),
        Rule(.unsupportedVersion, .stop, "the broker or librdkafka is too old"),
        Rule(.notConfigured, .stop, "a bug on our side: transactions without a transactional id"),
        Rule(.invalidArgument, .stop, "a bug on our side, or an impossible setting"),
        Rule(.state, .stop, "a bug on our side: the call does not fit the client's state"),
        Rule(.conflict, .stop, "a bug on our side: two settings or calls exclude each other"),
        Rule(.systemResource, .stop, "the system refuses threads, files or memory"),

        Rule(.badMessage, .retry, "corrupt on the wire; the checksum failed and librdkafka fetches again"),
        Rule(.badCompression, .stop, "the record's codec is not in this librdkafka; skipping it would lose it"),
        Rule(.partitionEOF, .ignore, "the end of the partition, for now"),
        Rule(.topicAlreadyExists, .ignore, "what was asked for is there"),
        Rule(.noOffset, .ignore, "nothing to commit"),
        Rule(.noOperation, .ignore, "nothing was to be done"),
        Rule(.destroyed, .ignore, "the client is closing"),
    ]

    private static let table = Dictionary(rules.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })

    static func rule(for code: KafkaErrorCode) -> Rule { table[code] ?? unlisted }

    static func lists(_ code: KafkaErrorCode) -> Bool { table[code] != nil }
}

extension KafkaErrorCode {
    /// What to do about the code when nothing else is known; `KafkaError.reaction` also weighs its flags.
    public var reaction: Reaction { Classifier.rule(for: self).reaction }

    /// Why that is the reaction, in a few words.
    public var reactionReason: String { Classifier.rule(for: self).reason }
}
