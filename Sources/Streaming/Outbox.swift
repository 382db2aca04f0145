import Dispatch
import KafkaClient
import Synchronization

/// The broker's answer to one output of a lane.
struct OutputReport: Sendable {
    var number: UInt64
    /// Nil when the output is safe in the log.
    var error: KafkaError?
}

/// The producer that all lanes write to, and the way of delivery reports back to the lane that wrote.
final class Outbox: Sendable {
    private let producer: Producer
    private let alerts: ProducerTopic
    private let deadLetters: ProducerTopic
    private let lanes: Lanes

    /// Who gets the reports. Apart from the outbox, because the producer holds it.
    private final class Lanes: Sendable {
        let byID = Mutex<[UInt64: PartitionLane]>([:])
    }

    /// A report's opaque number has the lane's id in the upper 24 bits and the output's number in the
    /// lower 40: at a million outputs a second they last for twelve days of one assignment.
    private static let numberBits = UInt64(40)

    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    init(
        _ properties: ClientProperties, alertTopic: String, deadLetterTopic: String,
        log: ClientLog.Handler?, failed: @escaping @Sendable (KafkaError) -> Void
    ) throws {
        let lanes = Lanes()
        producer = try Producer(properties, controlQueue: DispatchQueue(label: "apus.producer"), log: log) { event in
            switch event {
            case .delivered(let reports): Self.hand(reports, to: lanes)
            case .failed(let error): failed(error)
            case .statistics: break
            }
        }
        self.lanes = lanes
        alerts = try producer.topic(alertTopic)
        deadLetters = try producer.topic(deadLetterTopic)
    }

    func add(_ lane: PartitionLane) {
        lanes.byID.withLock { $0[lane.id] = lane }
    }

    func remove(_ lane: PartitionLane) {
        lanes.byID.withLock { $0[lane.id] = nil }
    }

    func removeAll() {
        // Released outside the lock: a lane's end may be the end of its consumer.
        let gone = lanes.byID.withLock { lanes in
            defer { lanes = [:] }
            return lanes
        }
        withExtendedLifetime(gone) {}
    }

    /// Copies the output to the producer. From any thread.
    func send(_ output: Output, lane: UInt64, number: UInt64) -> SendOutcome {
        producer.send(
            to: output.kind == .alert ? alerts : deadLetters, key: output.key, value: output.value,
            headers: output.headers, opaque: UInt(lane << Self.numberBits | number))
    }

    /// Waits until everything is written, or gives up what is left after `timeout`.
    func close(timeout: Duration) throws(KafkaError) {
        try producer.close(timeout: timeout)
    }

    private static func hand(_ reports: [DeliveryReport], to lanes: Lanes) {
        let mask = (UInt64(1) << numberBits) - 1
        let byLane = Dictionary(grouping: reports) { UInt64($0.opaque) >> numberBits }
        for (id, reports) in byLane {
            // A lane that is gone has no use for its reports: its offsets were not committed.
            guard let lane = lanes.byID.withLock({ $0[id] }) else { continue }
            lane.delivered(reports.map { OutputReport(number: UInt64($0.opaque) & mask, error: $0.error) })
        }
    }
}
