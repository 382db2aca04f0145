import Dispatch
import KafkaClient
import Streaming
import Synchronization
import TestSupport
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

    /// A lane that hangs is not waited for, and changes over when it comes to it.
    @Test func aLaneThatHangsIsNamedAndChangesOverLater() async throws {
        let stage = try Stage(partitions: 2)
        let release = DispatchSemaphore(value: 0)
        let hung = Mutex(false)
        let instance = try stage.instance { options in
            options.onAlert = { _ in
                guard
                    hung.withLock({ isHung in
                        defer { isHung = true }
                        return !isHung
                    })
                else { return }
                release.wait()
            }
        }
        try await eventually("assignment") { instance.assignment.count == 2 }
        try stage.write([event("alert", second: 1)], partition: 1)
        try await eventually("a lane that hangs") { hung.withLock { $0 } }
        let rules = try compile([ruleFile(1, #"any where event.action == "other""#)])
        #expect(try await instance.pipeline.replaceRules(rules, timeout: .milliseconds(500)) == [1])
        // The other lane goes on with the new set.
        try stage.write([event("alert", second: 2), event("other", second: 3)], partition: 0)
        try await stage.reader().wait(count: 1)
        release.signal()
        try stage.write([event("alert", second: 4), event("other", second: 5)], partition: 1)
        let alerts = try await stage.reader().waitForAll(3)
        #expect(try Set(alerts.map { try $0.place() }) == ["events/0/1", "events/1/0", "events/1/2"])
        // What the lanes count goes on.
        #expect(await instance.records() == 5)
        await instance.stop()
    }

    /// It needs the state topic, and what it remembers from then on outlives the instance.
    @Test func theFirstRuleThatRemembersIsKept() async throws {
        let stage = try Stage(state: false)
        let instance = try stage.instance()
        try stage.write([event("alert", second: 0)])
        try await stage.reader().waitForAll(1)
        let rules = try compile([singleRule, sequenceRule])
        await #expect(throws: StartFailure.self) { try await instance.pipeline.replaceRules(rules) }
        try stage.broker.createTopic("apus.state", partitions: 1)
        try await instance.pipeline.replaceRules(rules, timeout: .seconds(30))
        try stage.write([event("first", second: 1), event("quiet", second: 9)])
        try await eventually("commit") { instance.committed.last == 3 }
        #expect(await instance.records() == 2, "of the second membership")
        await instance.stop()
        let next = try stage.instance(rules: [singleRule, sequenceRule])
        try stage.write([event("second", second: 10), event("quiet", second: 30)])
        let alerts = try await stage.reader().waitForAll(2)
        #expect(try alerts.map { try $0.places() } == [["events/0/0"], ["events/0/1", "events/0/3"]])
        await next.stop()
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
