import ArgumentParser
import Foundation
import KafkaClient
import Settings
import Streaming

struct DeadLetterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq",
        abstract: "Lists, shows and replays dead letters: records that could not be evaluated.",
        discussion: """
            The dead-letter topic and the connection are those of the configuration of apus run. Nothing is committed, \
            and replaying leaves the letters where they are.

            Examples:
              apus dlq list --config config/apus.yaml --from 24h
              apus dlq show --config config/apus.yaml 0:17
              apus dlq replay --config config/apus.yaml --reason too_large --dry-run
            """,
        subcommands: [DeadLetterList.self, DeadLetterShow.self, DeadLetterReplay.self])
}

struct DeadLetterList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists dead letters: name, time, reason, and where the record stood.",
        discussion: """
            A letter's name is its partition and offset in the dead-letter topic, as apus dlq show takes it. A summary \
            by reason goes to standard error.
            """)

    @OptionGroup var options: SettingsOptions
    @OptionGroup var filter: DeadLetterFilter

    @Option(help: "Stop after this many.")
    var limit: Int?

    @Option(help: "How to write the list: text, or json with one object per line.")
    var output: OutputFormat = .text

    func run() throws {
        let topic = DeadLetterTopic(try options.load())
        var reasons: [String: Int] = [:]
        var count = 0
        try reportingKafkaFailures {
            try topic.read(filter) { letter, _ in
                if let limit, count >= limit { return false }
                count += 1
                reasons[letter.reason, default: 0] += 1
                let summary = DeadLetterSummary(letter)
                Console.print(output == .json ? summary.jsonLine : summary.line)
                return true
            }
        }
        let details = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        Console.note("\(count) dead letters" + (details.isEmpty ? "" : ": \(details.joined(separator: ", "))"))
    }
}

struct DeadLetterShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows one dead letter with its value.",
        discussion: """
            What is known of the record goes to standard error and its value, bytes unchanged, to standard output. \
            With --output json everything is one object; a value that is not UTF-8 is in Base64 there.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: "The letter: PARTITION:OFFSET in the dead-letter topic.")
    var letter: LetterName

    @Option(help: "How to write it: text or json.")
    var output: OutputFormat = .text

    func run() throws {
        let topic = DeadLetterTopic(try options.load())
        let place = TopicPartition(topic.name, letter.partition)
        var found: DeadLetter?
        try reportingKafkaFailures {
            let all = try TopicRanges(
                [topic.name], from: .offset(letter.offset), to: .offset(letter.offset + 1),
                properties: topic.options.consumer, timeout: topic.options.connectTimeout)
            try topic.read(all.ranges.filter { $0.partition == place && $0.lower == letter.offset }) { letter in
                found = letter
                return false
            }
        }
        guard let found else {
            Console.note("there is no dead letter \(letter.partition):\(letter.offset) in topic \(topic.name)")
            throw ExitStatus.negative.code
        }
        let summary = DeadLetterSummary(found, showsValue: output == .json)
        if output == .json { return Console.print(summary.jsonLine) }
        Console.note(summary.line)
        if found.isValueOmitted { Console.note("the value was too large for the dead-letter topic") }
        FileHandle.standardOutput.write(Data(found.value ?? []))
        if Console.outputIsTerminal { Console.print("") }
    }
}

struct DeadLetterReplay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Writes dead letters back to the topic and partition they came from.",
        discussion: """
            Key, value, partition and timestamp are those of the original; the header apus-replays counts how often \
            the record was replayed, and apus-replayed-from names the letter. Useful after what kept the records from \
            being evaluated is mended, such as a limit that was too low. A record replayed in vain becomes a dead \
            letter again, with its count.

            Which letters is said by the filters, or by --all. Letters replayed --max-replays times before, and those \
            whose value or origin is not known, are left out, and counted.
            """)

    @OptionGroup var options: SettingsOptions
    @OptionGroup var filter: DeadLetterFilter

    @Flag(help: "Replay every letter.")
    var all = false

    @Flag(help: "Only say what would be written.")
    var dryRun = false

    @Option(help: "Leave out letters that were replayed this often.")
    var maxReplays = 3

    @Option(help: "Stop after this many.")
    var limit: Int?

    @Option(help: "How to write what is replayed: text, or json with one object per line.")
    var output: OutputFormat = .text

    func validate() throws {
        if filter.isEmpty, !all { throw ValidationError("say which letters with a filter, or --all for every one") }
    }

    func run() throws {
        let topic = DeadLetterTopic(try options.load())
        let writer = try reportingKafkaFailures { dryRun ? nil : try TopicWriter(topic.options.producer) }
        var counts = Counts()
        try reportingKafkaFailures {
            try topic.read(filter) { letter, progress in
                if let limit, counts.replayed >= limit { return false }
                guard let origin = letter.origin, !letter.isValueOmitted else {
                    counts.incomplete += 1
                    let why =
                        letter.isValueOmitted
                        ? "its value is not in the dead-letter topic" : "its headers do not say where it came from"
                    progress.note("\(letter.name) is left out: \(why)")
                    return true
                }
                guard letter.replays < maxReplays else {
                    counts.exhausted += 1
                    return true
                }
                counts.replayed += 1
                try writer?.replay(letter, to: origin.partition)
                let replay = Replay(letter, to: origin.partition)
                Console.print(output == .json ? replay.jsonLine : replay.line)
                return true
            }
            try writer?.finish(timeout: topic.options.connectTimeout)
        }
        Console.note(counts.text(dryRun: dryRun, maxReplays: maxReplays))
    }

    private struct Replay: Encodable {
        var letter: String
        var reason: String
        var topic: String
        var partition: Int32

        init(_ letter: DeadLetter, to place: TopicPartition) {
            self.letter = letter.name
            reason = letter.reason
            topic = place.topic
            partition = place.partition
        }

        var line: String { "\(letter)  \(reason)  to \(TopicPartition(topic, partition))" }
    }

    private struct Counts {
        var replayed = 0
        var incomplete = 0
        var exhausted = 0

        func text(dryRun: Bool, maxReplays: Int) -> String {
            var parts = [dryRun ? "\(replayed) would be replayed" : "\(replayed) replayed"]
            if incomplete > 0 { parts.append("\(incomplete) left out as incomplete") }
            if exhausted > 0 { parts.append("\(exhausted) left out after \(maxReplays) replays") }
            return parts.joined(separator: ", ")
        }
    }
}

extension TopicWriter {
    /// Writes a dead letter back to where it came from.
    func replay(_ letter: DeadLetter, to place: TopicPartition) throws {
        try write(
            letter.value, key: letter.key, to: place.topic, partition: place.partition,
            headers: [
                RecordHeader(DeadLetter.replaysHeader, "\(letter.replays + 1)"),
                RecordHeader(DeadLetter.replayedFromHeader, "\(letter.place.topic):\(letter.name)"),
            ], timestamp: letter.timestamp)
    }
}

/// `PARTITION:OFFSET`.
struct LetterName: ExpressibleByArgument {
    var partition: Int32
    var offset: Int64

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let partition = Int32(parts[0]), let offset = Int64(parts[1]), partition >= 0,
            (0..<Int64.max).contains(offset)
        else { return nil }
        self.partition = partition
        self.offset = offset
    }
}

extension DeadLetterSummary {
    /// For a terminal.
    var line: String {
        var parts = [letter, written ?? "-", reason]
        if let topic, let partition, let offset { parts.append("\(topic)[\(partition)]@\(offset)") }
        if let size { parts.append("\(size) bytes") }
        if valueOmitted { parts.append("value omitted") }
        if replays > 0 { parts.append("replayed \(replays)×") }
        return parts.joined(separator: "  ")
    }
}

/// Says what went wrong with Kafka, once, and gives it its exit status.
func reportingKafkaFailures<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as any KafkaFailure {
        Console.note("error: \(error)")
        throw ExitStatus(startFailure: error).code
    }
}
