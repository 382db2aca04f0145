import Foundation
import TestSupport
import Testing

/// `apus broker` and `apus run` as processes, with kcat for the rest of the world.
@Suite(.timeLimit(.minutes(4)))
struct RunTests {
    private func run(_ broker: Broker, rules: String, _ settings: String...) throws -> Command {
        let all =
            [
                "kafka.brokers=\(broker.address)", "input.topics=events", "rules.paths=\(rules)",
                "kafka.properties.session.timeout.ms=6000", "runtime.checkpoint_interval=100ms", "log.level=debug",
                "delivery=at_least_once",
            ] + settings
        return try Command.apus(["run"] + all.flatMap { ["--set", $0] })
    }

    /// The whole way, as somebody who tries Apus would go it.
    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func anEventOfTheSeedRuleBecomesAnAlert() async throws {
        let folder = try Folder()
        let health = folder.url.appending(path: "health.json").path
        let broker = try await Broker()
        let detector = try run(broker, rules: "config/rules", "health.file=\(health)")
        try await eventually("assignment: \(detector.errors)") { detector.errors.contains("assigned") }
        let event = """
            {"@timestamp":"2025-01-01T00:00:00Z","event":{"category":["process"],"type":["start"]},\
            "host":{"id":"h-1","name":"ws-042"},"process":{"name":"powershell.exe",\
            "command_line":"powershell.exe -Command Invoke-SelfSearch -Mailbox alice@example.com"}}
            """
        try await broker.write(lines(event))
        let reader = try broker.kcat(
            "-C", "-t", "apus.alerts", "-o", "beginning", "-c", "1", "-u", "-q", "-f", "%k %s\n")
        #expect(try await reader.status() == 0)
        let line = try #require(reader.lines.first)
        #expect(line.hasPrefix("h-1 {"))
        let alert = try object(String(line.dropFirst(4)))
        let rule = try #require(alert["rule"] as? [String: Any])
        #expect(rule["id"] as? String == "5f0c8a36-9d1e-4b77-8e43-2a6d1f9b7c10")

        try await eventually("heartbeat") {
            let ready = try Command.apus("health", "--file", health, "--output", "json")
            return try await ready.status() == 0 && ready.output.contains(#""alerts":1"#)
        }
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        let gone = try Command.apus("health", "--file", health)
        #expect(try await gone.status() == 1)
        try await broker.stop()
    }

    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func whatWasCommittedIsNotReadAgain() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let broker = try await Broker()
        try await broker.write(lines(event("alert"), event("quiet"), "no json"))
        let first = try run(broker, rules: rule)
        try await eventually("dead letter") { first.errors.contains("not_json") }
        first.signal(SIGTERM)
        #expect(try await first.status() == 0, "\(first.errors)")
        #expect(first.errors.contains("committed"))
        #expect(first.errors.contains("events[0]@3"))

        try await broker.write(lines("no json either"))
        let second = try run(broker, rules: rule)
        try await eventually("second dead letter") { second.errors.contains("not_json") }
        second.signal(SIGINT)
        #expect(try await second.status() == 0)
        #expect(second.errors.contains("offset=3"))
        #expect(!second.errors.contains("offset=2 "))
        try await broker.stop()
    }

    @Test func aWrongTopicIsNamedWithTheCommandThatCreatesIt() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let broker = try await Broker()
        let detector = try run(broker, rules: rule, "input.topics=evnets")
        #expect(try await detector.status() == 69)
        #expect(detector.errors.contains("topic 'evnets' does not exist"))
        #expect(
            detector.errors.contains("kafka-topics.sh --bootstrap-server \(broker.address) --create --topic evnets"))
        try await broker.stop()
    }

    @Test func aBrokenRuleIsReportedAndTheOthersRun() async throws {
        let folder = try Folder()
        _ = try folder.write(goodRule, to: "good.toml")
        let broken = try folder.write(brokenRule, to: "broken.toml")
        let broker = try await Broker()
        let strict = try run(broker, rules: folder.url.path, "rules.strict=true")
        #expect(try await strict.status() == 65)
        #expect(strict.errors.contains("\(broken):9:24: error: "))

        let detector = try run(broker, rules: folder.url.path)
        try await eventually("assignment") { detector.errors.contains("assigned") }
        #expect(detector.errors.contains("\(broken):9:24: error: "))
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0)
        try await broker.stop()
    }

    /// The first signal waits for a broker that never comes back; the second does not.
    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func aSecondSignalExitsAtOnce() async throws {
        let folder = try Folder()
        let rule = try folder.write(goodRule, to: "good.toml")
        let broker = try await Broker()
        let detector = try run(broker, rules: rule, "runtime.shutdown_timeout=1h")
        try await eventually("assignment") { detector.errors.contains("assigned") }
        try await broker.write(lines(event("quiet")))
        try await eventually("commit") { detector.errors.contains("events[0]@1") }
        try await broker.stop()
        detector.signal(SIGTERM)
        try await eventually("first signal") { detector.errors.contains("stopping") }
        // The handler of the second is in place a moment after that line.
        try await eventually("end") {
            detector.signal(SIGTERM)
            return !detector.isRunning
        }
        #expect(try await detector.status() == 75, "\(detector.errors)")
        #expect(detector.errors.contains("second signal: exiting at once"))
    }

    // MARK: demo

    @Test func theDemoEndsAsExpected() async throws {
        let demo = try Command.apus("demo", "--seconds", "3", "--rate", "500")
        #expect(try await demo.status() == 0, "\(demo.output)\(demo.errors)")
        #expect(demo.lines.last == "as expected")
        #expect(demo.errors.isEmpty)
    }

    @Test func theDemoCanBeInterrupted() async throws {
        let demo = try Command.apus("demo", "--seconds", "60", "--rate", "200")
        try await eventually("beginning") { demo.output.contains("\n") }
        demo.signal(SIGINT)
        #expect(try await demo.status() == -SIGINT)
    }

    /// As `apus demo | head -1` does.
    @Test func theDemoEndsWhenNobodyReads() async throws {
        let binary = try Command.binary()
        let shell = try Command(
            "/bin/bash", ["-c", "'\(binary)' demo --seconds 3 --rate 500 | head -1; exit ${PIPESTATUS[0]}"])
        // Ended by SIGPIPE, as other filters are.
        #expect(try await shell.status() == 128 + SIGPIPE)
        #expect(shell.lines.count == 1)
        #expect(shell.errors.isEmpty)
    }
}
