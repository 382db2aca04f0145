import EQL
import Testing

@testable import Rules

/// What is left of a rule's schedule where there are no runs.
@Suite struct ScheduleTests {
    @Test(arguments: [
        ("", 360), ("from = \"now-9m\"", 540), ("from = \"now-7205s\"", 7_205), ("from = \"now-1h\"", 3_600),
        ("from = \"now-2d/d\"", 172_800), ("from = \"now-1w\"", 604_800),
    ])
    func looksBack(text: String, seconds: Int64) throws {
        let report = load(ruleText(["more": text]))
        #expect(report.problems.isEmpty)
        #expect(report.rules.rules.map(\.lookback) == [seconds * 1_000_000_000])
    }

    @Test(arguments: ["now", "now-", "now-m", "now-0m", "now-5y", "9m", "now-99999999999w"])
    func saysWhatItCannotRead(from: String) {
        let report = load(ruleText(["more": "from = \"\(from)\""]))
        #expect(report.problems.map(\.severity) == [.warning])
        #expect(report.rules.rules.map(\.lookback) == [360_000_000_000])
    }

    @Test(arguments: [(1, 1), (99, 1), (100, 0), (1_000, 0)]) func saysThatACapIsNotApplied(cap: Int, warnings: Int) {
        let report = load(ruleText(["more": "max_signals = \(cap)"]))
        #expect(report.problems.count { $0.severity == .warning } == warnings)
        #expect(report.problems.count == warnings)
        #expect(report.rules.rules.count == 1)
    }

    @Test(arguments: [
        ("", 100, 300), ("max_signals = 7", 7, 300), ("interval = \"1h\"", 100, 3_600),
        ("interval = \"soon\"", 100, 300),
    ])
    func readsTheCapOfARun(text: String, count: Int64, seconds: Int64) throws {
        let rule = try #require(load(ruleText(["more": text])).rules.rules.first)
        #expect(rule.signalCap == Rule.SignalCap(count: count, interval: seconds * 1_000_000_000))
    }

    /// Where it decides what is found, it is part of what the rule detects.
    @Test func theContentHashHasItOnlyWhereItMatters() {
        func hash(_ maxspan: Int64?, _ from: String) -> [String] {
            let stage = Stage(condition: .constant(true), keys: [])
            let plan = SequencePlan(stages: [stage, stage], until: nil, maxspan: maxspan)
            let checker = QueryChecker { _, _ in
                CheckResult(query: CheckedQuery(form: .sequence(plan)), diagnostics: [])
            }
            let text = ruleText(["more": "from = \"\(from)\""])
            return RuleLoader(checker: checker).load(toml: text, path: "rule.toml").rules.rules.map(\.contentHash)
        }
        #expect(hash(1, "now-1m").count == 1)
        #expect(hash(1, "now-1m") == hash(1, "now-2m"))
        #expect(hash(nil, "now-1m") != hash(nil, "now-2m"))
        #expect(hash(nil, "now-60s") == hash(nil, "now-1m"))
    }
}
