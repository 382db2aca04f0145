import Detection
import EQL
import EventSchema
import Foundation
import Rules
import Testing

@testable import Coverage

private func rule(_ query: String, id: Int = 1, threat: String = "") throws -> Rule {
    try Rule.parse(
        toml: """
            [rule]
            name = "Rule \(id)"
            rule_id = "8a4b1c52-0d0e-4c58-9d0b-00000000000\(id)"
            description = "Finds a test."
            severity = "high"
            risk_score = 73
            type = "eql"
            language = "eql"
            query = '''
            \(query)
            '''
            \(threat)
            """, checker: .bounded)
}

private func report(_ queries: [String], _ records: [String]) throws -> CensusReport {
    let rules = try queries.enumerated().map { try rule($1, id: $0 + 1) }
    let census = try FieldCensus(RuleSet(rules))
    for record in records { Array(record.utf8).withUnsafeBytes { census.add($0) } }
    return census.report()
}

@Suite struct CoverageTests {
    @Test(
        arguments: [
            ("any where a == 1", [], false), ("any where a == 1", ["a"], true), ("any where not a == 1", [], true),
            ("any where a != null", [], false), ("any where a == null", ["a"], false),
            ("any where a == null", [], true),
            ("any where a == 1 and b == 2", ["a"], false), ("any where a == 1 or b == 2", ["a"], true),
            ("any where not (a == 1 or b == 2)", [], true),
            ("any where not (a != null and b != null)", ["a", "b"], false),
            ("any where length(a) > 3", [], false), ("any where length(a) > 3", ["a"], true),
            ("any where null == (length(a) > 1)", [], true), ("any where concat(a, b) == \"x\"", ["a"], false),
            ("any where true", [], true), ("any where false", ["a"], false),
        ] as [(String, [String], Bool)])
    func whatPresenceAloneDecides(query: String, present: [String], canHold: Bool) throws {
        let condition = try rule(query).checked.conditions[0]
        #expect(condition.canHold { present.contains($0.dotted) } == canHold)
    }

    @Test func aRuleWithoutItsFieldsIsBlind() throws {
        let report = try report(
            [
                #"process where process.name == "a" and x.never == "b""#,
                #"process where process.name == "a""#,
                #"sequence by user.id [process where true] [network where destination.port == 443]"#,
            ],
            [
                #"{"event":{"category":"process"},"process":{"name":"z"},"user":{"id":"u"}}"#,
                #"{"event":{"category":"network"},"destination":{"port":1}}"#, "no json",
            ])
        #expect(report.records == 3 && report.unreadable == 1)
        #expect(report.coverage.rules.map(\.rule.name) == ["Rule 1", "Rule 2", "Rule 3"])
        #expect([0, 1, 2].map(report.isBlind) == [true, false, true])
        #expect(report.candidates(ofRule: 2) == [1, 0])
        #expect(report.reason(ofRule: 0, stage: 0) == "no record carries x.never")
        #expect(report.reason(ofRule: 1, stage: 0) == nil)
        #expect(report.reason(ofRule: 2, stage: 1) == "no record carries together what stage 2 asks for")
        #expect(report.missing(ofRule: 0) == ["x.never"])
        #expect(report.records(with: "event.category") == 2)
    }

    @Test func anAlternativeThatIsNeverThereIsNamed() throws {
        let report = try report(
            [#"any where event.code == "1" and (process.name == "a" or x.never == "b")"#],
            [#"{"event":{"code":"1"},"process":{"name":"z"}}"#])
        #expect(!report.isBlind(0))
        #expect(report.deadAlternatives(ofRule: 0) == ["an alternative needs x.never"])
    }

    @Test func derivedFieldsAreJudgedByTheirSource() throws {
        let queries = [#"process where apus.decoded.command_line regex~ ".*x.*""#, "any where apus.host_key == \"h\""]
        let with = try report(
            queries, [#"{"event":{"category":"process"},"process":{"command_line":"a"},"host":{"name":"h"}}"#])
        #expect(with.blind.isEmpty)
        let without = try report(queries, [#"{"event":{"category":"process"}}"#])
        #expect(without.blind.count == 2)
    }

    @Test func theLayerCountsRulesThatSee() throws {
        let threat = """
            [[rule.threat]]
            framework = "MITRE ATT&CK"
            [rule.threat.tactic]
            id = "TA0008"
            name = "Lateral Movement"
            [[rule.threat.technique]]
            id = "T1021"
            name = "Remote Services"
            [[rule.threat.technique.subtechnique]]
            id = "T1021.002"
            name = "SMB"
            """
        let rules = RuleSet([
            try rule("any where a == 1", id: 1, threat: threat), try rule("any where b == 1", id: 2, threat: threat),
        ])
        let census = try FieldCensus(rules)
        Array(#"{"a":2}"#.utf8).withUnsafeBytes { census.add($0) }
        let layer = NavigatorLayer(Coverage(rules), report: census.report(), name: "x")
        let data = try JSONEncoder().encode(layer)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect((object["versions"] as? [String: String])?["layer"] == "4.5")
        #expect(object["domain"] as? String == "enterprise-attack")
        let techniques = try #require(object["techniques"] as? [[String: Any]])
        #expect(techniques.map { $0["techniqueID"] as? String } == ["T1021", "T1021.002"])
        #expect(techniques.map { $0["tactic"] as? String } == ["lateral-movement", "lateral-movement"])
        #expect(techniques.map { $0["score"] as? Int } == [1, 1])
        #expect(techniques[1]["comment"] as? String == "Rule 1\nblind: Rule 2")
    }
}
