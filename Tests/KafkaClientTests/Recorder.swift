import Dispatch
import KafkaClient
import Synchronization
import Testing

/// Collects what arrives from other threads, and lets a test wait for it.
final class Recorder<Element: Sendable>: Sendable {
    private struct Waiter {
        let id: Int
        let isMet: @Sendable ([Element]) -> Bool
        let resume: @Sendable (Bool) -> Void
    }

    private struct State {
        var elements: [Element] = []
        var waiters: [Waiter] = []
        var nextID = 0
    }

    private let state = Mutex(State())

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) { append([element]) }

    func append(_ more: [Element]) {
        let met = state.withLock { state in
            state.elements += more
            let met = state.waiters.filter { $0.isMet(state.elements) }
            state.waiters.removeAll { waiter in met.contains { $0.id == waiter.id } }
            return met
        }
        for waiter in met { waiter.resume(true) }
    }

    /// Everything recorded, once the condition holds; fails the test if that takes too long.
    @discardableResult
    func wait(
        for what: String, seconds: Int = 30, sourceLocation: SourceLocation = #_sourceLocation,
        until isMet: @escaping @Sendable ([Element]) -> Bool
    ) async throws -> [Element] {
        let isInTime = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let id: Int? = state.withLock { state in
                if isMet(state.elements) { return nil }
                state.nextID += 1
                state.waiters.append(
                    Waiter(id: state.nextID, isMet: isMet) { continuation.resume(returning: $0) })
                return state.nextID
            }
            guard let id else { return continuation.resume(returning: true) }
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds)) {
                let late = self.state.withLock { state in
                    let index = state.waiters.firstIndex { $0.id == id }
                    return index.map { state.waiters.remove(at: $0) }
                }
                late?.resume(false)
            }
        }
        let recorded = elements
        try #require(isInTime, "no \(what) within \(seconds) s; recorded: \(recorded)", sourceLocation: sourceLocation)
        return recorded
    }

    @discardableResult
    func wait(
        count: Int, seconds: Int = 30, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Element] {
        try await wait(for: "\(count) elements", seconds: seconds, sourceLocation: sourceLocation) { $0.count >= count }
    }
}

/// A record, copied out of its batch.
struct ReceivedRecord: Sendable, Equatable {
    let partition: TopicPartition
    let offset: Int64
    let timestamp: Int64?
    let key: [UInt8]?
    let value: [UInt8]?
    let headers: [RecordHeader]

    init(_ message: MessageView, topic: String) {
        partition = TopicPartition(topic, message.partition)
        offset = message.offset
        timestamp = message.timestamp
        key = message.key.map { Array($0) }
        value = message.value.map { Array($0) }
        headers = message.headers.map { RecordHeader($0.name, $0.value.map { Array($0) }) }
    }

    var text: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "" }
}

/// A consumer with one lane for all its partitions, which commits what it has read when partitions go.
final class Reader: Sendable {
    let records = Recorder<ReceivedRecord>()
    let notes = Recorder<Note>()
    let lane = DispatchQueue(label: "lane")
    private let next = Mutex<[TopicPartition: Int64]>([:])
    private let consumerBox = Mutex<Consumer?>(nil)

    enum Note: Sendable {
        case assigned([TopicPartition])
        case revoked([TopicPartition], isLost: Bool)
        case committed(CommitResult)
        case failed(KafkaError)
        case partitionFailed(KafkaError)
        case endOfPartition(TopicPartition, Int64)
        case statistics

        var error: KafkaError? {
            switch self {
            case .failed(let error), .partitionFailed(let error): error
            default: nil
            }
        }
    }

    var consumer: Consumer {
        get throws { try #require(consumerBox.withLock { $0 }) }
    }

    init(
        _ broker: EmbeddedBroker, group: String, _ extra: ClientProperties = [:], log: ClientLog.Handler? = nil,
        startWithoutCommit: (@Sendable (TopicPartition) -> Offset?)? = nil
    ) throws {
        let properties = broker.properties
            .merging(["auto.offset.reset": "earliest", "session.timeout.ms": "6000"]).merging(extra)
        let consumer = try Consumer(
            properties, group: group, controlQueue: DispatchQueue(label: "control"), log: log,
            startWithoutCommit: startWithoutCommit
        ) { [weak self] in self?.handle($0) }
        consumerBox.withLock { $0 = consumer }
    }

    private func handle(_ event: ConsumerEvent) {
        switch event {
        case .assigned(let queues):
            notes.append(.assigned(queues.map(\.partition)))
            for queue in queues { read(queue) }
        case .revoked(let revocation):
            lane.sync {}
            if !revocation.isLost { commitAll(revocation.partitions) }
            notes.append(.revoked(revocation.partitions, isLost: revocation.isLost))
            revocation.finish()
        case .committed(let result): notes.append(.committed(result))
        case .failed(let error): notes.append(.failed(error))
        case .statistics: notes.append(.statistics)
        }
    }

    func read(_ queue: PartitionQueue) {
        let batch = Batch(capacity: 100)
        do throws(KafkaError) {
            try queue.activate(on: lane) { [self] in
                do throws(KafkaError) {
                    while try queue.consumeBatch(into: batch.messages) > 0 { take(batch.messages, queue.partition) }
                } catch {
                    notes.append(.partitionFailed(error))
                }
            }
        } catch {
            notes.append(.partitionFailed(error))
        }
    }

    /// Used on the lane only.
    private final class Batch: @unchecked Sendable {
        let messages: MessageBatch
        init(capacity: Int) { messages = MessageBatch(capacity: capacity) }
    }

    private func take(_ batch: MessageBatch, _ partition: TopicPartition) {
        for message in batch {
            switch message.kind {
            case .record:
                records.append(ReceivedRecord(message, topic: partition.topic))
                next.withLock { $0[partition] = message.offset + 1 }
            case .endOfPartition:
                notes.append(.endOfPartition(partition, message.offset))
            case .error:
                if let error = message.error { notes.append(.partitionFailed(error)) }
            }
        }
        batch.clear()
    }

    /// Commits everything read.
    func commit() throws {
        try lane.sync { try consumer.commit(next.withLock { $0.map { PartitionOffset($0.key, $0.value) } }) }
    }

    private func commitAll(_ partitions: [TopicPartition]) {
        let offsets = next.withLock { next in
            partitions.compactMap { partition in
                next.removeValue(forKey: partition).map { PartitionOffset(partition, $0) }
            }
        }
        guard let consumer = consumerBox.withLock({ $0 }) else { return }
        do throws(KafkaError) { try consumer.commit(offsets) } catch { notes.append(.failed(error)) }
    }

    func close() async throws {
        try await consumer.close()
        drop()
    }

    /// Lets go of the consumer without closing it, as when its process is killed, but for the process.
    func drop() {
        consumerBox.withLock { $0 = nil }
    }
}

/// A producer whose delivery reports are recorded.
final class Writer: Sendable {
    let producer: Producer
    let reports = Recorder<DeliveryReport>()
    let failures = Recorder<KafkaError>()

    init(_ broker: EmbeddedBroker, _ extra: ClientProperties = [:]) throws {
        let (reports, failures) = (reports, failures)
        producer = try Producer(broker.properties.merging(extra), controlQueue: DispatchQueue(label: "reports")) {
            switch $0 {
            case .delivered(let more): reports.append(more)
            case .failed(let error): failures.append(error)
            case .statistics: break
            }
        }
    }

    /// Writes `"0"`, `"1"`, … round robin over the partitions, and waits until they are written.
    func write(_ range: Range<Int>, to topic: String, partitions: Int = 1) throws {
        let topic = try producer.topic(topic)
        for number in range {
            let outcome = producer.send(
                to: topic, partition: Int32(number % partitions), key: nil, value: Array("\(number)".utf8),
                opaque: UInt(number))
            guard case .queued = outcome else {
                Issue.record("\(number) was not queued: \(outcome)")
                return
            }
        }
        try producer.flush(timeout: .seconds(20))
    }
}
