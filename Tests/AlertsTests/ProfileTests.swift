import EQL
import EventSchema
import Foundation
import Rules
import Testing

@testable import Alerts

private func encoder(_ profile: AlertProfile, limits: AlertLimits = AlertLimits()) -> AlertEncoder {
    AlertEncoder(topics: ["endpoint", "network"], engineVersion: "1.0.0", profile: profile, limits: limits)
}

/// The alert as Foundation reads it, after it has passed the schema of its profile.
private func validated(_ alert: EncodedAlert, _ profile: AlertProfile) throws -> [String: Any] {
    let validator = try SchemaValidator(
        contentsOf: packageRoot.appending(path: "config/schemas/alert-\(profile.rawValue).schema.json"))
    let data = Data(alert.value)
    #expect(try validator.complaints(about: data) == [])
    #expect(alert.headers.contains { $0.name == "apus-schema-profile" && $0.value == Array(profile.rawValue.utf8) })
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
}

/// Findings that are hard to lay out.
private func hardFindings() throws -> [Finding] {
    var shadow = try finding()
    shadow.rule = try Rule.parse(
        toml: """
            [rule]
            name = "Bare"
            rule_id = "bare"
            description = "Has nothing it need not have."
            severity = "low"
            risk_score = 20.5
            type = "eql"
            query = "any where true"
            [apus]
            stage = "shadow"
            """, checker: QueryChecker { _, _ in .init(query: .init(form: .event(.constant(true))), diagnostics: []) })
    shadow.evidence = [evidence("{}")]
    shadow.evidence[0].hostKey = nil
    shadow.joinKeys = []
    var suppressed = try finding()
    suppressed.suppression = SuppressedFindings(
        terms: [SuppressedFindings.Term(field: "user.name", values: ["eve"])], count: 3,
        first: EventTime(nanoseconds: 0), last: EventTime(nanoseconds: 1_000_000_000))
    var broken = try finding()
    broken.evidence[0].original = Array("no json".utf8)
    broken.evidence[1].original = Array("[1]".utf8)
    var odd = try finding()
    odd.evidence[0].original = Array(
        #"""
        {"kibana.alert.uuid":"forged","kibana":{"version":"0"},"_id":"x","signal":1,"apus":{"late":9},"ecs.version":"0",
         "event":[{"kind":"x"},{"action":["a","b"]}],"process":{"pid":"17","name":["a","b"],"executable":"C:\\x\\b.exe",
         "parent":{"name":"\u0000<script>","pid":1.5}},"user":{"name":null},"source":{"ip":["1.2.3.4"],"port":70000},
         "destination.domain":"d","host":{"name":""}}
        """#.utf8)
    return [try finding(), shadow, suppressed, broken, odd]
}

@Suite struct ElasticSignalTests {
    @Test func looksLikeAnAlertOfElasticSecurity() throws {
        let encoded = encoder(.elasticSignal).encode(try finding())
        let alert = try validated(encoded, .elasticSignal)
        #expect(alert.string("event.kind") == "signal" && alert.strings("event.category") == ["process"])
        #expect(alert["kibana.alert.uuid"] as? String == encoded.id.description)
        #expect(alert["kibana.alert.rule.name"] as? String == "Mail collection command with a connection to port 443")
        #expect(alert["kibana.alert.severity"] as? String == "critical")
        #expect(alert["kibana.alert.risk_score"] as? Int == 91)
        #expect(alert["kibana.alert.original_time"] as? String == "2026-11-24T10:00:00.000Z")
        #expect(alert["kibana.alert.group.id"] as? String == encoded.id.description)
        let ancestors = try #require(alert["kibana.alert.ancestors"] as? [[String: Any]])
        #expect(ancestors.map { $0["id"] as? String } == ["endpoint-3-7", "network-3-99"])
        let threat = try #require(alert["kibana.alert.rule.threat"] as? [[String: Any]])
        let techniques = try #require(threat[0]["technique"] as? [[String: Any]])
        #expect((techniques[0]["subtechnique"] as? [[String: Any]])?.first?["id"] as? String == "T1114.002")
        #expect(alert.string("process.name") == "powershell.exe" && alert["user.name"] as? String == "j.doe")
        #expect((alert["kibana.alert.original_event"] as? [String: Any])?["type"] as? [String] == ["start"])
        #expect((alert.at("apus.evidence") as? [Any])?.count == 2)
    }

    /// Nothing an event holds can pass for what the engine says.
    @Test func everyKibanaFieldIsOfTheSchemaAndTheEngines() throws {
        let schema = try JSONSerialization.jsonObject(
            with: Data(contentsOf: packageRoot.appending(path: "config/schemas/alert-elastic-signal.schema.json")))
        let known = try #require((schema as? [String: Any])?["properties"] as? [String: Any])
        for finding in try hardFindings() {
            let encoded = encoder(.elasticSignal).encode(finding)
            let alert = try validated(encoded, .elasticSignal)
            for name in alert.keys where name.hasPrefix("kibana") {
                #expect(known[name] != nil || name.hasPrefix("kibana.alert.original_event"), "\(name)")
            }
            #expect(alert["kibana.alert.uuid"] as? String == encoded.id.description)
            #expect(alert["_id"] == nil && alert["signal"] == nil && alert["ecs.version"] == nil)
        }
    }

    @Test func suppressionHasKibanasNames() throws {
        let alert = try validated(encoder(.elasticSignal).encode(try hardFindings()[2]), .elasticSignal)
        let suppression = try #require(alert["kibana.alert.suppression"] as? [String: Any])
        #expect(suppression["docs_count"] as? Int == 3 && suppression["start"] as? String == "1970-01-01T00:00:00.000Z")
    }

    @Test func copiesNoMoreThanTheLimits() throws {
        var finding = try finding()
        let members = (0..<300).map { "\"m\($0)\":\"\(String(repeating: "x", count: 1_000))\"" }
        finding.evidence[0].original = Array("{\(members.joined(separator: ","))}".utf8)
        let encoded = encoder(.elasticSignal, limits: AlertLimits(original: 20_000)).encode(finding)
        #expect(encoded.value.count < 60_000)
        let alert = try validated(encoded, .elasticSignal)
        #expect(alert["m0"] != nil && alert["m299"] == nil)
        #expect((alert.at("apus.omitted") as? [String])?.count == 50)
    }
}

@Suite struct OCSFTests {
    @Test func isADetectionFinding() throws {
        let encoded = encoder(.ocsf).encode(try finding())
        let event = try validated(encoded, .ocsf)
        #expect(event["class_uid"] as? Int == 2004 && event["type_uid"] as? Int == 200_401)
        #expect(event["severity_id"] as? Int == 5 && event["severity"] as? String == "Critical")
        #expect(event["is_alert"] as? Bool == true && event["risk_score"] as? Int == 91)
        #expect(event["time"] as? Int == 1_795_514_405_000 && event["start_time"] as? Int == 1_795_514_400_000)
        #expect(event.string("finding_info.uid") == encoded.id.description)
        #expect(event.string("finding_info.analytic.uid") == "c27e4d19-61fb-4a0e-b5c8-93d04e7fa852")
        let attacks = try #require(event.at("finding_info.attacks") as? [[String: Any]])
        #expect(attacks.map { $0.string("sub_technique.uid") } == ["T1114.002"])
        #expect(event.string("device.hostname") == "ws-042" && event.string("device.uid") == "h-1")
        let evidences = try #require(event["evidences"] as? [[String: Any]])
        #expect(evidences.map { $0["uid"] as? String } == ["endpoint-3-7", "network-3-99"])
        #expect(evidences[0].string("process.cmd_line") == #"powershell -c "Invoke-SelfSearch""#)
        #expect(evidences[0].number("process.pid") == 4711 && evidences[0].string("actor.user.name") == "j.doe")
        #expect(evidences[1].string("dst_endpoint.ip") == "10.9.9.9" && evidences[1].number("dst_endpoint.port") == 443)
        #expect((evidences[0].at("data.matches") as? [Any])?.count == 2 && evidences[0].at("data.event") != nil)
        let observables = try #require(event["observables"] as? [[String: Any]])
        #expect(observables.contains { $0["value"] as? String == "j.doe" && $0["type_id"] as? Int == 4 })
        #expect(event.at("unmapped.apus.evidence") == nil && event.string("unmapped.apus.rule_stage") == "active")
    }

    @Test func hardFindingsAreValidToo() throws {
        let events = try hardFindings().map { try validated(encoder(.ocsf).encode($0), .ocsf) }
        #expect(events[1]["is_alert"] as? Bool == false && events[1]["risk_score"] as? Int == 21)
        #expect(events[2].number("unmapped.apus.suppression.docs_count") == 3)
        let process = try #require((events[4]["evidences"] as? [[String: Any]])?.first?["process"] as? [String: Any])
        #expect(process["pid"] as? Int == 17 && process["name"] as? String == "a")
        #expect(process.string("file.name") == "b.exe")
        #expect(process.at("parent_process.pid") == nil, "1.5 is no number of a process")
    }
}

@Suite struct EveryProfileTests {
    @Test(arguments: AlertProfile.allCases)
    func equalFindingsGiveEqualBytesAndIDs(profile: AlertProfile) throws {
        for (one, other) in zip(try hardFindings(), try hardFindings()) {
            let encoded = encoder(profile).encode(one)
            #expect(encoded.value == encoder(profile).encode(other).value)
            #expect(encoded.id == encoder(.ecs).encode(one).id)
            #expect(!encoded.value.contains(UInt8(ascii: "\n")))
        }
    }
}
