import Detection
import Dispatch
import KafkaClient
import Synchronization

/// Reads partitions of the state topic from their beginning to their end, for the lanes that go on from there.
///
/// A consumer of its own without a group does it, so that a rebalance does not disturb it and it disturbs no lane.
/// It reads committed records only. A transaction that is still open when reading begins may be the last one of the
/// lane's former owner, decided but not yet marked as such in this partition: so the end is where the partition ended
/// when reading began, open transactions included, and reading waits for their outcome. The broker's transaction
/// time-out bounds that.
///
/// *Runs on:* a serial queue of its own, also the completions.
///
// `@unchecked`: the mutable part is only touched on `queue`.
final class StateRestorer: @unchecked Sendable {
    typealias Completion = @Sendable (Result<StateSnapshot, KafkaError>) -> Void
    /// Distinguishes readings, also of one partition one after the other.
    typealias ReadingNumber = UInt64

    let topic: String
    private let owner: StateOwner
    private let consumer: Consumer
    /// Asks for ends that include open transactions.
    private let uncommitted: Consumer
    private let notice: @Sendable (KafkaError) -> Void
    let queue = DispatchQueue(label: "apus.state")
    private let batch = MessageBatch(capacity: 1000)
    private var readings: [Int32: Reading] = [:]

    /// One partition being read.
    private struct Reading {
        let number: ReadingNumber
        let queue: PartitionQueue
        /// Where reading ends.
        let end: Int64
        let timeout: Duration
        let completion: Completion
        var log: StateLog
        var lastProgress = DispatchTime.now()
    }

    private let lastNumber = Atomic<ReadingNumber>(0)

    /// - Parameter properties: those of the consumer.
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    init(
        _ properties: ClientProperties, application: String, topic: String, owner: StateOwner,
        log: ClientLog.Handler?, notice: @escaping @Sendable (KafkaError) -> Void
    ) throws {
        self.topic = topic
        self.owner = owner
        self.notice = notice
        var properties = properties
        properties["auto.offset.reset"] = "earliest"
        properties["enable.partition.eof"] = "true"
        properties["isolation.level"] = "read_committed"
        // The end is often a transaction's mark, which is no record. The broker tells of it when a fetch that finds nothing
        // is over: half a second later by default.
        properties["fetch.wait.max.ms"] = "20"
        // No member of any group.
        properties["group.instance.id"] = nil
        let events: @Sendable (ConsumerEvent) -> Void = { event in
            if case .failed(let error) = event { notice(error) }
        }
        let control = DispatchQueue(label: "apus.state.control")
        consumer = try Consumer(properties, group: application, controlQueue: control, log: log, events: events)
        properties["isolation.level"] = "read_uncommitted"
        uncommitted = try Consumer(properties, group: application, controlQueue: control, log: log, events: events)
    }

    /// Reads a partition and hands on what it holds for the owner; or why it could not be read: nothing came for
    /// `timeout`. Anything else that goes wrong is noticed and tried again meanwhile.
    ///
    /// A reading of the same partition that is still under way is given up; its completion is not called.
    ///
    /// - Parameter prepare: comes first; may wait.
    func restore(
        partition: Int32, timeout: Duration, after prepare: @escaping @Sendable () throws(KafkaError) -> Void,
        completion: @escaping Completion
    ) -> ReadingNumber {
        let number = lastNumber.add(1, ordering: .relaxed).newValue
        queue.async { [self] in
            end(partition)
            let place = TopicPartition(topic, partition)
            do throws(KafkaError) {
                try prepare()
                let end = try uncommitted.watermarks(place, timeout: timeout)
                // Compaction may have removed everything up to the end.
                guard end.low < end.high else {
                    completion(.success(StateLog(owner: owner).finish()))
                    return
                }
                let queues = try consumer.assign([(partition: place, offset: .beginning)])
                readings[partition] = Reading(
                    number: number, queue: queues[0], end: end.high, timeout: timeout, completion: completion,
                    log: StateLog(owner: owner))
                try queues[0].activate(on: queue) { [weak self] in self?.read(partition, number) }
                watch(partition, number, after: timeout)
            } catch {
                self.end(partition)
                completion(.failure(error))
            }
        }
        return number
    }

    /// Where the log of any partition begins and ends. Waits.
    ///
    /// Not by a consumer that reads: brokers take the requests of one connection in turn, and this one would wait until
    /// the fetch before it is over, half a second where nothing comes.
    func watermarks(_ place: TopicPartition, timeout: Duration) throws(KafkaError) -> Watermarks {
        try uncommitted.watermarks(place, timeout: timeout)
    }

    /// Gives up a reading, unless it has ended; its completion is not called.
    func cancel(_ number: ReadingNumber) {
        queue.async { [self] in
            if let partition = readings.first(where: { $0.value.number == number })?.key { end(partition) }
        }
    }

    /// Gives up everything. The consumer is closed when the last reference to this is gone.
    func close() {
        queue.async { for partition in Array(self.readings.keys) { self.end(partition) } }
        consumer.close {}
        uncommitted.close {}
    }

    @discardableResult
    private func end(_ partition: Int32) -> Reading? {
        guard let reading = readings.removeValue(forKey: partition) else { return nil }
        reading.queue.deactivate()
        do throws(KafkaError) {
            try consumer.unassign([reading.queue.partition])
        } catch {
            notice(error)
        }
        return reading
    }

    private func read(_ partition: Int32, _ number: UInt64) {
        guard readings[partition]?.number == number else { return }
        for _ in 0..<8 {
            guard let queue = readings[partition]?.queue else { return }
            do throws(KafkaError) {
                try queue.consumeBatch(into: batch)
            } catch {
                return notice(error)
            }
            if batch.isEmpty { return }
            var isAtEnd = false
            for message in batch { isAtEnd = take(message, partition) || isAtEnd }
            batch.clear()
            readings[partition]?.lastProgress = .now()
            if isAtEnd, let reading = end(partition) {
                reading.completion(.success(reading.log.finish()))
                return
            }
        }
        readings[partition]?.queue.wake()
    }

    /// Whether the end is reached with this message.
    private func take(_ message: MessageView, _ partition: Int32) -> Bool {
        guard let end = readings[partition]?.end else { return false }
        switch message.kind {
        case .record:
            readings[partition]?.log.read(
                key: message.key.map { Array($0) } ?? [], value: message.value.map { Array($0) },
                stamp: message.headers.last(CheckpointStamp.header).flatMap { CheckpointStamp($0) })
            // The end may be a transaction's mark, which is no record: then the end of the partition tells.
            return message.offset + 1 >= end
        case .endOfPartition:
            return message.offset >= end
        case .error:
            if let error = message.error { notice(error) }
            return false
        }
    }

    private func watch(_ partition: Int32, _ number: UInt64, after time: Duration) {
        queue.asyncAfter(deadline: .now() + time.dispatchInterval) { [weak self] in
            guard let self, let reading = readings[partition], reading.number == number else { return }
            let quiet = Duration.nanoseconds(
                Int64(DispatchTime.now().uptimeNanoseconds - reading.lastProgress.uptimeNanoseconds))
            if quiet < reading.timeout {
                watch(partition, number, after: reading.timeout - quiet)
            } else {
                end(partition)
                reading.completion(
                    .failure(
                        KafkaError(
                            .timedOut, "read the state to its end",
                            message: "nothing came for \(reading.timeout); a transaction may be open",
                            topic: topic, partition: partition)))
            }
        }
    }
}
