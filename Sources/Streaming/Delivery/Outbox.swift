import Dispatch
import KafkaClient
import Synchronization

/// The producer of one membership, and the topics it writes to.
final class Outbox: Sendable {
    let producer: Producer
    private let alerts: ProducerTopic
    /// Nil as long as no rule is in the shadow stage.
    private let shadowAlerts: Mutex<ProducerTopic?>
    /// Nil as long as no rule's hits are handed on.
    private let correlate: Mutex<ProducerTopic?>
    private let deadLetters: ProducerTopic
    private let state: ProducerTopic?

    /// - Parameters:
    ///   - stateTopic: nil when nothing is to be kept.
    ///   - delivered: gets the reports, on the producer's own queue.
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    init(
        _ properties: ClientProperties, alertTopic: String, shadowTopic: String?, deadLetterTopic: String,
        stateTopic: String?, correlateTopic: String?, log: ClientLog.Handler?,
        delivered: @escaping @Sendable ([DeliveryReport]) -> Void, failed: @escaping @Sendable (KafkaError) -> Void
    ) throws {
        let producer = try Producer(
            properties, controlQueue: DispatchQueue(label: "apus.producer"), log: log
        ) { event in
            switch event {
            case .delivered(let reports): delivered(reports)
            case .failed(let error): failed(error)
            case .statistics: break
            }
        }
        self.producer = producer
        alerts = try producer.topic(alertTopic)
        shadowAlerts = Mutex(try shadowTopic.map { try producer.topic($0) })
        correlate = Mutex(try correlateTopic.map { try producer.topic($0) })
        deadLetters = try producer.topic(deadLetterTopic)
        if let stateTopic { state = try producer.topic(stateTopic) } else { state = nil }
    }

    /// Before the first rule of the shadow stage comes in.
    func prepareShadowAlerts(to topic: String) throws(KafkaError) {
        guard shadowAlerts.withLock({ $0 == nil }) else { return }
        let opened = try producer.topic(topic)
        shadowAlerts.withLock { $0 = $0 ?? opened }
    }

    /// Before the first rule comes in whose hits are handed on.
    func prepareForwards(to topic: String) throws(KafkaError) {
        guard correlate.withLock({ $0 == nil }) else { return }
        let opened = try producer.topic(topic)
        correlate.withLock { $0 = $0 ?? opened }
    }

    /// Copies the output to the producer. From any thread.
    func send(_ output: Output, opaque: UInt) -> SendOutcome {
        producer.send(
            to: topic(of: output.kind), partition: output.partition ?? Producer.anyPartition, key: output.key,
            value: output.value, headers: output.headers, opaque: opaque)
    }

    private func topic(of kind: Output.Kind) -> ProducerTopic {
        switch kind {
        case .alert: return alerts
        case .shadowAlert:
            guard let shadowAlerts = shadowAlerts.withLock({ $0 }) else {
                preconditionFailure("the alert of a shadow rule, and there is none")
            }
            return shadowAlerts
        case .deadLetter: return deadLetters
        case .forward:
            guard let correlate = correlate.withLock({ $0 }) else {
                preconditionFailure("a lane hands hits on, and there is no topic for them")
            }
            return correlate
        case .state:
            guard let state else { preconditionFailure("a lane keeps state that the pipeline does not") }
            return state
        }
    }
}

/// The broker's answer to one output of a lane.
struct OutputReport: Sendable {
    var number: UInt64
    /// Nil when the output is safe in the log.
    var error: KafkaError?
}

/// The way of delivery reports back to the lane that wrote.
final class LaneReports: Sendable {
    private let lanes = Mutex<[UInt64: PartitionLane]>([:])

    /// A report's opaque number has the lane's id in the upper 24 bits and the output's number in the
    /// lower 40: at a million outputs a second they last for twelve days of one assignment.
    private static let numberBits = UInt64(40)

    static func opaque(lane: UInt64, number: UInt64) -> UInt { UInt(lane << numberBits | number) }

    func add(_ lane: PartitionLane) {
        lanes.withLock { $0[lane.id] = lane }
    }

    func remove(_ lane: PartitionLane) {
        lanes.withLock { $0[lane.id] = nil }
    }

    func removeAll() {
        // Released outside the lock: a lane's end may be the end of its consumer.
        let gone = lanes.withLock { lanes in
            defer { lanes = [:] }
            return lanes
        }
        withExtendedLifetime(gone) {}
    }

    func hand(_ reports: [DeliveryReport]) {
        let mask = (UInt64(1) << Self.numberBits) - 1
        let byLane = Dictionary(grouping: reports) { UInt64($0.opaque) >> Self.numberBits }
        for (id, reports) in byLane {
            // A lane that is gone has no use for its reports: its offsets were not committed.
            guard let lane = lanes.withLock({ $0[id] }) else { continue }
            lane.delivered(reports.map { OutputReport(number: UInt64($0.opaque) & mask, error: $0.error) })
        }
    }
}
