import ArgumentParser
import EventSchema
import Foundation
import KafkaClient

/// A place in a topic, in words that fit all its partitions.
enum LogPosition: Hashable {
    case earliest
    case latest
    case offset(Int64)
    /// By the log's timestamps.
    case time(EventTime)
    /// Seconds before now.
    case ago(Int)
}

extension LogPosition: ExpressibleByArgument {
    static let forms = "a time (2026-11-24T09:00:00Z, or 24h for 24 hours ago), an offset, earliest or latest"

    init?(argument: String) {
        switch argument.lowercased() {
        case "earliest", "beginning": self = .earliest
        case "latest", "end", "now": self = .latest
        case let text:
            if let offset = Int64(text) {
                guard offset >= 0 else { return nil }
                self = .offset(offset)
            } else if let seconds = Self.seconds(text) {
                self = .ago(seconds)
            } else if let time = EventTime(parsing: argument) {
                self = .time(time)
            } else {
                return nil
            }
        }
    }

    /// `90s`, `15m`, `24h`, `7d`.
    private static func seconds(_ text: String) -> Int? {
        let factors: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let factor = text.last.flatMap({ factors[$0] }), let count = Int(text.dropLast()), count >= 0 else {
            return nil
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    var defaultValueDescription: String {
        switch self {
        case .earliest: "earliest"
        case .latest: "latest"
        case .offset(let offset): "\(offset)"
        case .time(let time): time.description
        case .ago(let seconds): "\(seconds)s"
        }
    }
}

/// The stretches of some topics between two positions, as they are at one moment.
struct TopicRanges {
    let ranges: [OffsetRange]

    /// Each topic once, in the order in which records are numbered by topic.
    var topicNames: [String] {
        var seen: Set<String> = []
        return ranges.map(\.partition.topic).filter { seen.insert($0).inserted }
    }

    struct Missing: Error, CustomStringConvertible {
        let topic: String
        let brokers: String

        var description: String {
            "topic '\(topic)' does not exist on \(brokers); correct its name in the configuration or the arguments"
        }
    }

    /// Asks the brokers.
    ///
    /// - Throws: ``Missing``, or the error of a broker that does not answer.
    init(
        _ topics: [String], from: LogPosition, to: LogPosition, properties: ClientProperties, timeout: Duration
    ) throws {
        let admin = try Admin(properties)
        let (partitions, ends) = try Self.partitions(of: topics, admin, properties, timeout)
        let lower = try Self.offsets(of: from, in: ends, admin, timeout)
        let upper = try Self.offsets(of: to, in: ends, admin, timeout)
        ranges = partitions.map { partition in
            let end = ends[partition]?.high ?? 0
            return OffsetRange(partition, lower[partition] ?? end, upper[partition] ?? end)
        }
    }

    /// The newest records of a topic, shared evenly by its partitions. Asks the brokers.
    ///
    /// - Throws: ``Missing``, or the error of a broker that does not answer.
    init(newest count: Int, of topic: String, properties: ClientProperties, timeout: Duration) throws {
        let admin = try Admin(properties)
        let (partitions, ends) = try Self.partitions(of: [topic], admin, properties, timeout)
        let share = Int64(max(1, count / partitions.count))
        ranges = partitions.map { partition in
            let (low, high) = ends[partition].map { ($0.low, $0.high) } ?? (0, 0)
            return OffsetRange(partition, max(low, high - share), high)
        }
    }

    private static func partitions(
        of topics: [String], _ admin: Admin, _ properties: ClientProperties, _ timeout: Duration
    ) throws -> ([TopicPartition], ends: [TopicPartition: Watermarks]) {
        let metadata = try admin.metadata(timeout: timeout)
        var partitions: [TopicPartition] = []
        for topic in topics {
            guard let found = metadata.topic(topic), !found.partitions.isEmpty else {
                throw Missing(topic: topic, brokers: properties["bootstrap.servers"] ?? "the brokers")
            }
            partitions += found.partitions.map { TopicPartition(topic, $0.id) }.sorted()
        }
        var ends: [TopicPartition: Watermarks] = [:]
        for partition in partitions { ends[partition] = try admin.watermarks(partition, timeout: timeout) }
        return (partitions, ends)
    }

    /// Each within what the partition holds.
    private static func offsets(
        of position: LogPosition, in ends: [TopicPartition: Watermarks], _ admin: Admin, _ timeout: Duration
    ) throws -> [TopicPartition: Int64] {
        switch position {
        case .earliest: return ends.mapValues(\.low)
        case .latest: return ends.mapValues(\.high)
        case .offset(let offset): return ends.mapValues { min(max(offset, $0.low), $0.high) }
        case .time(let time):
            let found = try admin.offsets(at: time.milliseconds, of: Array(ends.keys), timeout: timeout)
            return Dictionary(uniqueKeysWithValues: ends.map { ($0, (found[$0] ?? nil) ?? $1.high) })
        case .ago(let seconds):
            return try offsets(of: .time(.now(minus: seconds)), in: ends, admin, timeout)
        }
    }

    /// At most how many records there are.
    var count: Int64 { ranges.reduce(0) { $0 + $1.count } }
}
