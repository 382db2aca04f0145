import Detection
import Dispatch
import Foundation
import KafkaClient
import Streaming
import TestSupport
import Testing

/// What needs a broker that keeps transactions: `ops/broker/broker.py`.
@Suite(
    "Exactly once, on a broker with transactions", .timeLimit(.minutes(4)),
    .enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
struct TransactionTests {
    private func alerts(_ range: Range<Int>) -> [String] { range.map { event("alert", host: "h\($0)") } }

    /// All of them, each once, and no more behind them.
    private func expectEachOnce(_ reader: TopicReader, _ count: Int) async throws {
        let records = try await reader.waitForAll(count)
        #expect(records.count == count)
        #expect(try Set(records.map { try $0.place() }).count == count)
    }

    @Test("Instances join and leave; every alert comes once", arguments: ["cooperative-sticky", "range"])
    func handsOver(strategy: String) async throws {
        let world = try await World(partitions: 4)
        defer { world.stop() }
        let reader = try world.alerts()
        let adjust = { (options: inout PipelineOptions) in
            options.consumer["partition.assignment.strategy"] = strategy
        }
        let first = try world.instance(adjust)
        try await eventually("first assignment") { first.assignment.count == 4 }
        for partition in 0..<4 { try await world.write(alerts(0..<20), partition: partition) }
        let second = try world.instance(adjust)
        for partition in 0..<4 { try await world.write(alerts(20..<40), partition: partition) }
        try await eventually("shares") { first.assignment.count == 2 && second.assignment.count == 2 }
        for partition in 0..<4 { try await world.write(alerts(40..<60), partition: partition) }
        await first.stop()
        for partition in 0..<4 { try await world.write(alerts(60..<80), partition: partition) }
        try await expectEachOnce(reader, 320)
        await second.stop()
    }

    /// Written before the group has noticed them, and with a start that skips what is old elsewhere.
    @Test("Partitions added to a topic are read from their beginning", arguments: ["earliest", "latest"])
    func readsAddedPartitions(start: String) async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        try await world.write(alerts(0..<1), partition: 0)
        let reader = try world.alerts()
        // The second remembers: the state topic has to grow as well.
        let instance = try world.instance(rules: [singleRule, sequenceRule]) {
            $0.consumer["auto.offset.reset"] = start
        }
        try await eventually("assignment") { instance.assignment.count == 1 }
        try world.admin.grow("events", to: 3, timeout: .seconds(10))
        try await world.write(alerts(0..<5), partition: 2)
        try await eventually("assignment of all: \(instance.events)") { instance.assignment.count == 3 }
        try await expectEachOnce(reader, start == "latest" ? 5 : 6)
        await instance.stop()
    }

    /// Two rules with other conditions and the same meaning, in turns under load, while the partitions move as well.
    @Test("Rules change and instances come and go; every alert comes once")
    func changesRules() async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let reader = try world.alerts()
        let sets = try [#"any where event.action == "alert""#, #"any where event.action : "aler?""#].map {
            try compile([ruleFile(1, $0), sequenceRule])
        }
        let first = try world.instance { $0.batchSize = 3 }
        try await eventually("assignment") { first.assignment.count == 2 }
        var second: Instance?
        for round in 0..<12 {
            for partition in 0..<2 {
                try await world.write(alerts(round * 10..<(round + 1) * 10), partition: partition)
            }
            if round == 4 { second = try world.instance { $0.batchSize = 3 } }
            try await first.pipeline.replaceRules(sets[round % 2])
            try await second?.pipeline.replaceRules(sets[round % 2])
            if round == 8 { await first.stop() }
        }
        try await expectEachOnce(reader, 240)
        await second?.stop()
    }

    @Test("A named member comes back to its partitions, and ends its predecessor's transaction")
    func comesBack() async throws {
        let world = try await World(partitions: 2)
        defer { world.stop() }
        let reader = try world.alerts()
        var instance: Instance? = try world.instance(World.named)
        try await eventually("assignment") { instance?.assignment.count == 2 }
        for partition in 0..<2 { try await world.write(alerts(0..<10), partition: partition) }
        try await eventually("first alerts") { !reader.records.isEmpty }
        // Like a crash.
        instance = nil
        for partition in 0..<2 { try await world.write(alerts(10..<20), partition: partition) }
        let next = try world.instance(World.named)
        try await expectEachOnce(reader, 40)
        await next.stop()
    }

    @Test("Of two processes with one name, one ends and says why")
    func namesAreUnique() async throws {
        let world = try await World(partitions: 1)
        defer { world.stop() }
        let reader = try world.alerts()
        let first = try world.instance(World.named)
        try await eventually("assignment") { first.assignment.count == 1 }
        let second = try world.instance(World.named)
        try await world.write(alerts(0..<10), partition: 0)
        try await eventually("an end: \(first.events) \(second.events)") {
            first.pipeline.failure != nil || second.pipeline.failure != nil
        }
        let (ended, other) = first.pipeline.failure != nil ? (first, second) : (second, first)
        #expect(ended.pipeline.failure?.code == .fencedInstance, "\(String(describing: ended.pipeline.failure))")
        await ended.stop()
        try await expectEachOnce(reader, 10)
        #expect(other.pipeline.failure == nil)
        await other.stop()
    }

    /// Twice over: each partition's first events before the first interruption, the others after the last.
    @Test("Sequences go on where an instance was killed, stopped or has left its share", arguments: ["kill", "stop"])
    func sequencesGoOn(interruption: String) async throws {
        let world = try await World(partitions: 4)
        defer { world.stop() }
        let reader = try world.alerts()
        var instance: Instance? = try world.instance(rules: [sequenceRule, singleRule], World.named)
        try await eventually("assignment") { instance?.assignment.count == 4 }
        #expect(try world.partitionCount(of: "apus.state") == 4, "created as wide as the input")
        let hosts = (0..<20).map { "h\($0)" }
        for partition in 0..<4 {
            // The last ones are held for the watermark when the end comes.
            try await world.write(hosts.map { event("first", host: $0, second: 10) }, partition: partition)
            try await world.write(alerts(0..<5), partition: partition)
        }
        try await reader.wait(count: 1)
        for _ in 0..<2 {
            if interruption == "stop" { await instance?.stop() }
            instance = nil
            instance = try world.instance(rules: [sequenceRule, singleRule], World.named)
            try await eventually("assignment") { instance?.assignment.count == 4 }
        }
        for partition in 0..<4 {
            try await world.write(hosts.map { event("second", host: $0, second: 15) }, partition: partition)
            try await world.write([event("quiet", second: 90)], partition: partition)
        }
        // A newcomer takes over half of it, whatever has been done by then.
        let other = try world.instance(rules: [sequenceRule, singleRule])
        try await expectEachOnce(reader, 4 * (20 + 5))
        let snapshot = try #require(await instance?.pipeline.snapshot())
        #expect(snapshot.lanes.allSatisfy { $0.state.discarded == 0 && $0.state.skipped.isEmpty })
        await other.stop()
        await instance?.stop()
    }
}
