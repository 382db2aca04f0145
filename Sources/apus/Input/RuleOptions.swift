import ArgumentParser
import Detection
import EQL
import EventSchema
import Foundation
import Logging
import Matching
import Normalization
import Rules
import Settings

/// Loads rules and exceptions for a command and says what is wrong with them.
struct LoadedRules {
    let report: RuleLoadReport
    let exceptions: ExceptionLoadReport
    /// What is wrong with the exceptions by themselves, for these rules, and today.
    let exceptionProblems: [RuleProblem]

    /// - Parameters:
    ///   - documents: Rules that lie in no file.
    ///   - includesDisabled: Whether exceptions that are switched off are in force as well, to try them.
    ///   - loader: Of rules; one that is used again reads only what has changed.
    init(
        paths: [String], documents: [RuleDocument] = [], exceptions exceptionPaths: [String] = [],
        includesDisabled: Bool = false, loader: RuleLoader = RuleLoader(checker: .streaming)
    ) {
        report = loader.load(paths: paths, documents: documents)
        exceptions = ExceptionLoader(checker: .standard, includesDisabled: includesDisabled).load(paths: exceptionPaths)
        exceptionProblems =
            exceptions.problems + exceptions.exceptions.problems(with: report.rules)
            + exceptions.exceptions.problems(at: .now)
    }

    var hasErrors: Bool { report.hasErrors || exceptions.hasErrors }

    /// Writes every problem to standard error.
    func noteProblems() {
        for problem in report.problems + exceptionProblems { Console.note(problem.rendered) }
        for rule in report.unsupported { Console.note("\(rule)") }
    }

    /// The rules, ready to be evaluated.
    ///
    /// - Throws: the exit status for rules that cannot be used: none is left, or one is broken and `strict`.
    func compile(
        strict: Bool, fields: EventFields = EventFields(), normalizers: [NormalizerTable] = []
    ) throws -> CompiledRules {
        noteProblems()
        if strict, hasErrors {
            Console.note("error: a rule or exception is not valid, and strict loading was asked for")
            throw ExitStatus.data.code
        }
        do {
            return try compiled(fields: fields, normalizers: normalizers)
        } catch {
            Console.note("error: \(error)")
            throw ExitStatus.data.code
        }
    }

    /// The valid rules, ready to be evaluated; says nothing.
    func compiled(
        fields: EventFields, normalizers: [NormalizerTable]
    ) throws(UnusableRules) -> CompiledRules {
        guard !report.rules.isEmpty else {
            throw UnusableRules(description: "no valid EQL rule was found where the rules are looked for")
        }
        do {
            return try CompiledRules(
                report.rules, exceptions: exceptions.exceptions, fields: fields, normalizers: normalizers)
        } catch {
            throw UnusableRules(
                description: "the pattern \(error.pattern.source) cannot be compiled: \(error.reason)")
        }
    }

    /// What keeps a rule or an exception from being used.
    var errors: [RuleProblem] { (report.problems + exceptionProblems).filter { $0.severity == .error } }
}

extension CompiledRules {
    /// The rules as `input.prefilter` wants them; says why it has no effect where it has none, and had one before.
    ///
    /// - Parameter former: the rules until now; nil at the start.
    func prefiltered(by settings: Settings, after former: CompiledRules? = nil, _ logger: Logger) -> CompiledRules {
        guard settings.input.prefilter else { return self }
        let isNews = former.map { $0.prefilter != nil } ?? true
        guard settings.input.topics.contains(where: { !$0.normalize }) else {
            if isNews { logger.warning("input.prefilter has no effect: none of the topics has normalize: false") }
            return self
        }
        do throws(PrefilterObstacle) {
            return try prefiltered(recordsHaveTimes: true)
        } catch {
            if isNews { logger.warning("input.prefilter has no effect: \(error)") }
            return self
        }
    }
}

/// Why there is nothing to evaluate.
struct UnusableRules: Error, CustomStringConvertible {
    let description: String
}

extension EventTime {
    /// What the clock of this machine says; whether an exception is over is asked of it once, when it is loaded.
    static var now: EventTime { EventTime(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)) }
}
