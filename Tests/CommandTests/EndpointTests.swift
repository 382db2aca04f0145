import Foundation
import TestSupport
import Testing

/// The HTTP endpoints of `apus run`, from outside.
@Suite(.timeLimit(.minutes(4)))
struct EndpointTests {
    private func run(_ broker: Broker, _ rule: String, _ settings: String...) throws -> Command {
        let all =
            [
                "kafka.brokers=\(broker.address)", "input.topics=events", "rules.paths=\(rule)",
                "kafka.properties.session.timeout.ms=6000", "runtime.checkpoint_interval=100ms", "log.level=debug",
                "delivery=at_least_once", "http.listen=127.0.0.1:0",
            ] + settings
        return try Command.apus(["run"] + all.flatMap { ["--set", $0] })
    }

    private func address(of detector: Command) async throws -> String {
        try await eventually("address: \(detector.errors)") { detector.errors.contains("url=http") }
        let url = detector.errors.firstMatch(of: /url=(http:\/\/[0-9.:]+)/)
        return String(try #require(url).output.1)
    }

    private func get(_ url: String, _ arguments: String...) async throws -> String {
        let curl = try Command("/usr/bin/curl", ["-sS", "--max-time", "10"] + arguments + [url])
        _ = try await curl.status()
        return curl.output
    }

    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func anAlertIsSeenInTheStreamTheMetricsAndTheStatus() async throws {
        let folder = try Folder()
        let broker = try await Broker()
        let detector = try run(broker, try folder.write(goodRule, to: "good.toml"))
        let address = try await address(of: detector)
        try await eventually("ready: \(detector.errors)") { try await get(address + "/readyz") == "ready\n" }

        let writer = try broker.kcat(
            "-P", "-t", "events", "-p", "0", input: lines(event("alert"), event("quiet"), "no json"))
        #expect(try await writer.status() == 0)
        try await eventually("metrics") {
            try await get(address + "/metrics").contains("apus_records_consumed_total 3\n")
        }
        let metrics = try await get(address + "/metrics")
        #expect(metrics.contains("apus_records_decoded_total 2\n"))
        #expect(metrics.contains(#"apus_dead_letters_total{reason="not_json"} 1"#))
        #expect(metrics.contains(/apus_alerts_total\{rule_id="[^"]+",severity="[a-z]+"\} 1\n/))
        #expect(metrics.contains("apus_event_to_alert_seconds_count 1\n"))
        #expect(metrics.contains(#"apus_consumer_lag_records{topic="events",partition="0"} 0"#))
        #expect(metrics.contains(#"apus_rebalances_total{kind="assigned"} 1"#))
        try await eventually("commit") {
            try await get(address + "/metrics").contains(/apus_checkpoint_duration_seconds_count [1-9]/)
        }

        // The stream never ends by itself.
        let stream = try await get(address + "/stream", "--no-buffer", "--max-time", "3")
        #expect(stream.hasPrefix("event: hello\ndata: {"))
        let alert = try #require(stream.firstMatch(of: /event: past\ndata: (.*)\n/)).output.1
        #expect((try object(String(alert))["event"] as? [String: Any])?["kind"] as? String == "alert")

        let status = try object(try await get(address + "/status"))
        #expect(status["ready"] as? Bool == true)
        #expect((status["assignment"] as? [Any])?.count == 2)

        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        try await broker.stop()
    }

    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func recordsThatNoRuleCanMatchArePassedOver() async throws {
        let folder = try Folder()
        let broker = try await Broker()
        let topics = try folder.write("input: {topics: [{name: events, normalize: false}]}\n", to: "apus.yaml")
        let rule = try folder.write(goodRule, to: "good.toml")
        let settings = [
            "kafka.brokers=\(broker.address)", "rules.paths=\(rule)", "delivery=at_least_once",
            "http.listen=127.0.0.1:0",
            "input.prefilter=true",
        ]
        let detector = try Command.apus(["run", "--config", topics] + settings.flatMap { ["--set", $0] })
        let address = try await address(of: detector)
        try await broker.write(lines(event("alert"), event("quiet"), "no json", "an alert, but no json"))
        try await eventually("metrics: \(detector.errors)") {
            try await get(address + "/metrics").contains("apus_records_consumed_total 4\n")
        }
        let metrics = try await get(address + "/metrics")
        #expect(metrics.contains("apus_records_passed_over_total 2\n"))
        #expect(metrics.contains("apus_records_decoded_total 1\n"))
        #expect(metrics.contains(#"apus_dead_letters_total{reason="not_json"} 1"#))
        #expect(metrics.contains(/apus_alerts_total\{rule_id="[^"]+",severity="[a-z]+"\} 1\n/))
        #expect(!detector.errors.contains("input.prefilter has no effect"))
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        try await broker.stop()
    }

    @Test func aPrefilterThatHasNoEffectIsNamed() async throws {
        let folder = try Folder()
        let broker = try await Broker()
        let detector = try run(broker, try folder.write(goodRule, to: "good.toml"), "input.prefilter=true")
        let address = try await address(of: detector)
        try await eventually("ready: \(detector.errors)") { try await get(address + "/readyz") == "ready\n" }
        #expect(detector.errors.contains("input.prefilter has no effect: none of the topics has normalize: false"))
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        try await broker.stop()
    }

    @Test func anAddressThatWasAskedForMustBeFree() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let broker = try await Broker()
        let first = try run(broker, rule)
        let address = try await address(of: first)
        let second = try run(broker, rule, "http.listen=\(address.dropFirst("http://".count))")
        #expect(try await second.status() == 69)
        #expect(second.errors.contains("cannot start"))
        first.signal(SIGTERM)
        #expect(try await first.status() == 0, "\(first.errors)")
        try await broker.stop()
    }
}
