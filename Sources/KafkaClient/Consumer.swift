import CRdKafka
public import Dispatch
import Synchronization

/// A member of a consumer group whose partitions are read through a `PartitionQueue` each.
///
/// librdkafka's control events arrive on `controlQueue`: woken by an eventfd, and drained at least once per
/// second besides, which also keeps `max.poll.interval.ms` from expiring while no records come. (The price:
/// librdkafka no longer notices a stalled lane. Whoever owns the lanes does.)
///
/// ```
///            subscribe            assigned                 close
///   idle ───────────────▶ member ──────────▶ reading  ──────────────▶ closing ──▶ closed
///                            ▲                  │ revoked … finish()     │ revoked … finish()
///                            └──────────────────┘                        ▼
/// ```
///
/// Offsets are committed by the caller only: `enable.auto.commit` and `enable.auto.offset.store` are off.
///
/// `Sendable` because the handles are thread-safe and everything else is in a `Mutex` or immutable.
public final class Consumer: Sendable {
    public let group: String
    let client: ClientHandle
    let controlQueue: DispatchQueue
    let startWithoutCommit: @Sendable (TopicPartition) -> Offset?
    let state: Mutex<State>
    // Invariant: assigned once; Dispatch sources may be scheduled and cancelled on any thread.
    private nonisolated(unsafe) let timer: any DispatchSourceTimer
    /// Counts the rounds of the control queue; lets tests and readiness probes see that it lives.
    private let rounds = Atomic<Int>(0)

    struct State {
        var handler: (@Sendable (ConsumerEvent) -> Void)?
        /// The queue that control events come from: the consumer's, then one of our own while closing.
        var events: QueueHandle?
        var wakeup: Wakeup?
        /// The queues handed out, by partition: retired when they are given back.
        var queues: [TopicPartition: PartitionQueue] = [:]
        /// Rebalances that have not begun to be dealt with, in order.
        var rebalances: [Rebalance] = []
        /// The one that waits for its start, at most one; those behind it wait for it.
        var pending: PendingAssignment?
        var phase = Phase.open
        var whenClosed: [@Sendable () -> Void] = []
    }

    enum Phase { case open, closing, closed }

    static let required: ClientProperties = [
        "enable.auto.commit": "false",
        "enable.auto.offset.store": "false",
    ]

    /// Connects to nothing before `subscribe` or `assign`.
    ///
    /// - Parameters:
    ///   - controlQueue: A serial queue that is not blocked for long. `events` is called on it, and may call
    ///     any method here except `waitUntilClosed`. Held until the consumer is closed.
    ///   - startWithoutCommit: Where to begin in a partition for which the group has committed nothing; nil is an
    ///     error. By default as `auto.offset.reset` says. From any thread.
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    public init(
        _ properties: ClientProperties, group: String, controlQueue: DispatchQueue,
        log: ClientLog.Handler? = nil, startWithoutCommit: (@Sendable (TopicPartition) -> Offset?)? = nil,
        events handler: @escaping @Sendable (ConsumerEvent) -> Void
    ) throws {
        var properties = properties
        properties["group.id"] = group
        let configuration = try Configuration(properties, required: Self.required)
        let maxPoll = configuration.value(of: "max.poll.interval.ms").flatMap(Int.init) ?? 300_000
        let mask = RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_STATS
        let isCooperative =
            configuration.value(of: "partition.assignment.strategy")?.contains("cooperative") == true
        let client = try ClientHandle(RD_KAFKA_CONSUMER, configuration, events: mask, log: log)
        if isCooperative { client.keepUntilAssigned() }
        // One queue for all control events: the main queue forwards to the consumer's. It must be this one,
        // since newer librdkafkas count only polls of queues that may hold records as a sign of life.
        rd_kafka_poll_set_consumer(client.pointer)
        guard let pointer = rd_kafka_queue_get_consumer(client.pointer) else {
            throw KafkaError(.state, "start a consumer", message: "librdkafka made no consumer queue")
        }
        let queue = QueueHandle(taking: pointer, of: client)
        self.group = group
        self.client = client
        self.controlQueue = controlQueue
        let reset = Offset(reset: properties["auto.offset.reset"])
        self.startWithoutCommit = startWithoutCommit ?? { _ in reset }
        state = Mutex(State(handler: handler, events: queue))
        timer = DispatchSource.makeTimerSource(queue: controlQueue)

        let period = min(1000, max(10, maxPoll / 4))
        timer.setEventHandler { [weak self] in self?.serveEvents() }
        timer.schedule(deadline: .now() + .milliseconds(period), repeating: .milliseconds(period))
        timer.activate()
        let wakeup = try Wakeup(on: controlQueue) { [weak self] in self?.serveEvents() }
        state.withLock { $0.wakeup = wakeup }
        wakeup.watch(queue)
    }

    deinit {
        timer.cancel()
        let (isOpen, isPending) = state.withLock { state in
            if let events = state.events { Wakeup.unwatch(events) }
            for queue in state.queues.values { queue.retire() }
            return (state.phase == .open, state.pending != nil)
        }
        guard isOpen else { return }
        // A client that is kept must not become, or stay, a member that reads nothing.
        rd_kafka_unsubscribe(client.pointer)
        if isPending { client.hasBeenAssigned() }
        acceptNothing()
    }

    /// The error that ended this consumer's usefulness, if one did.
    public var fatalError: KafkaError? { client.fatalError }

    /// How often the control queue was drained; it rises at least once per second while the queue is alive.
    public var controlRounds: Int { rounds.load(ordering: .relaxed) }

    // MARK: Membership

    /// Joins the group for these topics. A name starting with `^` is a regular expression.
    /// Topics that do not exist are reported as `.failed`, and taken up when they appear.
    public func subscribe(to topics: [String]) throws(KafkaError) {
        let list = PartitionList(topics.map { TopicPartition($0, -1) })
        let result = rd_kafka_subscribe(client.pointer, list.pointer)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(result, "subscribe to \(topics.joined(separator: ", "))")
        }
    }

    /// The topics that it is a member of the group for, or is to become one.
    public var subscription: [String] {
        get throws(KafkaError) {
            var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
            let result = rd_kafka_subscription(client.pointer, &list)
            guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let list else {
                throw KafkaError(result, "ask for the subscription")
            }
            defer { rd_kafka_topic_partition_list_destroy(list) }
            return list.pointee.partitions.map(\.topic)
        }
    }

    /// Also reads these partitions, from these offsets, without joining the group; not to be mixed with
    /// `subscribe`. Activate the queues.
    /// - Throws: `.conflict` when one of them is assigned already; then none is added.
    public func assign(_ starts: [(partition: TopicPartition, offset: Offset)]) throws(KafkaError) -> [PartitionQueue] {
        let partitions = starts.map(\.partition)
        // Assigning anew what is assigned makes librdkafka replace its partition, and our queue would be that
        // of the old one: seen with 2.0.2 while the topic's metadata had not arrived.
        if let twice = state.withLock({ state in partitions.first { state.queues[$0] != nil } }) {
            throw KafkaError(
                .conflict, "assign partitions", message: "the partition is assigned already", topic: twice.topic,
                partition: twice.partition)
        }
        let list = PartitionList(capacity: starts.count)
        for start in starts { list.add(start.partition, offset: start.offset.rawValue) }
        let queues = try takeQueues(partitions)
        if let error = rd_kafka_incremental_assign(client.pointer, list.pointer) {
            retire(partitions)
            throw KafkaError(consuming: error, "assign partitions")
        }
        return queues
    }

    /// Reads these partitions no more: the counterpart of `assign`. Their queues stay empty from here on.
    public func unassign(_ partitions: [TopicPartition]) throws(KafkaError) {
        retire(partitions)
        let list = PartitionList(partitions)
        if let error = rd_kafka_incremental_unassign(client.pointer, list.pointer) {
            throw KafkaError(consuming: error, "unassign partitions")
        }
    }

    public var assignment: [TopicPartition] {
        state.withLock { $0.queues.keys.sorted() }
    }

    /// The group's member id, or nil before the first join.
    public var memberID: String? {
        guard let id = rd_kafka_memberid(client.pointer) else { return nil }
        defer { rd_kafka_mem_free(client.pointer, id) }
        let text = String(cString: id)
        return text.isEmpty ? nil : text
    }

    // MARK: Closing

    /// Leaves the group in good order: partitions are revoked through the handler as in any rebalance
    /// (`finish()` counts), then `completion` runs on the control queue, and the handler is released.
    /// From any thread, without waiting; a second close only adds its completion.
    public func close(completion: @escaping @Sendable () -> Void) {
        controlQueue.async { self.beginClosing(completion) }
    }

    /// Like `close(completion:)`.
    public func close() async {
        await withCheckedContinuation { continuation in close { continuation.resume() } }
    }

    /// Like `close(completion:)`, and waits. False when the time was not enough; closing then goes on.
    /// Not on the control queue, which has to do the work.
    public func waitUntilClosed(timeout: DispatchTimeInterval) -> Bool {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        let closed = DispatchSemaphore(value: 0)
        close { closed.signal() }
        return closed.wait(timeout: .now() + timeout) == .success
    }

    /// `rd_kafka_consumer_close` would revoke by itself, silently; handing it a queue of our own keeps the
    /// revocation in the hands of our handler. The consumer's own queue must be let go of first.
    private func beginClosing(_ completion: @escaping @Sendable () -> Void) {
        let isFirst: Bool? = state.withLock { state in
            guard state.phase != .closed else { return nil }
            state.whenClosed.append(completion)
            defer { state.phase = .closing }
            return state.phase == .open
        }
        guard let isFirst else { return completion() }
        guard isFirst else { return }
        // Closing goes on even if its owner lets go of the consumer now; cut by `finishClosing`.
        state.withLock { $0.whenClosed.append { withExtendedLifetime(self) {} } }
        serveEvents()
        guard let pointer = rd_kafka_queue_new(client.pointer) else {
            preconditionFailure("rd_kafka_queue_new never returns NULL")
        }
        let queue = QueueHandle(taking: pointer, of: client)
        let (old, wakeup) = state.withLock { state in
            defer { state.events = queue }
            return (state.events, state.wakeup)
        }
        if let old { Wakeup.unwatch(old) }
        wakeup?.watch(queue)
        let isPending = state.withLock { $0.pending != nil }
        cutShort { _ in true }
        // The end of closing need not be an event, so look for it often.
        timer.schedule(deadline: .now(), repeating: .milliseconds(20))
        if let error = rd_kafka_consumer_close_queue(client.pointer, queue.pointer) {
            // After a fatal error librdkafka closes nothing, and would join the group again, as a member that reads
            // nothing: for as long as the client lives, which may be for good (see `keepUntilAssigned`).
            rd_kafka_unsubscribe(client.pointer)
            // It also takes an assignment that is accepted only now for one that is given back, and waits for the former
            // for ever (2.0.2).
            if isPending { client.keep() }
            emit(.failed(KafkaError(consuming: error, "close the consumer")))
            finishClosing()
        }
    }

    private func finishClosing() {
        timer.cancel()
        let (completions, events) = state.withLock { state in
            defer {
                state.phase = .closed
                state.handler = nil
                state.events = nil
                state.wakeup = nil
                state.whenClosed = []
            }
            return (state.whenClosed, state.events)
        }
        if let events { Wakeup.unwatch(events) }
        retireAll()
        for completion in completions { completion() }
    }

    // MARK: Control events

    func emit(_ event: ConsumerEvent) {
        // Called outside the lock: the handler may call anything here.
        let handler = state.withLock { $0.handler }
        handler?(event)
    }

    /// Drains the control events. On the control queue only.
    private func serveEvents() {
        rounds.add(1, ordering: .relaxed)
        while let queue = state.withLock({ $0.events }), let event = queue.nextEvent() {
            defer { rd_kafka_event_destroy(event) }
            serve(event)
        }
        if state.withLock({ $0.phase == .closing && $0.events != nil }), rd_kafka_consumer_closed(client.pointer) != 0 {
            finishClosing()
        }
    }

    private func serve(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_REBALANCE:
            if let rebalance = Rebalance(event) { take(rebalance) }
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            // librdkafka also reports blocking commits here, without an id: their callers know already.
            let id = Int(bitPattern: rd_kafka_event_opaque(event))
            if id != 0 { emit(.committed(Self.commitResult(of: event, id: id))) }
        case RD_KAFKA_EVENT_ERROR:
            emit(.failed(client.error(of: event, "consume")))
        case RD_KAFKA_EVENT_STATS:
            if let json = rd_kafka_event_stats(event) { emit(.statistics(String(cString: json))) }
        case RD_KAFKA_EVENT_FETCH:
            // Every partition's queue is taken before its assignment, so none is seen here. Were one to come,
            // going on would lose it.
            let message = rd_kafka_event_message_next(event).map(MessageView.init(message:))
            emit(
                .failed(
                    KafkaError(
                        .inconsistent, "route a record to its partition's queue", topic: message?.topic,
                        partition: message?.partition, isFatal: true)))
        default:
            break
        }
    }

    private static func commitResult(of event: OpaquePointer, id: Int) -> CommitResult {
        let list = rd_kafka_event_topic_partition_list(event)?.pointee
        let code = rd_kafka_event_error(event)
        let error =
            code == RD_KAFKA_RESP_ERR_NO_ERROR
            ? list?.firstError("commit offsets") : KafkaError(code, "commit offsets")
        return CommitResult(id: id, offsets: list?.offsets ?? [], error: error)
    }

    // MARK: Queues

    func takeQueues(_ partitions: [TopicPartition]) throws(KafkaError) -> [PartitionQueue] {
        var queues: [PartitionQueue] = []
        for partition in partitions {
            guard let queue = PartitionQueue(partition, of: client) else {
                throw KafkaError(
                    .unknownPartition, "take a partition's queue", topic: partition.topic,
                    partition: partition.partition)
            }
            queues.append(queue)
        }
        state.withLock { state in
            for queue in queues { state.queues.updateValue(queue, forKey: queue.partition)?.retire() }
        }
        return queues
    }

    func retire(_ partitions: [TopicPartition]) {
        state.withLock { state in
            for partition in partitions { state.queues.removeValue(forKey: partition)?.retire() }
        }
    }

    private func retireAll() {
        state.withLock { state in
            for queue in state.queues.values { queue.retire() }
            state.queues = [:]
        }
    }
}
