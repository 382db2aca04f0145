import ArgumentParser
import Detection
import Dispatch
import EQL
import EventSchema
import Events
import Foundation
import KafkaClient
import Matching
import Rules
import Settings
import Streaming

struct Tail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows alerts as they are raised.",
        discussion: """
            Reads the alert topic of the configuration, or another one, in any profile; only what is committed. \
            Nothing is committed by it, so that it disturbs nobody. It goes on until it is interrupted, or with \
            --no-follow to the end.

            Examples:
              apus tail --config config/apus.yaml
              apus tail --brokers localhost:9092 --no-follow
              apus tail --config config/apus.yaml --from 24h --severity high --host ws-042
              apus tail --config config/apus.yaml --query 'any where process.name : "pwsh*"' --output json | jq .
            """)

    @OptionGroup var options: SettingsOptions

    @Option(help: "Brokers to read from, as host:port,host:port, in place of a configuration.")
    var brokers: String?

    @Option(help: "The topic, in place of output.alerts of the configuration.")
    var topic: String?

    @Option(
        name: .customLong("rule"), help: "Only alerts of this rule: its id, or a part of its name. May be repeated.")
    var rules: [String] = []

    @Option(help: "Only alerts of this severity or above: low, medium, high or critical.")
    var severity: SeverityName?

    @Option(name: .customLong("host"), help: "Only alerts of hosts whose name has this part. May be repeated.")
    var hosts: [String] = []

    @Option(help: "Only alerts that this EQL query of single events matches; fields are those of the alert.")
    var query: String?

    @Option(
        help: "Where to begin: \(LogPosition.forms). By default the end, or with --no-follow the beginning.")
    var from: LogPosition?

    @Flag(inversion: .prefixedNo, help: "Wait for alerts to come.")
    var follow = true

    @Option(help: "Stop after this many.")
    var limit: Int?

    @Option(help: "How to write alerts: text with a line for each, or json as they stand in the topic.")
    var output: OutputFormat = .text

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is a number from 1") }
    }

    func run() throws {
        let query = try query.map { try AlertQuery($0) }
        // Whoever only reads alerts has no inputs and no rules.
        let settings = try options.load(
            flags: brokers.map {
                [("kafka.brokers", $0), ("input.topics", "none"), ("rules.paths", "none")]
            } ?? [])
        let pipeline = PipelineOptions(settings, fields: EventFields(hostKey: settings.hostKey.map { FieldPath($0) }))
        let printer = Printer(
            filter: AlertFilter(rules: rules, severity: severity?.severity, hosts: hosts), query: query, output: output,
            limit: limit)
        try reportingKafkaFailures {
            let found = try TopicRanges(
                [topic ?? pipeline.alertTopic], from: from ?? (follow ? .latest : .earliest), to: .latest,
                properties: pipeline.consumer, timeout: pipeline.connectTimeout)
            let group = "\(pipeline.application).tail.\(ProcessInfo.processInfo.processIdentifier)"
            try follow
                ? wait(found.ranges, pipeline, group, printer) : readToEnd(found.ranges, pipeline, group, printer)
        }
    }

    private func readToEnd(
        _ ranges: [OffsetRange], _ pipeline: PipelineOptions, _ group: String, _ printer: Printer
    ) throws {
        let reader = try RangeReader(pipeline.consumer, group: group, ranges: ranges, patience: pipeline.connectTimeout)
        defer { reader.close() }
        try reader.readAll {
            printer.take($0)
            return !printer.isDone
        }
    }

    /// Reads all partitions until the limit is reached.
    private func wait(
        _ ranges: [OffsetRange], _ pipeline: PipelineOptions, _ group: String, _ printer: Printer
    ) throws {
        var properties = pipeline.consumer
        properties["group.instance.id"] = nil
        properties["partition.assignment.strategy"] = nil
        let consumer = try Consumer(properties, group: group, controlQueue: DispatchQueue(label: "apus.tail")) {
            event in
            if case .failed(let error) = event { Console.note("\(error)") }
        }
        let queues = try consumer.assign(ranges.map { ($0.partition, .at($0.lower)) })
        let lane = DispatchQueue(label: "apus.tail.alerts")
        let done = DispatchSemaphore(value: 0)
        for queue in queues {
            try queue.activate(on: lane) {
                let batch = MessageBatch(capacity: 500)
                while !printer.isDone, let count = try? queue.consumeBatch(into: batch), count > 0 {
                    for message in batch where message.kind == .record && !printer.isDone { printer.take(message) }
                    batch.clear()
                }
                if printer.isDone { done.signal() }
            }
        }
        done.wait()
        for queue in queues { queue.deactivate() }
        _ = consumer.waitUntilClosed(timeout: .seconds(5))
    }
}

/// A severity as arguments name it.
enum SeverityName: String, ExpressibleByArgument, CaseIterable {
    case low, medium, high, critical

    var severity: Rule.Severity {
        switch self {
        case .low: .low
        case .medium: .medium
        case .high: .high
        case .critical: .critical
        }
    }
}

/// Writes the alerts that are asked for.
// `@unchecked`: used from one queue at a time; `isDone` is read by the same.
private final class Printer: @unchecked Sendable {
    private let filter: AlertFilter
    private let query: AlertQuery?
    private let output: OutputFormat
    private let limit: Int
    private var count = 0

    init(filter: AlertFilter, query: AlertQuery?, output: OutputFormat, limit: Int?) {
        self.filter = filter
        self.query = query
        self.output = output
        self.limit = limit ?? .max
    }

    var isDone: Bool { count >= limit }

    func take(_ message: MessageView) {
        guard !isDone, let value = message.value.map(Array.init) else { return }
        var headers: [String: String] = [:]
        for header in message.headers {
            headers[header.name] = header.value.map { String(decoding: $0, as: UTF8.self) }
        }
        guard let alert = AlertSummary(value, headers: headers) else {
            return Console.note("offset \(message.offset) of \(message.partition) is no alert: it is not a JSON object")
        }
        guard filter.holds(alert), query?.matches(value) ?? true else { return }
        count += 1
        if output == .json {
            Console.print(String(decoding: value, as: UTF8.self))
        } else {
            Console.print(alert.line)
        }
    }
}

/// An EQL query that is asked about alerts, by the engine that is asked about events.
private struct AlertQuery {
    private let evaluator: Evaluator
    private let source: Int

    /// - Throws: the exit status for a query that is not valid, after saying why.
    init(_ text: String) throws {
        let source = SourceText(text)
        let result = QueryReader(.bounded, options: CheckOptions()).read(source)
        for diagnostic in result.diagnostics { Console.note(render(diagnostic, in: source)) }
        guard let checked = result.query else { throw ExitStatus.data.code }
        guard case .event = checked.form else {
            Console.note("error: alerts are looked at one by one: write a query of single events, such as any where …")
            throw ExitStatus.data.code
        }
        do {
            evaluator = Evaluator(
                try CompiledQueries([checked]),
                options: EvaluatorOptions(ordering: .stream(lateness: 0), decodeLimits: DecodeLimits(bytes: 64 << 20)))
        } catch {
            Console.note("error: the pattern \(error.pattern.source) cannot be compiled: \(error.reason)")
            throw ExitStatus.data.code
        }
        self.source = evaluator.addSource()
    }

    func matches(_ alert: [UInt8]) -> Bool {
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: 0)
        _ = alert.withUnsafeBytes { evaluator.process($0, origin: origin, source: source, recordTime: nil) }
        return !evaluator.takeMatches().isEmpty
    }
}
