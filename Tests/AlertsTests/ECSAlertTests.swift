import EventSchema
import Events
import Foundation
import Rules
import Testing

@testable import Alerts

@Suite struct ECSAlertTests {
    @Test func correlationHasAllThatIsPromised() throws {
        let encoded = encoder.encode(try finding())
        let alert = try validated(encoded)
        #expect(alert["@timestamp"] as? String == "2026-11-24T10:00:05.000Z")
        #expect(alert.string("event.kind") == "alert" && alert.string("event.id") == encoded.id.description)
        #expect(alert.string("event.start") == "2026-11-24T10:00:00.000Z")
        #expect(alert.number("event.severity") == 99 && alert.number("event.risk_score") == 91)
        let reason = #"process.command_line regex~ "Invoke-SelfSearch"; destination.port == "443" on ws-042 by j.doe"#
        #expect(alert.string("event.reason") == reason)
        #expect(alert.string("message") == "Mail collection command with a connection to port 443 on ws-042 by j.doe")
        #expect(alert.string("rule.id") == "c27e4d19-61fb-4a0e-b5c8-93d04e7fa852")
        #expect(alert.string("rule.ruleset") == "t1114_002" && alert.string("rule.category") == "Collection")
        #expect(alert.strings("threat.tactic.id") == ["TA0009"])
        #expect(alert.strings("threat.technique.subtechnique.id") == ["T1114.002"])
        #expect(alert.strings("related.hosts") == ["ws-042"])
        #expect(alert.strings("related.ip") == ["10.0.0.42", "fe80::1", "10.9.9.9"])
        #expect(alert.strings("related.user") == ["j.doe"])
        #expect(alert.string("host.id") == "h-1" && alert["user.name"] as? String == "j.doe")
        #expect(alert.number("process.pid") == 4711)
        #expect(alert["destination"] == nil, "only the key step is copied")
        #expect(alert.string("apus.host_key") == "h-1" && alert.string("apus.host_key_field") == "host.id")
        let keys = alert.at("apus.join_keys") as? [[String: String]]
        #expect(keys == [["field": "apus.host_key", "value": "h-1"]])
    }

    @Test func evidenceHoldsTheOriginalsAndTheirPlaces() throws {
        let alert = try validated(encoder.encode(try finding()))
        let evidence = try #require(alert.at("apus.evidence") as? [[String: Any]])
        #expect(evidence.map { $0["topic"] as? String } == ["endpoint", "network"])
        #expect(evidence.map { $0["offset"] as? Int } == [7, 99])
        #expect(
            evidence[0]["event"] as? NSDictionary
                == (try JSONSerialization.jsonObject(with: Data(processStart.utf8)) as? NSDictionary))
        let matches = try #require(evidence[0]["matches"] as? [[String: Any]])
        #expect(matches[1]["span"] as? [Int] == [15, 32] && matches[1]["operator"] as? String == "regex~")
    }

    @Test func recordHasKeyAndHeaders() throws {
        let encoded = encoder.encode(try finding())
        #expect(encoded.key == Array("h-1".utf8))
        #expect(!encoded.value.contains(UInt8(ascii: "\n")))
        let headers = encoded.headers.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
        let rule = try packRule()
        #expect(
            headers == [
                "apus-alert-id=\(encoded.id)", "apus-rule-id=\(rule.id)", "apus-rule-hash=\(rule.contentHash)",
                "apus-engine-version=1.0.0", "apus-schema-profile=ecs",
            ])
    }

    @Test func equalFindingsGiveEqualBytes() throws {
        #expect(encoder.encode(try finding()).value == encoder.encode(try finding()).value)
        let created = encoder.encode(try finding(), created: EventTime(nanoseconds: 0))
        #expect(try validated(created).string("event.created") == "1970-01-01T00:00:00.000Z")
    }

    @Test func tellsWhatWasHeldBack() throws {
        var finding = try finding()
        finding.suppression = SuppressedFindings(
            terms: [
                SuppressedFindings.Term(field: "user.name", values: ["eve"]),
                SuppressedFindings.Term(field: "host.name", values: []),
            ], count: 12, first: EventTime(nanoseconds: 0), last: EventTime(nanoseconds: 60_000_000_000))
        let alert = try validated(encoder.encode(finding))
        #expect(alert.number("apus.suppression.docs_count") == 12)
        #expect(alert.string("apus.suppression.start") == "1970-01-01T00:00:00.000Z")
        #expect(alert.string("apus.suppression.end") == "1970-01-01T00:01:00.000Z")
        let terms = try #require(alert.at("apus.suppression.terms") as? [[String: Any]])
        #expect(terms.map { $0["field"] as? String } == ["user.name", "host.name"])
        #expect(terms[0]["value"] as? [String] == ["eve"] && terms[1]["value"] is NSNull)

        finding.suppression = SuppressedFindings(terms: [])
        #expect(try validated(encoder.encode(finding)).at("apus.suppression.start") == nil)
    }

    @Test func flagsAndMissingThings() throws {
        var finding = try finding()
        finding.isLate = true
        finding.joinKeys = [nil]
        finding.evidence = [evidence("{}")]
        finding.evidence[0].hostKey = nil
        let encoded = encoder.encode(finding)
        let alert = try validated(encoded)
        #expect(alert.at("apus.late") as? Bool == true && alert.at("apus.suppression") == nil)
        #expect((alert.at("apus.join_keys") as? [[String: Any]])?.first?["value"] is NSNull)
        #expect(alert["related"] == nil && encoded.key.isEmpty)
        #expect(alert.string("message") == finding.rule.name)
    }

    // MARK: Hostile content

    @Test(arguments: [
        #"quote " and \ backslash"#, "\u{0}\u{1}\u{1F}\u{7F}", "line\r\nbreak\u{2028}and\u{2029}", "</script>",
        "\u{FFFD}🐦\u{202E}", "{\"a\":",
    ])
    func textsStayTexts(text: String) throws {
        var finding = try finding()
        finding.evidence[0].matches = [
            PredicateMatch(field: text, operation: "==", value: text, span: 0..<text.utf8.count)
        ]
        finding.evidence[0].hostKey = HostKey(value: text, field: "host.id")
        finding.joinKeys = [text]
        var writer = JSONWriter()
        writer.object { $0.member("host", text) }
        finding.evidence[0].original = writer.bytes
        let encoded = encoder.encode(finding)
        let alert = try validated(encoded)
        #expect(alert.string("apus.host_key") == text && alert.string("host") == text)
        #expect((alert.at("apus.join_keys") as? [[String: String]])?.first?["value"] == text)
        #expect(encoded.value.allSatisfy { $0 >= 0x20 })
        #expect(!String(decoding: encoded.value, as: UTF8.self).unicodeScalars.contains("\u{2028}"))
    }

    /// What decoding may have let pass must not break the alert.
    @Test(arguments: [
        #"{"a":1.2.3}"#, #"{"a":tru}"#, #"{"a":01}"#, #"{"a":"\x"}"#, #"{"a":1}x"#, #"{"a":1"#, "[1]", "",
        "{\"a\":\"\u{1}\"}", #"{"a" 1}"#,
        #"{,}"#, #"{"a":1,}"#, String(repeating: "[", count: 100_000),
    ])
    func brokenOriginalsBecomeText(original: String) throws {
        var finding = try finding()
        finding.evidence[0].original = Array(original.utf8)
        let alert = try validated(encoder.encode(finding))
        let step = try #require((alert.at("apus.evidence") as? [[String: Any]])?.first)
        #expect(step["event"] == nil)
        #expect(step["event_excerpt"] as? String == String(original.prefix(4096)))
        #expect(step["event_bytes"] as? Int == original.utf8.count)
    }

    @Test func halfSurrogatesAndBrokenUTF8AreReplaced() throws {
        var finding = try finding()
        finding.evidence[0].original = Array(#"{"host":{"name":"a\ud800b\udc00\ud83d\udc26"}}"#.utf8)
        finding.evidence[1].original = Array(#"{"user":""#.utf8) + [0xFF, 0xC0] + Array(#""}"#.utf8)
        let alert = try validated(encoder.encode(finding))
        #expect(alert.string("host.name") == "a\u{FFFD}b\u{FFFD}🐦")
        #expect(alert.strings("related.hosts") == ["a\u{FFFD}b\u{FFFD}🐦"])
    }

    // MARK: Limits

    @Test func largeThingsAreCutAndMarked() throws {
        let encoder = AlertEncoder(
            topics: ["endpoint", "network"], engineVersion: "1",
            limits: AlertLimits(original: 200, allOriginals: 1000, excerpt: 21, value: 40, member: 50))
        var finding = try finding()
        let value = String(repeating: "ä", count: 50) + "MATCH" + String(repeating: "ö", count: 50)
        finding.evidence[0].matches = [PredicateMatch(field: "f", operation: "regex~", value: value, span: 100..<105)]
        let alert = try validated(encoder.encode(finding))
        #expect(alert.strings("apus.omitted") == ["host", "process"])
        let steps = try #require(alert.at("apus.evidence") as? [[String: Any]])
        #expect(steps[0]["event_excerpt"] as? String == String(processStart.prefix(21)))
        #expect(steps[0]["event_bytes"] as? Int == processStart.utf8.count)
        #expect(steps[1]["event"] != nil)
        let match = try #require((steps[0]["matches"] as? [[String: Any]])?.first)
        let part = try #require(match["value"] as? String)
        let offset = try #require(match["value_offset"] as? Int)
        #expect(part.utf8.count <= 41 && part.contains("MATCH"))
        #expect(Array(value.utf8)[offset...].starts(with: part.utf8))
        #expect(match["value_bytes"] as? Int == value.utf8.count && match["span"] as? [Int] == [100, 105])
    }

    @Test func spansBeyondTheValueAreTakenBack() throws {
        var finding = try finding()
        finding.evidence[0].matches = [PredicateMatch(field: "f", operation: "==", value: "ab", span: 1..<900)]
        let steps = try #require(validated(encoder.encode(finding)).at("apus.evidence") as? [[String: Any]])
        #expect(((steps[0]["matches"] as? [[String: Any]])?.first?["span"] as? [Int]) == [1, 2])
    }

    @Test func theSchemaRefusesWhatIsNotAnAlert() throws {
        let validator = try SchemaValidator(
            contentsOf: packageRoot.appending(path: "config/schemas/alert-ecs.schema.json"))
        let good = String(decoding: encoder.encode(try finding()).value, as: UTF8.self)
        for (old, new) in [
            ("\"kind\":\"alert\"", "\"kind\":\"event\""), ("\"message\":", "\"massage\":"),
            ("\"late\":false", "\"late\":0.5"),
            ("\"offset\":7", "\"offset\":\"7\""), ("\"span\":[15,32]", "\"span\":[15]"),
            ("\"partition\":3", "\"partition\":-3"),
        ] {
            #expect(good.contains(old))
            let complaints = try validator.complaints(about: Data(good.replacingOccurrences(of: old, with: new).utf8))
            #expect(!complaints.isEmpty, "\(new)")
        }
    }
}
