import Detection
import Dispatch
import Foundation
import KafkaClient
import Settings
import Streaming
import Synchronization

/// A topic of rules, read wholly and then followed: a consumer without a group, so that every instance sees all of it.
///
/// *Runs on:* a queue of its own.
// `@unchecked`: the batch is only used on `queue`; everything else is immutable or in a Mutex.
final class RuleTopic: @unchecked Sendable {
    /// Sends whenever the topic has changed.
    let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation
    private let consumer: Consumer
    private let queue = DispatchQueue(label: "apus.rules")
    private let batch = MessageBatch(capacity: 256)
    private let state: Mutex<State>
    private let log: @Sendable (String) -> Void
    private let moved = DispatchSemaphore(value: 0)

    private struct State {
        var contents: RuleTopicContents
        var partitions: Set<TopicPartition> = []
        /// Of partitions that are not read to their end yet: where that was at the start.
        var ends: [TopicPartition: Int64] = [:]
        var failure: KafkaError?
    }

    var contents: RuleTopicContents { state.withLock { $0.contents } }

    /// Reads the topic from its beginning to its end, and goes on reading what comes. Waits, at most `timeout` for each
    /// step.
    ///
    /// - Parameter log: Told of what librdkafka complains of, and of records without a key.
    /// - Throws: `TopicRanges.Missing`, or `KafkaError` when the topic cannot be read.
    init(
        _ topic: String, _ properties: ClientProperties, timeout: Duration,
        log: @escaping @Sendable (String) -> Void
    ) throws {
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        state = Mutex(State(contents: RuleTopicContents(topic: topic)))
        self.log = log
        var properties = properties
        properties["enable.partition.eof"] = "true"
        properties["auto.offset.reset"] = "earliest"
        // These are for members of a group.
        properties["group.instance.id"] = nil
        properties["partition.assignment.strategy"] = nil
        consumer = try Consumer(
            properties, group: "apus.rules", controlQueue: DispatchQueue(label: "apus.rules.control")
        ) {
            if case .failed(let error) = $0 { log("\(error)") }
        }
        let metadata = try consumer.metadata(topic: topic, timeout: timeout)
        guard let found = metadata.topic(topic), !found.partitions.isEmpty else {
            throw TopicRanges.Missing(topic: topic, brokers: properties["bootstrap.servers"] ?? "the brokers")
        }
        let partitions = found.partitions.map { TopicPartition(topic, $0.id) }
        for partition in partitions {
            let marks = try consumer.watermarks(partition, timeout: timeout)
            if marks.low < marks.high { state.withLock { $0.ends[partition] = marks.high } }
        }
        try read(partitions)
        try waitForEnd(timeout)
    }

    private func read(_ partitions: [TopicPartition]) throws {
        let queues = try consumer.assign(partitions.map { ($0, .beginning) })
        state.withLock { $0.partitions.formUnion(partitions) }
        for partition in queues {
            try partition.activate(on: queue) { [weak self] in self?.drain(partition) }
        }
    }

    private func waitForEnd(_ timeout: Duration) throws {
        while true {
            let (isDone, failure) = state.withLock { ($0.ends.isEmpty, $0.failure) }
            if isDone { return }
            if let failure { throw failure }
            guard moved.wait(timeout: .now() + timeout / .seconds(1)) == .success else {
                throw KafkaError(.timedOut, "read the rules", topic: contents.topic)
            }
        }
    }

    private func drain(_ partition: PartitionQueue) {
        do throws(KafkaError) {
            while try partition.consumeBatch(into: batch) > 0 { take(partition.partition) }
        } catch {
            log("\(error)")
        }
    }

    private func take(_ partition: TopicPartition) {
        defer { batch.clear() }
        let (hasChanged, keyless) = state.withLock { state in
            let before = (state.contents.version, state.contents.keyless)
            for message in batch {
                var next = message.offset + 1
                switch message.kind {
                case .record:
                    state.contents.apply(message)
                case .endOfPartition:
                    next = message.offset
                case .error:
                    state.failure = message.error
                    continue
                }
                if let end = state.ends[partition], next >= end { state.ends[partition] = nil }
            }
            return (state.contents.version != before.0, state.contents.keyless - before.1)
        }
        if keyless > 0 {
            log("\(keyless) records of \(partition) have no key and are passed over: the key is the rule's id")
        }
        if hasChanged { changed.yield() }
        moved.signal()
    }

    /// Looks every `interval` for partitions that were added to the topic, until the task is cancelled, and reads them from
    /// their beginning, too: without that, what is published into them would never be seen.
    func watchPartitions(every interval: Duration, timeout: Duration) async {
        let control = DispatchQueue(label: "apus.rules.partitions")
        while (try? await Task.sleep(for: interval)) != nil {
            await withCheckedContinuation { continuation in
                control.async { [self] in
                    do { try readAddedPartitions(timeout) } catch { log("\(error)") }
                    continuation.resume()
                }
            }
        }
    }

    private func readAddedPartitions(_ timeout: Duration) throws {
        let (topic, known) = state.withLock { ($0.contents.topic, $0.partitions) }
        let found = try consumer.metadata(topic: topic, timeout: timeout).topic(topic)?.partitions ?? []
        let added = found.map { TopicPartition(topic, $0.id) }.filter { !known.contains($0) }.sorted()
        guard !added.isEmpty else { return }
        try read(added)
        log(
            """
            '\(topic)' has grown from \(known.count) to \(known.count + added.count) partitions, which are read, too. Of a \
            rule that is in two of them the newest record counts. Rules that are published together may now take effect \
            one after the other: to have them together again, publish to a topic with one partition
            """)
    }

    /// Waits until the topic has not changed for a moment, so that what is published together is loaded together. One
    /// that never rests is waited for a second.
    func rest() async {
        var seen = contents.version
        for _ in 0..<20 {
            try? await Task.sleep(for: .milliseconds(50))
            let now = contents.version
            if now == seen { return }
            seen = now
        }
    }
}

extension RuleTopic {
    /// The topic that the settings name, if they name one; created when it is missing and that is wanted.
    ///
    /// - Throws: `StartFailure` when the topic is not compacted, `TopicRanges.Missing`, or `KafkaError`.
    static func open(_ settings: Settings, log: @escaping @Sendable (String) -> Void) throws -> RuleTopic? {
        guard let topic = settings.rules.topic else { return nil }
        let options = PipelineOptions(settings, fields: EventFields())
        try prepare(topic, options, log: log)
        return try RuleTopic(topic, options.consumer, timeout: options.connectTimeout, log: log)
    }

    /// Creates the topic when it is missing and that is wanted, and makes sure that it keeps what is written to it.
    ///
    /// - Parameter log: Told when that cannot be seen.
    /// - Throws: `StartFailure` when the topic is not compacted, or `KafkaError`.
    static func prepare(_ topic: String, _ options: PipelineOptions, log: (String) -> Void) throws {
        let admin = try Admin(options.producer)
        let topic = CompactedTopic(
            topic, setting: "rules.topic",
            loss: "its rules would be deleted when they have not been published for a while (retention.ms)")
        try create(topic, options, admin)
        let brokers = options.producer["bootstrap.servers"] ?? "HOST:PORT"
        let refusal = topic.refusal(admin, brokers: brokers, timeout: options.connectTimeout) { error in
            log(
                """
                whether '\(topic.name)' is compacted could not be seen, and rules that are deleted after a while would be \
                gone without a word (allow DescribeConfigs on it): \(error)
                """)
        }
        if let refusal { throw StartFailure([refusal]) }
    }

    /// One partition, so that what is published together comes in one order.
    private static func create(_ topic: CompactedTopic, _ options: PipelineOptions, _ admin: Admin) throws {
        guard let creation = options.createTopics else { return }
        func isMissing() throws -> Bool {
            try admin.metadata(timeout: options.connectTimeout).topic(topic.name)?.partitions.isEmpty != false
        }
        guard try isMissing() else { return }
        let refusals = try admin.create(
            [
                NewTopic(
                    topic.name, partitions: 1,
                    replication: creation.replicationFactor > 0 ? creation.replicationFactor : nil,
                    configuration: topic.configuration)
            ], timeout: options.connectTimeout)
        if let refusal = refusals[topic.name], refusal.reaction != .ignore { throw refusal }
        // The broker that is asked learns of it a little later.
        let deadline = ContinuousClock.now + options.connectTimeout
        while try isMissing(), ContinuousClock.now < deadline { usleep(50_000) }
    }
}
