import Alerts
import Correlation
import Detection
import EQL
import EventSchema
import Events
import Foundation
import Normalization
import Rules
import Settings
import Testing
import Traffic

/// A detector with one partition, fed with JSON.
final class Lane {
    static let second: Int64 = 1_000_000_000

    let detector: Detector
    let source: Int
    private var offset: Int64 = 0

    convenience init(
        _ rules: RuleSet, exceptions: ExceptionSet = .none, lateness seconds: Int64 = 2,
        limits: CorrelationLimits = CorrelationLimits()
    ) throws {
        self.init(try CompiledRules(rules, exceptions: exceptions), lateness: seconds, limits: limits)
    }

    init(_ rules: CompiledRules, lateness seconds: Int64 = 2, limits: CorrelationLimits = CorrelationLimits()) {
        let options = EvaluatorOptions(
            ordering: .stream(lateness: seconds * Self.second), correlationLimits: limits)
        detector = Detector(rules, options: options)
        source = detector.addSource()
    }

    init(_ rules: RuleSet, options: EvaluatorOptions) throws {
        detector = Detector(try CompiledRules(rules), options: options)
        source = detector.addSource()
    }

    /// - Returns: why the record could not be decoded.
    @discardableResult
    func send(_ bytes: [UInt8], recordTime: EventTime? = nil) -> DecodeFailure? {
        defer { offset += 1 }
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: offset)
        return bytes.withUnsafeBytes {
            detector.process($0, origin: origin, source: source, recordTime: recordTime)
        }
    }

    @discardableResult
    func send(_ json: String, recordTime: EventTime? = nil) -> DecodeFailure? {
        send(Array(json.utf8), recordTime: recordTime)
    }

    /// Ends the batch.
    func findings() -> [Finding] {
        detector.advance()
        return detector.takeFindings()
    }

    /// Ends the input.
    func finish() -> [Finding] {
        detector.finish()
        return detector.takeFindings()
    }
}

/// The pack of the repository.
enum Pack {
    static let seedID = "5f0c8a36-9d1e-4b77-8e43-2a6d1f9b7c10"
    static let correlationID = "c27e4d19-61fb-4a0e-b5c8-93d04e7fa852"

    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "config/rules/t1114_002")

    static func load() throws -> RuleSet {
        let report = RuleLoader(checker: .streaming).load(paths: [folder.path])
        try #require(report.problems.isEmpty, "\(report.problems)")
        return report.rules
    }

    /// The pack, compiled once for all tests, with the tables that bring records of every form into ECS.
    private static let compiled = Result { try compile(try load()) }

    private static func compile(_ rules: RuleSet, exceptions: ExceptionSet = .none) throws -> CompiledRules {
        try CompiledRules(rules, exceptions: exceptions, normalizers: NormalizerTable.builtIn)
    }

    /// A lane for the pack that takes records in every form it knows.
    static func lane() throws -> Lane { Lane(try compiled.get()) }

    static func lane(_ rules: RuleSet) throws -> Lane { Lane(try compile(rules)) }

    static func lane(exceptions: ExceptionSet, lateness seconds: Int64) throws -> Lane {
        Lane(try compile(try load(), exceptions: exceptions), lateness: seconds)
    }

    /// The pack with the seed rule in the shadow stage.
    static func loadWithSeedInShadow() throws -> RuleSet {
        let text = try String(contentsOf: folder.appending(path: "mail_collection_seed.toml"), encoding: .utf8)
        let seed = try Rule.parse(
            toml: text.replacing("[apus]\n", with: "[apus]\nstage = \"shadow\"\n"), checker: .streaming)
        return RuleSet(try load().rules.filter { $0.id != seedID } + [seed])
    }
}

/// A rule with nothing but a query, and perhaps some more keys and tables.
func rule(
    _ query: String, id: String = "8a4b1c52-0d0e-4c58-9d0b-000000000001", keys: String = "", tables: String = ""
) throws -> Rule {
    try Rule.parse(
        toml: """
            [rule]
            name = "Test rule"
            rule_id = "\(id)"
            description = "Finds a test."
            severity = "high"
            risk_score = 73
            type = "eql"
            language = "eql"
            \(keys)
            query = '''
            \(query)
            '''
            \(tables)
            """, checker: .streaming)
}

extension Finding {
    var offsets: [Int64] { evidence.map(\.origin.offset) }
    var id: AlertID { AlertID(self) { _ in "events" } }
}
