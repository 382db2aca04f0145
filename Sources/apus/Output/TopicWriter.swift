import Dispatch
import Foundation
import KafkaClient
import Synchronization

/// Writes records for a command and waits for the brokers' word on each: all of them in one transaction, or each for
/// itself.
final class TopicWriter {
    private let producer: Producer
    private let isTransactional: Bool
    private var topics: [String: ProducerTopic] = [:]
    private let refusals: Refusals

    private final class Refusals: Sendable {
        let first = Mutex<KafkaError?>(nil)
    }

    /// - Parameter transaction: A name for the transaction, if all is to be written in one.
    init(_ properties: ClientProperties, transaction: String? = nil, timeout: Duration = .seconds(30)) throws {
        let refusals = Refusals()
        self.refusals = refusals
        var properties = properties
        // A command gives up some time; apus run does not.
        properties["message.timeout.ms"] = "30000"
        properties["transactional.id"] = transaction
        isTransactional = transaction != nil
        if isTransactional { properties["transaction.timeout.ms"] = "30000" }
        producer = try Producer(properties, controlQueue: DispatchQueue(label: "apus.writer")) { event in
            guard case .delivered(let reports) = event else { return }
            for case let error? in reports.map(\.error) { refusals.first.withLock { $0 = $0 ?? error } }
        }
        if isTransactional {
            try producer.initTransactions(timeout: timeout)
            try producer.beginTransaction()
        }
    }

    /// - Parameter value: Nil for a tombstone.
    func write(
        _ value: [UInt8]?, key: [UInt8]?, to name: String, partition: Int32 = Producer.anyPartition,
        headers: [RecordHeader] = [], timestamp: Int64? = nil
    ) throws {
        let topic = try topics[name] ?? producer.topic(name)
        topics[name] = topic
        while true {
            switch producer.send(
                to: topic, partition: partition, key: key, value: value, headers: headers, timestamp: timestamp)
            {
            case .queued: return
            case .queueFull: try producer.flush(timeout: .seconds(30))
            case .failed(let error): throw error
            }
        }
    }

    /// - Throws: the first refusal. The records may have been written or not then, but for those of a transaction,
    ///   which are not.
    func finish(timeout: Duration) throws {
        if isTransactional {
            try producer.flush(timeout: timeout)
            if let error = refusals.first.withLock({ $0 }) {
                try producer.abortTransaction(timeout: timeout)
                throw error
            }
            try producer.commitTransaction(timeout: timeout)
        }
        try producer.close(timeout: timeout)
        if let error = refusals.first.withLock({ $0 }) { throw error }
    }
}
