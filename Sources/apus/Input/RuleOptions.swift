import ArgumentParser
import Detection
import EQL
import Matching
import Rules

/// Loads rules for a command and says what is wrong with them.
struct LoadedRules {
    let report: RuleLoadReport

    init(paths: [String], checker: QueryChecker = .streaming) {
        report = RuleLoader(checker: checker).load(paths: paths)
    }

    /// Writes every problem to standard error.
    func noteProblems() {
        for problem in report.problems { Console.note(problem.rendered) }
        for rule in report.unsupported { Console.note("\(rule)") }
    }

    /// The rules, ready to be evaluated.
    ///
    /// - Throws: the exit status for rules that cannot be used: none is left, or one is broken and `strict`.
    func compile(strict: Bool, fields: EventFields = EventFields()) throws -> CompiledRules {
        noteProblems()
        if strict, report.hasErrors {
            Console.note("error: a rule is not valid, and strict loading was asked for")
            throw ExitStatus.data.code
        }
        guard !report.rules.isEmpty else {
            Console.note("error: no valid EQL rule was found in the rule paths")
            throw ExitStatus.data.code
        }
        do {
            return try CompiledRules(report.rules, fields: fields)
        } catch {
            Console.note("error: the pattern \(error.pattern.source) cannot be compiled: \(error.reason)")
            throw ExitStatus.data.code
        }
    }
}
