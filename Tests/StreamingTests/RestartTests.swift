import Foundation
import KafkaClient
import TestSupport
import Testing

@testable import Detection
@testable import Streaming

/// What rules remember outlives the instance.
///
/// The embedded broker keeps no offsets of transactions: what `exactly_once` restores here, it restores beside a group
/// without any. Both together are tested in BrokerTests.
@Suite(.timeLimit(.minutes(4)), .serialized)
struct RestartTests {
    /// Fires for the first `alert` of a host, then not for an hour.
    static let suppressedRule =
        ruleFile(3, #"any where event.action == "alert""#) + """

            [rule.alert_suppression]
            group_by = ["host.id"]
            duration = { value = 1, unit = "h" }
            """

    private func start(
        _ stage: Stage, _ delivery: Delivery, rules: [String] = [sequenceRule],
        _ adjust: (inout PipelineOptions) -> Void = { _ in }
    ) throws -> Instance {
        try stage.instance(rules: rules) {
            $0.delivery = delivery
            // A crashed instance is gone for the group when its session is. A shorter one would end before the
            // embedded broker forms a new group, which takes it 3 s: nobody would ever get in.
            $0.consumer["session.timeout.ms"] = "4000"
            adjust(&$0)
        }
    }

    /// Waits until everything up to `position` of the events is safe, and drops the instance: nothing is committed any
    /// more, and nobody leaves the group.
    private func crash(_ instance: inout Instance?, at position: Int64) async throws {
        do {
            try await eventually("checkpoint at \(position)", seconds: 10) { instance?.committed.last == position }
        } catch {
            print(instance?.events ?? [])
            if let instance { print(await instance.pipeline.snapshot()) }
            throw error
        }
        instance = nil
    }

    /// The first event, a crash, the second event.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func aSequenceSpansACrash(delivery: Delivery) async throws {
        let stage = try Stage()
        var first: Instance? = try start(stage, delivery)
        try stage.write([event("first"), event("quiet", second: 1), event("quiet", second: 3)])
        try await crash(&first, at: 3)
        let second = try start(stage, delivery)
        try stage.write([event("second", second: 5), event("quiet", second: 20)])
        let alerts = try await stage.reader().waitForAll(1)
        #expect(try alerts[0].places() == ["events/0/0", "events/0/3"])
        let snapshot = await second.pipeline.snapshot()
        #expect(snapshot.lanes.map(\.state.restoredKeys) == [1])
        #expect(snapshot.lanes.allSatisfy { $0.state.discarded == 0 && $0.state.skipped.isEmpty })
        #expect(snapshot.lanes.allSatisfy { $0.state.written > 0 })
        await second.stop()
    }

    /// What the watermark held is read once more, and what was done meanwhile is not done again.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func heldEventsWaitOn(delivery: Delivery) async throws {
        let stage = try Stage()
        let rules = [sequenceRule, singleRule]
        var first: Instance? = try start(stage, delivery, rules: rules) { $0.idleTimeout = .seconds(600) }
        // The first of the sequence is held, the alert behind it is raised.
        try stage.write([event("quiet", second: 9), event("first", second: 9), event("alert", second: 9)])
        let alerts = try stage.reader()
        try await alerts.wait(count: 1)
        let state = try stage.reader(of: "apus.state")
        try await eventually("a marker") { try state.newestMarker?.positions.first?.position == 3 }
        #expect(try state.newestMarker?.positions.first?.resume == 1)
        withExtendedLifetime(first) {}
        first = nil
        let second = try start(stage, delivery, rules: rules) { $0.idleTimeout = .seconds(600) }
        try stage.write([event("second", second: 10), event("quiet", second: 30)])
        let all = try await alerts.waitForAll(2)
        #expect(try all.map { try $0.places() } == [["events/0/2"], ["events/0/1", "events/0/3"]])
        await second.stop()
    }

    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce]) func suppressionSpansACrash(delivery: Delivery) async throws {
        let stage = try Stage()
        var first: Instance? = try start(stage, delivery, rules: [Self.suppressedRule])
        try stage.write([event("alert", host: "h1")])
        try await crash(&first, at: 1)
        let second = try start(stage, delivery, rules: [Self.suppressedRule])
        try stage.write([event("alert", host: "h1", second: 60), event("alert", host: "h2", second: 61)])
        let alerts = try await stage.reader().waitForAll(2)
        #expect(try alerts.map { try $0.place() } == ["events/0/0", "events/0/2"])
        await second.stop()
    }

    /// Also an instance that stops in good order hands on what it knows.
    @Test func aSequenceSpansAStop() async throws {
        let stage = try Stage()
        let first = try start(stage, .atLeastOnce) { $0.checkpointInterval = .seconds(600) }
        try stage.write([event("first"), event("quiet", second: 1), event("quiet", second: 20)])
        try await eventually("all records") { await first.records() == 3 }
        await first.stop()
        let second = try start(stage, .atLeastOnce)
        try stage.write([event("second", second: 21)])
        try stage.write([event("quiet", second: 40)])
        #expect(try await stage.reader().waitForAll(1)[0].places() == ["events/0/0", "events/0/3"])
        await second.stop()
    }

    /// A group that somebody has moved goes on there, without what belonged to another place, and says so.
    @Test func movedOffsetsDropTheState() async throws {
        let stage = try Stage()
        let first = try start(stage, .atLeastOnce)
        try stage.write([event("first"), event("quiet", second: 1), event("quiet", second: 2)])
        try await eventually("commit") { try stage.committed() == 3 }
        await first.stop()
        try stage.moveGroup(to: 1)
        let second = try start(stage, .atLeastOnce)
        try await eventually("a word about it") {
            second.events.contains {
                guard case .stateDiscarded(TopicPartition(Stage.events, 0), committed: 1, expected: 3) = $0 else {
                    return false
                }
                return true
            }
        }
        // Completes nothing; another host's pair shows that it was read.
        try stage.write([
            event("second", second: 5), event("first", host: "h2", second: 6), event("second", host: "h2", second: 7),
            event("quiet", second: 30),
        ])
        #expect(try await stage.reader().waitForAll(1)[0].places() == ["events/0/4", "events/0/5"])
        #expect(await second.pipeline.snapshot().lanes.map(\.state.discarded) == [1])
        await second.stop()
        // The dropped state does not come back.
        let third = try start(stage, .atLeastOnce)
        try stage.write([event("second", second: 31), event("quiet", second: 60)])
        try await eventually("commit") { try stage.committed() == 9 }
        #expect(try await stage.reader().waitForAll(1).count == 1)
        await third.stop()
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

    @Test func theStateTopicIsCreatedAsWideAsTheInput() async throws {
        let stage = try Stage(partitions: 3, state: false)
        let instance = try stage.instance(rules: [sequenceRule]) {
            $0.createTopics = TopicCreation(partitions: 1, replicationFactor: 1)
        }
        try await eventually("assignment") { instance.assignment.count == 3 }
        #expect(try stage.partitionCount(of: "apus.state") == 3)
        await instance.stop()
    }

    @Test func aNarrowStateTopicIsRefused() throws {
        let stage = try Stage(partitions: 3, state: false)
        try stage.broker.createTopic("apus.state", partitions: 2)
        let failure = try #require(throws: StartFailure.self) { try stage.instance(rules: [sequenceRule]) }
        #expect(failure.description.contains("has 2 partitions and needs 3"))
        #expect(failure.description.contains("--alter --topic apus.state --partitions 3"))
    }

    /// Two instances could own partitions of one number, and write one partition of the state topic.
    @Test func inputsOfDifferentWidthAreRefused() throws {
        let stage = try Stage(partitions: 2)
        try stage.broker.createTopic("audit", partitions: 1)
        let failure = try #require(throws: StartFailure.self) {
            try stage.instance(rules: [sequenceRule]) {
                $0.inputs = [InputTopic(name: "events"), InputTopic(name: "audit")]
            }
        }
        #expect(failure.description.contains("'events' has 2, 'audit' has 1"))
    }
}

/// Where a lane begins, given its state and what the group has.
@Suite struct LaneStateTests {
    private static let place = TopicPartition("events", 0)

    /// Its partition as one checkpoint left it.
    private func found(
        position: Int64, resume: Int64, confirmed: Int64?, committed: Int64?, log: Range<Int64> = 0..<1000
    ) throws -> LaneState {
        let stamp = CheckpointStamp(epoch: 1, number: 7)
        let marker = CheckpointMarker(
            stamp: stamp,
            positions: [
                CheckpointMarker.Position(
                    topic: "events", partition: 0, position: position, resume: resume, committed: confirmed)
            ], time: TimeState())
        var state = StateLog(owner: .input)
        for record in marker.records(of: .input) { state.read(key: record.key, value: record.value, stamp: stamp) }
        return LaneState(
            state.finish(), places: [Self.place], committed: committed.map { [Self.place: $0] } ?? [:],
            ends: [Self.place: Watermarks(low: log.lowerBound, high: log.upperBound)], generation: 3)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var confirmed: Int64?
        var committed: Int64?
        var goesOn: Bool
    }

    @Test(arguments: [
        Case(testDescription: "exactly once, as it was left", committed: 40, goesOn: true),
        Case(testDescription: "exactly once, moved back", committed: 39, goesOn: false),
        Case(testDescription: "exactly once, moved ahead", committed: 50, goesOn: false),
        Case(testDescription: "exactly once, nothing committed", goesOn: true),
        Case(testDescription: "at least once, as it was left", confirmed: 30, committed: 40, goesOn: true),
        Case(testDescription: "at least once, crash before the commit", confirmed: 30, committed: 30, goesOn: true),
        Case(testDescription: "at least once, an earlier commit", confirmed: 30, committed: 35, goesOn: true),
        Case(testDescription: "at least once, crash before the first commit", confirmed: -1, goesOn: true),
        Case(testDescription: "at least once, expired", confirmed: 30, goesOn: true),
        Case(testDescription: "at least once, moved back", confirmed: 30, committed: 29, goesOn: false),
        Case(testDescription: "at least once, moved ahead", confirmed: 30, committed: 41, goesOn: false),
    ])
    func onlyMovedOffsetsDropTheState(_ test: Case) throws {
        let found = try found(position: 45, resume: 40, confirmed: test.confirmed, committed: test.committed)
        #expect((found.positions[Self.place] != nil) == test.goesOn)
        #expect(found.moved.isEmpty == test.goesOn)
        #expect((found.snapshot.marker != nil) == test.goesOn)
    }

    /// A topic of the same name that was made anew.
    @Test func aLogThatIsTooShortIsAnother() throws {
        let found = try found(position: 45, resume: 40, confirmed: nil, committed: nil, log: 0..<44)
        #expect(found.moved == [.init(place: Self.place, committed: nil, expected: 40)])
    }

    /// Retention has removed what was held, partly or all of it.
    @Test(arguments: [(0, true), (42, true), (45, false), (60, false)] as [(Int64, Bool)])
    func onlyWhatIsThereIsReplayed(low: Int64, replays: Bool) throws {
        let found = try found(position: 45, resume: 40, confirmed: nil, committed: 40, log: low..<100)
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
