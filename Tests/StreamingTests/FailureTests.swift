import Detection
import Foundation
import KafkaClient
import Streaming
import TestSupport
import Testing

/// Instances that come, go and crash; brokers that are away or refuse.
@Suite(.timeLimit(.minutes(4)))
struct FailureTests {
    /// Everything is alerted for, and what comes twice has the same id.
    private func expectComplete(_ reader: TopicReader, places: Set<String>) async throws {
        try await eventually("all alerts") { try Set(reader.records.map { try $0.place() }) == places }
        let ids = Set(reader.alertIDs)
        #expect(ids.count == places.count)
    }

    private func places(_ count: Int, partitions: Int) -> Set<String> {
        Set((0..<partitions).flatMap { partition in (0..<count).map { "events/\(partition)/\($0)" } })
    }

    private func alerts(_ range: Range<Int>) -> [String] { range.map { event("alert", host: "h\($0)") } }

    @Test(arguments: ["cooperative-sticky", "range"])
    func anotherInstanceTakesOver(strategy: String) async throws {
        let stage = try Stage(partitions: 4)
        let reader = try stage.reader()
        let adjust = { (options: inout PipelineOptions) in
            options.consumer["partition.assignment.strategy"] = strategy
        }
        let first = try stage.instance(adjust)
        try await eventually("first assignment") { first.assignment.count == 4 }
        for partition in 0..<4 { try stage.write(alerts(0..<20), partition: Int32(partition)) }
        let second = try stage.instance(adjust)
        for partition in 0..<4 { try stage.write(alerts(20..<40), partition: Int32(partition)) }
        try await eventually("shares") { first.assignment.count == 2 && second.assignment.count == 2 }
        for partition in 0..<4 { try stage.write(alerts(40..<60), partition: Int32(partition)) }
        await first.stop()
        for partition in 0..<4 { try stage.write(alerts(60..<80), partition: Int32(partition)) }
        try await eventually("takeover") { second.assignment.count == 4 }
        try await expectComplete(reader, places: places(80, partitions: 4))
        await second.stop()
        for partition in 0..<4 { #expect(try stage.committed(Int32(partition)) == 80) }
    }

    /// A member for which there is no partition is in good health all the same.
    @Test func aSpareInstanceIsReady() async throws {
        let stage = try Stage()
        let first = try stage.instance()
        try await eventually("assignment") { first.assignment.count == 1 }
        let second = try stage.instance()
        try await eventually("both ready") {
            let (one, two) = (await first.pipeline.snapshot(), await second.pipeline.snapshot())
            return one.isReady && two.isReady
        }
        #expect(first.assignment.count + second.assignment.count == 1)
        await first.stop()
        try await eventually("takeover") { second.assignment.count == 1 }
        await second.stop()
    }

    /// Dropped without stop: nothing of it is left, and the group gives its partitions to the next.
    @Test func afterACrashNothingIsLost() async throws {
        let stage = try Stage(partitions: 2)
        let reader = try stage.reader()
        var crashing: Instance? = try stage.instance { $0.checkpointInterval = .seconds(600) }
        try await eventually("assignment") { crashing?.assignment.count == 2 }
        for partition in [Int32(0), 1] { try stage.write(alerts(0..<30), partition: partition) }
        try await eventually("first alerts") { reader.records.count >= 10 }
        weak let pipeline = crashing?.pipeline
        crashing = nil
        try await eventually("end of the pipeline") { pipeline == nil }

        for partition in [Int32(0), 1] { try stage.write(alerts(30..<60), partition: partition) }
        let next = try stage.instance()
        try await expectComplete(reader, places: places(60, partitions: 2))
        try await eventually("commits") { try stage.committed(0) == 60 && stage.committed(1) == 60 }
        await next.stop()
    }

    @Test func theBrokersGoAndComeBack() async throws {
        let stage = try Stage()
        let reader = try stage.reader()
        let instance = try stage.instance()
        try stage.write(alerts(0..<20))
        try await reader.wait(count: 20)
        try stage.broker.takeDown()
        try await eventually("complaint") {
            instance.events.contains { if case .problem = $0 { true } else { false } }
        }
        try stage.broker.bringUp()
        try stage.write(alerts(20..<40))
        try await expectComplete(reader, places: places(40, partitions: 1))
        try await eventually("commit") { try stage.committed() == 40 }
        #expect(instance.pipeline.failure == nil)
        await instance.stop()
    }

    @Test func passingProduceErrorsAreSurvived() async throws {
        let stage = try Stage()
        let reader = try stage.reader()
        try stage.write(alerts(0..<10))
        stage.broker.fail(
            .produce, with: [.notLeader, .leaderNotAvailable, .requestTimedOut, .notEnoughReplicas, .transport])
        let instance = try stage.instance()
        try await expectComplete(reader, places: places(10, partitions: 1))
        #expect(reader.records.count == 10, "an idempotent producer does not repeat")
        try await eventually("commit") { try stage.committed() == 10 }
        #expect(instance.pipeline.failure == nil)
        await instance.stop()
    }

    /// An alert that may not be written ends the instance, and its record is read again by the next.
    @Test func aLastingProduceErrorEndsThePipeline() async throws {
        let stage = try Stage()
        try stage.write([event("quiet"), event("alert"), event("quiet")])
        stage.broker.fail(.produce, with: [.topicAuthorizationFailed])
        let instance = try stage.instance()
        try await eventually("failure") { instance.pipeline.failure != nil }
        let failure = try #require(instance.pipeline.failure)
        #expect(failure.code == .topicAuthorizationFailed)
        #expect(failure.topic == Stage.alerts)
        #expect(failure.description.contains("kafka-acls --add --topic \(Stage.alerts)"))
        #expect(await !instance.pipeline.snapshot().isReady)
        // Nothing is left to wait for, so stopping does not.
        let started = ContinuousClock.now
        await instance.stop()
        #expect(ContinuousClock.now - started < .seconds(9), "the drain time-out is 10 s")
        #expect(try stage.committed() ?? 0 <= 1)

        let next = try stage.instance()
        #expect(try await stage.reader().waitForAll(1)[0].place() == "events/0/1")
        try await eventually("commit") { try stage.committed() == 3 }
        await next.stop()
    }

    /// A group that may not be joined is no reason to wait for ever.
    @Test func aMissingACLOfTheGroupEndsThePipeline() async throws {
        let stage = try Stage()
        stage.broker.fail(.joinGroup, with: Array(repeating: .groupAuthorizationFailed, count: 20))
        let instance = try stage.instance()
        try await eventually("failure") { instance.pipeline.failure?.code == .groupAuthorizationFailed }
        await instance.stop()
    }

    // MARK: Start

    @Test func everyMissingTopicIsNamedAtOnce() async throws {
        let stage = try Stage(inputs: ["events"], outputs: false, state: false)
        let failure = #expect(throws: StartFailure.self) {
            _ = try stage.instance { $0.inputs = [InputTopic(name: "evnets")] }
        }
        let reasons = try #require(failure?.reasons)
        #expect(reasons.count == 3)
        for (reason, topic) in zip(reasons, ["evnets", Stage.alerts, Stage.deadLetters]) {
            #expect(reason.contains("topic '\(topic)' does not exist"))
            #expect(reason.contains("kafka-topics.sh --bootstrap-server \(stage.broker.bootstrapServers) --create"))
            #expect(reason.contains("--topic \(topic) "))
            #expect(reason.contains("the cluster has events"))
        }
    }

    /// The embedded cluster has no controller, so only the way of the error can be seen here.
    @Test func topicsThatCannotBeCreatedAreAnError() async throws {
        let stage = try Stage(outputs: false, state: false)
        #expect(throws: KafkaError.self) {
            _ = try stage.instance {
                $0.createTopics = TopicCreation(partitions: 1, replicationFactor: -1)
                $0.connectTimeout = .seconds(2)
            }
        }
    }

    @Test func anUnreachableBrokerIsOneErrorInTime() async throws {
        let stage = try Stage()
        let started = ContinuousClock.now
        let failure = #expect(throws: StartFailure.self) {
            _ = try stage.instance {
                // Nobody listens on port 1.
                $0.producer["bootstrap.servers"] = "127.0.0.1:1"
                $0.consumer["bootstrap.servers"] = "127.0.0.1:1"
                $0.connectTimeout = .seconds(2)
            }
        }
        #expect(ContinuousClock.now - started < .seconds(10))
        #expect(failure?.reasons.count == 1)
        #expect(failure?.description.hasPrefix("no broker of 127.0.0.1:1 answered within 2.0 seconds") == true)
    }
}
