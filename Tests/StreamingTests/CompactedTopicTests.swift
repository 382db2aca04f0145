import KafkaClient
import Streaming
import TestSupport
import Testing

/// What has to keep the newest record of each key is held to it before anything is read.
@Suite(.timeLimit(.minutes(2))) struct CompactedTopicTests {
    /// Also one that compacts and deletes.
    @Test(
        .enabled(if: BrokerProcess.python != nil, "python3 is not installed"),
        arguments: ["delete", "compact,delete"])
    func aStateTopicThatDeletesByAgeIsRefused(policy: String) async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        let topic = NewTopic("apus.state", partitions: 1, configuration: ["cleanup.policy": policy])
        #expect(try world.admin.create([topic], timeout: .seconds(10)).isEmpty)
        let failure = try #require(throws: StartFailure.self) { try world.instance(rules: [sequenceRule]) }
        #expect(failure.reasons.count == 1)
        #expect(failure.description.contains("topic 'apus.state' has cleanup.policy=\(policy): what rules remember"))
        #expect(
            failure.description.hasSuffix(
                """
                --alter --entity-type topics --entity-name apus.state \
                --add-config cleanup.policy=compact,min.compaction.lag.ms=3600000
                """))
        // Where no rule remembers anything, nobody asks for it.
        let instance = try world.instance(rules: [singleRule])
        await #expect(throws: StartFailure.self) {
            try await instance.pipeline.replaceRules(compile([singleRule, sequenceRule]))
        }
        await instance.stop()
    }

    /// What correlates over partitions has a state topic of its own.
    @Test(.enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
    func soIsThatOfTheCorrelateTopic() async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let topic = NewTopic("apus.correlate.state", partitions: 2)
        #expect(try world.admin.create([topic], timeout: .seconds(10)).isEmpty)
        let failure = try #require(throws: StartFailure.self) {
            try world.instance(rules: [sequenceRule]) { $0.inputs = [InputTopic(name: "events")] }
        }
        #expect(failure.description.contains("topic 'apus.correlate.state' has cleanup.policy=delete"))
    }

    private func refusal(_ properties: ClientProperties) throws -> (reason: String?, doubts: [KafkaError]) {
        var doubts: [KafkaError] = []
        let reason = try CompactedTopic("kept", loss: "all is lost").refusal(
            Admin(properties), brokers: "here:9092", timeout: .seconds(1)
        ) { doubts.append($0) }
        return (reason, doubts)
    }

    /// The embedded broker cannot tell, and keeps everything.
    @Test func brokersForTryingThingsOutAreTrusted() throws {
        let broker = try EmbeddedBroker(topics: [("kept", 1)])
        let (reason, doubts) = try refusal(broker.properties)
        #expect(reason == nil && doubts.isEmpty)
    }

    @Test func whatCannotBeSeenIsSaid() throws {
        let (reason, doubts) = try refusal(["bootstrap.servers": "127.0.0.1:1"])
        #expect(reason == nil && doubts.count == 1)
    }
}
