import KafkaClient
import Streaming
import TestSupport
import Testing

/// Transactions, as far as the embedded broker has them: it keeps no offsets of theirs, and hides no aborted record.
@Suite("Exactly once, on the embedded broker", .timeLimit(.minutes(4)))
struct ExactlyOnceTests {
    private func instance(
        _ stage: Stage, _ adjust: (inout PipelineOptions) -> Void = { _ in }
    ) throws -> Instance {
        try stage.instance { options in
            options.delivery = .exactlyOnce
            options.instance = "one"
            options.transactionTimeout = .seconds(3)
            adjust(&options)
        }
    }

    private func isCommitted(_ instance: Instance, _ offset: Int64) -> Bool {
        let place = PartitionOffset(TopicPartition(Stage.events, 0), offset)
        return instance.events.contains {
            if case .committed(let offsets) = $0 { offsets.contains(place) } else { false }
        }
    }

    private func rejoins(_ instance: Instance) -> Int {
        instance.events.count { if case .rejoining = $0 { true } else { false } }
    }

    @Test("Alerts, dead letters and positions go in one transaction")
    func commits() async throws {
        let stage = try Stage()
        let instance = try instance(stage)
        try stage.write([event("quiet"), event("alert", host: "h1"), "no json"])
        #expect(try await stage.reader().waitForAll(1)[0].place() == "events/0/1")
        #expect(try await stage.reader(of: Stage.deadLetters).waitForAll(1).count == 1)
        try await eventually("commit") { isCommitted(instance, 3) }
        await instance.stop()
        #expect(rejoins(instance) == 0)
    }

    @Test("What the alert topic refuses as too large goes shortened in the next transaction")
    func shortens() async throws {
        let stage = try Stage()
        try stage.write([event("alert")])
        stage.broker.fail(.produce, with: [.messageTooLarge])
        let instance = try instance(stage)
        try await eventually("commit") { isCommitted(instance, 1) }
        #expect(try await stage.reader().waitForAll(1)[0].place() == "events/0/0")
        #expect(instance.events.contains { if case .transactionAborted = $0 { true } else { false } })
        #expect(instance.events.contains { if case .alertShortened = $0 { true } else { false } })
        await instance.stop()
    }

    @Test("Whoever is fenced starts over and goes on")
    func startsOver() async throws {
        let stage = try Stage()
        stage.broker.fail(.endTransaction, with: [.producerFenced])
        let instance = try instance(stage)
        try stage.write([event("alert")])
        try await eventually("commit after starting over: \(instance.events)") {
            rejoins(instance) == 1 && isCommitted(instance, 1)
        }
        try await stage.reader().wait(count: 1)
        try await eventually("readiness") { await instance.pipeline.snapshot().isReady }
        #expect(instance.pipeline.failure == nil)
        await instance.stop()
    }

    @Test("Starting over in vain ends")
    func endsAtTheBudget() async throws {
        let stage = try Stage()
        stage.broker.fail(.endTransaction, with: Array(repeating: .producerFenced, count: 20))
        let instance = try instance(stage) { $0.restartBudget = 2 }
        try stage.write([event("alert")])
        try await eventually("failure: \(instance.events)", seconds: 90) { instance.pipeline.failure != nil }
        #expect(rejoins(instance) == 2)
        #expect(!isCommitted(instance, 1))
        await instance.stop()
    }

    @Test("A slow alert topic pauses the lane")
    func pauses() async throws {
        let stage = try Stage()
        try stage.broker.setCoordinator(1, of: .transaction, id: "\(stage.group).one")
        let instance = try instance(stage) {
            $0.maxOutstanding = 5
            $0.batchSize = 5
        }
        _ = try await stage.pause(instance)
        try stage.broker.bringUp(broker: Stage.outputBroker)
        try await eventually("commit") { isCommitted(instance, 100) }
        let alerts = try stage.reader()
        try await eventually("all alerts") { Set(alerts.alertIDs).count == 100 }
        #expect(instance.events.contains { if case .resumed(partition: 0) = $0 { true } else { false } })
        #expect(instance.pipeline.failure == nil)
        await instance.stop()
    }

    @Test("A broker without transactions is told apart at the start")
    func needsTransactions() async throws {
        let stage = try Stage()
        try stage.broker.withdraw(.initProducerID)
        let failure = #expect(throws: StartFailure.self) {
            _ = try instance(stage) { $0.connectTimeout = .seconds(10) }
        }
        #expect(failure?.description.contains("delivery: at_least_once") == true, "\(String(describing: failure))")
    }
}
