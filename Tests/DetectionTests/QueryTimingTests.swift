import Alerts
import Detection
import EventSchema
import Events
import Rules
import Testing

/// Rules that say for themselves when events happened, in which order, and how far they look back.
@Suite struct QueryTimingTests {
    private static let pair = """
        sequence by host.id with maxspan=10s [any where event.action == "a"] [any where event.action == "b"]
        """

    private func lane(_ keys: String..., query: String = pair) throws -> Lane {
        let rules = try keys.enumerated().map { number, key in
            try rule(query, id: "8a4b1c52-0d0e-4c58-9d0b-00000000000\(number)", keys: key)
        }
        return try Lane(RuleSet(rules))
    }

    private func event(_ action: String, at seconds: Int, _ more: String = "") -> String {
        #"{"@timestamp":\#(seconds * 1_000),"event":{"action":"\#(action)"\#(more)},"host":{"id":"h"}}"#
    }

    private func found(_ lane: Lane) -> [[Int64]?] {
        let findings = lane.findings()
        return lane.detector.rules.rules.map { rule in findings.first { $0.rule.id == rule.id }?.offsets }
    }

    /// In its own time one rule sees a before b; the other goes on with `@timestamp`.
    @Test func aTimestampFieldIsTheTimeOfItsRule() throws {
        let lane = try lane("", "timestamp_field = \"event.created\"")
        lane.send(event("b", at: 10, #","created":25000"#))
        lane.send(event("a", at: 12, #","created":20000"#))
        lane.send(event("other", at: 100, #","created":100000"#))
        #expect(found(lane) == [nil, [1, 0]])
    }

    @Test func aRuleWaitsForItsOwnTime() throws {
        let lane = try lane("", "timestamp_field = \"event.created\"")
        lane.send(event("a", at: 10, #","created":20000"#))
        lane.send(event("b", at: 11, #","created":21000"#))
        lane.send(event("other", at: 20, #","created":22000"#))
        #expect(found(lane) == [[0, 1], nil])
        lane.send(event("other", at: 21, #","created":24000"#))
        #expect(found(lane) == [nil, [0, 1]])
        #expect(lane.detector.counters.late == 0)
    }

    @Test func withoutItsFieldAnEventHasTheTimeOfTheOthers() throws {
        let lane = try lane("timestamp_field = \"event.created\"")
        lane.send(event("a", at: 10))
        lane.send(event("b", at: 11, #","created":12000"#))
        lane.send(event("other", at: 30))
        #expect(found(lane) == [[0, 1]])
    }

    /// It only moves the window of a run in Elastic.
    @Test func aTimestampOverrideChangesNothing() throws {
        let lane = try lane("timestamp_override = \"event.created\"")
        lane.send(event("b", at: 10, #","created":25000"#))
        lane.send(event("a", at: 12, #","created":20000"#))
        lane.send(event("other", at: 100))
        #expect(found(lane) == [nil])
    }

    @Test func aTiebreakerOrdersTheEventsOfItsRule() throws {
        let lane = try lane("", "tiebreaker_field = \"event.sequence\"")
        lane.send(event("b", at: 10, #","sequence":2"#))
        lane.send(event("a", at: 10, #","sequence":1"#))
        lane.send(event("other", at: 100))
        #expect(found(lane) == [nil, [1, 0]])
    }

    @Test func aSequenceWithoutMaxspanIsAsLongAsItsRuleLooksBack() throws {
        let unbounded = Self.pair.replacing(" with maxspan=10s", with: "")
        for (keys, limit) in [("", 360), ("from = \"now-9m\"", 540), ("from = \"now-1h/m\"", 3_600)] {
            for seconds in [limit, limit + 1] {
                let lane = try lane(keys, query: unbounded)
                lane.send(event("a", at: 10))
                lane.send(event("b", at: 10 + seconds))
                lane.send(event("other", at: 100_000))
                #expect(found(lane) == [seconds == limit ? [0, 1] : nil], "\(keys), \(seconds) s")
            }
        }
    }

    /// The steps of evidence are those of the query as it is written.
    @Test func missingEventsHaveNoEvidence() throws {
        let lane = try lane(
            "",
            query: """
                sequence by host.id with maxspan=10s
                  ![any where event.action == "x"] [any where event.action == "a"]
                  ![any where event.action == "x"] [any where event.action == "b"] ![any where event.action == "x"]
                """)
        lane.send(event("x", at: 5))
        lane.send(event("a", at: 14))
        lane.send(event("b", at: 14))
        lane.send(event("other", at: 16))
        #expect(lane.findings().isEmpty, "an x could still come within 10 s of the other")
        lane.send(event("other", at: 17))
        let findings = lane.findings()
        #expect(findings.map { $0.evidence.map(\.stage) } == [[1, 3]])
        #expect(findings.map(\.offsets) == [[1, 2]])
        #expect(findings.flatMap(\.evidence).map(\.matches.count) == [1, 1])
        #expect(findings.map { $0.rule.joinFields(ofStage: 3) } == [["host.id"]])
    }
}
