import Detection
import KafkaClient
import Streaming
import TestSupport
import Testing

/// Slow outputs hold reading back, and nothing grows without bound.
@Suite(.timeLimit(.minutes(4)))
struct PressureTests {
    @Test func aPausedLaneResumes() async throws {
        let stage = try Stage()
        let instance = try stage.instance {
            $0.maxOutstanding = 5
            $0.batchSize = 5
        }
        #expect(try await stage.pause(instance).records < 100)

        try stage.broker.bringUp(broker: Stage.outputBroker)
        try await stage.reader().wait(count: 100)
        try await eventually("commit") { try stage.committed() == 100 }
        #expect(instance.events.contains { if case .resumed(partition: 0) = $0 { true } else { false } })
        await instance.stop()
    }

    /// The producer's own queue may be full before the lane's bound is reached.
    @Test func aFullProducerQueueHoldsTheLaneBack() async throws {
        let stage = try Stage()
        let instance = try stage.instance { $0.producer["queue.buffering.max.messages"] = "3" }
        try await eventually("assignment") { !instance.assignment.isEmpty }
        try stage.write((0..<60).map { event("alert", host: "h\($0)") })
        let ids = try await stage.reader().waitForAll(60).compactMap { $0.headers["apus-alert-id"] }
        #expect(Set(ids).count == 60)
        try await eventually("commit") { try stage.committed() == 60 }
        await instance.stop()
    }

    /// Two lanes share the producer's queue; one of them stops while it has outputs that found no room.
    @Test func stoppingSendsWhatFoundNoRoom() async throws {
        let stage = try Stage(partitions: 2)
        let instance = try stage.instance { $0.producer["queue.buffering.max.messages"] = "3" }
        try await eventually("assignment") { instance.assignment.count == 2 }
        try stage.broker.takeDown(broker: Stage.outputBroker)
        for partition in [Int32(0), 1] {
            try stage.write((0..<20).map { event("alert", host: "h\($0)") }, partition: partition)
        }
        try await eventually("pause of both lanes") {
            instance.events.count { if case .paused = $0 { true } else { false } } >= 2
        }
        async let stopped: Void = instance.stop()
        try stage.broker.bringUp(broker: Stage.outputBroker)
        await stopped
        let records = (try stage.committed(0) ?? 0) + (try stage.committed(1) ?? 0)
        let alerts = try stage.reader()
        try await eventually("an alert for every committed record") { Set(alerts.alertIDs).count >= records }
        #expect(records >= 20)
    }

    @Test func aStalledLaneIsReported() async throws {
        let stage = try Stage()
        let instance = try stage.instance {
            $0.maxOutstanding = 1
            $0.batchSize = 1
            $0.stallTimeout = .milliseconds(500)
        }
        try await eventually("assignment") { !instance.assignment.isEmpty }
        try stage.broker.takeDown(broker: Stage.outputBroker)
        try stage.write((0..<10).map { event("alert", host: "h\($0)") })
        try await eventually("report") {
            instance.events.contains { if case .stalled(partition: 0) = $0 { true } else { false } }
        }
        #expect(await !instance.pipeline.snapshot().isReady)
        try stage.broker.bringUp(broker: Stage.outputBroker)
        try await eventually("recovery") { await instance.pipeline.snapshot().isReady }
        await instance.stop()
    }

    /// What waits unread may be older than what is held: a paused lane must not let the watermark go.
    @Test func aPausedLaneIsNotIdle() async throws {
        let stage = try Stage()
        let instance = try stage.instance(rules: [singleRule, sequenceRule]) {
            $0.maxOutstanding = 1
            $0.batchSize = 2
            $0.idleTimeout = .milliseconds(100)
            $0.allowedLateness = .seconds(30)
        }
        try await eventually("assignment") { !instance.assignment.isEmpty }
        try stage.broker.takeDown(broker: Stage.outputBroker)
        // The lane pauses with `second` held; `first` is behind it.
        try stage.write([event("second", second: 9), event("alert", second: 20)])
        try stage.write([event("first", second: 5)])
        try await eventually("pause") {
            instance.events.contains { if case .paused = $0 { true } else { false } }
        }
        // Several idle time-outs pass while the lane is paused.
        let paused = ContinuousClock.now
        try await eventually("time") { ContinuousClock.now - paused > .milliseconds(600) }
        try stage.broker.bringUp(broker: Stage.outputBroker)
        let alerts = try await stage.reader().waitForAll(2)
        #expect(try alerts.contains { try $0.places() == ["events/0/2", "events/0/0"] })
        await instance.stop()
    }
}
