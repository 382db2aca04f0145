import Testing

@testable import KafkaClient

struct KafkaErrorTests {
    @Test func anUnknownCodeSurvives() {
        let code = KafkaErrorCode(rawValue: 4711)
        #expect(code.rawValue == 4711)
        #expect(!code.name.isEmpty)
        #expect(code.reaction == .stop)
    }

    @Test func everyCodeIsClassifiedOnce() {
        let codes = Classifier.rules.map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(Classifier.rules.allSatisfy { !$0.reason.isEmpty })
        for reaction in Reaction.allCases { #expect(Classifier.rules.contains { $0.reaction == reaction }) }
    }

    @Test(arguments: [
        (KafkaErrorCode.transport, Reaction.retry), (.topicAuthorizationFailed, .stop),
        (.messageTooLarge, .abortTransaction), (.illegalGeneration, .dropLane), (.producerFenced, .rejoin),
        (.unknownTopicOrPartition, .stop), (.partitionEOF, .ignore),
    ])
    func reacts(code: KafkaErrorCode, reaction: Reaction) {
        #expect(code.reaction == reaction)
    }

    @Test func flagsComeBeforeTheTable() {
        #expect(KafkaError(.transport, "x", isFatal: true).reaction == .rejoin)
        #expect(KafkaError(.outOfOrderSequence, "x", isFatal: true).reaction == .rejoin)
        #expect(KafkaError(.unsupportedFeature, "x", isFatal: true).reaction == .stop, "a new client meets it, too")
        #expect(KafkaError(.transport, "x", requiresAbort: true).reaction == .abortTransaction)
        #expect(KafkaError(KafkaErrorCode(rawValue: 4711), "x", requiresAbort: true).reaction == .abortTransaction)
        #expect(KafkaError(.illegalGeneration, "x", requiresAbort: true).reaction == .dropLane)
        #expect(KafkaError(.producerFenced, "x", requiresAbort: true).reaction == .rejoin)
        #expect(KafkaError(.topicAuthorizationFailed, "x", requiresAbort: true).reaction == .stop)
        #expect(KafkaError(.unknownTopic, "x", isRetriable: true).reaction == .retry)
    }

    @Test func saysWhatWhereAndWhatToDo() {
        let error = KafkaError(.unknownTopicOrPartition, "write a record", topic: "events", partition: 3)
        #expect(
            error.description == """
                cannot write a record (topic events, partition 3): Broker: Unknown topic or partition \
                [UNKNOWN_TOPIC_OR_PART]. Create the topic (kafka-topics --create --topic events) or correct its name \
                in the configuration
                """)
    }

    @Test(arguments: [
        (Duration.zero, Int32(0)), (.microseconds(1), 1), (.seconds(2), 2000), (.seconds(-1), 0),
        (.seconds(10_000_000_000), 2_000_000_000),
    ])
    func timeoutsNeverWaitForEver(duration: Duration, milliseconds: Int32) {
        #expect(duration.timeout == milliseconds)
    }
}
