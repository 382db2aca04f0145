import Detection
import EQL
import Rules
import TestSupport
import Testing

/// A folder of rules in Elastic's style loads as a whole, and good rules get no warning.
@Suite struct GeneratedRuleTests {
    @Test func aThousandRulesLoadWithoutAWord() throws {
        var generator = RuleGenerator(seed: 1114)
        let folder = try TemporaryFolder()
        for number in 0..<1200 { try folder.write(generator.rule(), to: "\(number % 7)/rule-\(number).toml") }
        let report = RuleLoader(checker: .streaming).load(paths: [folder.path])
        #expect(report.fileCount == 1200 && report.rules.rules.count == 1200)
        #expect(report.unsupported.isEmpty)
        for problem in report.problems.prefix(10) { Issue.record("\(problem)\n\(problem.place.excerpt)") }
        // One rule is one set of alerts: no two of the queries are the same text under two ids.
        #expect(Set(report.rules.rules.map(\.contentHash)).count == 1200)
    }

    @Test func generatedRulesCompileTogether() throws {
        var generator = RuleGenerator(seed: 4104)
        let rules = try (0..<40).map { _ in
            try Rule.parse(toml: generator.rule(), checker: .streaming)
        }
        let compiled = try CompiledRules(RuleSet(rules))
        #expect(compiled.rules.count == 40)
    }
}
