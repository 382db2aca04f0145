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
              kcat -C -J -b localhost:9092 -t events -e -q | apus eval --rules config/rules --records kcat -
            """)

    @Option(
        name: .customLong("rules"), parsing: .upToNextOption,
        help: "Rule files and folders of rule files; the file of events may stand behind them.")
    var rulePaths: [String]

    @OptionGroup var exceptions: ExceptionOptions

    @Argument(help: "A file of one JSON event per line; - is standard input, which is also the default.")
    var eventFile: String?

    @Flag(
        help: """
            Pass lines over, without parsing them, whose bytes show that no rule can match, as input.prefilter has apus \
            run do. Needs --no-normalize; fails where the rules do not allow it.
            """)
    var prefilter = false

    @Flag(help: "Fail if any rule is not valid, instead of going on with the others.")
    var strict = false

    @Option(help: "Name of the topic the events are taken to come from; part of the alert ids.")
    var topic: String = "events"

    @Option(
        help: """
            What a line holds. plain: one event. kcat: one record as kcat -J writes it, with topic, partition, offset \
            and time; the alerts then have the ids that apus run gives them.
            """)
    var records: RecordFormat = .plain

    @Option(help: "The shape of the alerts: ecs, elastic-signal or ocsf.")
    var profile: ProfileName = .ecs

    @Option(help: "How to write the statistics: text or json.")
    var statistics: OutputFormat = .text

    @OptionGroup var normalization: NormalizationOptions

    @Option(help: "The largest event, in bytes.")
    var maxRecordBytes: Int = 1 << 20

    func validate() throws {
        if prefilter, normalization.normalize {
            throw ValidationError(
                "--prefilter needs --no-normalize: what a record is brought into ECS with does not stand in its bytes")
        }
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
        var compiled = try LoadedRules(
            paths: rules, exceptions: exceptions.paths, includesDisabled: exceptions.includesDisabled,
            loader: RuleLoader(checker: .bounded)
        ).compile(strict: strict, normalizers: normalization.tables())
        if prefilter { compiled = try prefiltered(compiled) }
        let detector = Detector(
            compiled,
            options: EvaluatorOptions(
                ordering: .stream(lateness: .max), decodeLimits: DecodeLimits(bytes: maxRecordBytes),
                correlationLimits: .bounded))
        var places = EvalPlaces(topic: topic, profile: profile.profile, detector: detector)
        var results = Console.Results()
        var alerts = 0
        let started = DispatchTime.now().uptimeNanoseconds

        let lines = try Input.lines(of: file)
        // Alerts that come to the same terminal say how far it is.
        var progress = ProgressLine(
            total: lines.size, unit: "MB", scale: 1e6, isQuiet: Console.outputIsTerminal)
        var bytes: Int64 = 0
        var number: Int64 = 0
        while let line = try Input.next(of: lines) {
            defer { number += 1 }
            bytes += Int64(line.count + 1)
            if number & 1023 == 0 { progress.show(bytes, "\(alerts) alerts") }
            if line.isEmpty { continue }
            let failure =
                switch records {
                case .plain: places.process(line, number: number, detector)
                case .kcat: try processEnvelope(line, number: number, &places, detector)
                }
            if let failure { progress.note("line \(number + 1): not evaluated: \(failure.reason)") }
            alerts += write(detector, places.encoder, &results)
        }
        detector.finish()
        alerts += write(detector, places.encoder, &results)
        results.flush()
        progress.end()

        let seconds = Double(DispatchTime.now().uptimeNanoseconds - started) / 1e9
        let report = EvalReport(detector, alerts: alerts, seconds: seconds)
        Console.note(statistics == .json ? report.jsonLine : report.text)
    }

    /// - Throws: the exit status for rules that every record has to be parsed for.
    private func prefiltered(_ rules: CompiledRules) throws -> CompiledRules {
        do throws(PrefilterObstacle) {
            return try rules.prefiltered(recordsHaveTimes: records == .kcat)
        } catch {
            Console.note("error: no line may be passed over: \(error)")
            throw ExitStatus.data.code
        }
    }

    /// - Throws: the exit status for a line that is no envelope: then the input is not what it was said to be.
    private func processEnvelope(
        _ line: UnsafeRawBufferPointer, number: Int64, _ places: inout EvalPlaces, _ detector: Detector
    ) throws -> DecodeFailure? {
        do {
            return places.process(try KcatRecord(line), detector)
        } catch {
            Console.note("error: line \(number + 1) is no record as kcat -J writes it")
            throw ExitStatus.data.code
        }
    }

    private func write(_ detector: Detector, _ encoder: AlertEncoder, _ results: inout Console.Results) -> Int {
        let findings = detector.takeFindings()
        for finding in findings { results.line(encoder.encode(finding).value) }
        return findings.count
    }
}

/// Gives events their places: the ones of their own, or those of lines of a topic's first partition.
private struct EvalPlaces {
    private(set) var encoder: AlertEncoder
    private var topics: [String]
    private var ids: [String: TopicID]
    private let profile: AlertProfile
    private let source: Int

    init(topic: String, profile: AlertProfile, detector: Detector) {
        self.profile = profile
        topics = [topic]
        ids = [topic: TopicID(rawValue: 0)]
        encoder = AlertEncoder(topics: topics, engineVersion: Engine.version, profile: profile)
        // One for all: nothing is evaluated in order of time before the end of the input.
        source = detector.addSource()
    }

    func process(_ line: UnsafeRawBufferPointer, number: Int64, _ detector: Detector) -> DecodeFailure? {
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: number)
        return detector.process(line, origin: origin, source: source, recordTime: nil)
    }

    mutating func process(_ record: KcatRecord, _ detector: Detector) -> DecodeFailure? {
        let origin = RecordOrigin(topic: id(of: record.topic), partition: record.partition, offset: record.offset)
        var payload = record.payload ?? ""
        return payload.withUTF8 {
            detector.process(UnsafeRawBufferPointer($0), origin: origin, source: source, recordTime: record.time)
        }
    }

    private mutating func id(of topic: String) -> TopicID {
        if let id = ids[topic] { return id }
        let id = TopicID(rawValue: UInt16(topics.count))
        topics.append(topic)
        ids[topic] = id
        encoder = AlertEncoder(topics: topics, engineVersion: Engine.version, profile: profile)
        return id
    }
}

enum ProfileName: String, ExpressibleByArgument, CaseIterable {
    case ecs
    case elasticSignal = "elastic-signal"
    case ocsf

    var profile: AlertProfile {
        switch self {
        case .ecs: .ecs
        case .elasticSignal: .elasticSignal
        case .ocsf: .ocsf
        }
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
        /// Of the alerts, those that Elastic would have dropped.
        var beyondMaxSignals: UInt64
    }

    var events: UInt64
    var bytes: UInt64
    var seconds: Double
    var alerts: Int
    var shadowed: UInt64
    var rejected: [String: UInt64]
    var withoutTimestamp: UInt64
    var coercionFailures: UInt64
    var normalized: UInt64
    /// Not parsed, since no rule can match them.
    var passedOver: UInt64
    var scriptBlocks: ScriptBlocks

    struct ScriptBlocks: Encodable {
        var parts: UInt64
        var alone: UInt64
        var complete: UInt64
        var incomplete: UInt64
        var evicted: UInt64
        var cut: UInt64
    }

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
        normalized = counters.normalized
        passedOver = counters.passedOver
        let blocks = counters.scriptBlocks
        scriptBlocks = ScriptBlocks(
            parts: blocks.parts, alone: blocks.alone, complete: blocks.complete, incomplete: blocks.incomplete,
            evicted: blocks.evicted, cut: blocks.cut)
        rules = detector.rules.rules.enumerated().map { index, rule in
            RuleCount(
                id: rule.id, name: rule.name, findings: totals.findings[index],
                suppressed: totals.suppression.suppressed[index],
                beyondMaxSignals: totals.beyondSignalCap[index])
        }
        exceptions = ExceptionCount.counts(of: detector)
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
            if rule.beyondMaxSignals > 0 {
                lines.append("    \(rule.beyondMaxSignals) alerts beyond max_signals: Elastic would have dropped them")
            }
        }
        lines += exceptions.flatMap(\.lines).map { "  \($0)" }
        let failures = rejected.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if !failures.isEmpty { lines.append("  not evaluated: \(failures.joined(separator: ", "))") }
        if withoutTimestamp > 0 { lines.append("  without a timestamp of their own: \(withoutTimestamp)") }
        if coercionFailures > 0 { lines.append("  field values that do not fit their type: \(coercionFailures)") }
        if scriptBlocks.parts > 0 {
            lines.append(
                "  script blocks rejoined: \(scriptBlocks.complete) of \(scriptBlocks.parts) parts, "
                    + "\(scriptBlocks.incomplete + scriptBlocks.evicted) with parts missing")
        }
        if scriptBlocks.alone > 0 {
            lines.append("  parts of script blocks with too many of them, matched one by one: \(scriptBlocks.alone)")
        }
        if passedOver > 0 { lines.append("  passed over by their bytes: \(passedOver)") }
        if normalized > 0 { lines.append("  not ECS, and normalised: \(normalized)") }
        if shadowed > 0 { lines.append("  alerts of shadow rules among them: \(shadowed)") }
        return lines.joined(separator: "\n")
    }
}

extension RecordFormat: ExpressibleByArgument {}
