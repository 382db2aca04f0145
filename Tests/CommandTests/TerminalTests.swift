import Foundation
import TestSupport
import Testing

/// What `apus tail` and `apus top` show.
@Suite("The terminal", .timeLimit(.minutes(4)), .enabled(if: kcatPath != nil, "kcat is not installed"))
struct TerminalTests {
    /// One alert in each profile; the first tries to give orders to the terminal.
    private static let alerts = [
        #"{"@timestamp":"2025-01-01T00:00:01Z","event":{"id":"aaa","severity":73,"reason":"seen \u001b[2J\u202e"},"#
            + #""rule":{"id":"r1","name":"Rule 1"},"host":{"name":"ws-1"},"user":{"name":"eve"}}"#,
        #"{"@timestamp":"2025-01-01T00:00:02Z","kibana.alert.uuid":"bbb","kibana.alert.severity":"low","#
            + #""kibana.alert.rule.name":"Rule 2","host":{"name":"ws-2"}}"#,
        #"{"time":1735689603000,"severity":"Critical","finding_info":{"uid":"ccc","title":"Rule 3"},"#
            + #""device":{"hostname":"ws-3"}}"#,
    ]

    private func tail(_ broker: Broker, _ arguments: String...) async throws -> [String] {
        let command = try Command.apus(["tail", "--brokers", broker.address] + arguments)
        #expect(try await command.status() == 0, "\(command.errors)")
        return command.lines.map { String($0) }
    }

    @Test func alertsOfEveryProfileAreReadableAndHarmless() async throws {
        let broker = try await Broker()
        try await broker.write(lines(Self.alerts[0], Self.alerts[1], Self.alerts[2]), topic: "apus.alerts")
        #expect(
            try await tail(broker, "--no-follow") == [
                #"2025-01-01T00:00:01Z  high      Rule 1  ws-1 eve  seen \u{1b}[2J\u{202e}  aaa"#,
                "2025-01-01T00:00:02Z  low       Rule 2  ws-2  bbb",
                "2025-01-01T00:00:03.000Z  critical  Rule 3  ws-3  ccc",
            ])
        try await broker.stop()
    }

    @Test func filtersHoldTogether() async throws {
        let broker = try await Broker()
        try await broker.write(lines(Self.alerts[0], Self.alerts[1], Self.alerts[2]), topic: "apus.alerts")
        #expect(try await tail(broker, "--no-follow", "--severity", "high").count == 2)
        #expect(try await tail(broker, "--no-follow", "--severity", "high", "--host", "WS-3").count == 1)
        #expect(try await tail(broker, "--no-follow", "--rule", "rule 1", "--rule", "rule 2").count == 2)
        #expect(
            try await tail(broker, "--no-follow", "--query", #"any where user.name : "e*""#, "--output", "json")
                == [Self.alerts[0]])
        #expect(try await tail(broker, "--from", "earliest", "--limit", "2").count == 2)
        let wrong = try Command.apus("tail", "--brokers", broker.address, "--query", "any where")
        #expect(try await wrong.status() == 65)
        try await broker.stop()
    }

    @Test func topShowsEveryInstance() async throws {
        let folder = try Folder()
        _ = try folder.write(goodRule, to: "good.toml")
        let broker = try await Broker()
        let detector = try Command.apus(
            ["run"]
                + [
                    "kafka.brokers=\(broker.address)", "input.topics=events", "rules.paths=\(folder.url.path)",
                    "http.listen=127.0.0.1:0", "http.token=secret", "kafka.properties.session.timeout.ms=6000",
                    "delivery=at_least_once",
                ].flatMap { ["--set", $0] })
        try await eventually("assigned: \(detector.errors)") { detector.errors.contains("assigned") }
        let url = String(try #require(detector.errors.firstMatch(of: /url=(http:\/\/[0-9.:]+)/)).output.1)
        try await broker.write(lines(event("alert", second: 1)))

        func top(_ arguments: String..., token: String = "secret") throws -> Command {
            try Command.apus(
                ["top", "--once", "--interval", "0.1", "--url", url] + arguments,
                environment: ["APUS_HTTP_TOKEN": token])
        }
        var reading: [String: Any] = [:]
        try await eventually("a match: \(reading)") {
            let command = try top("--output", "json")
            let status = try await command.status()
            reading = try object(command.output)
            return status == 0 && (reading["rules"] as? [[String: Any]])?.first?["matches"] as? Int == 1
        }
        #expect((reading["rules"] as? [[String: Any]])?.first?["name"] as? String == "Rule 1")
        let instance = try #require((reading["instances"] as? [[String: Any]])?.first)
        #expect(instance["partitions"] as? Int == 2)

        // One that is not there takes nothing from the others.
        let both = try top("--url", "http://127.0.0.1:1")
        #expect(try await both.status() == 1)
        #expect(both.output.hasPrefix("apus  1 of 2 instances ready"))
        #expect(both.output.contains("http://127.0.0.1:1: 127.0.0.1:1 does not answer"))
        #expect(both.output.contains("Rule 1") && !both.output.contains("\u{1B}"))
        let stranger = try top(token: "wrong")
        #expect(try await stranger.status() == 1)
        #expect(stranger.output.contains("status 401: set APUS_HTTP_TOKEN"))

        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        try await broker.stop()
    }
}
