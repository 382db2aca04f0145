import ArgumentParser
import Coverage
import Detection
import EventSchema
import Events
import Foundation
import KafkaClient
import Rules

struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Shows what rules cover, and whether your events carry what they need.",
        discussion: """
            Lists the techniques of the rules, and the fields that each rule reads. With --against, reads a sample of \
            events from a file or a topic and says which of those fields no event carries, how many events could take \
            part in each stage of each rule, judged by the fields they carry, and which rules are blind: rules that \
            no event of the sample could ever satisfy. Fields are those the engine sees, after normalisation.

            The layer is for the ATT&CK Navigator (https://mitre-attack.github.io/attack-navigator), format 4.5.

            Examples:
              apus coverage config/rules
              apus coverage config/rules --against events.ndjson
              apus coverage config/rules --against winlogbeat --brokers kafka-1:9092
              apus coverage config/rules --output navigator > layer.json

            Exit code 1 with --strict if a rule is blind.
            """)

    @Argument(help: "Rule files and folders of rule files.")
    var paths: [String]

    @Option(help: "A file of one JSON event per line, - for standard input; with --brokers, the name of a topic.")
    var against: String?

    @Option(help: "Brokers to read the topic from, as host:port,host:port.")
    var brokers: String?

    @Option(
        name: .customLong("property"),
        help: ArgumentHelp("A property of librdkafka, for TLS and SASL; may be repeated.", valueName: "name=value"))
    var properties: [String] = []

    @Option(help: "How many of the topic's newest events to read.")
    var records: Int = 20_000

    @Option(help: "How to write the result: table, json or navigator.")
    var output: CoverageOutput = .table

    @Option(help: "The name of the layer.")
    var name: String = "Apus"

    @Flag(help: "Fail if a rule is blind.")
    var strict = false

    @Option(help: "The largest event, in bytes.")
    var maxRecordBytes: Int = 16 << 20

    @OptionGroup var normalization: NormalizationOptions

    func validate() throws {
        if brokers != nil, against == nil { throw ValidationError("--brokers needs --against TOPIC") }
        if strict, against == nil { throw ValidationError("--strict needs --against") }
        if records < 1 { throw ValidationError("--records is at least 1") }
        if let wrong = properties.first(where: { !$0.contains("=") }) {
            throw ValidationError("--property \(wrong): write name=value")
        }
    }

    func run() throws {
        let loaded = LoadedRules(paths: paths)
        loaded.noteProblems()
        let rules = loaded.report.rules
        guard !rules.isEmpty else {
            Console.note("error: no valid EQL rule was found in \(paths.joined(separator: ", "))")
            throw ExitStatus.data.code
        }
        let report = try against.map { try census($0, of: rules) }
        let coverage = report?.coverage ?? Coverage(rules)
        switch output {
        case .table: writeTable(coverage, report)
        case .json: Console.print(CoverageRecord(coverage, report).jsonLine)
        case .navigator: Console.print(NavigatorLayer(coverage, report: report, name: name).prettyJSON)
        }
        if strict, report?.blind.isEmpty == false { throw ExitStatus.negative.code }
    }

    // MARK: The sample

    private func census(_ source: String, of rules: RuleSet) throws -> CensusReport {
        let census = try FieldCensus(
            rules, normalizers: try normalization.tables(), limits: DecodeLimits(bytes: maxRecordBytes))
        if let brokers {
            try reportingKafkaFailures { try read(source, brokers, into: census) }
        } else {
            let lines = try Input.lines(of: source)
            var progress = ProgressLine(total: lines.size, unit: "MB", scale: 1e6)
            defer { progress.end() }
            var bytes: Int64 = 0
            while let line = try Input.next(of: lines) {
                bytes += Int64(line.count + 1)
                if line.isEmpty { continue }
                census.add(line)
                progress.show(bytes)
            }
        }
        return census.report()
    }

    /// The newest records of a topic, read without a group and without committing anything.
    private func read(_ topic: String, _ brokers: String, into census: FieldCensus) throws {
        var properties: ClientProperties = ["bootstrap.servers": brokers]
        for pair in self.properties.map({ $0.split(separator: "=", maxSplits: 1) }) {
            properties[String(pair[0])] = pair.count > 1 ? String(pair[1]) : ""
        }
        let ranges = try TopicRanges(newest: records, of: topic, properties: properties, timeout: .seconds(15))
        let reader = try RangeReader(properties, group: "apus-coverage", ranges: ranges.ranges)
        defer { reader.close() }
        var progress = ProgressLine(total: ranges.count)
        defer { progress.end() }
        try reader.readAll {
            progress.show($0)
        } take: { message in
            if let value = message.value { census.add(value) }
            return true
        }
    }

    // MARK: Table

    private func writeTable(_ coverage: Coverage, _ report: CensusReport?) {
        Console.print("Techniques")
        for (technique, rules) in coverage.techniques {
            Console.print("  \(technique)  \(rules) \(rules == 1 ? "rule" : "rules")")
        }
        if let report {
            let unreadable = report.unreadable > 0 ? ", \(report.unreadable) of them no events" : ""
            Console.print("Rules, with how many of \(report.records) records could take part\(unreadable)")
        } else {
            Console.print("Rules, with the fields they read")
        }
        for (index, covered) in coverage.rules.enumerated() {
            guard let report else {
                Console.print("  \(covered.rule.name)")
                Console.print("      \(covered.fields.map(\.dotted).joined(separator: ", "))")
                continue
            }
            let counts = report.candidates(ofRule: index).map(String.init).joined(separator: " -> ")
            Console.print("  \(report.isBlind(index) ? "BLIND" : "sees ")  \(covered.rule.name): \(counts)")
            for stage in covered.stages.indices {
                if let reason = report.reason(ofRule: index, stage: stage) { Console.print("         \(reason)") }
            }
            for alternative in report.deadAlternatives(ofRule: index) { Console.print("         \(alternative)") }
        }
        Console.print(
            "Fields, with how many rules read them" + (report == nil ? "" : " and how many records carry them"))
        for (field, rules) in coverage.fields {
            let carried = report.map { "  \($0.records(with: field)) records" } ?? ""
            Console.print("  \(field.dotted)  \(rules.count) \(rules.count == 1 ? "rule" : "rules")\(carried)")
        }
        let blind = report.map { ", \($0.blind.count) of them blind" } ?? ""
        Console.print("\(coverage.rules.count) rules\(blind), \(coverage.fields.count) fields")
    }
}

enum CoverageOutput: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
    case navigator
}

extension Coverage {
    /// The subtechniques, or techniques without one, that rules name, with how many do.
    fileprivate var techniques: [(String, Int)] {
        var counts: [String: Int] = [:]
        for covered in rules {
            let entries = covered.rule.threats.flatMap(\.techniques).flatMap { technique in
                technique.subtechniques.isEmpty ? [technique.entry] : technique.subtechniques
            }
            for entry in Set(entries.map { "\($0.id)  \($0.name)" }) { counts[entry, default: 0] += 1 }
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    }
}

extension Encodable {
    fileprivate var prettyJSON: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Texts and numbers: encoding cannot fail.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}

/// The result of `apus coverage --output json`.
private struct CoverageRecord: Encodable {
    struct Rule: Encodable {
        var id: String
        var name: String
        var severity: String
        var techniques: [String]
        var fields: [String]
        var blind: Bool?
        /// Per stage, records that could take part.
        var candidates: [Int]?
        var missing: [String]?
        var deadAlternatives: [String]?
    }

    struct Field: Encodable {
        var field: String
        var rules: [String]
        var records: Int?
    }

    var records: Int?
    var unreadable: Int?
    var rules: [Rule]
    var fields: [Field]

    init(_ coverage: Coverage, _ report: CensusReport?) {
        records = report?.records
        unreadable = report?.unreadable
        rules = coverage.rules.enumerated().map { index, covered in
            Rule(
                id: covered.rule.id, name: covered.rule.name, severity: covered.rule.severity.rawValue,
                techniques: covered.rule.threats.flatMap(\.techniques)
                    .flatMap { [$0.entry.id] + $0.subtechniques.map(\.id) },
                fields: covered.fields.map(\.dotted), blind: report?.isBlind(index),
                candidates: report?.candidates(ofRule: index),
                missing: report?.missing(ofRule: index).map(\.dotted),
                deadAlternatives: report?.deadAlternatives(ofRule: index))
        }
        fields = coverage.fields.map { field, rules in
            Field(field: field.dotted, rules: rules.map(\.id), records: report?.records(with: field))
        }
    }
}
