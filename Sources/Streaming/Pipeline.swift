import Alerts
public import Detection
import Dispatch
import Events
public import KafkaClient
import Synchronization

/// One instance of Apus: a member of the consumer group, its lanes, and the producer they write to.
///
///     consumer group ──assigned──▶ PartitionLane (one per partition number, on Dispatch queues)
///                                     poll ▶ decode ▶ match ▶ correlate ▶ alert
///                                                                           │
///     offsets ◀──commit── checkpoint ◀──acknowledged── Outbox (producer) ◀──┘
///
/// Delivery is at least once: an offset is committed only after every alert and dead letter that the
/// records before it caused is acknowledged. Alerts carry ids made of what caused them, so one that is
/// written twice has the same id twice.
///
/// *Runs on:* a control queue for everything that concerns membership, the lanes' queues, and the
/// producer's. Whatever happens in a rebalance happens on the control queue, in order.
// `@unchecked`: `lanes` and the timer are only touched on `control`; everything else is immutable or in a Mutex.
public final class Pipeline: @unchecked Sendable {
    private let options: PipelineOptions
    private let rules: CompiledRules
    private let observe: @Sendable (PipelineEvent) -> Void
    private let log: ClientLog.Handler?
    private let control = DispatchQueue(label: "apus.control")
    private let pool: LanePool
    private let state = Mutex(State())
    private let nextLane = Atomic<UInt64>(0)
    private let nextCommit = Atomic<Int>(0)

    private var lanes: [Int32: AssignedLane] = [:]
    private var timer: (any DispatchSourceTimer)?

    private struct State {
        var consumer: Consumer?
        var environment: LaneEnvironment?
        var failure: KafkaError?
        var hasAssignment = false
        var isStopping = false
        var stalled: Set<Int32> = []
    }

    private struct AssignedLane {
        var lane: PartitionLane
        var queues: [PartitionQueue]
    }

    public init(
        rules: CompiledRules, options: PipelineOptions, log: ClientLog.Handler? = nil,
        observe: @escaping @Sendable (PipelineEvent) -> Void = { _ in }
    ) {
        self.rules = rules
        self.options = options
        self.log = log
        self.observe = observe
        pool = LanePool(cores: options.cores)
    }

    /// Dropped without `stop`: like a crash. The group waits for the session to time out, and nothing is committed.
    deinit {
        // The outbox keeps the lanes, and these keep the outbox.
        state.withLock { $0.environment }?.outbox.removeAll()
    }

    // MARK: Life

    /// Looks at the cluster, connects and joins the group. Waits for a broker, at most the connect time-out.
    ///
    /// - Throws: `StartFailure`, `InvalidProperties` or `KafkaError`; nothing was read then.
    public func start() throws {
        _ = try TopicCheck(options: options).run()
        let outbox = try Outbox(
            options.producer, alertTopic: options.alertTopic, deadLetterTopic: options.deadLetterTopic, log: log
        ) { [weak self] in self?.noticed($0) }
        let consumer = try Consumer(
            options.consumer, group: options.application, controlQueue: control, log: log
        ) { [weak self] in self?.handle($0) }
        let environment = makeEnvironment(outbox, consumer)
        state.withLock { state in
            state.consumer = consumer
            state.environment = environment
        }
        try consumer.subscribe(to: options.inputs.map(\.name))
        control.async { self.startTimer() }
        observe(.started(version: Engine.version))
    }

    /// Stops reading, lets every alert be acknowledged, commits and leaves the group, all within `timeout`.
    ///
    /// - Returns: false when the time was not enough; what was not committed is read again by the next one.
    public func stop(timeout: Duration) async -> Bool {
        let (consumer, environment) = state.withLock { state in
            state.isStopping = true
            return (state.consumer, state.environment)
        }
        guard let consumer, let environment else { return true }
        let deadline = DispatchTime.now() + timeout.dispatchInterval
        let closed = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: consumer.waitUntilClosed(timeout: timeout.dispatchInterval))
            }
        }
        control.async {
            self.timer?.cancel()
            self.timer = nil
        }
        let left = Duration.nanoseconds(
            Int64(deadline.uptimeNanoseconds) - Int64(DispatchTime.now().uptimeNanoseconds))
        let flushed = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: (try? environment.outbox.close(timeout: max(left, .zero))) != nil)
            }
        }
        observe(.stopped)
        return closed && flushed
    }

    /// Why the pipeline cannot go on, once it cannot. Stop it then; what is not committed is read again.
    public var failure: KafkaError? { state.withLock { $0.failure } }

    /// A reading of all lanes that answer within `timeout`; a lane that hangs is missing from it.
    public func snapshot(timeout: Duration = .seconds(1)) async -> PipelineSnapshot {
        let collected = SnapshotCollector()
        let group = DispatchGroup()
        let isDone = DispatchSemaphore(value: 0)
        control.async { [self] in
            for assigned in lanes.values {
                group.enter()
                assigned.lane.snapshot { snapshot in
                    collected.add(snapshot)
                    group.leave()
                }
            }
            group.notify(queue: .global()) { isDone.signal() }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                _ = isDone.wait(timeout: .now() + timeout.dispatchInterval)
                continuation.resume()
            }
        }
        return state.withLock { state in
            PipelineSnapshot(
                lanes: collected.snapshots.sorted { $0.partition < $1.partition },
                isReady: state.hasAssignment && state.failure == nil && state.stalled.isEmpty && !state.isStopping,
                failure: state.failure)
        }
    }

    private final class SnapshotCollector: Sendable {
        private let all = Mutex<[LaneSnapshot]>([])

        var snapshots: [LaneSnapshot] { all.withLock { $0 } }

        func add(_ snapshot: LaneSnapshot) { all.withLock { $0.append(snapshot) } }
    }

    // MARK: Control events

    private func handle(_ event: ConsumerEvent) {
        switch event {
        case .assigned(let queues): assign(queues)
        case .revoked(let revocation): revoke(revocation)
        case .committed(let result):
            if let error = result.error {
                observe(.commitFailed(error))
                if error.reaction == .stop { fail(error) }
                for partition in Set(result.offsets.map(\.partition.partition)) {
                    lanes[partition]?.lane.repeatCommit()
                }
            } else {
                observe(.committed(result.offsets))
            }
        case .failed(let error): noticed(error)
        case .statistics: break
        }
    }

    /// A problem of a client. librdkafka deals with most of them by itself. What it would repeat in vain ends the
    /// pipeline: an instance that reads nothing for want of an ACL must not look well.
    private func noticed(_ error: KafkaError) {
        if error.isFatal || error.reaction == .stop && !Self.passing.contains(error.code) {
            fail(error)
        } else {
            observe(.problem(error))
        }
    }

    /// Would stop a call, but may pass while clients go on: a topic that is being made anew, one broker of several
    /// with the wrong certificate or credentials, files that other processes hold.
    private static let passing: Set<KafkaErrorCode> = [
        .unknownTopicOrPartition, .unknownTopic, .ssl, .authentication, .saslAuthenticationFailed, .systemResource,
    ]

    private func fail(_ error: KafkaError) {
        let isFirst = state.withLock { state in
            guard state.failure == nil else { return false }
            state.failure = error
            return true
        }
        if isFirst { observe(.failed(error)) }
    }

    // MARK: Assignment

    private func assign(_ queues: [PartitionQueue]) {
        for (partition, queues) in Dictionary(grouping: queues, by: \.partition.partition) {
            start(queues, of: partition)
        }
        state.withLock { $0.hasAssignment = true }
        observe(.assigned(queues.map(\.partition).sorted()))
    }

    private func start(_ queues: [PartitionQueue], of partition: Int32) {
        guard let environment = state.withLock({ $0.environment }) else { return }
        if let assigned = lanes[partition] {
            lanes[partition]?.queues += queues
            assigned.lane.start(queues)
            return
        }
        let id = nextLane.add(1, ordering: .relaxed).newValue
        let lane = PartitionLane(
            id: id, partition: partition, queue: pool.makeQueue(label: "apus.lane.\(partition)", number: id),
            environment: environment)
        environment.outbox.add(lane)
        lanes[partition] = AssignedLane(lane: lane, queues: queues)
        lane.start(queues)
    }

    /// Stops the lanes concerned. When they are drained, or the drain time-out is over, what is safe is
    /// committed and the partitions go back; with a lost assignment nothing is waited for or committed.
    private func revoke(_ revocation: Revocation) {
        let gone = Set(revocation.partitions)
        let affected = lanes.filter { $0.value.queues.contains { gone.contains($0.partition) } }
        for partition in affected.keys { lanes[partition] = nil }
        let drained = DispatchGroup()
        for assigned in affected.values {
            drained.enter()
            assigned.lane.stop { drained.leave() }
        }
        let once = Once()
        let finish: @Sendable () -> Void = { [weak self] in
            guard once.claim() else { return }
            self?.finish(revocation, affected.values.map { $0 }, gone)
        }
        if revocation.isLost {
            finish()
        } else {
            drained.notify(queue: control, execute: finish)
            control.asyncAfter(deadline: .now() + options.drainTimeout.dispatchInterval, execute: finish)
        }
    }

    private func finish(_ revocation: Revocation, _ affected: [AssignedLane], _ gone: Set<TopicPartition>) {
        let (consumer, environment) = state.withLock { ($0.consumer, $0.environment) }
        if !revocation.isLost {
            let offsets = affected.flatMap { $0.lane.takeCommittable() }
            do throws(KafkaError) {
                try consumer?.commit(offsets)
                if !offsets.isEmpty { observe(.committed(offsets)) }
            } catch {
                // Whoever reads on starts at the last commit: alerts may repeat, with equal ids.
                observe(.commitFailed(error))
            }
        }
        for assigned in affected { environment?.outbox.remove(assigned.lane) }
        revocation.finish()
        // Partitions of the same number that stay go on in a lane of their own.
        for assigned in affected {
            let staying = assigned.queues.filter { !gone.contains($0.partition) }
            if let partition = staying.first?.partition.partition { start(staying, of: partition) }
        }
        state.withLock { $0.hasAssignment = !lanes.isEmpty }
        observe(.revoked(revocation.partitions.sorted(), lost: revocation.isLost))
    }

    // MARK: Checkpoints

    private func startTimer() {
        let timer = DispatchSource.makeTimerSource(queue: control)
        let interval = options.checkpointInterval.dispatchInterval
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { [weak self] in self?.checkpoint() }
        timer.activate()
        self.timer = timer
    }

    private func checkpoint() {
        for assigned in lanes.values { assigned.lane.tick() }
        let stalled = Set(lanes.filter { $0.value.lane.isStalled }.keys)
        let new = state.withLock { state in
            defer { state.stalled = stalled }
            return stalled.subtracting(state.stalled)
        }
        for partition in new.sorted() { observe(.stalled(partition: partition)) }
    }

    private func makeEnvironment(_ outbox: Outbox, _ consumer: Consumer) -> LaneEnvironment {
        let names = options.inputs.map(\.name)
        return LaneEnvironment(
            rules: rules, options: options, topics: TopicTable(names),
            encoder: AlertEncoder(topics: names, engineVersion: Engine.version),
            shortEncoder: AlertEncoder(
                topics: names, engineVersion: Engine.version,
                limits: AlertLimits(original: 0, allOriginals: 0, excerpt: 0, value: 256, member: 0)),
            outbox: outbox,
            evaluatorOptions: EvaluatorOptions(
                ordering: .stream(lateness: options.allowedLateness.wholeNanoseconds),
                decodeLimits: DecodeLimits(bytes: options.maxRecordBytes)),
            idleNanoseconds: UInt64(options.idleTimeout.wholeNanoseconds),
            stallNanoseconds: UInt64(options.stallTimeout.wholeNanoseconds),
            report: observe,
            notice: { [weak self] in self?.noticed($0) },
            fail: { [weak self] in self?.fail($0) },
            commit: { [weak self, consumer] offsets in
                guard let self else { return false }
                let id = nextCommit.add(1, ordering: .relaxed).newValue
                do throws(KafkaError) {
                    try consumer.commitLater(offsets, id: id)
                    return true
                } catch {
                    observe(.commitFailed(error))
                    return false
                }
            },
            lag: { [weak consumer] in consumer?.lag($0) ?? 0 })
    }
}

/// Lets the first of several callers through.
private final class Once: Sendable {
    private let isClaimed = Mutex(false)

    func claim() -> Bool {
        isClaimed.withLock { isClaimed in
            defer { isClaimed = true }
            return !isClaimed
        }
    }
}

/// The Dispatch queues that lanes run on: one serial queue each, over as many threads as there are cores
/// to use.
struct LanePool: Sendable {
    private let targets: [DispatchQueue]

    /// - Parameter cores: 0 leaves the width to Dispatch, which is one thread per core.
    init(cores: Int) {
        targets =
            cores > 0
            ? (0..<cores).map { DispatchQueue(label: "apus.lanes.\($0)") }
            : [DispatchQueue(label: "apus.lanes", attributes: .concurrent)]
    }

    func makeQueue(label: String, number: UInt64) -> DispatchQueue {
        DispatchQueue(label: label, target: targets[Int(number % UInt64(targets.count))])
    }
}

extension Duration {
    /// Whole nanoseconds; longer than 292 years is the most there is.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + attoseconds / 1_000_000_000
    }

    var dispatchInterval: DispatchTimeInterval { .nanoseconds(Int(wholeNanoseconds)) }
}
