import Dispatch
import Foundation
import KafkaClient
import Synchronization

/// An alert as a downstream consumer sees it: only what is in the record.
struct ReceivedAlert: Sendable, Decodable {
    struct Event: Sendable, Decodable {
        var id: String
        var reason: String
    }

    struct Rule: Sendable, Decodable {
        var id: String
        var name: String
    }

    struct Evidence: Sendable, Decodable {
        var topic: String
        var partition: Int32
        var offset: Int64
    }

    struct Details: Sendable, Decodable {
        var hostKey: String?
        var evidence: [Evidence]

        enum CodingKeys: String, CodingKey {
            case hostKey = "host_key"
            case evidence
        }
    }

    struct Host: Sendable, Decodable {
        var name: String?
    }

    var timestamp: String
    var event: Event
    var rule: Rule
    var apus: Details
    var host: Host?

    enum CodingKeys: String, CodingKey {
        case timestamp = "@timestamp"
        case event, rule, apus, host
    }
}

/// Reads an alert topic from its beginning, independently of the instances that write to it.
final class AlertReader: Sendable {
    private let consumer: Consumer
    private let queue: PartitionQueue
    private let read = Atomic<Int64>(0)
    private let broken = Mutex<String?>(nil)
    private let deliver: @Sendable (ReceivedAlert) -> Void

    init(broker: EmbeddedBroker, topic: String, deliver: @escaping @Sendable (ReceivedAlert) -> Void) throws {
        self.deliver = deliver
        consumer = try Consumer(
            broker.properties, group: "apus-demo-reader", controlQueue: DispatchQueue(label: "apus.demo.reader")
        ) { _ in }
        guard let queue = try consumer.assign([(TopicPartition(topic, 0), .beginning)]).first else {
            throw DemoStage.Stuck(description: "the alert topic has no partition")
        }
        self.queue = queue
        try queue.activate(on: DispatchQueue(label: "apus.demo.alerts")) { [weak self] in self?.drain() }
    }

    private func drain() {
        let batch = MessageBatch(capacity: 256)
        while let count = try? queue.consumeBatch(into: batch), count > 0 {
            for message in batch where message.kind == .record {
                do {
                    deliver(
                        try JSONDecoder().decode(ReceivedAlert.self, from: Data(message.value.map(Array.init) ?? [])))
                } catch {
                    broken.withLock { $0 = "alert at offset \(message.offset) cannot be read: \(error)" }
                }
                read.store(message.offset + 1, ordering: .releasing)
            }
        }
    }

    /// Returns when every alert that is in the topic now was delivered.
    func readToEnd(timeout: Duration) async throws {
        let deadline = ContinuousClock.now + timeout
        let (consumer, partition) = (consumer, queue.partition)
        let end = try await Task.detached {
            try consumer.watermarks(partition, timeout: .seconds(10)).high
        }.value
        while read.load(ordering: .acquiring) < end {
            guard ContinuousClock.now < deadline else {
                throw DemoStage.Stuck(description: "the alerts could not be read back in time")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        if let reason = broken.withLock({ $0 }) { throw DemoStage.Stuck(description: reason) }
    }

    func close() {
        queue.deactivate()
        _ = consumer.waitUntilClosed(timeout: .seconds(5))
    }
}
