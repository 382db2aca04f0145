import Detection
import EQL
import EventSchema
import Foundation
import Testing

@testable import Rules

/// Exports of Kibana: one rule per line, in the spelling of its API.
@Suite struct RuleExportTests {
    /// A rule as Kibana writes it, with `changes` in place of its members; nil removes one.
    private func line(_ changes: [String: Any?] = [:]) throws -> String {
        var rule: [String: Any] = [
            "id": "0a1b", "rule_id": "8a4b1c52-0d0e-4c58-9d0b-000000000001", "name": "Test rule",
            "description": "Finds a test.", "severity": "high", "risk_score": 73, "type": "eql", "language": "eql",
            "query": "process where true", "enabled": false, "immutable": false, "version": 3, "tags": ["a", "b"],
            "author": [], "false_positives": [], "references": ["https://example.org"], "license": "", "filters": [],
            "exceptions_list": [], "from": "now-9m", "interval": "5m", "max_signals": 100, "severity_mapping": [],
            "building_block_type": "default", "timestamp_override": "event.ingested", "note": NSNull(),
            "event_category_override": "event.type", "tiebreaker_field": "event.sequence",
            "investigation_fields": ["field_names": ["user.name", "host.id"]],
            "alert_suppression": [
                "group_by": ["host.id"], "duration": ["value": 5, "unit": "m"],
                "missing_fields_strategy": "doNotSuppress",
            ],
            "threat": [
                [
                    "framework": "MITRE ATT&CK",
                    "tactic": ["id": "TA0009", "name": "Collection", "reference": "https://example.org/TA0009"],
                    "technique": [
                        [
                            "id": "T1114", "name": "Email Collection", "reference": "https://example.org/T1114",
                            "subtechnique": [
                                ["id": "T1114.002", "name": "Remote", "reference": "https://example.org"]
                            ],
                        ]
                    ],
                ]
            ],
        ]
        for (key, value) in changes { rule[key] = value }
        let data = try JSONSerialization.data(withJSONObject: rule, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    private func load(_ lines: [String], checker: QueryChecker = lenientChecker) -> RuleLoadReport {
        RuleLoader(checker: checker).load(ndjson: lines.joined(separator: "\n") + "\n", path: "pack/export.ndjson")
    }

    @Test func aRuleKeepsAllThatKibanaSaysOfIt() throws {
        let report = load([try line()])
        #expect(report.problems.isEmpty, "\(report.problems)")
        let rule = try #require(report.rules.rules.first)
        #expect(rule.name == "Test rule" && rule.severity == .high && rule.riskScore == 73 && rule.version == 3)
        #expect(rule.query == "process where true" && rule.path == "pack/export.ndjson")
        #expect(rule.isBuildingBlock && rule.timestampOverride == "event.ingested")
        #expect(rule.options.eventCategoryField == "event.type" && rule.options.tiebreakerField == "event.sequence")
        #expect(rule.investigationFields == ["user.name", "host.id"])
        #expect(
            rule.suppression
                == Rule.Suppression(fields: ["host.id"], stage: nil, window: 300_000_000_000, includesMissing: false))
        #expect(rule.threats.first?.techniques.first?.subtechniques.first?.id == "T1114.002")
        #expect(rule.note == nil)
    }

    @Test func theSameRuleIsTheSameInBothFormats() throws {
        let exported = load([
            try line(["event_category_override": nil, "tiebreaker_field": nil, "query": "any where true"])
        ])
        let written = RuleLoader(checker: lenientChecker).load(toml: ruleText(), path: "rule.toml")
        #expect(exported.rules.rules.map(\.contentHash) == written.rules.rules.map(\.contentHash))
        #expect(!exported.rules.isEmpty)
    }

    @Test func investigationFieldsMayBeABareList() throws {
        let rule = try #require(load([try line(["investigation_fields": ["user.name"]])]).rules.rules.first)
        #expect(rule.investigationFields == ["user.name"])
    }

    @Test func otherLinesAreNoRules() throws {
        let report = load([
            try line(), "",
            #"{"list_id":"endpoint_list","type":"endpoint","name":"Exceptions"}"#,
            #"{"list_id":"endpoint_list","item_id":"1","type":"simple","entries":[]}"#,
            #"{"id":"7","type":"action","attributes":{"name":"mail"}}"#,
            #"{"exported_count":4,"exported_rules_count":1,"missing_rules":[],"missing_rules_count":0}"#,
        ])
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(report.rules.rules.count == 1 && report.unsupported.isEmpty && report.fileCount == 1)
    }

    @Test func otherTypesAreListed() throws {
        let report = load([
            try line(["type": "threshold"]), try line(["rule_id": "2", "type": "esql", "language": "esql"]),
            try line(["rule_id": "3"]), #"{"exported_count":3,"missing_rules":[]}"#,
        ])
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(
            report.unsupported.map(\.description) == [
                "pack/export.ndjson: not supported: threshold", "pack/export.ndjson: not supported: esql",
            ])
        #expect(report.rules.rules.map(\.id) == ["3"])
    }

    @Test(arguments: [
        ("severity", #""hihg""#, "did you mean \"high\"?"),
        ("exceptions_list", #"[{"id":"1","list_id":"a","type":"detection"}]"#, "exception lists are not evaluated"),
        ("filters", #"[{"query":{"match_all":{"boost":1}}}]"#, "filters are not evaluated"),
        ("alert_suppression", #"{"group_by":["a"],"missing_fields_strategy":"no"}"#, "use one of suppress, doNot"),
        ("risk_score", "101", "from 0 to 100"),
        ("name", "5", "has to be a string"),
    ])
    func problemsStandInTheirLine(key: String, value: String, words: String) throws {
        let broken = try line([
            key: try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
        ])
        let report = load([try line(["rule_id": "first"]), broken])
        let problem = try #require(report.problems.first)
        #expect(report.problems.count == 1 && problem.description.contains(words), "\(report.problems)")
        #expect(problem.place.path == "pack/export.ndjson" && problem.place.line == 2)
        // The caret's line is cut out of the long one around the place.
        let start = broken.index(broken.startIndex, offsetBy: problem.place.column - 1)
        let shown = problem.place.excerpt.dropFirst(problem.place.excerptColumn - 1)
        #expect(broken[start...].hasPrefix(shown.prefix(10)) && problem.place.excerpt.count <= 100)
    }

    @Test func problemsOfTheQueryHaveItsPlaceToo() throws {
        let query = "process where\n  process.name == \"é\" and\n\tprocess.nane : (\"a\\\\*\")"
        let text = try line(["query": query, "event_category_override": nil])
        let problem = try #require(load([text], checker: .streaming).problems.first)
        #expect(problem.place.excerpt == "\tprocess.nane : (\"a\\\\*\")")
        #expect(problem.place.inQuery?.line == 3 && problem.place.inQuery?.column == 2)
        #expect(problem.place.excerptColumn == 2 && problem.place.width == "process.nane".count)
        let start = text.unicodeScalars.index(text.startIndex, offsetBy: problem.place.column - 1)
        #expect(text[start...].hasPrefix("process.nane"))
        #expect(
            problem.description.hasPrefix(
                "pack/export.ndjson:1:\(problem.place.column): warning: in the query, line 3, column 2: "))
    }

    @Test(arguments: [
        ("{\"rule_id\": }", "1:13", "expected a value"),
        ("{\"rule_id\": \"a\"", "1:16", "expected , or }"),
        ("{\"rule_id\": tru}", "1:13", "is not a JSON value"),
        ("{\"a\": 1, \"a\": 2}", "1:10", "defined twice"),
        ("{\"a\": \"\\ud800\"}", "1:8", "half a character"),
        ("{\"a\": \"\\x\"}", "1:8", "does not exist in JSON"),
        ("{\"a\": \"x", "1:7", "not closed"),
        ("{} {}", "1:4", "ends before the line does"),
        ("[1]", "1:1", "one JSON object"),
        (String(repeating: "[", count: 5), "1:1", "one JSON object"),
        ("{\"a\":" + String(repeating: "[", count: 100), "1:69", "nested too deeply"),
    ])
    func whatIsNoJSONIsReported(text: String, place: String, words: String) throws {
        let report = load([text, try line()])
        let problem = try #require(report.problems.first)
        #expect(
            problem.place.description == "pack/export.ndjson:\(place)" && problem.message.contains(words), "\(problem)")
        #expect(report.rules.rules.count == 1)
    }

    @Test func anExportThatWasCutIsNoticed() throws {
        let report = load([try line(), #"{"exported_count":2,"exported_rules_count":2}"#])
        #expect(report.problems.map(\.message) == ["the export counts 2 rules, and the file holds 1"])
        #expect(report.problems.first?.severity == .warning)
    }

    @Test func exportsAreFoundByTheirName() throws {
        let folder = try TemporaryFolder()
        try folder.write(try line() + "\r\n", to: "rules/export.ndjson")
        try folder.write(ruleText(["rule_id": "rule_id = \"2\""]), to: "rules/a.toml")
        let report = RuleLoader(checker: lenientChecker).load(paths: [folder.path])
        #expect(report.problems.isEmpty && report.rules.rules.count == 2 && report.fileCount == 2)
    }
}
