import Detection
import EventSchema
import Foundation
import KafkaClient
import Streaming
import TestSupport
import Testing

/// From records to alerts to committed offsets.
@Suite(.timeLimit(.minutes(4)))
struct DeliveryTests {
    @Test func eventsInAlertsOut() async throws {
        let stage = try Stage(partitions: 2)
        try stage.write([event("quiet"), event("alert", host: "h1")])
        try stage.write([event("alert", host: "h2")], partition: 1)
        let instance = try stage.instance()
        let records = try await stage.reader().waitForAll(2)

        #expect(Set(records.map { $0.key.map { String(decoding: $0, as: UTF8.self) } }) == ["h1", "h2"])
        let first = try #require(records.first { $0.key == Array("h1".utf8) })
        let alert = try first.json()
        let details = try #require(alert["event"] as? [String: Any])
        #expect(details["kind"] as? String == "alert")
        #expect(details["id"] as? String == first.headers["apus-alert-id"])
        #expect(first.headers["apus-rule-id"] == "00000000-0000-4000-8000-000000000001")
        #expect(first.headers["apus-schema-profile"] == "ecs")
        #expect(first.headers["apus-rule-hash"]?.isEmpty == false)
        #expect(first.headers["apus-engine-version"]?.isEmpty == false)
        #expect(try first.place() == "events/0/1")

        try await eventually("commits") { try stage.committed(0) == 2 && stage.committed(1) == 1 }
        let snapshot = await instance.pipeline.snapshot()
        #expect(snapshot.isReady)
        #expect(snapshot.records == 3 && snapshot.alerts == 2 && snapshot.deadLetters == 0)
        await instance.stop()
        #expect(await !instance.pipeline.snapshot().isReady)
    }

    /// Alerts wait for a broker that is away; the offset of their records waits with them, while another
    /// partition without alerts is committed.
    @Test func nothingIsCommittedBeforeItsAlerts() async throws {
        let stage = try Stage(partitions: 2)
        let instance = try stage.instance()
        try await eventually("assignment") { instance.assignment.count == 2 }
        try stage.broker.takeDown(broker: Stage.outputBroker)
        try stage.write([event("quiet"), event("alert"), event("quiet")])
        try await eventually("waiting alert") {
            await instance.pipeline.snapshot().lanes.contains { $0.outstanding == 1 && $0.counters.records == 3 }
        }
        try stage.write([event("quiet")], partition: 1)
        try await eventually("commit of the other partition") { try stage.committed(1) == 1 }
        // At most what was read before the alert's record.
        #expect(try stage.committed(0) ?? 0 <= 1)

        try stage.broker.bringUp(broker: Stage.outputBroker)
        try await eventually("commit") { try stage.committed(0) == 3 }
        #expect(try await stage.reader().waitForAll(1).count == 1)
        await instance.stop()
    }

    @Test func aLaneOfTwoTopicsCommitsBoth() async throws {
        let stage = try Stage(inputs: ["events", "audit"])
        let instance = try stage.instance {
            $0.inputs = [InputTopic(name: "events"), InputTopic(name: "audit")]
            $0.consumer["partition.assignment.strategy"] = "range"
        }
        try await eventually("assignment") { instance.assignment.count == 2 }
        try stage.broker.takeDown(broker: Stage.outputBroker)
        // One checkpoint for each topic, both ready at once when the broker is back.
        try stage.write([event("alert")], to: "events")
        try await eventually("first alert") { await instance.records() == 1 }
        try stage.write([event("alert")], to: "audit")
        try await eventually("second alert") { await instance.records() == 2 }
        try stage.broker.bringUp(broker: Stage.outputBroker)
        let records = try await stage.reader().waitForAll(2)
        #expect(Set(try records.map { try $0.place() }) == ["events/0/0", "audit/0/0"])
        try await eventually("commits") {
            try stage.committed(of: "events") == 1 && stage.committed(of: "audit") == 1
        }
        await instance.stop()
    }

    @Test func aRefusedCommitIsRepeated() async throws {
        let stage = try Stage()
        stage.broker.fail(.offsetCommit, with: [.coordinatorNotAvailable, .requestTimedOut, .coordinatorLoading])
        let instance = try stage.instance()
        try stage.write([event("quiet")])
        // Nothing more is written: only the repetition can commit it.
        try await eventually("commit") { try stage.committed() == 1 }
        #expect(instance.pipeline.failure == nil)
        await instance.stop()
    }

    @Test func stoppingCommitsEverythingThatWasRead() async throws {
        let stage = try Stage()
        let instance = try stage.instance { $0.checkpointInterval = .seconds(600) }
        try stage.write((0..<200).map { event($0 % 20 == 0 ? "alert" : "quiet", host: "h\($0)") })
        try await eventually("all records") { await instance.records() == 200 }
        #expect(try stage.committed() == nil)
        await instance.stop()
        #expect(try stage.committed() == 200)
        #expect(try await stage.reader().waitForAll(10).count == 10)
        guard case .stopped? = instance.events.last else { throw Unexpected("no .stopped at the end") }
    }

    /// Stop may not wait for ever for a broker that is away.
    @Test func stoppingIsBounded() async throws {
        let stage = try Stage()
        let instance = try stage.instance { $0.drainTimeout = .seconds(1) }
        try await eventually("assignment") { !instance.assignment.isEmpty }
        try stage.broker.takeDown(broker: Stage.outputBroker)
        try stage.write([event("alert")])
        try await eventually("waiting alert") { await instance.records() == 1 }
        #expect(await !instance.pipeline.stop(timeout: .seconds(3)))
        #expect(instance.pipeline.failure == nil)
        #expect(try stage.committed() ?? 0 == 0)

        // The next one reads it again.
        try stage.broker.bringUp(broker: Stage.outputBroker)
        let next = try stage.instance()
        try await stage.reader().wait(count: 1)
        try await eventually("commit") { try stage.committed() == 1 }
        await next.stop()
    }

    /// However rarely the lane looks, compared with the time-out.
    @Test(arguments: [50, 400]) func anIdlePartitionLetsHeldSequencesFire(checkpointMilliseconds: Int) async throws {
        let stage = try Stage()
        let instance = try stage.instance(rules: [sequenceRule]) {
            $0.allowedLateness = .seconds(10)
            $0.idleTimeout = .milliseconds(300)
            $0.checkpointInterval = .milliseconds(checkpointMilliseconds)
        }
        // Within the lateness, and in the wrong order.
        try stage.write([event("second", second: 3), event("first", second: 1)])
        let records = try await stage.reader().waitForAll(1)
        #expect(try records[0].places() == ["events/0/1", "events/0/0"])
        try await eventually("commit") { try stage.committed() == 2 }
        await instance.stop()
    }

    /// One host with a wrong clock: no watermark reaches its events for years, and what is held holds back commits.
    @Test func eventsOfTheFutureAreNotHeld() async throws {
        let stage = try Stage()
        let instance = try stage.instance(rules: [sequenceRule]) { $0.idleTimeout = .seconds(600) }
        try stage.write([event("first", second: 1, year: 2199), event("second", second: 2, year: 2199)])
        let records = try await stage.reader().waitForAll(1)
        #expect(try records[0].places() == ["events/0/0", "events/0/1"])
        try await eventually("commit") { try stage.committed() == 2 }
        await instance.stop()
    }

    /// What the watermark holds back is not done.
    @Test func heldEventsAreNotCommitted() async throws {
        let stage = try Stage()
        let instance = try stage.instance(rules: [sequenceRule]) { $0.idleTimeout = .seconds(600) }
        try stage.write([event("quiet"), event("first", second: 1), event("second", second: 2)])
        try await eventually("commit up to what is held") { try stage.committed() == 1 }
        await instance.stop()
        #expect(try stage.committed() == 1)

        let next = try stage.instance(rules: [sequenceRule])
        try await stage.reader().wait(count: 1)
        await next.stop()
        #expect(try stage.committed() == 3)
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
