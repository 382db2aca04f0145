import Foundation
import TestSupport
import Testing

/// What `apus run` says on standard error.
@Suite(.timeLimit(.minutes(4)), .enabled(if: kcatPath != nil, "kcat is not installed"))
struct LogTests {
    private func run(_ broker: Broker, _ rules: URL, _ settings: String...) throws -> Command {
        let all =
            [
                "kafka.brokers=\(broker.address)", "input.topics=events", "rules.paths=\(rules.path)",
                "kafka.properties.session.timeout.ms=6000", "runtime.checkpoint_interval=100ms", "http.listen=",
                "delivery=at_least_once",
            ] + settings
        return try Command.apus(["run"] + all.flatMap { ["--set", $0] })
    }

    @Test func jsonLinesAreWhatCollectorsTake() async throws {
        let folder = try Folder()
        _ = try folder.write(goodRule, to: "good.toml")
        let broker = try await Broker()
        let detector = try run(broker, folder.url, "log.format=json")
        try await eventually("assigned: \(detector.errors)") { detector.errors.contains("assigned") }
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0)
        let lines = try detector.errors.split(separator: "\n").map { try object(String($0)) }
        let loaded = try #require(lines.first { $0["message"] as? String == "rules loaded" })
        #expect(loaded["log.level"] as? String == "info")
        #expect(loaded["log.logger"] as? String == "apus.rules")
        #expect(loaded["rules"] as? String == "1")
        #expect("\(loaded["@timestamp"] ?? "")".contains(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
        try await broker.stop()
    }

    @Test func modulesHaveLevelsOfTheirOwnAndRepeatsACount() async throws {
        let folder = try Folder()
        for number in 1...3 {
            _ = try folder.write(
                ruleFile(
                    number,
                    #"sequence by host.id with maxspan=1m [any where event.action == "alert"] [any where event.action == "b"]"#
                ), to: "\(number).toml")
        }
        _ = try folder.write(ruleFile(4, #"any where event.action == "alert""#), to: "4.toml")
        let broker = try await Broker()
        let detector = try run(broker, folder.url, "log.levels.rules=warning", "log.levels.kafka=error")
        try await eventually("assigned: \(detector.errors)") { detector.errors.contains("assigned") }
        // One alert, and more dead letters than are said.
        let bad = (0..<20).map { "secret-\($0)\n" }.joined()
        try await broker.write(Data(bad.utf8) + lines(event("alert", more: #","user":{"name":"secret-user"}"#)))
        let alerts = try broker.kcat("-C", "-t", "apus.alerts", "-o", "beginning", "-c", "1", "-q")
        #expect(try await alerts.status() == 0)
        #expect(alerts.output.contains("secret-user"))
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0)

        let log = detector.errors
        #expect(!log.contains("rules loaded"))
        #expect(log.components(separatedBy: "3 rules come together through topic 'apus.correlate'").count == 2)
        let letters = log.split(separator: "\n").filter { $0.contains("dead letter") }
        #expect(letters.count == 6, "\(log)")
        #expect(letters.last?.contains("(repeated 15 times)") == true)
        #expect(!log.contains("secret"), "nothing of an event")
        try await broker.stop()
    }
}
