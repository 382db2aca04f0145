import Foundation
import TestSupport
import Testing

/// Backtests over an embedded broker's topics, and dead letters on their way there and back.
@Suite(.timeLimit(.minutes(4)), .enabled(if: kcatPath != nil, "kcat is not installed"))
struct BacktestTests {
    private let folder: Folder
    private let broker: Broker
    private let pair = ruleFile(
        3, #"sequence by host.id with maxspan=1m [any where event.action == "a"] [any where event.action == "b"]"#)

    init() async throws {
        folder = try Folder()
        broker = try await Broker()
    }

    private func backtest(_ arguments: String...) throws -> Command {
        try Command.apus(
            ["backtest", "--set", "kafka.brokers=\(broker.address)", "--topic", "events", "--quiet"] + arguments)
    }

    private func run(_ rules: String, _ settings: String...) throws -> Command {
        let all =
            [
                "kafka.brokers=\(broker.address)", "input.topics=events", "rules.paths=\(rules)",
                "kafka.properties.session.timeout.ms=6000", "runtime.checkpoint_interval=100ms",
                "time.idle_timeout=200ms", "log.level=debug",
            ] + settings
        // The embedded broker does not keep offsets that were sent in a transaction.
        return try Command.apus(["run"] + (all + ["delivery=at_least_once"]).flatMap { ["--set", $0] })
    }

    private func alertIDs(_ lines: [String]) throws -> [String] {
        try lines.map { line in
            let event = try #require(try object(line)["event"] as? [String: Any])
            return try #require(event["id"] as? String)
        }.sorted()
    }

    @Test func alertsHaveTheIDsOfProduction() async throws {
        let rules = try folder.write(goodRule, to: "good.toml") + "," + folder.write(pair, to: "pair.toml")
        try await broker.write(lines(event("alert"), event("a", second: 1), "no json", event("b", second: 2)))
        try await broker.write(
            lines(event("b", second: 9, host: "h2"), event("a", second: 8, host: "h2")), partition: 1)
        let production = try run(rules)
        let reader = try broker.kcat("-C", "-t", "apus.alerts", "-o", "beginning", "-c", "3", "-u", "-q")
        #expect(try await reader.status() == 0, "\(production.errors)")
        production.signal(SIGTERM)
        #expect(try await production.status() == 0)

        let alerts = folder.url.appending(path: "alerts.ndjson").path
        let backtest = try backtest(
            "--rules", folder.url.appending(path: "good.toml").path, folder.url.appending(path: "pair.toml").path,
            "--alerts", alerts, "--output", "json")
        #expect(try await backtest.status() == 0, "\(backtest.errors)")
        let written = try String(contentsOfFile: alerts, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(try alertIDs(written) == alertIDs(reader.lines))

        let report = try object(backtest.output)
        #expect(report["records"] as? Int == 6)
        #expect(report["rejected"] as? [String: Int] == ["not_json": 1])
        let found = try #require(report["rules"] as? [[String: Any]])
        #expect(found.map { $0["hits"] as? Int } == [2, 1])
        #expect(found.first?["name"] as? String == "Rule 3")
        #expect((report["days"] as? [[String: Any]])?.first?["day"] as? String == "2025-01-01")
        let hosts = try #require(report["hosts"] as? [[String: Any]])
        #expect(hosts.map { $0["host"] as? String } == ["h1", "h2"])
    }

    @Test func theStretchIsChosenByOffset() async throws {
        let rule = try folder.write(goodRule, to: "good.toml")
        try await broker.write(lines(event("alert"), event("alert", second: 1), event("alert", second: 2)))
        for (from, to, hits) in [
            ("0", "latest", 3), ("1", "2", 1), ("earliest", "1", 1), ("2", "2", 0), ("9", "99", 0),
        ] {
            let backtest = try backtest("--rules", rule, "--from", from, "--to", to, "--output", "json")
            #expect(try await backtest.status() == 0, "\(backtest.errors)")
            #expect(try object(backtest.output)["records"] as? Int == hits, "\(from) \(to)")
        }
    }

    @Test func twoVersionsAreCompared() async throws {
        let old = try folder.write(ruleFile(1, #"any where event.action in ("x", "y")"#), to: "old.toml")
        let new = try folder.write(ruleFile(1, #"any where event.action in ("y", "z")"#), to: "new.toml")
        try await broker.write(lines(event("x"), event("y", second: 1), event("z", second: 2), event("z", second: 3)))
        let json = try backtest("--rules", old, "--compare", new, "--output", "json")
        #expect(try await json.status() == 0, "\(json.errors)")
        let comparison = try #require(try object(json.output)["comparison"] as? [String: Any])
        let rule = try #require((comparison["rules"] as? [[String: Any]])?.first)
        #expect(rule["rule"] as? String == "changed")
        #expect(["hits", "comparedHits", "both"].map { rule[$0] as? Int } == [2, 3, 1])
        #expect((rule["gained"] as? [String])?.count == 2)
        #expect((rule["lost"] as? [String])?.first?.hasSuffix("h1 partition 0 offset 0") == true)

        let text = try backtest("--rules", old, "--compare", new)
        #expect(try await text.status() == 0)
        #expect(text.output.contains("4 records of 1 partitions"))
        #expect(text.output.contains("gained by Rule 1:"))
    }

    @Test func exceptionsAreTriedAndCompared() async throws {
        let rule = try folder.write(goodRule, to: "good.toml")
        let exceptions = try folder.write(
            """
            [[exception]]
            id = "quiet-host"
            global = true
            condition = 'host.id == "h2"'
            owner = "me"
            reason = "It is a test."
            expires = "never"
            enabled = false
            """, to: "exceptions.toml")
        try await broker.write(lines(event("alert"), event("alert", second: 1, host: "h2"), event("other", host: "h2")))

        let tried = try backtest(
            "--rules", rule, "--exceptions", exceptions, "--disabled-exceptions", "--output", "json")
        #expect(try await tried.status() == 0, "\(tried.errors)")
        let report = try object(tried.output)
        #expect((report["rules"] as? [[String: Any]])?.first?["hits"] as? Int == 1)
        let counted = try #require(report["exceptions"] as? [[String: Any]])
        #expect(counted.map { $0["id"] as? String } == ["quiet-host"])
        #expect(counted.map { $0["hits"] as? Int } == [1])

        let compared = try backtest("--rules", rule, "--compare-exceptions", exceptions, "--disabled-exceptions")
        #expect(try await compared.status() == 0, "\(compared.errors)")
        #expect(compared.output.contains("compared: left out by exception quiet-host: 1"))
        #expect(compared.output.contains("lost by Rule 1:"))
    }

    @Test func whatIsMissingIsNamed() async throws {
        let rule = try folder.write(goodRule, to: "good.toml")
        let topic = try Command.apus(
            "backtest", "--set", "kafka.brokers=\(broker.address)", "--topic", "evnets", "--rules", rule)
        #expect(try await topic.status() == 69)
        #expect(
            topic.errors == "error: topic 'evnets' does not exist on \(broker.address); "
                + "correct its name in the configuration or the arguments\n")
        let brokerless = try Command.apus(
            "backtest", "--set", "kafka.brokers=127.0.0.1:1", "--set", "kafka.connect_timeout=1s", "--topic", "events",
            "--rules", rule)
        #expect(try await brokerless.status() == 69)
        let position = try backtest("--rules", rule, "--from", "yesterday")
        #expect(try await position.status() == 64)
    }

    // MARK: coverage

    /// The newest records of each partition, which are few enough here to be all but the oldest.
    @Test func coverageReadsTheNewestRecordsOfATopic() async throws {
        let rule = try folder.write(goodRule, to: "good.toml")
        try await broker.write(lines(event("old"), event("a", second: 1), event("b", second: 2)))
        try await broker.write(lines("no json"), partition: 1)
        let coverage = try Command.apus(
            "coverage", rule, "--against", "events", "--brokers", broker.address, "--records", "4", "--output", "json")
        #expect(try await coverage.status() == 0, "\(coverage.errors)")
        #expect(coverage.errors.isEmpty)
        let report = try object(coverage.output)
        #expect(report["records"] as? Int == 3)
        #expect(report["unreadable"] as? Int == 1)
        #expect((report["fields"] as? [[String: Any]])?.first?["records"] as? Int == 2)
        let missing = try Command.apus("coverage", rule, "--against", "evnets", "--brokers", broker.address)
        #expect(try await missing.status() == 69)
        #expect(missing.errors.contains("topic 'evnets' does not exist"))
    }

    // MARK: dlq

    private func dlq(_ arguments: String...) throws -> Command {
        try Command.apus(
            ["dlq"] + arguments + [
                "--set", "kafka.brokers=\(broker.address)", "--set", "input.topics=events", "--set", "rules.paths=r",
            ])
    }

    /// Dead letters of two reasons; one of the records would have been good, had the limit been higher.
    @Test func deadLettersAreListedShownAndReplayed() async throws {
        let rule = try folder.write(goodRule, to: "good.toml")
        let large = event("alert", more: #","message":"\#(String(repeating: "x", count: 2000))""#)
        try await broker.write(lines("no json", large))
        let first = try run(rule, "input.max_record_bytes=1KiB")
        try await eventually("dead letters: \(first.errors)") { first.errors.contains("events[0]@2") }
        first.signal(SIGTERM)
        #expect(try await first.status() == 0)

        let list = try dlq("list")
        #expect(try await list.status() == 0, "\(list.errors)")
        #expect(list.lines.count == 2)
        #expect(list.lines.first?.contains("not_json  events[0]@0  7 bytes") == true)
        #expect(list.errors == "2 dead letters: 1 not_json, 1 too_large\n")
        let filtered = try dlq("list", "--reason", "too_large", "--partition", "0", "--output", "json")
        #expect(try await filtered.status() == 0)
        #expect(filtered.lines.count == 1)
        #expect(try object(filtered.output)["letter"] as? String == "0:1")

        let show = try dlq("show", "0:0")
        #expect(try await show.status() == 0)
        #expect(show.output == "no json")
        let absent = try dlq("show", "0:7")
        #expect(try await absent.status() == 1)

        let dry = try dlq("replay", "--all", "--dry-run")
        #expect(try await dry.status() == 0)
        #expect(dry.errors == "2 would be replayed\n")
        let unsaid = try dlq("replay")
        #expect(try await unsaid.status() == 64)
        let replay = try dlq("replay", "--all")
        #expect(try await replay.status() == 0, "\(replay.errors)")
        #expect(replay.output == "0:0  not_json  to events[0]\n0:1  too_large  to events[0]\n")

        // With the limit raised, the large one becomes the alert it should have been.
        let second = try run(rule)
        let alert = try broker.kcat("-C", "-t", "apus.alerts", "-o", "beginning", "-c", "1", "-u", "-q")
        #expect(try await alert.status() == 0, "\(second.errors)")
        try await eventually("the other dies again: \(second.errors)") { second.errors.contains("events[0]@4") }
        second.signal(SIGTERM)
        #expect(try await second.status() == 0)
        let again = try dlq("list", "--from", "2")
        #expect(try await again.status() == 0)
        #expect(again.output.hasSuffix("not_json  events[0]@2  7 bytes  replayed 1×\n"))
        let exhausted = try dlq("replay", "--from", "2", "--max-replays", "1")
        #expect(try await exhausted.status() == 0)
        #expect(exhausted.errors == "0 replayed, 1 left out after 1 replays\n")
    }
}
