import EQL
import FoundationEssentials
public import Matching
public import Normalization
public import Rules

/// All tests under some paths: rule files, fixtures, or folders of both.
public struct RuleTestSuite: Sendable {
    /// A rule with the tests that its fixture gives it.
    public struct Entry: Sendable {
        public let rule: Rule
        /// Nil when there is no fixture.
        public let fixture: Fixture?
    }

    /// By the path of the rule file.
    public let entries: [Entry]
    /// Of rules and fixtures, by path.
    public let problems: [RuleProblem]

    public var hasErrors: Bool { problems.contains { $0.severity == .error } }

    /// Reads everything, and reports everything that is wrong with it.
    public init(paths: [String], checker: QueryChecker) {
        var problems: [RuleProblem] = []
        var rulePaths: [String] = []
        var fixturePaths: [String] = []
        for path in paths {
            if Fixture.isFixture(path) {
                fixturePaths.append(path)
                rulePaths += Self.rules(beside: path)
            } else {
                rulePaths.append(path)
                if Self.isFolder(path) {
                    fixturePaths += Self.fixtures(below: path)
                } else if FileManager.default.fileExists(atPath: Fixture.path(beside: path)) {
                    fixturePaths.append(Fixture.path(beside: path))
                }
            }
        }
        let report = RuleLoader(checker: checker).load(paths: rulePaths)
        problems += report.problems
        var fixtures: [String: Fixture] = [:]
        for path in Set(fixturePaths).sorted() {
            guard let data = FileManager.default.contents(atPath: path),
                let text = String(validating: data, as: UTF8.self)
            else {
                problems.append(Self.problem("the fixture cannot be read as UTF-8", path: path))
                continue
            }
            let (fixture, found) = FixtureReader.read(text, path: path)
            problems += found
            guard let fixture else { continue }
            let beside = report.rules.rules.filter { Fixture.stem(of: $0.path) == Fixture.stem(of: path) }
            let candidates = fixture.ruleID == nil ? beside : report.rules.rules.filter { $0.id == fixture.ruleID }
            if let rule = candidates.first, candidates.count == 1 {
                fixtures[rule.id] = fixture
            } else {
                problems.append(Self.unmatched(fixture, candidates: candidates.count))
            }
        }
        entries = report.rules.rules.sorted { ($0.path, $0.id) < ($1.path, $1.id) }
            .map { Entry(rule: $0, fixture: fixtures[$0.id]) }
        self.problems = problems.sorted {
            ($0.place.path, $0.place.line, $0.place.column) < ($1.place.path, $1.place.line, $1.place.column)
        }
    }

    /// - Parameter exceptions: what is left out; nil tries none.
    /// - Throws: the first pattern that Vectorscan refuses; the rules' checker has tried them all.
    public func run(
        exceptions: ExceptionSet? = nil, normalizers: [NormalizerTable] = []
    ) throws(PatternProblem) -> RuleTestReport {
        var results: [RuleTestReport.RuleResult] = []
        for entry in entries {
            let tests = entry.fixture?.tests ?? []
            let runner = try RuleTestRunner(entry.rule, exceptions: exceptions, normalizers: normalizers)
            results.append(.init(entry: entry, tests: runner.run(tests)))
        }
        return RuleTestReport(rules: results, exceptions: exceptions ?? .none)
    }

    // MARK: Files

    private static func unmatched(_ fixture: Fixture, candidates: Int) -> RuleProblem {
        let stem = Fixture.stem(of: fixture.path)
        let message: String
        let hint: String
        if let id = fixture.ruleID {
            message = "no valid rule with the id \(id) is under the paths"
            hint = "name the rule's file or folder too"
        } else if candidates == 0 {
            message = "there is no valid rule beside the fixture"
            hint = "name the fixture after its rule, \(stem).toml, or say which one it is with rule: RULE_ID"
        } else {
            message = "the file beside the fixture holds \(candidates) rules"
            hint = "say which one is meant with rule: RULE_ID"
        }
        return RuleProblem(severity: .error, place: fixture.rulePlace, message: message, hint: hint)
    }

    private static func rules(beside fixture: String) -> [String] {
        [".toml", ".ndjson"].map { Fixture.stem(of: fixture) + $0 }
            .filter(FileManager.default.fileExists(atPath:))
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }

    private static func fixtures(below folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().filter { !$0.hasPrefix(".") }.flatMap { name in
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            if Fixture.isFixture(name) { return [path] }
            return isFolder(path) ? fixtures(below: path) : []
        }
    }

    private static func problem(_ message: String, path: String) -> RuleProblem {
        RuleProblem(
            severity: .error, place: .init(path: path, line: 1, column: 1, excerpt: ""), message: message, hint: nil)
    }
}
