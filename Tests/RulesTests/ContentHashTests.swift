import EventSchema
import Testing

@testable import Rules

@Suite struct ContentHashTests {
    private func rule(_ changes: [String: String] = [:], query: String = "query = 'any where true'", apus: String = "") throws -> Rule {
        try #require(load(ruleText(changes, query: query, apus: apus)).rules.rules.first)
    }

    /// Computed once outside this code from the layout in the documentation.
    @Test func knownAnswer() throws {
        #expect(try rule().contentHash == "dbf74412b4108cdc599bdc3561dd7ae5f9707b2b9a5ebda446a79d6369a97fdb")
    }

    @Test func changesWithWhatIsDetected() throws {
        let hashes = try [
            rule(), rule(["rule_id": "rule_id = \"other\""]), rule(query: "query = 'any where true '"),
            rule(apus: "[apus]\nregex = \"search\""), rule(["more": "event_category_override = \"a\""]),
            rule(["more": "timestamp_field = \"a\""]), rule(["more": "tiebreaker_field = \"a\""]),
        ].map(\.contentHash)
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func staysWhenOnlyTextsChange() throws {
        let plain = try rule().contentHash
        #expect(try rule(["name": "name = \"New\"", "severity": "severity = \"low\"", "more": "tags = ['x']"]).contentHash == plain)
        #expect(try rule(query: "query = \"any where true\"", apus: "[apus]\nstage = \"shadow\"").contentHash == plain)
    }

    @Test func setIsOrderedAndHashed() throws {
        let a = try rule(["rule_id": "rule_id = \"a\""])
        let b = try rule(["rule_id": "rule_id = \"b\""])
        let shadow = try rule(["rule_id": "rule_id = \"b\""], apus: "[apus]\nstage = \"shadow\"")
        #expect(RuleSet([b, a]).rules.map(\.id) == ["a", "b"])
        #expect(RuleSet([b, a]).hash == RuleSet([a, b]).hash)
        #expect(RuleSet([a]).hash != RuleSet([a, b]).hash)
        #expect(RuleSet([a, shadow]).hash != RuleSet([a, b]).hash)
    }
}
