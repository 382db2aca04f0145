import EventSchema
import KafkaClient
import Streaming
import TestSupport
import Testing

/// Hosts whose events are not where the inputs' key promises them.
@Suite(.timeLimit(.minutes(3)))
struct KeyWatchTests {
    /// Enough for both lanes to look at hosts that the other has seen.
    private static let records = 2000

    private static func strays(_ instance: Instance) -> [(partition: TopicPartition, before: TopicPartition)] {
        instance.events.compactMap {
            if case .keyStrayed(let partition, let before, let records) = $0, records > 0 {
                (partition, before)
            } else {
                nil
            }
        }
    }

    /// Waits until all is committed, so that every lane has ticked since its last record.
    private static func committed(_ stage: Stage, of topics: [String] = [Stage.events], _ partitions: [Int32])
        async throws
    {
        try await eventually("commit") {
            try topics.allSatisfy { topic in
                try partitions.allSatisfy { try stage.committed($0, of: topic) == Int64(records) }
            }
        }
    }

    @Test func aHostInTwoPartitionsIsNoticed() async throws {
        let stage = try Stage(partitions: 2)
        let instance = try stage.instance(rules: [sequenceRule])
        for partition: Int32 in [0, 1] {
            try stage.write((0..<Self.records).map { event("quiet", host: "h\($0 % 3)") }, partition: partition)
        }
        try await eventually("word of it") { !Self.strays(instance).isEmpty }
        for (partition, before) in Self.strays(instance) {
            #expect(partition.topic == Stage.events && before.topic == Stage.events)
            #expect(Set([partition.partition, before.partition]) == [0, 1])
        }
        await instance.stop()
    }

    @Test func hostsThatKeepToTheirPartitionsAreNot() async throws {
        let stage = try Stage(partitions: 2)
        let instance = try stage.instance(rules: [sequenceRule])
        for partition: Int32 in [0, 1] {
            try stage.write(
                (0..<Self.records).map { event("quiet", host: "h\(partition)-\($0 % 300)") }, partition: partition)
        }
        try await Self.committed(stage, [0, 1])
        #expect(Self.strays(instance).isEmpty)
        await instance.stop()
    }

    @Test func twoTopicsHaveToAgree() async throws {
        let inputs = [Stage.events, "more-events"]
        let stage = try Stage(partitions: 2, inputs: inputs)
        let instance = try stage.instance(rules: [sequenceRule]) {
            $0.inputs = inputs.map { InputTopic(name: $0, key: "host.id") }
            $0.consumer["partition.assignment.strategy"] = "range"
        }
        // Each topic by itself is in order: their producers use different partitioners.
        for (input, partition) in zip(inputs, [0, 1] as [Int32]) {
            try stage.write((0..<Self.records).map { _ in event("quiet") }, to: input, partition: partition)
        }
        try await eventually("word of it") { !Self.strays(instance).isEmpty }
        let stray = try #require(Self.strays(instance).first)
        #expect(Set([stray.partition.topic, stray.before.topic]) == Set(inputs))
        await instance.stop()
    }

    @Test func nobodyMindsWhereNoRuleRelies() async throws {
        let stage = try Stage(partitions: 2)
        let instance = try stage.instance(rules: [singleRule])
        for partition: Int32 in [0, 1] {
            try stage.write((0..<Self.records).map { _ in event("quiet") }, partition: partition)
        }
        try await Self.committed(stage, [0, 1])
        #expect(Self.strays(instance).isEmpty)
        await instance.stop()
    }
}
