import Dispatch
import Foundation
import KafkaClient
import Synchronization

/// The newest records of a topic, read once, without a group and without committing anything.
struct TopicSample {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let topic: String
    let properties: ClientProperties
    /// At most this many records, shared evenly by the partitions.
    let records: Int

    /// Calls `handle` for each record, on one queue; its bytes are borrowed for the call.
    ///
    /// - Throws: a failure when the topic cannot be found or read, or no partition makes progress for half a minute.
    func read(_ handle: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws {
        let queue = DispatchQueue(label: "apus.sample")
        let consumer = try Consumer(
            properties.merging(["enable.partition.eof": "true", "auto.offset.reset": "earliest"]),
            group: "apus-coverage", controlQueue: DispatchQueue(label: "apus.sample.control")
        ) { _ in }
        defer {
            consumer.close {}
            _ = consumer.waitUntilClosed(timeout: .seconds(5))
        }
        let metadata = try consumer.metadata(topic: topic, timeout: .seconds(15))
        guard let found = metadata.topic(topic), !found.partitions.isEmpty else {
            throw Failure(description: "there is no topic \(topic)")
        }
        let share = Int64(max(1, records / found.partitions.count))
        var starts: [(partition: TopicPartition, offset: Offset)] = []
        var ends: [TopicPartition: Int64] = [:]
        for partition in found.partitions {
            let place = TopicPartition(topic, partition.id)
            let marks = try consumer.watermarks(place, timeout: .seconds(15))
            guard marks.high > marks.low else { continue }
            starts.append((place, .at(max(marks.low, marks.high - share))))
            ends[place] = marks.high
        }
        guard !starts.isEmpty else { return }
        let progress = Progress(ends: ends)
        let queues = try consumer.assign(starts)
        for partition in queues {
            try partition.activate(on: queue) { progress.drain(partition, handle) }
        }
        defer { for partition in queues { partition.deactivate() } }
        try progress.wait(topic)
    }

    /// How far the reading is.
    ///
    /// `@unchecked Sendable` because everything mutable is behind its lock, but for the batch, which only the one
    /// queue uses that drains.
    private final class Progress: @unchecked Sendable {
        private struct State {
            var ends: [TopicPartition: Int64]
            var failure: KafkaError?
        }

        private let state: Mutex<State>
        private let moved = DispatchSemaphore(value: 0)
        private let batch = MessageBatch(capacity: 256)

        init(ends: [TopicPartition: Int64]) {
            state = Mutex(State(ends: ends))
        }

        func drain(_ queue: PartitionQueue, _ handle: (UnsafeRawBufferPointer) -> Void) {
            while let count = try? queue.consumeBatch(into: batch), count > 0 {
                for message in batch {
                    switch message.kind {
                    case .record:
                        if let value = message.value { handle(value) }
                        pass(message.offset + 1, of: queue.partition)
                    case .endOfPartition: pass(.max, of: queue.partition)
                    case .error: state.withLock { $0.failure = $0.failure ?? message.error }
                    }
                }
                moved.signal()
            }
        }

        private func pass(_ offset: Int64, of partition: TopicPartition) {
            state.withLock { if let end = $0.ends[partition], offset >= end { $0.ends[partition] = nil } }
        }

        func wait(_ topic: String) throws {
            while !state.withLock(\.ends.isEmpty) {
                if let failure = state.withLock(\.failure) { throw failure }
                guard moved.wait(timeout: .now() + .seconds(30)) == .success else {
                    throw Failure(description: "\(topic) could not be read within half a minute")
                }
            }
        }
    }
}
