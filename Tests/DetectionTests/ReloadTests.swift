import Alerts
import Correlation
import EventSchema
import Events
import Rules
import Testing

@testable import Detection

/// Another set of rules in the middle of the stream: what stays goes on, what has changed begins anew.
@Suite struct ReloadTests {
    private static let sequence = """
        sequence by host.id with maxspan=60s [any where event.action == "a"] [any where event.action == "b"]
        """

    private func rule(_ number: Int, _ query: String, more: String = "") -> String {
        """
        [rule]
        name = "Rule \(number)"
        rule_id = "8a4b1c52-0d0e-4c58-9d0b-00000000000\(number)"
        description = "Finds a test."
        severity = "high"
        risk_score = 73
        type = "eql"
        query = '''
        \(query)
        '''
        \(more)
        """
    }

    private func compile(_ files: String...) throws -> CompiledRules {
        let loader = RuleLoader(checker: .streaming)
        return try CompiledRules(
            RuleSet(
                try files.map { file in
                    let report = loader.load(toml: file, path: "rule.toml")
                    try #require(report.problems.isEmpty, "\(report.problems)")
                    return try #require(report.rules.rules.first)
                }))
    }

    private func event(_ action: String, second: Int) -> [UInt8] {
        let time = "2026-11-24T00:00:\(second < 10 ? "0" : "")\(second)Z"
        return Array(#"{"@timestamp":"\#(time)","host":{"id":"h"},"event":{"action":"\#(action)"}}"#.utf8)
    }

    private func options(lateness seconds: Int64) -> EvaluatorOptions {
        EvaluatorOptions(ordering: .stream(lateness: seconds * 1_000_000_000))
    }

    /// Offsets are seconds.
    private func send(_ action: String, _ second: Int, to detector: Detector) {
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(second))
        let failure = event(action, second: second).withUnsafeBytes {
            detector.process($0, origin: origin, source: 0, recordTime: nil)
        }
        #expect(failure == nil)
    }

    private func findings(_ detector: Detector) -> [String] {
        detector.advance()
        return detector.takeFindings().map { finding in
            "\(finding.rule.id.suffix(1)):\(finding.evidence.map { "\($0.origin.offset)" }.joined(separator: ","))"
        }
    }

    private func detector(
        _ rules: CompiledRules, lateness: Int64 = 0, tracking: StateTracking? = nil
    ) -> Detector {
        let detector = Detector(rules, options: options(lateness: lateness), tracking: tracking)
        _ = detector.addSource(topic: TopicID(rawValue: 0), partition: 0)
        return detector
    }

    @Test func anUnchangedSequenceGoesOnAndAChangedOneBeginsAnew() throws {
        let changed = Self.sequence.replacing("60s", with: "59s")
        let old = detector(try compile(rule(2, Self.sequence), rule(3, Self.sequence)))
        send("a", 1, to: old)
        #expect(findings(old).isEmpty)
        // Another one comes first in the order of the rules: every index moves.
        let new = Detector(
            try compile(rule(1, #"any where event.action == "b""#), rule(2, Self.sequence), rule(3, changed)),
            replacing: old)
        #expect(new.liveKeys == 1)
        send("b", 2, to: new)
        #expect(findings(new) == ["1:2", "2:1,2"])
        send("a", 3, to: new)
        send("b", 4, to: new)
        #expect(findings(new).sorted() == ["1:4", "2:3,4", "3:3,4"])
    }

    @Test func countersGoOnWithTheRulesId() throws {
        let query = #"any where event.action == "b""#
        let old = detector(try compile(rule(1, query), rule(2, Self.sequence), rule(3, query)))
        for second in 1...2 { send("b", second, to: old) }
        send("a", 3, to: old)
        send("b", 4, to: old)
        #expect(findings(old).count == 7)
        // Rule 1 goes, rule 2 stays, rule 3 changes, and rule 4 comes.
        let changed = #"any where event.action in ("b", "c")"#
        let new = Detector(
            try compile(rule(4, query), rule(3, changed), rule(2, Self.sequence)), replacing: old)
        #expect(new.counters == old.counters)
        // In the order of the ids.
        #expect(new.detectionCounters.findings == [1, 3, 0])
        send("a", 5, to: new)
        send("b", 6, to: new)
        #expect(findings(new).count == 3)
        #expect(new.detectionCounters.findings == [2, 4, 1])
        #expect(new.detectionCounters.correlation.completed == 2)
        #expect(new.counters.records == 6)
        // What a correlation counted stays counted when it goes.
        let last = Detector(try compile(rule(4, query)), replacing: new)
        #expect(last.detectionCounters.correlation.completed == 2)
    }

    @Test func whatWaitsForTheWatermarkGoesOnWaiting() throws {
        let old = detector(
            try compile(rule(2, Self.sequence), rule(3, #"any where event.action == "x""#)), lateness: 10)
        // Against the order of time.
        send("b", 5, to: old)
        send("a", 4, to: old)
        #expect(findings(old).isEmpty)
        let new = Detector(try compile(rule(2, Self.sequence)), replacing: old)
        #expect(new.oldestHeldOffset(topic: TopicID(rawValue: 0), partition: 0) == 4)
        send("other", 20, to: new)
        #expect(findings(new) == ["2:4,5"])
        #expect(new.oldestHeldOffset(topic: TopicID(rawValue: 0), partition: 0) == nil)
    }

    @Test func aRuleThatGoesLetsItsOffsetsGo() throws {
        let old = detector(
            try compile(rule(2, Self.sequence), rule(3, #"any where event.action == "x""#)), lateness: 10)
        send("a", 4, to: old)
        #expect(findings(old).isEmpty)
        let new = Detector(try compile(rule(3, #"any where event.action == "x""#)), replacing: old)
        #expect(new.oldestHeldOffset(topic: TopicID(rawValue: 0), partition: 0) == nil)
        #expect(new.watermark == old.watermark)
    }

    @Test func suppressionRemembersUnlessItIsAnother() throws {
        let query = #"any where event.action == "a""#
        func suppressed(_ window: String) -> String {
            rule(1, query, more: "[apus.suppression]\nfields = [\"host.id\"]\nwindow = \"\(window)\"\n")
        }
        let old = detector(try compile(suppressed("10m")))
        send("a", 1, to: old)
        #expect(findings(old) == ["1:1"])
        let same = Detector(try compile(suppressed("10m")), replacing: old)
        send("a", 2, to: same)
        #expect(findings(same).isEmpty)
        let other = Detector(try compile(suppressed("9m")), replacing: same)
        send("a", 3, to: other)
        #expect(findings(other) == ["1:3"])
    }

    /// The state topic ends up with what stays, and nothing of what has gone.
    @Test(arguments: [false, true])
    func theStateTopicFollows(isTakenBefore: Bool) throws {
        let tracking = StateTracking(topics: ["events"])
        let old = detector(try compile(rule(2, Self.sequence), rule(3, Self.sequence)), tracking: tracking)
        var topic: [[UInt8]: [UInt8]] = [:]
        func write(_ detector: Detector) {
            for record in detector.takeStateChanges() { topic[record.key] = record.value }
        }
        send("a", 1, to: old)
        #expect(findings(old).isEmpty)
        if isTakenBefore {
            write(old)
            // Two keys and the event that both hold.
            #expect(topic.count == 3)
        }
        let new = Detector(try compile(rule(3, Self.sequence)), replacing: old)
        write(new)
        #expect(topic.count == 2)
        send("b", 2, to: new)
        #expect(findings(new) == ["3:1,2"])
        write(new)
        #expect(topic.isEmpty)
    }
}
