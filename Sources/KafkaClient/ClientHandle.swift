import CRdKafka
import Synchronization

/// One line of librdkafka's own log.
public struct ClientLog: Sendable {
    /// Syslog severity: 0 is an emergency, 3 an error, 4 a warning, 6 information, 7 debugging.
    public let level: Int
    /// librdkafka's name for the place, such as `FAIL` or `REBALANCE`.
    public let facility: String
    public let message: String

    /// Receives the lines. Called on librdkafka's threads, several at a time: be quick, do not block, and
    /// do not call the client.
    public typealias Handler = @Sendable (ClientLog) -> Void
}

/// The librdkafka in use.
public enum Library {
    /// Of the library loaded at run time, such as `2.0.2`; it may be newer than the one compiled against.
    public static var version: String { String(cString: rd_kafka_version_str()) }

    /// How many of its clients this process has, but for embedded brokers; for tests that nothing is left behind.
    static var clients: Int { ClientHandle.count.load(ordering: .relaxed) }
}

/// Owns one `rd_kafka_t`. Everything that needs the client alive (queues, topics, batches of messages) holds
/// this object, so that reference counting gives librdkafka's required order: the client goes last.
///
/// `@unchecked Sendable` because librdkafka's client handles may be used from any thread, and the pointer
/// never changes; `deinit` runs when nobody is left to use it.
final class ClientHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    /// librdkafka holds an unretained pointer to it. `deinit` ends librdkafka's threads before it is released.
    private let log: LogBox?
    private let isDestroyable = Atomic(true)
    fileprivate static let count = Atomic(0)

    private final class LogBox: Sendable {
        let handler: ClientLog.Handler
        init(_ handler: @escaping ClientLog.Handler) { self.handler = handler }
    }

    /// `events` is a mask of `RD_KAFKA_EVENT_…` that the client's queues deliver.
    init(
        _ type: rd_kafka_type_t, _ configuration: consuming Configuration, events: Int32 = 0,
        log handler: ClientLog.Handler? = nil
    ) throws(KafkaError) {
        let log = handler.map(LogBox.init)
        rd_kafka_conf_set_events(configuration.pointer, events)
        if let log {
            rd_kafka_conf_set_opaque(configuration.pointer, Unmanaged.passUnretained(log).toOpaque())
            rd_kafka_conf_set_log_cb(configuration.pointer) { client, level, facility, message in
                // Unretained: see `log`.
                guard let client, let context = rd_kafka_opaque(client) else { return }
                let log = Unmanaged<LogBox>.fromOpaque(context).takeUnretainedValue()
                log.handler(
                    ClientLog(
                        level: Int(level), facility: facility.map { String(cString: $0) } ?? "",
                        message: message.map { String(cString: $0) } ?? ""))
            }
        } else {
            rd_kafka_conf_set_log_cb(configuration.pointer, nil)
        }
        // Fetching a token blocks on HTTP or on a file: it belongs on librdkafka's background thread, not on our queue.
        // Unsecured tokens are made without waiting, where events are served, and have no part in this.
        let usesTokens =
            configuration.value(of: "sasl.mechanisms")?.uppercased() == "OAUTHBEARER"
            && (configuration.usesTokenFile
                || configuration.value(of: "sasl.oauthbearer.method")?.lowercased() == "oidc")
        if configuration.usesTokenFile {
            rd_kafka_conf_set_oauthbearer_token_refresh_cb(configuration.pointer) { client, path, _ in
                guard let client, let path else { return }
                TokenFile(path: String(cString: path)).refresh(client)
            }
        }
        if usesTokens { rd_kafka_conf_enable_sasl_queue(configuration.pointer, 1) }

        self.log = log
        pointer = try configuration.makeClient(type)
        Self.count.add(1, ordering: .relaxed)
        if usesTokens, let error = rd_kafka_sasl_background_callbacks_enable(pointer) {
            throw KafkaError(consuming: error, "refresh OAUTHBEARER tokens in the background")
        }
    }

    /// Waits for librdkafka's threads, so nobody lets go of the last reference in a callback of its. A consumer that was
    /// not closed has asked to leave its group, but does not wait for that: at worst the session times out.
    deinit {
        guard isDestroyable.load(ordering: .relaxed) else {
            // Its threads go on, and may log.
            if let log { _ = Unmanaged.passRetained(log) }
            return
        }
        rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
        Self.count.subtract(1, ordering: .relaxed)
    }

    /// For a consumer with the assignor `cooperative-sticky` until it has had an assignment: before 2.3.0, librdkafka
    /// aborts the process when one without is destroyed (confluentinc/librdkafka#4312). It is leaked then: an instance
    /// that is stopped just after it has joined must end in good order.
    func keepUntilAssigned() {
        if rd_kafka_version() < 0x0203_0000 { isDestroyable.store(false, ordering: .relaxed) }
    }

    func hasBeenAssigned() { isDestroyable.store(true, ordering: .relaxed) }

    /// For a consumer that cannot be destroyed any more: librdkafka would wait in its destruction, and take a core.
    func keep() { isDestroyable.store(false, ordering: .relaxed) }

    /// The error that ended this client's usefulness, if one did.
    var fatalError: KafkaError? {
        withErrorText { text, size in
            let code = rd_kafka_fatal_error(pointer, text, size)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
            return KafkaError(
                KafkaErrorCode(code), "go on with this client", message: String(cString: text), isFatal: true)
        }
    }

    /// What the client complained of since the last call, on its main queue: the first error that time cannot mend,
    /// else the last one. For clients that nobody else polls.
    func complaint(_ operation: String) -> KafkaError? {
        guard let queue = rd_kafka_queue_get_main(pointer) else { return nil }
        defer { rd_kafka_queue_destroy(queue) }
        var complaint: KafkaError?
        while let event = rd_kafka_queue_poll(queue, 0) {
            defer { rd_kafka_event_destroy(event) }
            guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR else { continue }
            if complaint?.reaction != .stop { complaint = Self.refusal(error(of: event, operation)) }
        }
        return complaint
    }

    /// With TLS 1.3 the broker judges a client's certificate after the handshake: librdkafka takes the alert for a
    /// connection that broke.
    private static func refusal(_ error: KafkaError) -> KafkaError {
        guard error.code == .transport, error.message.contains("SSL routines"), error.message.contains(" alert ") else {
            return error
        }
        return KafkaError(.ssl, error.operation, message: error.message)
    }

    /// What an `RD_KAFKA_EVENT_ERROR` says. Consumes nothing.
    func error(of event: OpaquePointer, _ operation: String) -> KafkaError {
        if rd_kafka_event_error_is_fatal(event) != 0, let fatalError { return fatalError }
        var place: TopicPartition?
        if let partition = rd_kafka_event_topic_partition(event) {
            place = partition.pointee.topicPartition
            rd_kafka_topic_partition_destroy(partition)
        }
        let message = rd_kafka_event_error_string(event).map { String(cString: $0) }
        return KafkaError(
            KafkaErrorCode(rd_kafka_event_error(event)), operation, message: message,
            topic: place?.topic ?? message.flatMap(Self.unavailableTopic),
            partition: place.flatMap { $0.partition >= 0 ? $0.partition : nil })
    }

    /// librdkafka names a topic that cannot be subscribed to only in its words (2.0.2 and 2.16.0).
    private static func unavailableTopic(in message: String) -> String? {
        let opening = "Subscribed topic not available: "
        guard message.hasPrefix(opening) else { return nil }
        // Topic names contain no colon.
        return String(message.dropFirst(opening.count).prefix { $0 != ":" })
    }
}

/// Owns one reference to an `rd_kafka_queue_t`, and keeps the client alive as long.
///
/// `@unchecked Sendable` because librdkafka's queues lock themselves, and the pointer never changes.
final class QueueHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let client: ClientHandle

    init(taking pointer: OpaquePointer, of client: ClientHandle) {
        self.pointer = pointer
        self.client = client
    }

    deinit { rd_kafka_queue_destroy(pointer) }

    /// Next event, or nil. Never waits.
    func nextEvent() -> OpaquePointer? { rd_kafka_queue_poll(pointer, 0) }
}
