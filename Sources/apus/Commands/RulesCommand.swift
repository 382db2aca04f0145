import ArgumentParser
import Detection
import Foundation
import KafkaClient
import Rules
import Settings
import Streaming

struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Publishes rules to the topic that a fleet takes them from, and shows what is there.",
        discussion: """
            The topic is rules.topic of the configuration of apus run. Each rule is one record: the key is the rule's id, \
            the value the text of its file. Every instance follows the topic and loads the rules anew when it changes: \
            the whole set, or with one error none of it.

            Examples:
              apus rules publish --config config/apus.yaml config/rules --dry-run
              apus rules publish --config config/apus.yaml config/rules --prune
              apus rules list --config config/apus.yaml
              apus rules remove --config config/apus.yaml 2c7a1e0e-6c4c-4d2e-9c3a-6f8e1d0b9a11
            """,
        subcommands: [RulesPublish.self, RulesList.self, RulesRemove.self])
}

/// The topic of rules of a configuration, for commands.
struct RuleTopicClient {
    let topic: String
    let options: PipelineOptions

    /// - Throws: the exit status for a configuration that names no topic.
    init(_ settings: Settings) throws {
        guard let topic = settings.rules.topic else {
            Console.note("error: rules.topic is not set; name the topic, such as --set rules.topic=apus.rules")
            throw ExitStatus.configuration.code
        }
        self.topic = topic
        options = PipelineOptions(settings, fields: EventFields())
    }

    func read() throws -> RuleTopicContents {
        let ranges = try TopicRanges(
            [topic], from: .earliest, to: .latest, properties: options.consumer, timeout: options.connectTimeout)
        let reader = try RangeReader(
            options.consumer, group: "apus.rules", ranges: ranges.ranges, patience: options.connectTimeout)
        defer { reader.close() }
        var contents = RuleTopicContents(topic: topic)
        try reader.readAll {
            contents.apply($0)
            return true
        }
        return contents
    }

    /// All in one transaction where the brokers have them, so that no instance ever sees half of it.
    ///
    /// - Parameter changes: by rule id; nil removes.
    func write(_ changes: [(id: String, content: [UInt8]?)]) throws {
        let transaction = options.delivery == .exactlyOnce ? "\(options.application).rules.\(UUID())" : nil
        let writer = try TopicWriter(options.producer, transaction: transaction, timeout: options.connectTimeout)
        for change in changes { try writer.write(change.content, key: Array(change.id.utf8), to: topic) }
        try writer.finish(timeout: options.connectTimeout)
    }
}

struct RulesPublish: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Writes rules to the topic: those that are new or have changed.",
        discussion: """
            The rules are checked first, as apus check does; with one error nothing is written. What the topic holds \
            already is not written again, so that publishing twice changes nothing. All changes are written in one \
            transaction, unless delivery is at_least_once.

            With --dry-run this is the difference between the files and the topic.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: "Rule files and folders of rule files.")
    var paths: [String]

    @Flag(help: "Also remove the topic's rules that are not among the files.")
    var prune = false

    @Flag(help: "Only say what would be written.")
    var dryRun = false

    @Option(help: "How to write the result: text or json.")
    var output: OutputFormat = .text

    func run() throws {
        let client = try RuleTopicClient(try options.load())
        let files = try rules()
        let report = try reportingKafkaFailures {
            if !dryRun { try RuleTopic.prepare(client.topic, client.options) { Console.note("warning: \($0)") } }
            let held = try client.read()
            let changed = files.filter { held.records[$0.rule.id]?.content != $0.content }
            let ids = Set(files.map(\.rule.id))
            let removed = prune ? held.records.keys.filter { !ids.contains($0) }.sorted() : []
            let changes = changed.map { ($0.rule.id, Optional($0.content)) } + removed.map { ($0, nil) }
            if !dryRun, !changes.isEmpty { try client.write(changes) }
            return PublishReport(
                topic: client.topic, dryRun: dryRun,
                added: changed.filter { held.records[$0.rule.id] == nil }.map { .init($0.rule) },
                changed: changed.filter { held.records[$0.rule.id] != nil }.map { .init($0.rule) },
                removed: removed, unchanged: files.count - changed.count)
        }
        Console.print(output == .json ? report.jsonLine : report.text)
    }

    /// - Throws: the exit status for rules that are not fit for the topic.
    private func rules() throws -> [(rule: Rule, content: [UInt8])] {
        let loaded = LoadedRules(paths: paths)
        _ = try loaded.compile(strict: true)
        return try loaded.report.rules.rules.map { rule in
            guard !rule.path.hasSuffix(".ndjson") else {
                Console.note("error: \(rule.path) is an export with many rules; the topic takes rule files in TOML")
                throw ExitStatus.data.code
            }
            guard let content = FileManager.default.contents(atPath: rule.path) else {
                Console.note("error: \(rule.path) cannot be read any more")
                throw ExitStatus.noInput.code
            }
            return (rule, Array(content))
        }
    }
}

/// What `apus rules publish` did, or would do.
private struct PublishReport: Encodable {
    struct Entry: Encodable {
        var id: String
        var name: String

        init(_ rule: Rule) {
            id = rule.id
            name = rule.name
        }
    }

    var topic: String
    var dryRun: Bool
    var added: [Entry]
    var changed: [Entry]
    var removed: [String]
    var unchanged: Int

    var text: String {
        let lines =
            added.map { "+ \($0.id)  \($0.name)" } + changed.map { "~ \($0.id)  \($0.name)" }
            + removed.map { "- \($0)" }
        let summary =
            "\(topic): \(added.count) added, \(changed.count) changed, \(removed.count) removed, \(unchanged) unchanged"
        return (lines + [summary + (dryRun ? " (nothing was written)" : "")]).joined(separator: "\n")
    }
}

struct RulesList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the rules that the topic holds.",
        discussion: """
            A record that gives no rule is listed with what is wrong with it. Exit code 1 if there is one.
            """)

    @OptionGroup var options: SettingsOptions

    @Option(help: "How to write the list: text, or json with one object per line.")
    var output: OutputFormat = .text

    func run() throws {
        let client = try RuleTopicClient(try options.load())
        let contents = try reportingKafkaFailures { try client.read() }
        let loaded = LoadedRules(paths: [], documents: contents.documents)
        let rules = Dictionary(uniqueKeysWithValues: loaded.report.rules.rules.map { ($0.id, $0) })
        let errors = Dictionary(grouping: loaded.errors, by: \.place.path)
        for document in contents.documents {
            guard let record = contents.records[document.id] else { continue }
            let entry = RuleEntry(
                document.id, record.place, rules[document.id], errors[document.path]?.map(\.description) ?? [])
            Console.print(output == .json ? entry.jsonLine : entry.text)
        }
        if contents.keyless > 0 { Console.note("\(contents.keyless) records have no key and are passed over") }
        Console.note("\(contents.topic): \(contents.records.count) records, \(rules.count) valid rules")
        if rules.count < contents.records.count { throw ExitStatus.negative.code }
    }
}

/// One record of the topic.
private struct RuleEntry: Encodable {
    var id: String
    var partition: Int32
    var offset: Int64
    var name: String?
    var severity: String?
    var stage: String?
    var hash: String?
    var errors: [String]

    init(_ id: String, _ place: PartitionOffset, _ rule: Rule?, _ errors: [String]) {
        self.id = id
        partition = place.partition.partition
        offset = place.offset
        name = rule?.name
        severity = rule?.severity.rawValue
        stage = rule?.stage.rawValue
        hash = rule?.contentHash
        self.errors = errors
    }

    var text: String {
        let place = "\(partition):\(offset)"
        guard let name, let severity, let stage else {
            return (["bad  \(id)  \(place)"] + errors.map { "     " + $0 }).joined(separator: "\n")
        }
        return "ok   \(id)  \(place)  \(name)  [\(severity), \(stage)]"
    }
}

struct RulesRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes rules from the topic, by id.",
        discussion: "Exit code 1, and nothing is removed, if the topic lacks one of them.")

    @OptionGroup var options: SettingsOptions

    @Argument(help: "The rules' ids.")
    var ids: [String]

    @Option(help: "How to write the result: text or json.")
    var output: OutputFormat = .text

    func run() throws {
        let client = try RuleTopicClient(try options.load())
        try reportingKafkaFailures {
            let contents = try client.read()
            let missing = ids.filter { contents.records[$0] == nil }
            guard missing.isEmpty else {
                Console.note("error: \(client.topic) holds no rule \(missing.joined(separator: ", "))")
                throw ExitStatus.negative.code
            }
            try client.write(ids.map { ($0, nil) })
        }
        Console.print(output == .json ? ["removed": ids].jsonLine : "\(ids.count) removed from \(client.topic)")
    }
}
