import Dispatch
import Synchronization

/// A stretch of one partition: from an offset up to another, which is not part of it.
public struct OffsetRange: Hashable, Sendable {
    public let partition: TopicPartition
    public let lower: Int64
    public let upper: Int64

    public init(_ partition: TopicPartition, _ lower: Int64, _ upper: Int64) {
        self.partition = partition
        self.lower = lower
        self.upper = max(lower, upper)
    }

    public var isEmpty: Bool { lower == upper }

    /// At most how many records it holds: compaction and transactions leave gaps.
    public var count: Int64 { upper - lower }
}

/// Reads stretches of partitions once, each in order and to its end, without a group's membership and without
/// committing anything. Records of aborted transactions are not read.
///
/// Blocks its caller: for commands, not for lanes. Not for use from several threads at once.
public final class RangeReader {
    public let ranges: [OffsetRange]
    private let consumer: Consumer
    private var sources: [Source]
    /// What the client last complained of: the reason why nothing comes, if nothing comes.
    private let complaint: Complaint
    private let patience: Duration

    private struct Source {
        /// Nil for a stretch that is empty from the start.
        var queue: PartitionQueue?
        var next: Int64
        var isDone: Bool
    }

    private final class Complaint: Sendable {
        let error = Mutex<KafkaError?>(nil)
    }

    /// - Parameters:
    ///   - group: The client's name towards the brokers. It is never joined.
    ///   - patience: How long ``read(_:into:)`` waits for a record before it gives up.
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    public init(
        _ properties: ClientProperties, group: String, ranges: [OffsetRange], patience: Duration = .seconds(30),
        log: ClientLog.Handler? = nil
    ) throws {
        var properties = properties
        // Tells when the end is reached although the last offset belongs to no record.
        properties["enable.partition.eof"] = "true"
        properties["auto.offset.reset"] = "error"
        // These are for members of a group.
        properties["group.instance.id"] = nil
        properties["partition.assignment.strategy"] = nil
        let complaint = Complaint()
        self.ranges = ranges
        self.patience = patience
        self.complaint = complaint
        consumer = try Consumer(
            properties, group: group, controlQueue: DispatchQueue(label: "apus.range"), log: log
        ) { event in
            if case .failed(let error) = event { complaint.error.withLock { $0 = error } }
        }
        let wanted = ranges.filter { !$0.isEmpty }
        let queues = try consumer.assign(wanted.map { ($0.partition, .at($0.lower)) })
        let byPartition = Dictionary(uniqueKeysWithValues: queues.map { ($0.partition, $0) })
        sources = ranges.map { range in
            Source(
                queue: range.isEmpty ? nil : byPartition[range.partition], next: range.lower, isDone: range.isEmpty)
        }
    }

    /// Whether the stretch, by its place in ``ranges``, was read to its end.
    public func isDone(_ range: Int) -> Bool { sources[range].isDone }

    /// Records of a stretch that are behind, gaps included.
    public func position(_ range: Int) -> Int64 {
        sources[range].isDone ? ranges[range].count : sources[range].next - ranges[range].lower
    }

    /// Waits for the next records of one stretch and hands each to `take`.
    ///
    /// - Throws: `KafkaError` when none came in time, or the partition cannot be read on.
    public func read(_ range: Int, into batch: MessageBatch, take: (MessageView) throws -> Void) throws {
        guard !sources[range].isDone, let queue = sources[range].queue else { return }
        defer { batch.clear() }
        let deadline = ContinuousClock.now + patience
        while try queue.consumeBatch(into: batch) == 0 {
            // One first, so that it is there as soon as it comes.
            if try queue.consumeBatch(max: 1, into: batch, patience: .milliseconds(200)) > 0 { break }
            let complaint = complaint.error.withLock { $0 }
            if let complaint, complaint.reaction == .stop { throw complaint }
            guard ContinuousClock.now < deadline else {
                let partition = queue.partition
                throw complaint
                    ?? KafkaError(
                        .timedOut, "read records", topic: partition.topic, partition: partition.partition)
            }
        }
        for message in batch {
            switch message.kind {
            case .record:
                if message.offset >= ranges[range].upper {
                    sources[range].isDone = true
                } else {
                    try take(message)
                    sources[range].next = message.offset + 1
                }
            case .endOfPartition:
                sources[range].isDone = true
            case .error:
                if let error = message.error, error.reaction != .retry, error.reaction != .ignore { throw error }
            }
            if sources[range].next >= ranges[range].upper { sources[range].isDone = true }
            if sources[range].isDone { break }
        }
        if sources[range].isDone {
            try consumer.unassign([queue.partition])
            sources[range].queue = nil
        }
    }

    /// Reads one stretch after the other to its end, or until `take` returns false.
    ///
    /// - Parameter tick: Called now and then with how many records are behind, gaps included.
    /// - Throws: as ``read(_:into:take:)``, or what `take` throws.
    public func readAll(tick: (Int64) -> Void = { _ in }, take: (MessageView) throws -> Bool) throws {
        let batch = MessageBatch(capacity: 500)
        var goesOn = true
        var behind: Int64 = 0
        for range in ranges.indices {
            while goesOn, !isDone(range) {
                try read(range, into: batch) { if goesOn { goesOn = try take($0) } }
                tick(behind + position(range))
            }
            behind += ranges[range].count
        }
    }

    /// Ends the client. Waits a moment.
    public func close() {
        _ = consumer.waitUntilClosed(timeout: .seconds(5))
    }
}
