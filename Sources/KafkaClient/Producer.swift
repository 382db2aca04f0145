import CRdKafka
public import Dispatch
import Synchronization

/// What a `Producer` reports, always on its control queue.
public enum ProducerEvent: Sendable {
    /// Records that were written, or given up. Every queued record is reported exactly once.
    case delivered([DeliveryReport])
    case failed(KafkaError)
    case statistics(String)
}

/// What became of one record.
public struct DeliveryReport: Sendable {
    /// As given to `send`.
    public let opaque: UInt
    public let partition: Int32
    /// Where the record stands; negative when it was not written, or the broker did not say.
    public let offset: Int64
    public let error: KafkaError?
}

/// What `send` did with a record.
public enum SendOutcome: Sendable {
    /// A delivery report will follow.
    case queued
    /// No room: try again after the next delivery reports. None will follow for this record.
    case queueFull
    /// The record can never be sent like this. No delivery report will follow.
    case failed(KafkaError)
}

/// A topic to produce to, looked up once instead of by name for every record. Thread-safe; keeps the client
/// alive.
///
/// `@unchecked Sendable` because librdkafka's topic handles may be used from any thread, and the pointer never
/// changes.
public final class ProducerTopic: @unchecked Sendable {
    public let name: String
    let pointer: OpaquePointer
    private let client: ClientHandle

    init(name: String, client: ClientHandle) throws(KafkaError) {
        guard let pointer = rd_kafka_topic_new(client.pointer, name, nil) else {
            throw KafkaError(rd_kafka_last_error(), "prepare a topic", topic: name)
        }
        self.name = name
        self.pointer = pointer
        self.client = client
    }

    deinit { rd_kafka_topic_destroy(pointer) }

    func belongs(to client: ClientHandle) -> Bool { self.client === client }
}

/// Writes records, idempotently unless configured otherwise: retries neither duplicate nor reorder.
///
/// Keys choose partitions like Kafka's Java clients do (`partitioner=murmur2_random`), so that topics written
/// by both are co-partitioned.
///
/// Transactions are in `Producer+Transactions.swift`.
///
/// `Sendable` because the handles are thread-safe and everything else is in a `Mutex` or immutable.
public final class Producer: Sendable {
    /// Lets the partitioner choose, by the key.
    public static let anyPartition = apus_kafka_partition_unassigned

    let client: ClientHandle
    let controlQueue: DispatchQueue
    private let queue: QueueHandle
    private let state: Mutex<State>

    private struct State {
        var handler: (@Sendable (ProducerEvent) -> Void)?
        var wakeup: Wakeup?
    }

    static let defaults: ClientProperties = [
        "enable.idempotence": "true",
        "partitioner": "murmur2_random",
    ]

    /// - Parameters:
    ///   - controlQueue: A serial queue; `events` is called on it. Nothing here that waits may be called on it.
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    public init(
        _ properties: ClientProperties, controlQueue: DispatchQueue, log: ClientLog.Handler? = nil,
        events handler: @escaping @Sendable (ProducerEvent) -> Void
    ) throws {
        let configuration = try Configuration(Self.defaults.merging(properties))
        let mask = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS
        client = try ClientHandle(RD_KAFKA_PRODUCER, configuration, events: mask, log: log)
        guard let pointer = rd_kafka_queue_get_main(client.pointer) else {
            throw KafkaError(.state, "start a producer", message: "librdkafka made no main queue")
        }
        queue = QueueHandle(taking: pointer, of: client)
        self.controlQueue = controlQueue
        state = Mutex(State(handler: handler))
        let wakeup = try Wakeup(on: controlQueue) { [weak self] in self?.serveEvents() }
        state.withLock { $0.wakeup = wakeup }
        wakeup.watch(queue)
    }

    /// Records still queued are lost without a report; `flush` or `close` first.
    deinit { Wakeup.unwatch(queue) }

    public var fatalError: KafkaError? { client.fatalError }

    /// Records not reported yet, and whatever else waits to be handed on; 0 when all is done.
    public var outstanding: Int { Int(rd_kafka_outq_len(client.pointer)) }

    /// Connects nothing, but the first record may create the topic where the brokers permit it: check with
    /// `metadata` first.
    public func topic(_ name: String) throws(KafkaError) -> ProducerTopic {
        try ProducerTopic(name: name, client: client)
    }

    /// Describes the cluster without creating anything. Waits.
    public func metadata(topic: String? = nil, timeout: Duration) throws(KafkaError) -> ClusterMetadata {
        try client.metadata(topic: topic, timeout: timeout)
    }

    // MARK: Sending

    /// Copies the bytes and returns at once. From any thread.
    ///
    /// - Parameters:
    ///   - key: Nil for none; empty is a key.
    ///   - value: Nil for a tombstone; empty is a value.
    ///   - headers: In their order, names may repeat.
    ///   - timestamp: Milliseconds since 1970; nil means now.
    ///   - opaque: Comes back in the delivery report.
    public func send(
        to topic: ProducerTopic, partition: Int32 = Producer.anyPartition, key: UnsafeRawBufferPointer?,
        value: UnsafeRawBufferPointer?, headers: [RecordHeader] = [], timestamp: Int64? = nil, opaque: UInt = 0
    ) -> SendOutcome {
        precondition(topic.belongs(to: client), "the topic \(topic.name) was made by another producer")
        var list: OpaquePointer?
        if !headers.isEmpty {
            list = rd_kafka_headers_new(headers.count)
            for header in headers { header.add(to: list) }
        }
        let result = apus_kafka_produce(
            client.pointer, topic.pointer, partition, Self.address(key), key?.count ?? 0, Self.address(value),
            value?.count ?? 0, timestamp ?? 0, list, opaque)
        // librdkafka owns the headers from here on only if it took the record.
        if result != RD_KAFKA_RESP_ERR_NO_ERROR, let list { rd_kafka_headers_destroy(list) }
        switch result {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            return .queued
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            return .queueFull
        case RD_KAFKA_RESP_ERR__FATAL:
            return .failed(fatalError ?? KafkaError(result, "write a record", topic: topic.name))
        default:
            return .failed(
                KafkaError(result, "write a record", topic: topic.name, partition: partition >= 0 ? partition : nil))
        }
    }

    /// `send` for bytes in arrays.
    public func send(
        to topic: ProducerTopic, partition: Int32 = Producer.anyPartition, key: [UInt8]?, value: [UInt8]?,
        headers: [RecordHeader] = [], timestamp: Int64? = nil, opaque: UInt = 0
    ) -> SendOutcome {
        (key ?? []).withUnsafeBytes { keyBytes in
            (value ?? []).withUnsafeBytes { valueBytes in
                send(
                    to: topic, partition: partition, key: key == nil ? nil : keyBytes,
                    value: value == nil ? nil : valueBytes, headers: headers, timestamp: timestamp, opaque: opaque)
            }
        }
    }

    /// To librdkafka, NULL means "none", so empty bytes need some address.
    private static func address(_ bytes: UnsafeRawBufferPointer?) -> UnsafeRawPointer? {
        bytes.map { $0.baseAddress ?? UnsafeRawPointer(bitPattern: 1) } ?? nil
    }

    // MARK: Finishing

    /// Sends without lingering and waits until every record is reported, and every report handed on.
    /// Not on the control queue, which has to hand them on.
    /// - Throws: `.timedOut` when records are still on their way; they stay queued.
    public func flush(timeout: Duration) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        let result = rd_kafka_flush(client.pointer, timeout.timeout)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "flush \(outstanding) records") }
        // librdkafka counts a report as done once its event is destroyed, hence on the control queue; an empty
        // round behind it makes sure that the handler has returned.
        controlQueue.sync {}
    }

    /// Gives up what is queued, and what is on its way if `inFlight` is set (it may be written nevertheless).
    /// Every record gets a report, with `.purgedFromQueue` or `.purgedInFlight`.
    public func purge(inFlight: Bool = false) {
        let flags = RD_KAFKA_PURGE_F_QUEUE | (inFlight ? RD_KAFKA_PURGE_F_INFLIGHT : 0)
        // Fails only for flags it does not know.
        _ = rd_kafka_purge(client.pointer, flags)
    }

    /// Flushes, then reports no more and releases the handler. Not on the control queue.
    /// - Throws: Like `flush`; what was not sent by then is purged.
    public func close(timeout: Duration) throws(KafkaError) {
        var failure: KafkaError?
        do throws(KafkaError) { try flush(timeout: timeout) } catch { failure = error }
        if failure != nil { purge(inFlight: true) }
        Wakeup.unwatch(queue)
        // The last reports, purged ones among them.
        controlQueue.sync { serveEvents() }
        state.withLock { state in
            state.handler = nil
            state.wakeup = nil
        }
        if let failure { throw failure }
    }

    // MARK: Control events

    /// Drains the control events. On the control queue only.
    private func serveEvents() {
        while let event = queue.nextEvent() {
            defer { rd_kafka_event_destroy(event) }
            // Called outside the lock: the handler may call anything here.
            guard let handler = state.withLock({ $0.handler }) else { continue }
            switch rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_DR:
                handler(.delivered(Self.reports(of: event)))
            case RD_KAFKA_EVENT_ERROR:
                handler(.failed(client.error(of: event, "produce")))
            case RD_KAFKA_EVENT_STATS:
                if let json = rd_kafka_event_stats(event) { handler(.statistics(String(cString: json))) }
            default:
                break
            }
        }
    }

    private static func reports(of event: OpaquePointer) -> [DeliveryReport] {
        var reports: [DeliveryReport] = []
        reports.reserveCapacity(rd_kafka_event_message_count(event))
        while let message = rd_kafka_event_message_next(event) {
            let code = message.pointee.err
            let error =
                code == RD_KAFKA_RESP_ERR_NO_ERROR
                ? nil
                : KafkaError(
                    code, "write a record", topic: MessageView(message: message).topic,
                    partition: message.pointee.partition >= 0 ? message.pointee.partition : nil)
            reports.append(
                DeliveryReport(
                    opaque: UInt(bitPattern: message.pointee._private), partition: message.pointee.partition,
                    offset: error == nil ? message.pointee.offset : -1, error: error))
        }
        return reports
    }
}

/// A header of a record to send.
public struct RecordHeader: Hashable, Sendable {
    public let name: String
    /// Nil for a header without value.
    public let value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ value: String) {
        self.init(name, Array(value.utf8))
    }

    /// librdkafka copies both.
    func add(to list: OpaquePointer?) {
        guard let list else { return }
        guard let value else {
            rd_kafka_header_add(list, name, -1, nil, 0)
            return
        }
        value.withUnsafeBytes { bytes in
            // NULL would mean "no value".
            let address = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
            rd_kafka_header_add(list, name, -1, address, bytes.count)
        }
    }
}
