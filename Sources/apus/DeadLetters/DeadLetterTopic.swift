import ArgumentParser
import Detection
import EventSchema
import Foundation
import KafkaClient
import Settings
import Streaming

/// Which dead letters a command means; all of them must hold.
struct DeadLetterFilter: ParsableArguments {
    @Option(name: .customLong("reason"), help: "Only letters with this reason, such as not_json. May be repeated.")
    var reasons: [String] = []

    @Option(help: "Only records of this input topic.")
    var topic: String?

    @Option(help: "Only records of this partition of their input topic.")
    var partition: Int32?

    @Option(help: "Only letters written from then on: a time (or 24h, 7d for as long ago), or an offset.")
    var from: LogPosition = .earliest

    @Option(help: "Only letters written before then; in the same forms.")
    var to: LogPosition = .latest

    /// Whether `from` or `to` or anything else narrows it down.
    var isEmpty: Bool {
        reasons.isEmpty && topic == nil && partition == nil && from == .earliest && to == .latest
    }

    /// Times and offsets were dealt with when the stretches were chosen.
    func holds(_ letter: DeadLetter) -> Bool {
        (reasons.isEmpty || reasons.contains(letter.reason))
            && (topic == nil || letter.origin?.partition.topic == topic)
            && (partition == nil || letter.origin?.partition.partition == partition)
    }
}

/// The dead-letter topic of a configuration.
struct DeadLetterTopic {
    let name: String
    let options: PipelineOptions

    init(_ settings: Settings) {
        options = PipelineOptions(settings, fields: EventFields(hostKey: settings.hostKey.map { FieldPath($0) }))
        name = options.deadLetterTopic
    }

    /// Hands the letters that the filter lets through to `take`, partition after partition in order, until it
    /// returns false. `take` gets the line that shows how far the reading is, too, for what it has to say.
    func read(_ filter: DeadLetterFilter, take: (DeadLetter, ProgressLine) throws -> Bool) throws {
        let ranges = try TopicRanges(
            [name], from: filter.from, to: filter.to, properties: options.consumer, timeout: options.connectTimeout)
        // Letters that come to the same terminal say how far it is.
        var progress = ProgressLine(total: ranges.count, isQuiet: Console.outputIsTerminal)
        defer { progress.end() }
        var found = 0
        try read(ranges.ranges) { letter in
            guard filter.holds(letter) else { return true }
            found += 1
            return try take(letter, progress)
        } tick: { position in
            progress.show(position, "\(found) letters")
        }
    }

    /// - Parameter tick: called now and then with how many records are behind, gaps included.
    func read(
        _ ranges: [OffsetRange], take: (DeadLetter) throws -> Bool, tick: (Int64) -> Void = { _ in }
    ) throws {
        let reader = try RangeReader(
            options.consumer, group: "\(options.application).dlq.\(ProcessInfo.processInfo.processIdentifier)",
            ranges: ranges, patience: options.connectTimeout)
        defer { reader.close() }
        try reader.readAll(tick: tick) { try take(DeadLetter($0, in: name)) }
    }
}
