import EQL
import EventSchema
import Events
import Foundation
import Rules
import Testing

@testable import Alerts

let packageRoot = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Gives every query the form of a sample joined by the host.
private let sampleChecker = QueryChecker { _, _ in
    let stage = Stage(condition: .constant(true), keys: [JoinKey(path: .hostKey, isOptional: false)])
    let query = CheckedQuery(form: .sample(SamplePlan(stages: [stage, stage], maxspan: 60_000_000_000)))
    return CheckResult(query: query, diagnostics: [])
}

/// A rule whose content hash no edit of the pack changes.
func fixedRule(id: String = "rule-1") throws -> Rule {
    let toml = """
        [rule]
        name = "Fixed"
        rule_id = "\(id)"
        description = "Never changes."
        severity = "low"
        risk_score = 21
        type = "eql"
        query = "any where true"
        """
    return try Rule.parse(toml: toml, checker: sampleChecker)
}

/// A rule of the shipped pack.
func packRule(_ name: String = "mail_collection_with_connection") throws -> Rule {
    let path = packageRoot.appending(path: "config/rules/t1114_002/\(name).toml").path
    return try #require(RuleLoader(checker: sampleChecker).load(paths: [path]).rules.rules.first)
}

let processStart = """
    {
      "@timestamp": "2026-11-24T10:00:00.000Z",
      "event": {"category": ["process"], "type": ["start"]},
      "host": {"id": "h-1", "name": "ws-042", "ip": ["10.0.0.42", "fe80::1"]},
      "user.name": "j.doe",
      "process": {"name": "powershell.exe", "pid": 4711, "command_line": "powershell -c \\"Invoke-SelfSearch\\""}
    }
    """

let connection = """
    {"host.id": "h-1", "host": {"hostname": "ws-042"}, "user": {"name": "j.doe"},
     "destination": {"ip": "10.9.9.9", "port": 443}}
    """

func evidence(_ json: String, stage: Int = 0, offset: Int64 = 7, second: Int64 = 0, matches: [PredicateMatch] = [])
    -> Evidence
{
    Evidence(
        stage: stage, origin: RecordOrigin(topic: TopicID(rawValue: UInt16(stage)), partition: 3, offset: offset),
        timestamp: EventTime(nanoseconds: (1_795_514_400 + second) * 1_000_000_000), original: Array(json.utf8),
        matches: matches, hostKey: HostKey(value: "h-1", field: "host.id"))
}

func finding() throws -> Finding {
    let command = #"powershell -c "Invoke-SelfSearch""#
    return Finding(
        rule: try packRule(),
        evidence: [
            evidence(
                processStart,
                matches: [
                    PredicateMatch(field: "process.name", operation: "in~", value: "powershell.exe"),
                    PredicateMatch(field: "process.command_line", operation: "regex~", value: command, span: 15..<32),
                ]),
            evidence(
                connection, stage: 1, offset: 99, second: 5,
                matches: [PredicateMatch(field: "destination.port", operation: "==", value: "443")]),
        ],
        joinKeys: ["h-1"])
}

let encoder = AlertEncoder(topics: ["endpoint", "network"], engineVersion: "1.0.0")

/// The alert as Foundation reads it, after it has passed the schema.
func validated(_ alert: EncodedAlert) throws -> [String: Any] {
    let data = Data(alert.value)
    let validator = try SchemaValidator(contentsOf: packageRoot.appending(path: "config/schemas/alert-ecs.schema.json"))
    #expect(try validator.complaints(about: data) == [])
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
}

extension [String: Any] {
    /// The value at a dotted path of plain names.
    func at(_ path: String) -> Any? {
        path.split(separator: ".").reduce(self as Any?) { ($0 as? [String: Any])?[String($1)] }
    }

    func strings(_ path: String) -> [String]? { at(path) as? [String] }
    func string(_ path: String) -> String? { at(path) as? String }
    func number(_ path: String) -> Double? { (at(path) as? NSNumber)?.doubleValue }
}
