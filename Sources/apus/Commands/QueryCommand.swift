import ArgumentParser
import Correlation
import Detection
import EQL
import EventSchema
import Events
import Foundation
import Matching

struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Runs one EQL query on a file of events.",
        discussion: """
            Events that match are printed as they were read, one per line, in the order of their timestamps. A \
            sequence or sample is printed as {"join_keys":[…],"events":[…]}; in the place of an event that is \
            missing, as ![…] asks, stands {"missing":true}. Sequences come in the order of their last events, \
            samples without a window in the order of their keys. The end of the input closes every window.

            Examples:
              apus query 'process where process.name : "powershell*"' events.ndjson
              apus query 'sequence by host.id with maxspan=1m
                            [process where event.type == "start"]
                            [network where destination.port == 443]' events.ndjson
              apus query --regex search 'any where message regex~ "mail(box)?sniper"' -
            """)

    @Argument(help: "An EQL query.")
    var query: String

    @Argument(help: "A file of one JSON event per line; - is standard input.")
    var file: String = "-"

    @Option(help: "The field that says when an event happened.")
    var timestampField: String = "@timestamp"

    @Option(help: "An integer field that orders events of the same instant.")
    var tiebreakerField: String?

    @Option(help: "The field a category, as in 'process where', is compared with.")
    var eventCategoryField: String = "event.category"

    @Option(help: "How patterns of regex are read: elastic (Lucene syntax, whole value) or search (anywhere).")
    var regex: RegexSyntax = .elastic

    @Option(help: "How many samples to print for each key, of a sample without maxspan.")
    var maxSamplesPerKey: Int = 1

    @OptionGroup var normalization: NormalizationOptions

    @Option(help: "The largest event, in bytes.")
    var maxRecordBytes: Int = 16 << 20

    func validate() throws {
        if maxSamplesPerKey < 1 { throw ValidationError("--max-samples-per-key is at least 1") }
    }

    func run() throws {
        let checked = try read()
        let fields = EventFields(
            timestamp: FieldPath(timestampField), tiebreaker: tiebreakerField.map { FieldPath($0) })
        let tables = try normalization.tables()
        let compiled: CompiledQueries
        do {
            compiled = try CompiledQueries([checked], fields: fields, normalizers: tables)
        } catch {
            Console.note("error: the pattern \(error.pattern.source) cannot be compiled: \(error.reason)")
            throw ExitStatus.data.code
        }
        var options = EvaluatorOptions(
            ordering: .sorted, decodeLimits: DecodeLimits(bytes: maxRecordBytes), correlationLimits: .bounded)
        options.samplesPerKey = maxSamplesPerKey
        let evaluator = Evaluator(compiled, options: options)
        try evaluate(evaluator)

        var results = Console.Results()
        for match in checked.cut(evaluator.takeMatches()) { results.line(checked.form.line(of: match)) }
        results.flush()
    }

    private func read() throws -> CheckedQuery {
        let source = SourceText(query)
        let options = CheckOptions(
            regexMode: regex == .search ? .search : .elastic, eventCategoryField: FieldPath(eventCategoryField))
        let result = QueryReader(.bounded, options: options).read(source)
        for diagnostic in result.diagnostics { Console.note(render(diagnostic, in: source)) }
        guard let checked = result.query else { throw ExitStatus.data.code }
        return checked
    }

    private func evaluate(_ evaluator: Evaluator) throws {
        let source = evaluator.addSource()
        let lines = try Input.lines(of: file)
        var number: Int64 = 0
        while let line = try Input.next(of: lines) {
            defer { number += 1 }
            if line.isEmpty { continue }
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: number)
            if let failure = evaluator.process(line, origin: origin, source: source, recordTime: nil) {
                Console.note("line \(number + 1): not evaluated: \(failure.reason)")
            }
        }
        evaluator.finish()
    }
}

enum RegexSyntax: String, ExpressibleByArgument, CaseIterable {
    case elastic
    case search
}

extension CheckedQuery.Form {
    /// The line a result is printed as.
    fileprivate func line(of match: QueryMatch) -> [UInt8] {
        if case .event = self { return match.events.first?.bytes ?? [] }
        var line = Array(#"{"join_keys":["#.utf8)
        line += Array(match.key.values.map(\.json).joined(separator: ",").utf8)
        line += Array(#"],"events":["#.utf8)
        line += match.steps.map { $0?.bytes ?? Array(#"{"missing":true}"#.utf8) }.joined(separator: [UInt8(ascii: ",")])
        line += Array("]}".utf8)
        return line
    }
}

extension JoinValue {
    /// Numbers and booleans as such, everything else as a string, a missing value as null.
    fileprivate var json: String {
        switch self {
        case .missing: "null"
        case .integer(let value): String(value)
        case .double(let value): value.isFinite ? String(value) : "null"
        case .boolean(let value): String(value)
        case .string, .address, .date: (text ?? "").jsonLine
        }
    }
}
