import Foundation
import KafkaClient
import TestSupport
import Testing

@testable import Detection
@testable import Streaming

/// What rules remember outlives the instance, whichever way it delivers.
@Suite(
    .timeLimit(.minutes(4)), .serialized, .enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
struct RestartTests {
    /// Fires for the first `alert` of a host, then not for an hour.
    static let suppressedRule =
        ruleFile(3, #"any where event.action == "alert""#) + """

            [rule.alert_suppression]
            group_by = ["host.id"]
            duration = { value = 1, unit = "h" }
            """

    /// An instance that comes back to its partitions at once, also after a crash. Idle sources hold the watermark for
    /// ever, so that only events move it.
    private func start(
        _ world: World, _ delivery: Delivery, rules: [String] = [sequenceRule],
        _ adjust: (inout PipelineOptions) -> Void = { _ in }
    ) throws -> Instance {
        try world.instance(rules: rules) {
            World.named(&$0)
            $0.delivery = delivery
            $0.idleTimeout = .seconds(600)
            adjust(&$0)
        }
    }

    /// Waits until everything up to `position` of the events is safe, and drops the instance: nothing is committed any
    /// more, and nobody leaves the group.
    private func crash(_ instance: inout Instance?, at position: Int64) async throws {
        try await eventually("checkpoint at \(position)") { instance?.committed.last == position }
        instance = nil
    }

    /// The first event, a crash, the second event.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func aSequenceSpansACrash(delivery: Delivery) async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        var first: Instance? = try start(world, delivery)
        try await world.write([event("first"), event("quiet", second: 1), event("quiet", second: 3)])
        try await crash(&first, at: 3)
        let second = try start(world, delivery)
        try await world.write([event("second", second: 5), event("quiet", second: 20)])
        let alerts = try await world.alerts().waitForAll(1)
        #expect(try alerts.map { try $0.places() } == [["events/0/0", "events/0/3"]])
        let lane = try #require(await second.pipeline.snapshot().lanes.first)
        #expect(lane.state.restoredKeys == 1 && lane.state.written > 0)
        #expect(lane.state.discarded == 0 && lane.state.skipped.isEmpty)
        await second.stop()
    }

    /// What the watermark held is read once more, and what was done meanwhile is not done again.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func heldEventsWaitOn(delivery: Delivery) async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        let rules = [sequenceRule, singleRule]
        var first: Instance? = try start(world, delivery, rules: rules)
        let state = try world.state()
        try await world.write([event("quiet", second: 9), event("first", second: 9)])
        try await eventually("a marker of the held event") { try state.newestMarker?.positions.first?.position == 2 }
        for offset in 3...6 {
            // The watermark stands still, and so does the offset to resume at. The alert is in the marker nevertheless.
            try await world.write([event("alert", host: "h\(offset)", second: 9)])
            try await eventually("a marker behind the alert") {
                guard let position = try state.newestMarker?.positions.first else { return false }
                return position.position == offset && position.resume == 1
            }
        }
        withExtendedLifetime(first) {}
        first = nil
        let second = try start(world, delivery, rules: rules)
        try await world.write([event("second", second: 10), event("quiet", second: 30)])
        let alerts = try await world.alerts().waitForAll(5)
        #expect(
            try alerts.map { try $0.places().joined(separator: " ") } == [
                "events/0/2", "events/0/3", "events/0/4", "events/0/5", "events/0/1 events/0/6",
            ])
        #expect(await second.pipeline.snapshot().lanes.map(\.state.discarded) == [0])
        await second.stop()
    }

    /// With what the window has counted.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func suppressionSpansACrash(delivery: Delivery) async throws
    {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        var first: Instance? = try start(world, delivery, rules: [Self.suppressedRule])
        try await world.write([event("alert", host: "h1"), event("alert", host: "h1", second: 30)])
        try await crash(&first, at: 2)
        let second = try start(world, delivery, rules: [Self.suppressedRule])
        try await world.write([
            event("alert", host: "h1", second: 60), event("alert", host: "h2", second: 61),
            event("alert", host: "h1", second: 3700),
        ])
        let alerts = try await world.alerts().waitForAll(3)
        #expect(try alerts.map { try $0.place() } == ["events/0/0", "events/0/3", "events/0/4"])
        let suppressed = try alerts.map { (try $0.json()["apus"] as? [String: Any])?["suppression"] as? [String: Any] }
        #expect(suppressed.map { $0?["docs_count"] as? Int } == [0, 0, 2])
        await second.stop()
    }

    /// Also an instance that stops in good order hands on what it knows.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func aSequenceSpansAStop(delivery: Delivery) async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        let first = try start(world, delivery) { $0.checkpointInterval = .seconds(600) }
        try await world.write([event("first"), event("quiet", second: 1), event("quiet", second: 20)])
        try await eventually("all records") { await first.records() == 3 }
        await first.stop()
        let second = try start(world, delivery)
        try await world.write([event("second", second: 21), event("quiet", second: 40)])
        #expect(try await world.alerts().waitForAll(1).map { try $0.places() } == [["events/0/0", "events/0/3"]])
        await second.stop()
    }

    /// A group that somebody has moved goes on there, without what belonged to another place, and says so.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func aMovedGroupForgets(delivery: Delivery) async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        // A name would stay in the group.
        let leaves = { (options: inout PipelineOptions) in options.consumer["group.instance.id"] = nil }
        let first = try start(world, delivery, leaves)
        try await world.write([event("first"), event("quiet", second: 1), event("quiet", second: 20)])
        try await eventually("commit") { first.committed.last == 3 }
        await first.stop()
        try await world.moveGroup(to: 1)
        let second = try start(world, delivery, leaves)
        try await eventually("a word about it: \(second.events)") {
            second.events.contains {
                guard case .stateDiscarded(TopicPartition("events", 0), committed: 1, expected: 3) = $0 else {
                    return false
                }
                return true
            }
        }
        // Completes nothing; another host's pair shows that it was read.
        try await world.write([
            event("second", second: 25), event("first", host: "h2", second: 26),
            event("second", host: "h2", second: 27), event("quiet", second: 50),
        ])
        let reader = try world.alerts()
        #expect(try await reader.waitForAll(1).map { try $0.places() } == [["events/0/4", "events/0/5"]])
        #expect(await second.pipeline.snapshot().lanes.map(\.state.discarded) == [1])
        await second.stop()
        // The dropped state does not come back.
        let third = try start(world, delivery, leaves)
        try await world.write([event("second", second: 51), event("quiet", second: 80)])
        try await eventually("commit") { third.committed.last == 9 }
        #expect(try await reader.waitForAll(1).count == 1)
        await third.stop()
    }

    /// Whatever stands in the state topic, a lane goes on with what it can use, and says what that was not.
    @Test func whatCannotBeUsedIsSkippedAndSaid() async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        let first = try start(world, .exactlyOnce)
        try await world.write([event("first"), event("quiet", second: 20)])
        try await eventually("commit") { first.committed.last == 2 }
        await first.stop()
        let reader = try world.state()
        let records = try await reader.waitForAll(3)
        let stamp = try #require(try reader.newestMarker).stamp
        let key = try #require(records.first { $0.key?[2] == UInt8(ascii: "K") }?.key)
        let next = CheckpointStamp(epoch: stamp.epoch, number: stamp.number + 1)
        // Another format, no stamp, no key, no sense, and a checkpoint that was never finished.
        try world.writeState(key: [99] + key.dropFirst(), value: [1, 2, 3], stamp: next)
        try world.writeState(key: key, value: [1, 2, 3], stamp: nil)
        try world.writeState(key: [], value: nil, stamp: next)
        try world.writeState(key: StateKey.marker(.input), value: [0xFF, 0xFF], stamp: next)
        try world.writeState(key: key, value: nil, stamp: next)
        let second = try start(world, .exactlyOnce)
        try await world.write([event("second", second: 21), event("quiet", second: 40)])
        #expect(try await world.alerts().waitForAll(1).map { try $0.places() } == [["events/0/0", "events/0/2"]])
        let state = try #require(await second.pipeline.snapshot().lanes.first?.state)
        #expect(state.restoredKeys == 1 && state.discarded == 0)
        #expect(state.skipped.counts == [.unknownVersion: 1, .corrupt: 3, .torn: 1])
        #expect(
            second.events.contains {
                guard case .restored(partition: 0, keys: 1, records: _, problems: state.skipped) = $0 else {
                    return false
                }
                return true
            })
        await second.stop()
        // The torn key was written again as it was before, so that nothing is torn any more.
        let third = try start(world, .exactlyOnce)
        try await eventually("restored") { await third.pipeline.snapshot().lanes.first?.isRestoring == false }
        #expect(await third.pipeline.snapshot().lanes.first?.state.skipped.counts[.torn] == nil)
        await third.stop()
    }

    /// The state says where to go on, and not the end of the topic: the embedded broker keeps no offsets of transactions.
    @Test func aGroupWithoutOffsetsGoesOnFromTheState() async throws {
        let stage = try Stage()
        var first: Instance? = try stage.instance(rules: [sequenceRule]) { $0.delivery = .exactlyOnce }
        try stage.write([event("first"), event("quiet", second: 1), event("quiet", second: 3)])
        try await crash(&first, at: 3)
        #expect(try stage.committed() == nil)
        try stage.write([event("second", second: 5), event("quiet", second: 20)])
        let second = try stage.instance(rules: [sequenceRule]) {
            $0.delivery = .exactlyOnce
            $0.consumer["auto.offset.reset"] = "latest"
        }
        #expect(try await stage.reader().waitForAll(1)[0].places() == ["events/0/0", "events/0/3"])
        await second.stop()
    }

    // MARK: The topic

    @Test func theStateTopicMustExist() throws {
        let stage = try Stage(state: false)
        let failure = try #require(throws: StartFailure.self) { try stage.instance(rules: [sequenceRule]) }
        #expect(failure.reasons.count == 1)
        #expect(failure.description.contains("topic 'apus.state'"))
        #expect(failure.description.contains("--create --topic apus.state --partitions 1"))
        #expect(failure.description.contains("--config cleanup.policy=compact"))
    }

    /// Where no rule remembers anything, nobody asks for it.
    @Test func rulesWithoutStateNeedNoTopic() async throws {
        let stage = try Stage(state: false)
        let instance = try stage.instance(rules: [singleRule])
        try stage.write([event("alert")])
        #expect(try await stage.reader().waitForAll(1).count == 1)
        await instance.stop()
    }

    /// At the start, and when the input grows while nobody is there. While an instance runs: ``TransactionTests``.
    @Test func theStateTopicIsMadeAsWideAsTheInput() async throws {
        let world = try await World(partitions: 3)
        defer { world.stop() }
        for partitions in [3, 5] {
            let instance = try world.instance(rules: [sequenceRule])
            try await eventually("assignment") { instance.assignment.count == partitions }
            #expect(try world.partitionCount(of: "apus.state") == partitions)
            await instance.stop()
            if partitions == 3 { try world.admin.grow("events", to: 5, timeout: .seconds(10)) }
        }
    }

    /// Where Apus may not widen the topic, lanes beyond it wait until somebody does; the others go on.
    @Test func lanesWaitForTheirPartitionOfTheStateTopic() async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        try await start(world, .exactlyOnce).stop()
        let instance = try start(world, .exactlyOnce, rules: [singleRule, sequenceRule]) { $0.createTopics = nil }
        try await eventually("assignment") { instance.assignment.count == 1 }
        try world.admin.grow("events", to: 2, timeout: .seconds(10))
        try await eventually("a word about it: \(instance.events)") {
            instance.events.contains {
                guard case .problem(let error) = $0 else { return false }
                return error.description.contains("--alter --topic apus.state --partitions 2")
            }
        }
        try await world.write([event("alert")], partition: 1)
        try await world.write([event("alert")], partition: 0)
        let reader = try world.alerts()
        #expect(try await reader.waitForAll(1).map { try $0.place() } == ["events/0/0"])
        #expect(await !instance.pipeline.snapshot().isReady)
        try world.admin.grow("apus.state", to: 2, timeout: .seconds(10))
        #expect(try await reader.waitForAll(2).map { try $0.place() } == ["events/0/0", "events/1/0"])
        await instance.stop()
    }

    @Test func aNarrowStateTopicIsRefused() throws {
        let stage = try Stage(partitions: 3, state: false)
        try stage.broker.createTopic("apus.state", partitions: 2)
        let failure = try #require(throws: StartFailure.self) { try stage.instance(rules: [sequenceRule]) }
        #expect(failure.description.contains("has 2 partitions and needs 3"))
        #expect(failure.description.contains("--alter --topic apus.state --partitions 3"))
    }

    /// Two instances could own partitions of one number, and write one partition of the state topic. Correlations go
    /// through the correlate topic then; what is remembered where it was read is refused.
    @Test func inputsOfDifferentWidthAreRefused() throws {
        let stage = try Stage(partitions: 2)
        try stage.broker.createTopic("audit", partitions: 1)
        let failure = try #require(throws: StartFailure.self) {
            try stage.instance(rules: [Self.suppressedRule]) {
                $0.inputs = [InputTopic(name: "events"), InputTopic(name: "audit")]
            }
        }
        #expect(failure.description.contains("'audit' has 1, 'events' has 2"))
    }
}

/// Where a lane begins, given its state and what the group has.
@Suite struct LaneStateTests {
    private static let place = TopicPartition("events", 0)

    /// Its partition as one checkpoint left it.
    private func found(
        position: Int64, resume: Int64, former: [Int64]?, committed: Int64?, log: Range<Int64> = 0..<1000
    ) throws -> LaneState {
        let stamp = CheckpointStamp(epoch: 1, number: 7)
        let marker = CheckpointMarker(
            stamp: stamp,
            positions: [
                CheckpointMarker.Position(
                    topic: "events", partition: 0, position: position, resume: resume, former: former)
            ], time: TimeState())
        var state = StateLog(owner: .input)
        for record in marker.records(of: .input) { state.read(key: record.key, value: record.value, stamp: stamp) }
        return LaneState(
            state.finish(), places: [Self.place], committed: committed.map { [Self.place: $0] } ?? [:],
            ends: [Self.place: Watermarks(low: log.lowerBound, high: log.upperBound)], generation: 3)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var former: [Int64]?
        var committed: Int64?
        var goesOn: Bool
    }

    @Test(arguments: [
        Case(testDescription: "exactly once, as it was left", committed: 40, goesOn: true),
        Case(testDescription: "exactly once, moved back", committed: 39, goesOn: false),
        Case(testDescription: "exactly once, moved ahead", committed: 50, goesOn: false),
        Case(testDescription: "exactly once, nothing committed", goesOn: true),
        Case(testDescription: "at least once, as it was left", former: [30, 35], committed: 40, goesOn: true),
        Case(testDescription: "at least once, crash before the commit", former: [30, 35], committed: 30, goesOn: true),
        Case(testDescription: "at least once, an earlier commit", former: [30, 35], committed: 35, goesOn: true),
        Case(testDescription: "at least once, crash before the first commit", former: [-1], goesOn: true),
        Case(testDescription: "at least once, expired", former: [30], goesOn: true),
        Case(testDescription: "at least once, moved back", former: [30, 35], committed: 29, goesOn: false),
        Case(
            testDescription: "at least once, moved in between", former: [30, 35], committed: 34, goesOn: false),
        Case(testDescription: "at least once, moved to the beginning", former: [-1], committed: 0, goesOn: false),
        Case(testDescription: "at least once, moved ahead", former: [30], committed: 41, goesOn: false),
    ])
    func onlyMovedOffsetsDropTheState(_ test: Case) throws {
        let found = try found(position: 45, resume: 40, former: test.former, committed: test.committed)
        #expect((found.positions[Self.place] != nil) == test.goesOn)
        #expect(found.moved.isEmpty == test.goesOn)
        #expect((found.snapshot.marker != nil) == test.goesOn)
    }

    /// A topic of the same name that was made anew.
    @Test func aLogThatIsTooShortIsAnother() throws {
        let found = try found(position: 45, resume: 40, former: nil, committed: nil, log: 0..<44)
        #expect(found.moved == [.init(place: Self.place, committed: nil, expected: 40)])
    }

    /// Retention has removed what was held, partly or all of it.
    @Test(arguments: [(0, true), (42, true), (45, false), (60, false)] as [(Int64, Bool)])
    func onlyWhatIsThereIsReplayed(low: Int64, replays: Bool) throws {
        let found = try found(position: 45, resume: 40, former: nil, committed: 40, log: low..<100)
        #expect(found.positions[Self.place]?.replays == replays)
        #expect(found.positions[Self.place]?.position == 45)
    }
}

extension TopicReader {
    /// Of a partition of the state topic.
    var newestMarker: CheckpointMarker? {
        get throws {
            let value = records.last { $0.key == StateKey.marker(.input) }?.value
            return try value.map { try CheckpointMarker($0) { _ in nil } }
        }
    }
}
