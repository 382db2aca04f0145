import ArgumentParser
import Correlation
import Detection
import EQL
import EventSchema
import Events
import Foundation
import Matching
import Normalization
import Rules

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows why a rule matches an event, or does not.",
        discussion: """
            For each event, the rule's condition as a tree with the verdict of every part, the values that were \
            looked at, and where in a value a pattern matched. For a sequence or sample, every stage of it, and then \
            what each event did to which partial match and why partial matches died. It is the engine's own plan that \
            answers, so that it cannot say anything else than apus run does. A PowerShell script block that came in \
            parts is explained as the one event as which it takes part, with the parts it was made of.

            Examples:
              apus explain rules/mailsniper.toml events.ndjson
              apus explain --query 'process where process.name : "powershell*"' events.ndjson
              kcat -C -b localhost:9092 -t events -c 5 -q | apus explain rules/mailsniper.toml - --output json
            """)

    @Argument(help: "A rule file, unless --query is given; then files of one JSON event per line; - is standard input.")
    var paths: [String] = []

    @Option(help: "An EQL query in place of a rule file.")
    var query: String?

    @Option(help: "With --query, how patterns of regex are read: elastic (Lucene, whole value) or search (anywhere).")
    var regex: RegexSyntax = .elastic

    @Option(help: "Of a file with several rules, the one with this rule_id.")
    var id: String?

    @OptionGroup var exceptions: ExceptionOptions

    @Flag(help: "Leave out events that match no part of the rule.")
    var matchingOnly = false

    @Option(help: "How to write the explanation: text or json, one object per line.")
    var output: OutputFormat = .text

    @OptionGroup var normalization: NormalizationOptions

    @Option(help: "The largest event, in bytes.")
    var maxRecordBytes: Int = 16 << 20

    private var files: [String] { query == nil ? Array(paths.dropFirst()) : paths }

    func validate() throws {
        if query == nil, paths.isEmpty { throw ValidationError("name a rule file, or give a query with --query") }
        if files.isEmpty { throw ValidationError("name at least one file of events; - is standard input") }
    }

    func run() throws {
        let (queries, suppressor) = try compile()
        let explainer = Explainer(queries, decodeLimits: DecodeLimits(bytes: maxRecordBytes))
        let writer = ExplanationWriter(query: explainer.query, files: files, output: output)
        for (index, file) in files.enumerated() {
            let lines = try Input.lines(of: file)
            var number: Int64 = 0
            while let line = try Input.next(of: lines) {
                number += 1
                if line.isEmpty { continue }
                let origin = RecordOrigin(
                    topic: TopicID(rawValue: UInt16(clamping: index)), partition: 0, offset: number)
                show([explainer.explain(line, origin: origin)] + explainer.takeBlocks(), writer)
            }
        }
        let (steps, matches) = explainer.finish()
        show(explainer.takeBlocks(), writer)
        writer.write(steps, matches, judged: suppressor.map { matches.map($0.judge) })
    }

    private func show(_ explanations: [EventExplanation], _ writer: ExplanationWriter) {
        for explanation in explanations where !matchingOnly || explanation.holdsSomewhere { writer.write(explanation) }
    }

    /// The query, and who decides which of its matches repeat an alert: nobody, unless it is a rule that says so.
    private func compile() throws -> (CompiledQueries, Suppressor?) {
        let tables = try normalization.tables()
        do {
            guard let query else {
                let rules = try compileRule(tables)
                let suppresses = rules.rules.contains { $0.suppression != nil }
                return (
                    rules.queries,
                    suppresses ? Suppressor(rules, limits: DecodeLimits(bytes: maxRecordBytes)) : nil
                )
            }
            let source = SourceText(query)
            let options = CheckOptions(regexMode: regex == .search ? .search : .elastic)
            let result = QueryReader(.bounded, options: options).read(source)
            for diagnostic in result.diagnostics { Console.note(render(diagnostic, in: source)) }
            guard let checked = result.query else { throw ExitStatus.data.code }
            return (try CompiledQueries([checked], normalizers: tables), nil)
        } catch let problem as PatternProblem {
            Console.note("error: the pattern \(problem.pattern.source) cannot be compiled: \(problem.reason)")
            throw ExitStatus.data.code
        }
    }

    private func compileRule(_ normalizers: [NormalizerTable]) throws -> CompiledRules {
        let exceptions = exceptions.load()
        for problem in exceptions.problems + exceptions.exceptions.problems(at: .now) {
            Console.note(problem.rendered)
        }
        return try CompiledRules(
            RuleSet([try rule()]), exceptions: exceptions.exceptions, normalizers: normalizers)
    }

    private func rule() throws -> Rule {
        let loaded = LoadedRules(paths: [paths[0]])
        loaded.noteProblems()
        let rules = loaded.report.rules.rules.filter { id == nil || $0.id == id }
        guard let rule = rules.first else {
            Console.note("error: \(paths[0]) holds no valid EQL rule" + (id.map { " with the id \($0)" } ?? ""))
            throw ExitStatus.data.code
        }
        guard rules.count == 1 else {
            Console.note("error: \(paths[0]) holds \(rules.count) rules; name one of them with --id")
            throw ExitStatus.data.code
        }
        return rule
    }
}

extension EventExplanation {
    fileprivate var holdsSomewhere: Bool {
        if case .read(let parts) = outcome { parts.contains(where: \.holds) } else { false }
    }
}
