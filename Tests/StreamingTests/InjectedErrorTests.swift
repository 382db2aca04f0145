import Streaming
import TestSupport
import Testing

@testable import KafkaClient

/// A kind of request, and what brokers may answer to it.
struct Meeting: Sendable, CustomTestStringConvertible {
    let request: EmbeddedBroker.API
    let testDescription: String
    let codes: [KafkaErrorCode]

    init(_ request: EmbeddedBroker.API, _ name: String, _ codes: [KafkaErrorCode]) {
        (self.request, testDescription, self.codes) = (request, name, codes)
    }
}

/// Every code that a broker can answer with, at the requests in which Apus meets it: whatever happens, nothing is lost,
/// and only what the classifier lets stop ends the pipeline.
///
/// The embedded broker does not hide what was aborted, so this says nothing about alerts that come twice; that is shown
/// on a broker with transactions.
@Suite("Errors injected into every request", .timeLimit(.minutes(10)))
struct InjectedErrorTests {
    private static let coordinatorMoves: [KafkaErrorCode] = [
        .coordinatorLoading, .coordinatorNotAvailable, .notCoordinator,
    ]
    private static let identity: [KafkaErrorCode] = [
        .invalidProducerEpoch, .producerFenced, .invalidProducerIDMapping, .transactionalIDAuthorizationFailed,
    ]

    /// Requests that every event causes.
    static let whileRunning = [
        Meeting(
            .produce, "Produce",
            [
                .notLeader, .leaderNotAvailable, .requestTimedOut, .networkException, .notEnoughReplicas,
                .notEnoughReplicasAfterAppend, .storageError, .fencedLeaderEpoch, .unknownServerError, .transport,
                .outOfOrderSequence, .unknownProducer, .invalidProducerEpoch, .invalidRecord, .messageTooLarge,
                .batchTooLarge, .unknownTopicOrPartition, .invalidTopic, .topicAuthorizationFailed,
                .clusterAuthorizationFailed, .unsupportedForMessageFormat, .unsupportedVersion,
            ]),
        Meeting(
            .addPartitionsToTransaction, "AddPartitionsToTxn",
            coordinatorMoves + identity + [
                .concurrentTransactions, .invalidTransactionState, .topicAuthorizationFailed, .unknownTopicOrPartition,
                .unknownServerError, .transport,
            ]),
        Meeting(
            .addOffsetsToTransaction, "AddOffsetsToTxn",
            coordinatorMoves + identity + [
                .concurrentTransactions, .invalidTransactionState, .groupAuthorizationFailed, .unknownServerError,
                .transport,
            ]),
        Meeting(
            .transactionOffsetCommit, "TxnOffsetCommit",
            coordinatorMoves + identity + [
                .illegalGeneration, .unknownMember, .fencedInstance, .rebalanceInProgress, .staleMemberEpoch,
                .groupAuthorizationFailed, .requestTimedOut, .unknownTopicOrPartition, .unsupportedForMessageFormat,
                .transport,
            ]),
        Meeting(
            .endTransaction, "EndTxn",
            coordinatorMoves + identity + [
                .concurrentTransactions, .invalidTransactionState, .coordinatorFenced, .unknownServerError, .transport,
            ]),
        Meeting(
            .fetch, "Fetch",
            [
                .notLeader, .leaderNotAvailable, .brokerNotAvailable, .replicaNotAvailable, .fencedLeaderEpoch,
                .unknownLeaderEpoch, .storageError, .unknownServerError, .transport,
            ]),
        Meeting(
            .heartbeat, "Heartbeat",
            coordinatorMoves + [.illegalGeneration, .unknownMember, .rebalanceInProgress, .fencedInstance]),
    ]

    /// Requests of the start.
    static let atTheStart = [
        Meeting(
            .initProducerID, "InitProducerId",
            coordinatorMoves + [
                .concurrentTransactions, .producerFenced, .invalidTransactionTimeout,
                .transactionalIDAuthorizationFailed, .clusterAuthorizationFailed, .unsupportedVersion,
            ]),
        Meeting(.findCoordinator, "FindCoordinator", [.coordinatorNotAvailable, .groupAuthorizationFailed]),
        Meeting(
            .joinGroup, "JoinGroup",
            coordinatorMoves + [
                .unknownMember, .inconsistentGroupProtocol, .groupMaxSizeReached, .invalidSessionTimeout,
                .groupAuthorizationFailed, .fencedInstance,
            ]),
        Meeting(.syncGroup, "SyncGroup", [.notCoordinator, .illegalGeneration, .unknownMember, .rebalanceInProgress]),
        Meeting(
            .offsetFetch, "OffsetFetch",
            [.coordinatorLoading, .notCoordinator, .unstableOffsetCommit, .groupAuthorizationFailed]),
        Meeting(.listOffsets, "ListOffsets", [.notLeader, .leaderNotAvailable, .topicAuthorizationFailed]),
    ]

    /// Answers that come only to requests that the embedded broker has not: creating topics, and SASL; and
    /// `offsetOutOfRange`, which librdkafka turns into one of its own.
    private static let elsewhere: Set<KafkaErrorCode> = [
        .topicAlreadyExists, .invalidReplicationFactor, .invalidTopicConfiguration, .policyViolation, .notController,
        .throttled, .saslAuthenticationFailed, .unsupportedSASLMechanism, .offsetOutOfRange,
    ]

    @Test("Every broker code that the classifier names is injected somewhere")
    func isComplete() {
        let named = Set(Classifier.rules.map(\.code).filter { $0.rawValue > 0 })
        let injected = Set((Self.whileRunning + Self.atTheStart).flatMap(\.codes).filter { $0.rawValue > 0 })
        #expect(named.subtracting(injected).subtracting(Self.elsewhere) == [])
        #expect(injected.subtracting(named) == [])
        #expect(Self.elsewhere.isDisjoint(with: injected))
    }

    @Test("While events come", arguments: whileRunning)
    func losesNothing(_ meeting: Meeting) async throws {
        let stage = try Stage()
        let reader = try stage.reader()
        var instance = try start(stage)
        for (number, code) in meeting.codes.enumerated() {
            if meeting.request == .produce {
                // The broker of the alerts, not that of the events.
                try stage.broker.fail(.produce, of: Stage.outputBroker, with: [code])
            } else {
                stage.broker.fail(meeting.request, with: [code])
            }
            try stage.write([event("alert", host: "h\(number)")])
            try await expectAlert(number, after: code, reader, instance)
            stage.broker.clearFailures(of: meeting.request)
            guard let failure = instance.pipeline.failure else { continue }
            expectStop(failure, code)
            await instance.stop()
            instance = try start(stage)
            try await expectAlert(number, after: code, reader, instance)
            #expect(instance.pipeline.failure == nil)
        }
        await instance.stop()
    }

    @Test("At the start", arguments: atTheStart)
    func startsOrSaysWhy(_ meeting: Meeting) async throws {
        let stage = try Stage()
        let reader = try stage.reader()
        for (number, code) in meeting.codes.enumerated() {
            try stage.write([event("alert", host: "h\(number)")])
            stage.broker.fail(meeting.request, with: [code])
            do {
                let instance = try start(stage)
                try await expectAlert(number, after: code, reader, instance)
                if let failure = instance.pipeline.failure { expectStop(failure, code) }
                await instance.stop()
            } catch let error as KafkaError {
                // Who is fenced while starting has a twin; the operator must know.
                #expect(error.reaction == .stop || error.code == .fenced, "\(code) ended the start with \(error)")
            } catch let error as StartFailure {
                #expect(error.description.contains(code.name), "\(error)")
            }
            stage.broker.clearFailures(of: meeting.request)
        }
        // Nothing of those that failed is lost for the next.
        let instance = try start(stage)
        try await expectAlert(meeting.codes.count - 1, after: .none, reader, instance)
        let places = try Set(reader.records.map { try $0.place() })
        #expect(places == Set(meeting.codes.indices.map { "events/0/\($0)" }))
        await instance.stop()
    }

    private func start(_ stage: Stage) throws -> Instance {
        try stage.instance { options in
            options.delivery = .exactlyOnce
            options.transactionTimeout = .seconds(5)
            options.connectTimeout = .seconds(10)
            options.drainTimeout = .seconds(5)
        }
    }

    /// The alert of the event with this offset comes, or the pipeline ends.
    private func expectAlert(
        _ offset: Int, after code: KafkaErrorCode, _ reader: TopicReader, _ instance: Instance
    ) async throws {
        try await eventually("the alert after \(code); \(instance.events)", seconds: 60) {
            try instance.pipeline.failure != nil
                || reader.records.contains { try $0.place() == "events/0/\(offset)" }
        }
    }

    private func expectStop(_ failure: KafkaError, _ code: KafkaErrorCode) {
        #expect(failure.reaction == .stop, "\(code) ended the pipeline with \(failure)")
        #expect(failure.code == code || failure.isFatal, "\(code) was reported as \(failure)")
    }
}
