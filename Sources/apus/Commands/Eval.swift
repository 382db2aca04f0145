import Alerts
import ArgumentParser
import Correlation
import Detection
import EventSchema
import Events
import Foundation
import Rules

struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates rules on a file of events and writes the alerts.",
        discussion: """
            One JSON event per line in, one JSON alert per line out, statistics on standard error. The same engine \
            as apus run, without Kafka: sequences see the events in the order of their timestamps, and the end of \
            the input closes every window. A line that is no event is counted and named, and does not stop the rest.

            Examples:
              apus eval --rules config/rules events.ndjson
              apus eval --rules config/rules --exceptions config/exceptions events.ndjson
              kcat -C -b localhost:9092 -t events -e -q | apus eval --rules config/rules -
            """)

    @Option(
        name: .customLong("rules"), parsing: .upToNextOption,
        help: "Rule files and folders of rule files; the file of events may stand behind them.")
    var rulePaths: [String]

    @Option(name: .customLong("exceptions"), help: "A file or folder of exceptions. May be repeated.")
    var exceptionPaths: [String] = []

    @Argument(help: "A file of one JSON event per line; - is standard input, which is also the default.")
    var eventFile: String?

    @Flag(help: "Fail if any rule is not valid, instead of going on with the others.")
    var strict = false

    @Option(help: "Name of the topic the events are taken to come from; part of the alert ids.")
    var topic: String = "events"

    @Option(help: "How to write the statistics: text or json.")
    var statistics: OutputFormat = .text

    @Option(help: "The largest event, in bytes.")
    var maxRecordBytes: Int = 1 << 20

    func validate() throws {
        if rulePaths.isEmpty { throw ValidationError("name at least one rule file or folder after --rules") }
    }

    /// `--rules PATH… FILE`: the option takes every word up to the next one, so its last word is the file of
    /// events when it cannot be a rule.
    private var arguments: (rules: [String], file: String) {
        if let eventFile { return (rulePaths, eventFile) }
        guard rulePaths.count > 1, let last = rulePaths.last, !Self.mayHoldRules(last) else { return (rulePaths, "-") }
        return (rulePaths.dropLast(), last)
    }

    private static func mayHoldRules(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue { return true }
        return path.hasSuffix(".toml")
    }

    func run() throws {
        let (rules, file) = arguments
        let compiled = try LoadedRules(paths: rules, exceptions: exceptionPaths, checker: .bounded).compile(
            strict: strict)
        let detector = Detector(
            compiled,
            options: EvaluatorOptions(
                ordering: .stream(lateness: .max), decodeLimits: DecodeLimits(bytes: maxRecordBytes),
                correlationLimits: .bounded))
        let encoder = AlertEncoder(topics: [topic], engineVersion: Engine.version)
        let source = detector.addSource()
        var results = Console.Results()
        var alerts = 0
        let started = DispatchTime.now().uptimeNanoseconds

        let lines = try Input.lines(of: file)
        var number: Int64 = 0
        while let line = try Input.next(of: lines) {
            defer { number += 1 }
            if line.isEmpty { continue }
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: number)
            if let failure = detector.process(line, origin: origin, source: source, recordTime: nil) {
                Console.note("line \(number + 1): not evaluated: \(failure.reason)")
            }
            alerts += write(detector, encoder, &results)
        }
        detector.finish()
        alerts += write(detector, encoder, &results)
        results.flush()

        let seconds = Double(DispatchTime.now().uptimeNanoseconds - started) / 1e9
        let report = EvalReport(detector, alerts: alerts, seconds: seconds)
        Console.note(statistics == .json ? report.jsonLine : report.text)
    }

    private func write(_ detector: Detector, _ encoder: AlertEncoder, _ results: inout Console.Results) -> Int {
        let findings = detector.takeFindings()
        for finding in findings { results.line(encoder.encode(finding).value) }
        return findings.count
    }
}

/// Input files, with the exit code that belongs to one that cannot be read.
enum Input {
    static func lines(of path: String) throws -> LineReader {
        do {
            return try LineReader(path)
        } catch {
            Console.note("error: \(error)")
            throw ExitStatus.noInput.code
        }
    }

    static func next(of lines: LineReader) throws -> UnsafeRawBufferPointer? {
        do {
            return try lines.next()
        } catch {
            Console.note("error: \(error)")
            throw ExitStatus.noInput.code
        }
    }
}

/// What an evaluation did.
struct EvalReport: Encodable {
    struct RuleCount: Encodable {
        var id: String
        var name: String
        var findings: UInt64
        /// Of these, held back as repeats.
        var suppressed: UInt64
    }

    struct ExceptionCount: Encodable {
        var id: String
        var hits: UInt64
        var hitsAfterExpiry: UInt64
    }

    var events: UInt64
    var bytes: UInt64
    var seconds: Double
    var alerts: Int
    var shadowed: UInt64
    var rejected: [String: UInt64]
    var withoutTimestamp: UInt64
    var coercionFailures: UInt64
    var rules: [RuleCount]
    var exceptions: [ExceptionCount]

    init(_ detector: Detector, alerts: Int, seconds: Double) {
        let counters = detector.counters
        let totals = detector.detectionCounters
        events = counters.records
        bytes = counters.bytes
        self.seconds = seconds
        self.alerts = alerts
        shadowed = totals.shadowed
        rejected = Dictionary(uniqueKeysWithValues: counters.rejected.map { ($0.key.reason, $0.value) })
        withoutTimestamp = counters.withoutTimestamp
        coercionFailures = counters.coercionFailures
        rules = detector.rules.rules.enumerated().map { index, rule in
            RuleCount(
                id: rule.id, name: rule.name, findings: totals.findings[index],
                suppressed: totals.suppression.suppressed[index])
        }
        exceptions = zip(detector.rules.exceptions, totals.exceptions).map {
            ExceptionCount(id: $0.id, hits: $1.hits, hitsAfterExpiry: $1.hitsAfterExpiry)
        }
    }

    var text: String {
        let rate = seconds > 0 ? Double(events) / seconds : 0
        let megabytes = seconds > 0 ? Double(bytes) / 1e6 / seconds : 0
        var lines = [
            String(
                format: "%llu events, %d alerts in %.2f s: %.0f events/s, %.1f MB/s", events, alerts, seconds, rate,
                megabytes)
        ]
        for rule in rules where rule.findings > 0 {
            let suppressed = rule.suppressed > 0 ? " (\(rule.suppressed) of them held back as repeats)" : ""
            lines.append("  \(rule.findings)  \(rule.name)\(suppressed)")
        }
        for exception in exceptions where exception.hits > 0 {
            lines.append("  left out by exception \(exception.id): \(exception.hits)")
        }
        for exception in exceptions where exception.hitsAfterExpiry > 0 {
            lines.append(
                "  no longer left out, exception \(exception.id) had expired: \(exception.hitsAfterExpiry)")
        }
        let failures = rejected.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if !failures.isEmpty { lines.append("  not evaluated: \(failures.joined(separator: ", "))") }
        if withoutTimestamp > 0 { lines.append("  without a timestamp of their own: \(withoutTimestamp)") }
        if coercionFailures > 0 { lines.append("  field values that do not fit their type: \(coercionFailures)") }
        if shadowed > 0 { lines.append("  findings of shadow rules, not written: \(shadowed)") }
        return lines.joined(separator: "\n")
    }
}
