import Detection
import Events
import Foundation
import KafkaClient
import Streaming
import TestSupport
import Testing

/// Rules whose events lie in several partitions, through the correlate topic.
@Suite(
    .timeLimit(.minutes(5)), .serialized, .enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
struct CorrelateTests {
    /// An instance for inputs that promise no key. Sources are idle soon, so that time moves without events.
    private func start(
        _ world: World, _ delivery: Delivery, rules: [String] = [sequenceRule],
        _ adjust: (inout PipelineOptions) -> Void = { _ in }
    ) throws -> Instance {
        try world.instance(rules: rules) {
            $0.inputs = [InputTopic(name: "events")]
            $0.delivery = delivery
            $0.allowedLateness = .seconds(1)
            $0.idleTimeout = .milliseconds(500)
            adjust(&$0)
        }
    }

    /// Neither lane has both events. The alert names their places in the input topic.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce])
    func eventsOfTwoPartitionsComeTogether(delivery: Delivery) async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let instance = try start(world, delivery, rules: [sequenceRule, singleRule])
        try await world.write([event("first"), event("alert", host: "h2")], partition: 1)
        try await world.write([event("second", second: 5), event("first", host: "h3", second: 6)], partition: 0)
        let alerts = try await world.alerts().waitForAll(2)
        #expect(
            try Set(alerts.map { try $0.places().joined(separator: " ") }) == ["events/1/1", "events/1/0 events/0/0"])
        let snapshot = await instance.pipeline.snapshot()
        #expect(Set(snapshot.lanes.flatMap(\.topics)) == ["events", "apus.correlate"])
        #expect(snapshot.isReady)
        await instance.stop()
    }

    /// What was handed on outlives the instance, and so does what the correlating lane remembers.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce])
    func aSequenceOverPartitionsSpansACrash(delivery: Delivery) async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        func named(_ options: inout PipelineOptions) {
            World.named(&options)
            // Only events move time.
            options.idleTimeout = .seconds(600)
        }
        var first: Instance? = try start(world, delivery, named)
        try await world.write([event("first"), event("quiet", second: 20)], partition: 1)
        try await world.write([event("quiet", second: 20)], partition: 0)
        try await eventually("the first event safe in the hands of its lane") {
            let lanes = await first?.pipeline.snapshot().lanes ?? []
            guard let lane = lanes.first(where: { $0.topics == ["apus.correlate"] && $0.liveKeys > 0 }) else {
                return false
            }
            let place = TopicPartition("apus.correlate", lane.partition)
            return first?.committed(place).last == lane.sources.first?.position
        }
        first = nil
        let second = try start(world, delivery, named)
        try await world.write([event("second", second: 25), event("quiet", second: 60)], partition: 0)
        try await world.write([event("quiet", second: 60)], partition: 1)
        let alerts = try await world.alerts().waitForAll(1)
        #expect(try alerts.map { try $0.places() } == [["events/1/0", "events/0/1"]])
        await second.stop()
    }

    /// Several lanes on both sides, spread over instances that join and leave.
    @Test(arguments: [Delivery.atLeastOnce, .exactlyOnce])
    func instancesShareBothSides(delivery: Delivery) async throws {
        let world = try await World(partitions: 4)
        defer { world.stop() }
        func patient(_ options: inout PipelineOptions) { options.idleTimeout = .seconds(3) }
        var instances = [try start(world, delivery, patient)]
        for host in 0..<40 {
            try await world.write([event("first", host: "h\(host)", second: host)], partition: host % 4)
            if host == 20 { instances.append(try start(world, delivery, patient)) }
        }
        for host in 0..<40 {
            try await world.write(
                [event("second", host: "h\(host)", second: 40 + host)], partition: (host + 1) % 4)
            if host == 20 { await instances.removeFirst().stop() }
        }
        let alerts = try await world.alerts().wait(count: 40)
        #expect(Set(alerts.compactMap { $0.headers["apus-alert-id"] }).count == 40)
        if delivery == .exactlyOnce { #expect(alerts.count == 40) }
        for instance in instances { await instance.stop() }
    }

    @Test func theTopicIsAskedForWithItsReason() async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let failure = #expect(throws: StartFailure.self) {
            _ = try start(world, .atLeastOnce) { $0.createTopics = nil }
        }
        let text = try #require(failure?.description)
        #expect(text.contains("apus.correlate"))
        #expect(text.contains("'events', which is not configured as keyed by any field"))
        #expect(text.contains("--create --topic apus.correlate"))
    }

    /// A rule that needs the topic comes in while the pipeline runs.
    @Test func aReloadBeginsToHandOn() async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let instance = try start(world, .exactlyOnce, rules: [singleRule])
        try await world.write([event("alert")], partition: 0)
        try await world.alerts().wait(count: 1)
        try await instance.pipeline.replaceRules(compile([singleRule, sequenceRule]))
        try await world.write([event("first", second: 10)], partition: 1)
        try await world.write([event("second", second: 12)], partition: 0)
        let alerts = try await world.alerts().waitForAll(2)
        #expect(try alerts.last?.places() == ["events/1/0", "events/0/1"])
        await instance.stop()
    }

    /// Nobody else writes to the topic, but somebody may.
    @Test func whatIsNoHitIsADeadLetter() async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let instance = try start(world, .atLeastOnce)
        try await world.write(["{}"], to: "apus.correlate", partition: 0)
        let letters = try await world.reader(of: "dead-letters").wait(count: 1)
        #expect(letters.first?.headers["apus-reason"] == "not_forwarded")
        try await world.write([event("first")], partition: 1)
        try await world.write([event("second", second: 5)], partition: 0)
        try await world.alerts().wait(count: 1)
        let lanes = await instance.pipeline.snapshot().lanes
        #expect(lanes.reduce(0) { $0 + $1.correlate.rejected } == 1)
        await instance.stop()
    }

    /// Records are what is read from the inputs; what their lanes hand on is counted apart, also when nobody knows the
    /// rule any more.
    @Test func hitsAreNoRecords() async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let instance = try start(world, .atLeastOnce)
        func counts() async -> [UInt64] {
            let snapshot = await instance.pipeline.snapshot()
            return [
                snapshot.records, snapshot.lanes.reduce(0) { $0 + $1.counters.hits },
                snapshot.lanes.reduce(0) { $0 + $1.correlate.unknown },
            ]
        }
        try await world.write([event("first")], partition: 1)
        try await world.write([event("second", second: 5)], partition: 0)
        try await world.alerts().wait(count: 1)
        #expect(await counts() == [2, 2, 0])
        // From an instance that has another version of the rule.
        let other = try compile([sequenceRule.replacingOccurrences(of: "60s", with: "61s")])
            .spread(over: [InputKeying(topic: "events", key: nil, partitions: 2)])
        let detector = Detector(other, options: EvaluatorOptions(ordering: .stream(lateness: 0)))
        let source = detector.addSource()
        let failure = Array(event("first", second: 60).utf8).withUnsafeBytes {
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: 7)
            return detector.process($0, origin: origin, source: source, recordTime: nil)
        }
        #expect(failure == nil)
        let hits = detector.takeForwards(topics: ["events"])
        #expect(hits.count == 1)
        for hit in hits { try world.write(hit: hit) }
        try await eventually("a hit that nobody knows") { await counts() == [2, 2, 1] }
        await instance.stop()
    }
}
