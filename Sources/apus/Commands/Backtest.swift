import Alerts
import ArgumentParser
import Correlation
import Detection
import EventSchema
import Events
import Foundation
import KafkaClient
import Rules
import Settings
import Streaming

struct Backtest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates rules over the history of the input topics.",
        discussion: """
            Reads the input topics between two positions with the rules, the time settings and the connection of apus \
            run, and reports hits per rule, host and day. It joins no group, commits nothing and writes nothing to \
            Kafka. Alerts have the ids that apus run gives the same findings. Rules in the shadow stage count like \
            active ones.

            A position is \(LogPosition.forms). Times are those of the log. Correlations that began before --from \
            are not seen: start a maxspan earlier.

            Exceptions are those of the configuration, or of --exceptions in their place; what each left out is \
            counted. With --compare-exceptions the report says what other exceptions would have changed.

            Examples:
              apus backtest --config config/apus.yaml --from 7d
              apus backtest --config config/apus.yaml --rules new/rule.toml --from 2026-11-01 --to 2026-11-08
              apus backtest --config config/apus.yaml --from 24h --compare ../changed/config/rules --output json
              apus backtest --config config/apus.yaml --from 7d --compare-exceptions config/exceptions \
                --disabled-exceptions
            """)

    @OptionGroup var options: SettingsOptions

    @Option(help: "Where to begin: a time (or 24h, 7d for as long ago), an offset, earliest or latest.")
    var from: LogPosition = .earliest

    @Option(help: "Where to end, not included; in the same forms.")
    var to: LogPosition = .latest

    @Option(
        name: .customLong("rules"), parsing: .upToNextOption,
        help: "Rule files and folders, in place of rules.paths.")
    var rulePaths: [String] = []

    @Option(
        name: .customLong("compare"), parsing: .upToNextOption,
        help: "Another version of the rules, to be evaluated over the same records and compared.")
    var comparedPaths: [String] = []

    @OptionGroup var exceptions: ExceptionOptions

    @Option(
        name: .customLong("compare-exceptions"),
        help: "Other exceptions, in place of those above, for the version that is compared. May be repeated.")
    var comparedExceptionPaths: [String] = []

    @Option(name: .customLong("topic"), help: "A topic to read, in place of input.topics. May be repeated.")
    var topics: [String] = []

    @Option(help: "Write each alert as one line of JSON to this file; - is standard output.")
    var alerts: String?

    @Option(help: "How to write the report: text or json.")
    var output: OutputFormat = .text

    @Flag(help: "Do not show progress; it is shown on a terminal only.")
    var quiet = false

    func validate() throws {
        if alerts == "-", output == .text {
            throw ValidationError("alerts and the report cannot both go to standard output; use --alerts FILE")
        }
    }

    func run() throws {
        var flags: [(String, String)] = []
        if !rulePaths.isEmpty { flags.append(("rules.paths", rulePaths.joined(separator: ","))) }
        if !exceptions.paths.isEmpty { flags.append(("exceptions.paths", exceptions.paths.joined(separator: ","))) }
        if !topics.isEmpty { flags.append(("input.topics", topics.joined(separator: ","))) }
        let settings = try options.load(flags: flags)
        let fields = EventFields(hostKey: settings.hostKey.map { FieldPath($0) })
        let rules = try compile(settings.rules.paths, settings.exceptions.paths, settings, fields)
        let compared =
            comparedPaths.isEmpty && comparedExceptionPaths.isEmpty
            ? nil
            : try compile(
                comparedPaths.isEmpty ? settings.rules.paths : comparedPaths,
                comparedExceptionPaths.isEmpty ? settings.exceptions.paths : comparedExceptionPaths, settings, fields)
        let pipeline = PipelineOptions(settings, fields: fields)
        try reportingKafkaFailures { try backtest(rules, compared, settings, pipeline) }
    }

    private func compile(
        _ paths: [String], _ exceptionPaths: [String], _ settings: Settings, _ fields: EventFields
    ) throws -> CompiledRules {
        try LoadedRules(paths: paths, exceptions: exceptionPaths, includesDisabled: exceptions.includesDisabled)
            .compile(
                strict: settings.rules.strict, fields: fields,
                normalizers: NormalizationTables.load(settings.input.normalizers))
    }

    private func backtest(
        _ rules: CompiledRules, _ compared: CompiledRules?, _ settings: Settings, _ pipeline: PipelineOptions
    ) throws {
        let timeout = settings.kafka.connectTimeout
        let ranges = try TopicRanges(
            settings.input.topics.map(\.name), from: from, to: to, properties: pipeline.consumer, timeout: timeout)
        let reader = try RangeReader(
            pipeline.consumer, group: "\(settings.application).backtest.\(ProcessInfo.processInfo.processIdentifier)",
            ranges: ranges.ranges, patience: timeout)
        var evaluatorOptions = EvaluatorOptions(
            ordering: .stream(lateness: Int64(pipeline.allowedLateness.seconds * 1e9)),
            decodeLimits: DecodeLimits(bytes: pipeline.maxRecordBytes))
        evaluatorOptions.scriptBlocks = pipeline.scriptBlocks
        evaluatorOptions.verbatimTopics = Set(
            ranges.topicNames.enumerated().filter { topic in
                pipeline.inputs.contains { $0.name == topic.element && !$0.normalizes }
            }.map { TopicID(rawValue: UInt16($0.offset)) })
        let tester = Backtester(
            [rules] + (compared.map { [$0] } ?? []), options: evaluatorOptions, ranges: ranges, reader: reader)
        var progress = ProgressLine(total: ranges.count, isQuiet: quiet)
        var sink = try AlertSink(alerts)
        try tester.run(
            alert: { sink.write($0.value) },
            tick: { progress.show(tester.position, "\(tester.hits[0].count) hits") })
        sink.flush()
        let seconds = progress.end()
        reader.close()
        let report = BacktestReport(tester, rules: rules, comparedWith: compared, ranges: ranges, seconds: seconds)
        // Behind the alerts, where both go to standard output.
        Console.print(output == .json ? report.jsonLine : report.text)
    }
}

/// What went wrong with Kafka rather than with this program.
protocol KafkaFailure: Error {}
extension KafkaError: KafkaFailure {}
extension InvalidProperties: KafkaFailure {}
extension TopicRanges.Missing: KafkaFailure {}
extension StartFailure: KafkaFailure {}

/// Where alerts go: a file, standard output, or nowhere.
private struct AlertSink {
    private var file: FileHandle?
    private var buffer = Data()

    init(_ path: String?) throws {
        guard let path else { return }
        if path == "-" {
            file = .standardOutput
        } else {
            guard FileManager.default.createFile(atPath: path, contents: nil),
                let handle = FileHandle(forWritingAtPath: path)
            else {
                Console.note("error: cannot write \(path)")
                throw ExitStatus.noInput.code
            }
            file = handle
        }
    }

    mutating func write(_ alert: [UInt8]) {
        guard file != nil else { return }
        buffer.append(contentsOf: alert)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count > 1 << 16 { flush() }
    }

    mutating func flush() {
        file?.write(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
