import Foundation
import KafkaClient
import TestSupport
import Testing

/// Rules that a fleet takes from a topic.
@Suite(.timeLimit(.minutes(4)), .enabled(if: kcatPath != nil, "kcat is not installed"))
struct RuleTopicTests {
    private static let id = "00000000-0000-4000-8000-00000000000"

    /// A broker, and a folder with rules.
    private struct Fleet {
        let broker: Broker
        let folder: Folder

        init() async throws {
            broker = try await Broker(topics: "events:2,apus.alerts:1,apus.dead-letters:1,apus.rules:1")
            folder = try Folder()
        }

        private var settings: [String] {
            [
                "kafka.brokers=\(broker.address)", "input.topics=events", "rules.topic=apus.rules",
                "http.listen=127.0.0.1:0", "kafka.properties.session.timeout.ms=6000",
                "runtime.checkpoint_interval=100ms", "delivery=at_least_once",
            ].flatMap { ["--set", $0] }
        }

        func run() throws -> Command { try Command.apus(["run"] + settings) }

        func rules(_ arguments: String..., expecting status: Int32 = 0) async throws -> Command {
            let command = try Command.apus(["rules"] + arguments + settings)
            #expect(try await command.status() == status, "\(command.errors)")
            return command
        }

        func write(_ rules: [Int: String]) throws {
            for (number, query) in rules {
                _ = try folder.write(ruleFile(number, query), to: "rule\(number).toml")
            }
        }

        func alerts(_ count: Int) async throws -> [String] {
            let reader = try broker.kcat("-C", "-t", "apus.alerts", "-o", "beginning", "-c", "\(count)", "-u", "-q")
            #expect(try await reader.status() == 0)
            return try reader.lines.map { line in
                let rule = try #require(try object(String(line))["rule"] as? [String: Any])
                return "\(rule["name"] ?? "")"
            }
        }
    }

    @Test func whatIsPublishedIsTheDifference() async throws {
        let fleet = try await Fleet()
        try fleet.write([1: #"any where event.action == "a""#, 2: #"any where event.action == "b""#])
        let path = fleet.folder.url.path
        let planned = try object(try await fleet.rules("publish", path, "--dry-run", "--output", "json").output)
        #expect((planned["added"] as? [Any])?.count == 2)
        _ = try await fleet.rules("list")
        _ = try await fleet.rules("publish", path)
        #expect(
            try await fleet.rules("publish", path).output == "apus.rules: 0 added, 0 changed, 0 removed, 2 unchanged\n")

        try fleet.write([2: #"any where event.action == "c""#, 3: #"any where event.action == "d""#])
        try FileManager.default.removeItem(at: fleet.folder.url.appending(path: "rule1.toml"))
        let published = try await fleet.rules("publish", path, "--prune")
        #expect(
            published.output == """
                + \(Self.id)3  Rule 3
                ~ \(Self.id)2  Rule 2
                - \(Self.id)1
                apus.rules: 1 added, 1 changed, 1 removed, 0 unchanged

                """)
        let list = try await fleet.rules("list", "--output", "json").lines.map { try object(String($0)) }
        #expect(list.map { $0["name"] as? String } == ["Rule 2", "Rule 3"])

        // One rule that is not valid keeps all of them from being written.
        _ = try fleet.folder.write(brokenRule, to: "broken.toml")
        try fleet.write([3: #"any where event.action == "e""#])
        let refused = try await fleet.rules("publish", path, expecting: 65)
        #expect(refused.errors.contains("broken.toml:9"))
        #expect(
            try await fleet.rules("list", "--output", "json").lines.map { try object(String($0)) as NSDictionary }
                == list.map { $0 as NSDictionary })
        _ = try await fleet.rules("remove", "\(Self.id)9", expecting: 1)
        try await fleet.broker.stop()
    }

    @Test func aFleetChangesTogether() async throws {
        let fleet = try await Fleet()
        let path = fleet.folder.url.path
        try fleet.write([1: #"any where event.action == "alert""#])
        _ = try await fleet.rules("publish", path)
        let instances = [try fleet.run(), try fleet.run()]
        for instance in instances {
            // Each its partition: what moves later may be evaluated again, by other rules.
            try await eventually("assigned: \(instance.errors)") {
                instance.errors.contains(/partitions=\[events[^\n]*assigned/)
            }
        }
        func write(_ action: String, second: Int) async throws {
            for partition in 0..<2 {
                try await fleet.broker.write(lines(event(action, second: second)), partition: partition)
            }
        }
        func reloads(_ count: Int, _ text: String) async throws {
            for instance in instances {
                try await eventually("\(count) × \(text): \(instance.errors)") {
                    instance.errors.split(separator: text, omittingEmptySubsequences: false).count == count + 1
                }
            }
        }
        try await write("alert", second: 1)
        #expect(try await fleet.alerts(2) == ["Rule 1", "Rule 1"])

        try fleet.write([1: #"any where event.action == "other""#, 2: #"any where event.action == "alert""#])
        _ = try await fleet.rules("publish", path)
        try await reloads(1, "rules reloaded")
        #expect(instances.allSatisfy { $0.errors.contains("trigger=topic") })
        try await write("alert", second: 2)
        let after4 = try await fleet.alerts(4)
        #expect(after4.suffix(2) == ["Rule 2", "Rule 2"], "\(after4)")

        // Somebody writes past `apus rules publish`.
        let bad = try fleet.broker.kcat(
            "-P", "-t", "apus.rules", "-k", "\(Self.id)2", input: Data("rule = 3\n".utf8))
        #expect(try await bad.status() == 0)
        try await reloads(1, "rules not reloaded, those before stay")
        #expect(instances[0].errors.contains("apus.rules[0]@3/\(Self.id)2:1:"), "\(instances[0].errors)")
        try await write("alert", second: 3)
        let after6 = try await fleet.alerts(6)
        #expect(after6.suffix(2) == ["Rule 2", "Rule 2"], "\(after6)")
        let list = try await fleet.rules("list", expecting: 1)
        #expect(list.output.contains("bad  \(Self.id)2"))

        // A tombstone mends it; what it removes raises no alert any more.
        _ = try await fleet.rules("remove", "\(Self.id)2")
        try await reloads(2, "rules reloaded")
        try await write("alert", second: 4)
        try await write("other", second: 5)
        let after8 = try await fleet.alerts(8)
        #expect(after8.suffix(2) == ["Rule 1", "Rule 1"], "\(after8)")
        for instance in instances {
            instance.signal(SIGTERM)
            #expect(try await instance.status() == 0, "\(instance.errors)")
        }
        try await fleet.broker.stop()
    }

    /// On a broker with transactions: the topic is made, what is published comes as a whole, and is taken up.
    @Test(.enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
    func theTopicIsMadeAndWrittenInOneTransaction() async throws {
        let broker = try await BrokerProcess([
            "--topic", "events:1", "--topic", "apus.alerts:1", "--topic", "apus.dead-letters:1",
        ])
        defer { broker.process.signal(SIGKILL) }
        let settings = [
            "kafka.brokers=\(broker.address)", "input.topics=events", "rules.topic=apus.rules", "http.listen=",
            "kafka.create_topics=true",
        ].flatMap { ["--set", $0] }
        let folder = try Folder()
        for number in 1...5 {
            _ = try folder.write(ruleFile(number, #"any where event.action == "alert""#), to: "\(number).toml")
        }
        let missing = try Command.apus(["rules", "list"] + settings)
        #expect(try await missing.status() == 69)
        #expect(missing.errors.contains("topic 'apus.rules' does not exist"))
        for unchanged in [0, 5] {
            let publish = try Command.apus(["rules", "publish", folder.url.path] + settings)
            #expect(try await publish.status() == 0, "\(publish.errors)")
            #expect(
                publish.output.hasSuffix(
                    "apus.rules: \(5 - unchanged) added, 0 changed, 0 removed, \(unchanged) unchanged\n"))
        }
        let detector = try Command.apus(["run"] + settings)
        try await eventually("assigned: \(detector.errors)") {
            detector.errors.contains(/partitions=\[events[^\n]*assigned/)
        }
        #expect(detector.errors.contains("rules=5"))
        let remove = try Command.apus(["rules", "remove", "\(Self.id)4"] + settings)
        #expect(try await remove.status() == 0, "\(remove.errors)")
        try await eventually("reload: \(detector.errors)") { detector.errors.contains("rules reloaded") }
        #expect(detector.errors.contains(/rules=4 trigger=topic unchanged=4/), "\(detector.errors)")
        detector.signal(SIGTERM)
        #expect(try await detector.status() == 0, "\(detector.errors)")
    }

    /// A topic that forgets would take rules away without a word.
    @Test(.enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
    func aTopicThatIsNotCompactedIsRefused() async throws {
        let broker = try await BrokerProcess(["--topic", "events:1", "--topic", "apus.rules:1"])
        defer { broker.process.signal(SIGKILL) }
        let settings = ["kafka.brokers=\(broker.address)", "input.topics=events", "rules.topic=apus.rules"]
            .flatMap { ["--set", $0] }
        let folder = try Folder()
        let rule = try folder.write(ruleFile(1, "any where true"), to: "1.toml")
        for command in [["run"], ["rules", "publish", rule]] {
            let process = try Command.apus(command + settings)
            #expect(try await process.status() == 69)
            #expect(process.errors.contains("topic 'apus.rules' of rules.topic has cleanup.policy=delete"))
            #expect(process.errors.contains("--entity-name apus.rules --add-config cleanup.policy=compact"))
        }
    }

    /// Where a rule moves to another partition with its next version, the newest one counts, also for who comes later.
    @Test(.enabled(if: BrokerProcess.python != nil, "python3 is not installed"))
    func partitionsThatAreAddedAreRead() async throws {
        let broker = try await BrokerProcess([
            "--topic", "events:1", "--topic", "apus.alerts:1", "--topic", "apus.dead-letters:1",
        ])
        defer { broker.process.signal(SIGKILL) }
        let settings = [
            "kafka.brokers=\(broker.address)", "input.topics=events", "rules.topic=apus.rules", "http.listen=",
            "kafka.create_topics=true", "kafka.properties.topic.metadata.refresh.interval.ms=200",
        ].flatMap { ["--set", $0] }
        let folder = try Folder()
        func publish(_ action: String) async throws -> String {
            for number in 1...8 {
                _ = try folder.write(
                    ruleFile(number, #"any where event.action == "\#(action)""#), to: "\(number).toml")
            }
            let command = try Command.apus(["rules", "publish", folder.url.path] + settings)
            #expect(try await command.status() == 0, "\(command.errors)")
            return command.output
        }
        _ = try await publish("before")
        let detector = try Command.apus(["run"] + settings)
        try await eventually("assigned: \(detector.errors)") {
            detector.errors.contains(/partitions=\[events[^\n]*assigned/)
        }
        try Admin(["bootstrap.servers": broker.address]).grow("apus.rules", to: 3, timeout: .seconds(20))
        try await eventually("growth: \(detector.errors)") {
            detector.errors.contains("'apus.rules' has grown from 1 to 3 partitions")
        }
        _ = try await publish("after")
        let list = try Command.apus(["rules", "list", "--output", "json"] + settings)
        #expect(try await list.status() == 0, "\(list.errors)")
        #expect(list.lines.count == 8)
        #expect(try Set(list.lines.map { try object($0)["partition"] as? Int }).count > 1, "\(list.output)")
        #expect(try await publish("after").contains("8 unchanged"))
        let later = try Command.apus(["run"] + settings)
        try await eventually("rules: \(later.errors)") { later.errors.contains("rules loaded") }
        let hash = try #require(later.errors.firstMatch(of: /hash=([0-9a-f]+)/)).output.1
        try await eventually("the same rules: \(detector.errors)") {
            detector.errors.split(separator: "\n").last { $0.contains("rules reloaded") }?.contains("hash=\(hash)")
                == true
        }
        for instance in [detector, later] {
            instance.signal(SIGTERM)
            #expect(try await instance.status() == 0, "\(instance.errors)")
        }
    }
}
