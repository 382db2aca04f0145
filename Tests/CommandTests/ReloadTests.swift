import Foundation
import TestSupport
import Testing

/// `apus run` takes up what changes on disk.
@Suite(.timeLimit(.minutes(4)))
struct ReloadTests {
    private static let sequence = ruleFile(
        3, #"sequence by host.id with maxspan=60s [any where event.action == "a"] [any where event.action == "b"]"#)

    private func run(_ broker: Broker, _ folder: Folder, _ settings: String...) throws -> Command {
        let all =
            [
                "kafka.brokers=\(broker.address)", "input.topics=events",
                "rules.paths=\(folder.url.appending(path: "rules").path)", "http.listen=127.0.0.1:0",
                "kafka.properties.session.timeout.ms=6000", "runtime.checkpoint_interval=100ms", "log.level=debug",
                "delivery=at_least_once",
            ] + settings
        return try Command.apus(["run"] + all.flatMap { ["--set", $0] })
    }

    private func folder() throws -> Folder {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "rules"), withIntermediateDirectories: true)
        return folder
    }

    private func alerts(_ broker: Broker, _ count: Int) async throws -> [String] {
        let reader = try broker.kcat("-C", "-t", "apus.alerts", "-o", "beginning", "-c", "\(count)", "-u", "-q")
        #expect(try await reader.status() == 0)
        return try reader.lines.map { line in
            let alert = try object(String(line))
            let rule = try #require(alert["rule"] as? [String: Any])
            return "\(try #require(rule["name"] as? String))"
        }
    }

    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func aFileThatChangesTakesEffectWithoutBeingAsked() async throws {
        let folder = try folder()
        _ = try folder.write(goodRule, to: "rules/good.toml")
        _ = try folder.write(Self.sequence, to: "rules/sequence.toml")
        let broker = try await Broker()
        let detector = try run(broker, folder)
        try await eventually("assigned: \(detector.errors)") { detector.errors.contains("assigned") }
        try await broker.write(lines(event("a", second: 1)))
        // The rule fires for both actions: it says when the sequence has begun.
        try await broker.write(lines(event("alert", second: 2)))
        #expect(try await alerts(broker, 1) == ["Rule 1"])

        _ = try folder.write(ruleFile(1, #"any where event.action == "other""#), to: "rules/good.toml")
        try await eventually("reload: \(detector.errors)") { detector.errors.contains("rules reloaded") }
        #expect(detector.errors.contains("trigger=files") && detector.errors.contains("unchanged=1"))
        try await broker.write(
            lines(event("alert", second: 3), event("other", second: 4), event("b", second: 5)))
        #expect(try await alerts(broker, 3).sorted() == ["Rule 1", "Rule 1", "Rule 3"])
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        #expect(!detector.errors.contains(" error "), "a stop in good order is none")
        try await broker.stop()
    }

    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func withOneErrorTheOldSetStaysAndSaysWhy() async throws {
        let folder = try folder()
        _ = try folder.write(goodRule, to: "rules/good.toml")
        let broker = try await Broker()
        let detector = try run(broker, folder, "rules.watch_interval=0s")
        try await eventually("assigned: \(detector.errors)") { detector.errors.contains("assigned") }
        let address = String(try #require(detector.errors.firstMatch(of: /url=(http:\/\/[0-9.:]+)/)).output.1)
        func curl(_ arguments: String...) async throws -> String {
            let curl = try Command("/usr/bin/curl", ["-sS", "--max-time", "20"] + arguments)
            #expect(try await curl.status() == 0)
            return curl.output
        }

        _ = try folder.write(brokenRule, to: "rules/broken.toml")
        _ = try folder.write(ruleFile(1, #"any where event.action == "other""#), to: "rules/good.toml")
        let refused = try object(try await curl("-X", "POST", address + "/reload"))
        #expect(refused["hasTakenEffect"] as? Bool == false)
        #expect((refused["errors"] as? [String])?.count == 1)
        #expect((refused["errors"] as? [String])?.first?.contains("broken.toml:9") == true)
        #expect(detector.errors.contains("rules not reloaded, those before stay"))
        try await broker.write(lines(event("other", second: 1), event("alert", second: 2)))
        #expect(try await alerts(broker, 1) == ["Rule 1"])
        let metrics = try await curl(address + "/metrics")
        #expect(metrics.contains("apus_reload_failures_total 1\n"))
        #expect(metrics.contains("apus_last_reload_successful 0\n"))

        try FileManager.default.removeItem(at: folder.url.appending(path: "rules/broken.toml"))
        detector.signal(SIGHUP)
        try await eventually("reload: \(detector.errors)") { detector.errors.contains("rules reloaded") }
        #expect(detector.errors.contains("trigger=signal"))
        try await broker.write(lines(event("alert", second: 3), event("other", second: 4)))
        let all = try await alerts(broker, 2)
        #expect(all == ["Rule 1", "Rule 1"])
        #expect(try await curl(address + "/metrics").contains("apus_last_reload_successful 1\n"))
        let rules = try #require(
            try object(try await curl(address + "/status"))["rules"] as? [String: Any])
        #expect((rules["rules"] as? [Any])?.count == 1)
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        try await broker.stop()
    }

    @Test(.enabled(if: kcatPath != nil, "kcat is not installed"))
    func exceptionsAndTheirListsAreLoadedToo() async throws {
        let folder = try folder()
        _ = try folder.write(goodRule, to: "rules/good.toml")
        let exceptions = """
            [[list]]
            name = "quiet"
            kind = "names"
            path = "quiet.txt"

            [[exception]]
            id = "quiet-hosts"
            global = true
            condition = 'inList(host.id, "quiet")'
            owner = "me"
            reason = "It is a test."
            expires = "never"
            """
        _ = try folder.write(exceptions, to: "exceptions.toml")
        _ = try folder.write("h1\n", to: "quiet.txt")
        let broker = try await Broker()
        let detector = try run(
            broker, folder, "exceptions.paths=\(folder.url.appending(path: "exceptions.toml").path)")
        func reloads(_ count: Int, _ text: String) async throws {
            try await eventually("\(count) × \(text): \(detector.errors)") {
                detector.errors.components(separatedBy: text).count == count + 1
            }
        }
        func hosts(_ count: Int) async throws -> [String] {
            let reader = try broker.kcat("-C", "-t", "apus.alerts", "-o", "beginning", "-c", "\(count)", "-u", "-q")
            #expect(try await reader.status() == 0)
            return try reader.lines.map { line in
                let host = try #require(try object(String(line))["host"] as? [String: Any])
                return "\(host["id"] ?? "")"
            }
        }
        try await eventually("assigned: \(detector.errors)") { detector.errors.contains("assigned") }
        try await broker.write(lines(event("alert", second: 1), event("alert", second: 1, host: "h2")))
        #expect(try await hosts(1) == ["h2"])

        _ = try folder.write("h2\n", to: "quiet.txt")
        try await reloads(1, "rules reloaded")
        try await broker.write(lines(event("alert", second: 2), event("alert", second: 2, host: "h2")))
        #expect(try await hosts(2) == ["h2", "h1"])

        _ = try folder.write(exceptions.replacing("inList(", with: "inLists("), to: "exceptions.toml")
        try await reloads(1, "rules not reloaded")
        _ = try folder.write(exceptions.replacing("inList(", with: "not inList("), to: "exceptions.toml")
        try await reloads(2, "rules reloaded")
        try await broker.write(lines(event("alert", second: 3), event("alert", second: 3, host: "h2")))
        #expect(try await hosts(3) == ["h2", "h1", "h2"])
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
        try await broker.stop()
    }
}
