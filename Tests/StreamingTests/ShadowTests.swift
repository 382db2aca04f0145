import Alerts
import Detection
import Foundation
import KafkaClient
import Streaming
import Synchronization
import TestSupport
import Testing

/// Alerts of shadow rules go to a topic of their own.
@Suite(.timeLimit(.minutes(3)))
struct ShadowTests {
    private static let topic = "alerts.shadow"
    private static let shadowRule =
        ruleFile(2, #"any where event.action == "shadow""#) + "\n[apus]\nstage = \"shadow\"\n"

    @Test func shadowAlertsGoToTheShadowTopic() async throws {
        let stage = try Stage()
        try stage.broker.createTopic(Self.topic, partitions: 1)
        let instance = try stage.instance(rules: [singleRule, Self.shadowRule]) { $0.shadowTopic = Self.topic }
        try stage.write([event("shadow"), event("alert"), event("quiet")])

        let shadow = try await stage.reader(of: Self.topic).waitForAll(1)[0]
        let apus = try #require(try shadow.json()["apus"] as? [String: Any])
        #expect(apus["rule_stage"] as? String == "shadow")
        let alert = try await stage.reader().waitForAll(1)[0]
        #expect(alert.headers["apus-rule-id"] == "00000000-0000-4000-8000-000000000001")
        try await eventually("commit") { try stage.committed(0) == 3 }
        let snapshot = await instance.pipeline.snapshot()
        #expect(snapshot.alerts == 1 && snapshot.lanes.map(\.detections.shadowed) == [1])
        await instance.stop()
    }

    @Test func itsTopicIsNeededOnlyWhenThereAreShadowRules() async throws {
        let stage = try Stage()
        let failure = #expect(throws: StartFailure.self) {
            _ = try stage.instance(rules: [Self.shadowRule]) { $0.shadowTopic = Self.topic }
        }
        #expect(failure?.reasons.count == 1)
        #expect(failure?.reasons.first?.contains("topic '\(Self.topic)' does not exist") == true)

        let instance = try stage.instance(rules: [singleRule]) { $0.shadowTopic = Self.topic }
        try await eventually("assignment") { instance.assignment.count == 1 }
        await instance.stop()
    }

    @Test func theProfileIsThatOfTheOptions() async throws {
        let stage = try Stage()
        let raised = Mutex<[[UInt8]]>([])
        let instance = try stage.instance {
            $0.profile = .ocsf
            $0.onAlert = { alert in raised.withLock { $0.append(alert) } }
        }
        try stage.write([event("alert")])
        let alert = try await stage.reader().waitForAll(1)[0]
        #expect(alert.headers["apus-schema-profile"] == "ocsf")
        #expect(try alert.json()["class_uid"] as? Int == 2004)
        // The dashboard knows one shape.
        let shown = try #require(raised.withLock { $0.first })
        let json = try #require(try JSONSerialization.jsonObject(with: Data(shown)) as? [String: Any])
        #expect(json["apus"] != nil && json["class_uid"] == nil)
        await instance.stop()
    }
}
