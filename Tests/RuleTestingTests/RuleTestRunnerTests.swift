import Detection
import Rules
import Testing

@testable import RuleTesting

func rule(_ query: String, keys: String = "", apus: String = "") throws -> Rule {
    try Rule.parse(
        toml: """
            [rule]
            name = "Test rule"
            rule_id = "8a4b1c52-0d0e-4c58-9d0b-000000000001"
            description = "Finds a test."
            severity = "high"
            risk_score = 73
            type = "eql"
            language = "eql"
            \(keys)
            query = '''
            \(query)
            '''
            [apus]
            \(apus)
            """, checker: .bounded)
}

/// The results of a fixture's tests for a rule.
func results(_ rule: Rule, _ fixture: String) throws -> [RuleTestResult] {
    let (read, problems) = FixtureReader.read(fixture, path: "a.test.yaml")
    return try RuleTestRunner(rule).run(try #require(read, "\(problems)").tests)
}

@Suite struct RuleTestRunnerTests {
    private static let fixture = """
        records:
          start: {event.category: process, host.id: h1}
          connection: {event.category: network, host.id: h1, destination.port: 443}
        tests:
          - match: both within the minute
            events: [{record: start}, {record: connection, at: +60s}]
            steps: [1, 2]
            evidence: {destination.port: "443"}
          - match: as they happened, not as they came
            events: [{record: connection, at: +5s}, {record: start, at: +0s}]
            steps: [2, 1]
          - near_miss: a second later
            events: [{record: start}, {record: connection, at: +61s}]
          - near_miss: another host
            events: [{record: start}, {record: connection, fields: {host.id: h2}}]
        """

    private static let query = """
        sequence by host.id with maxspan=1m
          [process where true] [network where destination.port == 443]
        """

    @Test func passes() throws {
        #expect(try results(try rule(Self.query), Self.fixture).map(\.passed) == [true, true, true, true])
    }

    @Test func aShadowRuleIsTestedLikeAnyOther() throws {
        let shadow = try rule(Self.query, apus: "stage = \"shadow\"")
        #expect(try results(shadow, Self.fixture).map(\.passed) == [true, true, true, true])
    }

    @Test func saysWhatTheNearestEventLacks() throws {
        let result = try results(
            try rule("process where process.name : \"a*\" and process.pid == 4"),
            """
            tests:
              - match: nearly
                events:
                  - fields: {event.category: network}
                  - fields: {event.category: process, process.name: abc, process.pid: 5}
            """)
        let failure = try #require(result.first?.failures.first)
        #expect(failure.message == "0 findings where 1 is expected")
        #expect(failure.place.description == "a.test.yaml:2:5")
        #expect(failure.details.first == "event: event 2 comes nearest")
        #expect(failure.details.contains { $0.contains("false  process.pid == 4") })
        #expect(failure.details.contains { $0.contains("process.pid = 5") })
    }

    @Test func saysWhatBecameOfASequence() throws {
        let result = try results(
            try rule(Self.query),
            """
            tests:
              - match: too late
                events:
                  - fields: {event.category: process, host.id: h}
                  - {at: +2m, fields: {event.category: network, host.id: h, destination.port: 443}}
            """)
        #expect(
            result[0].failures[0].details.contains {
                $0.contains("event 2: stage 2 came 1 min after maxspan: the partial match of event 1 dies")
            }, "\(result[0].failures[0].details)")
    }

    @Test(arguments: [
        ("- near_miss: x\n    events: [{fields: {a: 1}}]", "1 finding where none are expected"),
        ("- match: x\n    events: [{fields: {a: 1}}, {fields: {a: 1}}]", "2 findings where 1 is expected"),
        (
            "- match: x\n    events: [{fields: {b: 1}}, {fields: {a: 1}}]\n    steps: [1]",
            "the events of the findings are [2] where [1] are expected"
        ),
        ("- match: x\n    events: [{fields: {a: 1}}]\n    evidence: {a: 2}", "no finding names a with \"2\""),
        ("- near_miss: x\n    events: [{json: '{\"a\":'}]", "event 1 cannot be read: "),
    ])
    func failures(test: String, message: String) throws {
        let failures = try results(try rule("any where a == 1"), "tests:\n  \(test)\n")[0].failures
        #expect(failures.count == 1 && failures[0].message.hasPrefix(message), "\(failures)")
    }

    @Test func severalFindings() throws {
        let found = try results(
            try rule("any where a == 1"),
            """
            tests:
              - match: twice
                events: [{fields: {a: 1}}, {fields: {a: 2}}, {fields: {a: 1}}]
                steps: [[1], [3]]
              - match: so many
                events: [{fields: {a: 1}}, {fields: {a: 1}}]
                findings: 2
            """)
        #expect(found.map(\.passed) == [true, true])
    }
}
