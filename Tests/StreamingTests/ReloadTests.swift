import KafkaClient
import Streaming
import Testing

/// Rules that change while the pipeline reads.
@Suite(.timeLimit(.minutes(3)))
struct ReloadTests {
    @Test func aHalfFinishedSequenceIsFinishedUnderAnotherSet() async throws {
        let stage = try Stage()
        let instance = try stage.instance(rules: [singleRule, sequenceRule])
        try stage.write([event("first", second: 1)])
        try await eventually("first") { await instance.records() == 1 }
        let changed = ruleFile(1, #"any where event.action == "other""#)
        try await instance.pipeline.replaceRules(try compile([changed, sequenceRule]))
        try stage.write([event("second", second: 2), event("alert", second: 3), event("other", second: 4)])
        let alerts = try await stage.reader().waitForAll(2)
        #expect(try Set(alerts.map { try $0.places() }) == [["events/0/0", "events/0/1"], ["events/0/3"]])
        await instance.stop()
    }

    /// Every record is evaluated once, by the one set or the other: two rules with other conditions and the same
    /// meaning, in turns under load, give one alert for each event.
    @Test func noAlertIsLostOrDoubledAcrossManyChanges() async throws {
        let stage = try Stage(partitions: 2)
        let sets = try [#"any where event.action == "alert""#, #"any where event.action : "aler?""#].map {
            try compile([ruleFile(1, $0), sequenceRule])
        }
        let instance = try stage.instance { $0.batchSize = 7 }
        try await eventually("assignment") { instance.assignment.count == 2 }
        let rounds = 20
        for round in 0..<rounds {
            for partition in 0..<2 {
                let events = (0..<50).map { event("alert", second: round * 50 + $0) }
                try stage.write(events, partition: Int32(partition))
            }
            try await instance.pipeline.replaceRules(sets[round % 2])
        }
        let alerts = try await stage.reader().waitForAll(rounds * 100)
        #expect(alerts.count == rounds * 100)
        #expect(try Set(alerts.map { try $0.place() }).count == rounds * 100)
        await instance.stop()
    }

    @Test func theFirstShadowRuleNeedsItsTopic() async throws {
        let stage = try Stage()
        let instance = try stage.instance { $0.shadowTopic = "alerts.shadow" }
        try await eventually("assignment") { instance.assignment.count == 1 }
        let shadow = ruleFile(2, #"any where event.action == "shadow""#) + "\n[apus]\nstage = \"shadow\"\n"
        let rules = try compile([singleRule, shadow])
        await #expect(throws: StartFailure.self) { try await instance.pipeline.replaceRules(rules) }
        try stage.broker.createTopic("alerts.shadow", partitions: 1)
        try await instance.pipeline.replaceRules(rules)
        try stage.write([event("shadow"), event("alert")])
        try await stage.reader(of: "alerts.shadow").waitForAll(1)
        try await stage.reader().waitForAll(1)
        await instance.stop()
    }
}
