import ArgumentParser
import Detection
import EQL
import Foundation
import Matching
import RuleTesting
import Rules

struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the tests that stand beside rules.",
        discussion: """
            The tests of NAME.toml are in NAME.test.yaml: events that must give a finding, and near misses that must \
            give none, with times relative to the first event. The engine is that of apus run. Every problem of every \
            rule and fixture is shown with its file, line and column, and for a test that fails what the nearest event \
            lacks.

              tests:
                - match: A self search
                  events:
                    - fields: {event.category: [process], process.name: powershell.exe, …}
                    - {record: connection, at: +5s}
                  steps: [1, 2]
                - near_miss: The same in Notepad
                  events: […]
                - excepted: The eDiscovery team
                  by: ediscovery
                  events: […]

            With --exceptions the rules are tested as exceptions leave them: a match still has to be found, and an \
            excepted case has to match without the exceptions and be left out with them. Without --exceptions, \
            excepted cases are only held to match.

            Examples:
              apus test config/rules
              apus test config/rules --exceptions config/exceptions --disabled-exceptions
              apus test --output junit config/rules > report.xml
              apus test --generate rules/mailsniper.toml

            Exit code 1 if a test fails, 65 if a rule or fixture is not valid.
            """)

    @Argument(help: "Rule files, fixtures, and folders of both.")
    var paths: [String]

    @Option(help: "How to write the result: table, json or junit.")
    var output: TestOutput = .table

    @Flag(help: "Fail if a rule has no fixture, or fewer than two matches or two near misses.")
    var strict = false

    @Flag(
        help: """
            Write a starting fixture beside the rule instead: two matches or more, and a near miss for each of the \
            query's conditions.
            """)
    var generate = false

    @OptionGroup var exceptions: ExceptionOptions

    @OptionGroup var normalization: NormalizationOptions

    @Flag(help: "With --generate, replace a fixture that is there.")
    var force = false

    func run() throws {
        if generate { return try writeFixtures() }
        let suite = RuleTestSuite(paths: paths, checker: .bounded)
        if suite.entries.isEmpty, suite.problems.isEmpty {
            Console.note("error: no rule file was found in \(paths.joined(separator: ", "))")
            throw ExitStatus.noInput.code
        }
        let tables = try normalization.tables()
        let loaded = exceptions.paths.isEmpty ? nil : exceptions.load()
        let problems = suite.problems + (loaded.map { $0.problems + $0.exceptions.problems(at: .now) } ?? [])
        let report: RuleTestReport
        do {
            report = try suite.run(exceptions: loaded?.exceptions, normalizers: tables)
        } catch {
            Console.note("error: the pattern \(error.pattern.source) cannot be compiled: \(error.reason)")
            throw ExitStatus.data.code
        }
        for problem in problems where output != .json { Console.note(problem.rendered) }
        switch output {
        case .table: writeTable(report)
        case .json: Console.print(TestRecord(report, problems: problems).jsonLine)
        case .junit: Console.write(report.junit)
        }
        if suite.hasErrors || loaded?.hasErrors == true { throw ExitStatus.data.code }
        if !report.passed || (strict && report.short > 0) { throw ExitStatus.negative.code }
    }

    // MARK: Table

    private func writeTable(_ report: RuleTestReport) {
        Console.print("        matches  near misses  excepted  rule")
        for result in report.rules {
            let mark = !result.passed ? "FAILED" : result.entry.fixture == nil ? "none" : "ok"
            let matches = "\(result.passed(.match))/\(result.count(.match))"
            let nearMisses = "\(result.passed(.nearMiss))/\(result.count(.nearMiss))"
            let excepted = result.count(.excepted) == 0 ? "" : "\(result.passed(.excepted))/\(result.count(.excepted))"
            Console.print(
                mark.padded(to: 8) + matches.padded(to: 9) + nearMisses.padded(to: 13) + excepted.padded(to: 10)
                    + result.rule.path)
            for test in result.tests where !test.passed { write(test) }
            if let shortage = result.shortage { Console.print("        \(shortage)") }
        }
        writeExceptions(report)
        Console.print(
            """
            \(report.rules.count) rules, \(report.tests) tests: \(report.tests - report.failed) passed, \
            \(report.failed) failed; \(report.short) rules with too few
            """)
    }

    private func writeExceptions(_ report: RuleTestReport) {
        if report.untried > 0 {
            Console.print("\(report.untried) excepted cases are only held to match: name exceptions with --exceptions")
        }
        guard !report.exceptions.isEmpty else { return }
        var table = TextTable(["tests", "hits", "after expiry", "exception"], numbers: 3)
        for result in report.exceptions {
            let (hits, late) = (result.counters.hits, result.counters.hitsAfterExpiry)
            table.add(["\(result.tests)", "\(hits)", "\(late)", result.exception.id])
        }
        Console.print("\n\(table.text)\n")
    }

    private func write(_ result: RuleTestResult) {
        let kind = result.test.kind.name
        Console.print("  \(result.test.place): \(kind): \(result.test.name)")
        for failure in result.failures {
            let place = failure.place == result.test.place ? "" : "\(failure.place): "
            Console.print("    \(place)\(failure.message)")
            for detail in failure.details { Console.print("      \(detail)") }
        }
    }

    // MARK: Generating

    private func writeFixtures() throws {
        let loaded = LoadedRules(paths: paths, loader: RuleLoader(checker: .bounded))
        loaded.noteProblems()
        let rules = loaded.report.rules.rules
        guard !rules.isEmpty else {
            Console.note("error: no valid EQL rule was found in \(paths.joined(separator: ", "))")
            throw ExitStatus.data.code
        }
        var isComplete = true
        for rule in rules {
            let path = Fixture.path(beside: rule.path)
            guard force || !FileManager.default.fileExists(atPath: path) else {
                Console.note("error: \(path) is there already; --force replaces it")
                isComplete = false
                continue
            }
            guard let generated = try FixtureGenerator(rule).generate() else {
                Console.note("error: \(rule.path): no event was found that matches the query; write one by hand")
                isComplete = false
                continue
            }
            guard FileManager.default.createFile(atPath: path, contents: Data(generated.text.utf8)) else {
                Console.note("error: \(path) cannot be written")
                throw ExitStatus.failed.code
            }
            Console.print("\(path): \(generated.matches) matches, \(generated.nearMisses) near misses")
            for condition in generated.unsolved {
                Console.note("\(rule.path): no near miss was found for: \(condition)")
            }
        }
        if !isComplete { throw ExitStatus.negative.code }
    }
}

enum TestOutput: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
    case junit
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}

/// The result of `apus test --output json`.
private struct TestRecord: Encodable {
    struct Place: Encodable {
        var file: String
        var line: Int
        var column: Int

        init(_ place: RuleProblem.Place) { (file, line, column) = (place.path, place.line, place.column) }
    }

    struct Problem: Encodable {
        var severity: String
        var place: Place
        var message: String
        var hint: String?
    }

    struct Failure: Encodable {
        var place: Place
        var message: String
        var details: [String]
    }

    struct Test: Encodable {
        var kind: String
        var name: String
        var place: Place
        var passed: Bool
        /// Whether exceptions were given for an excepted case.
        var tried: Bool
        var failures: [Failure]
    }

    struct Exception: Encodable {
        var id: String
        var tests: Int
        var hits: UInt64
        var hitsAfterExpiry: UInt64
    }

    struct Rule: Encodable {
        var id: String
        var name: String
        var file: String
        var fixture: String?
        var shortage: String?
        var tests: [Test]
    }

    var passed: Int
    var failed: Int
    var rules: [Rule]
    var exceptions: [Exception]
    var problems: [Problem]

    init(_ report: RuleTestReport, problems: [RuleProblem]) {
        passed = report.tests - report.failed
        failed = report.failed
        rules = report.rules.map { result in
            Rule(
                id: result.rule.id, name: result.rule.name, file: result.rule.path, fixture: result.entry.fixture?.path,
                shortage: result.shortage,
                tests: result.tests.map { test in
                    Test(
                        kind: test.test.kind.rawValue, name: test.test.name,
                        place: Place(test.test.place), passed: test.passed, tried: test.isTried,
                        failures: test.failures.map {
                            Failure(place: Place($0.place), message: $0.message, details: $0.details)
                        })
                })
        }
        exceptions = report.exceptions.map {
            Exception(
                id: $0.exception.id, tests: $0.tests, hits: $0.counters.hits,
                hitsAfterExpiry: $0.counters.hitsAfterExpiry)
        }
        self.problems = problems.map {
            Problem(severity: $0.severity.rawValue, place: Place($0.place), message: $0.message, hint: $0.hint)
        }
    }
}
