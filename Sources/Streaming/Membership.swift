import Alerts
import Detection
import Dispatch
import Events
import KafkaClient
import Synchronization

/// One membership of the consumer group: the consumer, its lanes, and the producer they write to. It ends by leaving
/// the group in good order, or by being given up, after which nothing of it has any effect any more.
///
///     consumer group ──assigned──▶ PartitionLane (one per partition number, on Dispatch queues)
///                                     poll ▶ decode ▶ match ▶ correlate ▶ alert
///                                                                           │
///     at_least_once   offsets ◀──commit── checkpoint ◀──acknowledged── Outbox (producer)
///     exactly_once    checkpoint ──▶ TransactionCoordinator ──outputs and offsets──▶ Outbox
///
/// *Runs on:* a control queue for everything that concerns membership, the lanes' queues, the producer's, and the
/// transactions'. Whatever happens in a rebalance happens on the control queue, in order.
// `@unchecked`: `lanes`, `draining` and the timer are only touched on `control`; everything else is immutable or in a
// Mutex.
final class Membership: @unchecked Sendable {
    /// What the pipeline is told. Called on any queue.
    struct Owner: Sendable {
        let observe: @Sendable (PipelineEvent) -> Void
        /// Something was committed: what was tried has succeeded.
        let committed: @Sendable () -> Void
        /// The membership is of no further use, for a reason that a new one may mend or not.
        let over: @Sendable (Membership, KafkaError, Reaction) -> Void
    }

    private let options: PipelineOptions
    /// How many partitions each input had when the pipeline started, and the correlate topic has.
    private let width: Width
    /// Those of the beginning; later ones come with the environment.
    private let rules: CompiledRules
    private let pool: LanePool
    private let keyWatch: KeyWatch
    private let owner: Owner
    private let control = DispatchQueue(label: "apus.control")
    private let state = Mutex(State())
    private let nextLane = Atomic<UInt64>(0)
    private let nextCommit = Atomic<Int>(0)

    private var lanes: [Int32: AssignedLane] = [:]
    /// Lanes that have stopped reading and whose last checkpoint is on its way, by id.
    private var draining: [UInt64: PartitionLane] = [:]
    private var timer: (any DispatchSourceTimer)?

    private struct State {
        var consumer: Consumer?
        var environment: LaneEnvironment?
        var outbox: Outbox?
        var hasAssignment = false
        var isOver = false
        var stalled: Set<Int32> = []
        /// Some lane has yet to take up its state.
        var isRestoring = false
        /// Commits that wait for an answer, by id.
        var commits: [Int: ContinuousClock.Instant] = [:]
    }

    private struct AssignedLane {
        var lane: PartitionLane
        var queues: [PartitionQueue]
    }

    /// Numbers of partitions.
    struct Width: Sendable {
        /// Of each input topic, when the pipeline started.
        var inputs: [String: Int] = [:]
        /// Of the correlate topic; 0 where no lane hands anything on.
        var correlate = 0

        /// Lanes that read the inputs, in all instances.
        var lanes: Int { inputs.values.max() ?? 0 }
    }

    private var handsOn: Bool { !options.readsHits && !rules.forwarded.isEmpty }

    /// Connects to nothing yet.
    ///
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    init(
        rules: CompiledRules, options: PipelineOptions, pool: LanePool, width: Width, keyWatch: KeyWatch,
        log: ClientLog.Handler?, owner: Owner
    ) throws {
        self.rules = rules
        self.options = options
        self.width = width
        self.pool = pool
        self.keyWatch = keyWatch
        self.owner = owner
        let consumer = try Consumer(
            options.consumerProperties, group: options.application, controlQueue: control, log: log,
            startWithoutCommit: { partition in
                // What was added while the application runs is new, also what came before the group noticed.
                let isNew = Int(partition.partition) >= width.inputs[partition.topic] ?? 0
                return options.startsAtEnd && !isNew ? .end : .beginning
            },
            events: { [weak self] in self?.handle($0) })
        let (outbox, path) = try makePath(consumer, log)
        let environment = makeEnvironment(
            path, consumer,
            rules.keepsState(in: options.role)
                ? try makeStateAccess(consumer, outbox, width: width.lanes, log) : nil)
        state.withLock { state in
            state.consumer = consumer
            state.outbox = outbox
            state.environment = environment
        }
    }

    /// Dropped without being ended: like a crash. The group waits for the session to time out, and nothing is
    /// committed.
    deinit { forget() }

    /// Announces the transactional id, which ends what an earlier instance of that name has left open, and joins the
    /// group.
    ///
    /// - Parameter patience: how long to wait for the transaction coordinator; nil waits until `isCancelled`.
    func join(patience: Duration?, isCancelled: () -> Bool) throws {
        let (consumer, outbox) = state.withLock { ($0.consumer, $0.outbox) }
        guard let consumer, let outbox else { return }
        if options.delivery == .exactlyOnce {
            try announce(outbox.producer, patience: patience, isCancelled: isCancelled)
        }
        try consumer.subscribe(to: options.inputs.map(\.name))
        control.async { self.startTimer() }
    }

    private func announce(_ producer: Producer, patience: Duration?, isCancelled: () -> Bool) throws {
        let deadline = patience.map { ContinuousClock.now + $0 }
        while true {
            do throws(KafkaError) {
                // In slices, to notice a stop. The call goes on in the background, and the next one resumes it.
                return try producer.initTransactions(timeout: .seconds(2))
            } catch {
                let isInTime = deadline.map { ContinuousClock.now < $0 } ?? true
                guard error.reaction == .retry, isInTime, !isCancelled() else { throw error }
            }
        }
    }

    // MARK: Ending

    /// Stops reading, lets everything be written and committed, and leaves the group. Waits, at most `timeout`, so
    /// not on any queue of the membership.
    ///
    /// - Returns: false when the time was not enough; what was not committed is read again by the next one.
    func leave(timeout: Duration) -> Bool {
        let (consumer, environment, outbox) = state.withLock { ($0.consumer, $0.environment, $0.outbox) }
        guard let consumer, let environment, let outbox else { return true }
        let deadline = DispatchTime.now() + timeout.dispatchInterval
        let hasLeft = consumer.waitUntilClosed(timeout: timeout.dispatchInterval)
        state.withLock { $0.isOver = true }
        control.async { self.stopTimer() }
        if case .exactlyOnce(let transactions) = environment.path { transactions.close() }
        let left = Duration.nanoseconds(
            Int64(clamping: deadline.uptimeNanoseconds) - Int64(clamping: DispatchTime.now().uptimeNanoseconds))
        let isWritten = (try? outbox.producer.close(timeout: max(left, .zero))) != nil
        forget()
        return hasLeft && isWritten
    }

    /// Drops everything that is not committed, at once, and leaves the group if that is possible within `timeout`.
    /// Waits, so not on any queue of the membership.
    func giveUp(timeout: Duration = .seconds(5)) {
        let (consumer, environment) = state.withLock { state in
            state.isOver = true
            return (state.consumer, state.environment)
        }
        if case .exactlyOnce(let transactions)? = environment?.path { transactions.close() }
        control.sync {
            stopTimer()
            for assigned in lanes.values { assigned.lane.discard() }
            for lane in draining.values { lane.discard() }
            lanes = [:]
            draining = [:]
        }
        _ = consumer?.waitUntilClosed(timeout: timeout.dispatchInterval)
        state.withLock { $0.outbox }?.producer.purge(inFlight: true)
        forget()
    }

    /// Cuts the cycles: reports lead to lanes, and these to the producer.
    private func forget() {
        let environment = state.withLock { state in
            defer {
                state.environment = nil
                state.consumer = nil
                state.outbox = nil
            }
            return state.environment
        }
        environment?.state?.restorer.close()
        switch environment?.path {
        case .atLeastOnce(let path)?: path.reports.removeAll()
        case .exactlyOnce(let transactions)?: transactions.close()
        case nil: break
        }
    }

    private var isOver: Bool { state.withLock { $0.isOver } }

    // MARK: Readings

    /// Whether partitions are assigned, and every lane has taken up its state and gets on.
    var isReady: Bool {
        state.withLock { $0.hasAssignment && !$0.isOver && !$0.isRestoring && $0.stalled.isEmpty }
    }

    /// Whether its lanes write what rules remember to the state topic.
    var keepsState: Bool { state.withLock { $0.environment?.state != nil } }

    /// Hands a reading of each lane to `add`; `group` is left when all have answered.
    func snapshot(_ group: DispatchGroup, add: @escaping @Sendable (LaneSnapshot) -> Void) {
        group.enter()
        control.async { [self] in
            for assigned in lanes.values {
                group.enter()
                assigned.lane.snapshot { snapshot in
                    add(snapshot)
                    group.leave()
                }
            }
            group.leave()
        }
    }

    // MARK: Control events

    private func handle(_ event: ConsumerEvent) {
        switch event {
        case .assigned(let queues): assign(queues)
        case .revoked(let revocation): revoke(revocation)
        case .committed(let result): answered(result)
        case .failed(let error): noticed(error)
        case .statistics: break
        }
    }

    private func answered(_ result: CommitResult) {
        let asked = state.withLock { $0.commits.removeValue(forKey: result.id) }
        guard let error = result.error else {
            owner.committed()
            for (partition, offsets) in Dictionary(grouping: result.offsets, by: \.partition.partition) {
                if let asked { observe(.checkpointed(partition: partition, after: .now - asked)) }
                lanes[partition]?.lane.confirm(offsets)
            }
            return observe(.committed(result.offsets))
        }
        observe(.commitFailed(error))
        if error.reaction == .stop || error.reaction == .rejoin { over(error) }
        for partition in Set(result.offsets.map(\.partition.partition)) {
            lanes[partition]?.lane.repeatCommit()
        }
    }

    /// A problem of a client. librdkafka deals with most of them by itself. What it would repeat in vain ends the
    /// membership: an instance that reads nothing for want of an ACL must not look well.
    private func noticed(_ error: KafkaError) {
        switch error.reaction {
        case .ignore, .retry, .abortTransaction, .dropLane:
            if error.leavesPartitionUnread { over(error, .rejoin) } else { observe(.problem(error)) }
        case .rejoin: over(error)
        case .stop where error.isFatal || !Self.passing.contains(error.code): over(error)
        case .stop: observe(.problem(error))
        }
    }

    /// Would stop a call, but may pass while clients go on: a topic that is being made anew, one broker of several
    /// with the wrong certificate or credentials, files that other processes hold.
    private static let passing: Set<KafkaErrorCode> = [
        .unknownTopicOrPartition, .unknownTopic, .ssl, .authentication, .saslAuthenticationFailed, .systemResource,
    ]

    /// Ends the membership: what only a new one can mend is said to be so, all else stops the pipeline.
    private func over(_ error: KafkaError, _ reaction: Reaction? = nil) {
        guard !isOver else { return }
        owner.over(self, error, reaction ?? (error.reaction == .rejoin ? .rejoin : .stop))
    }

    private func observe(_ event: PipelineEvent) {
        owner.observe(event)
    }

    // MARK: Assignment

    private func assign(_ queues: [PartitionQueue]) {
        guard !isOver else { return }
        for (partition, queues) in Dictionary(grouping: queues, by: \.partition.partition) {
            start(queues, of: partition)
        }
        state.withLock { $0.hasAssignment = true }
        observe(.assigned(queues.map(\.partition).sorted()))
    }

    private func start(_ queues: [PartitionQueue], of partition: Int32) {
        let (consumer, known) = state.withLock { ($0.consumer, $0.environment) }
        guard let environment = known else { return }
        if let assigned = lanes[partition] {
            lanes[partition]?.queues += queues
            assigned.lane.start(queues)
            return
        }
        let id = nextLane.add(1, ordering: .relaxed).newValue
        let lane = PartitionLane(
            id: id, partition: partition, generation: (try? consumer?.groupMetadata())?.generation ?? 0,
            queue: pool.makeQueue(label: "apus.lane.\(partition)", number: id),
            environment: environment)
        if case .atLeastOnce(let path) = environment.path { path.reports.add(lane) }
        lanes[partition] = AssignedLane(lane: lane, queues: queues)
        if environment.state != nil { state.withLock { $0.isRestoring = true } }
        lane.start(queues)
    }

    /// Stops the lanes concerned. When their last checkpoint is safe, or the drain time-out is over, the partitions
    /// go back. Those of a lost assignment are somebody else's already: nothing of them is waited for but the end of
    /// a transaction that holds something of them, which the brokers will refuse.
    private func revoke(_ revocation: Revocation) {
        let gone = Set(revocation.partitions)
        let affected = lanes.filter { $0.value.queues.contains { gone.contains($0.partition) } }
        for partition in affected.keys { lanes[partition] = nil }
        guard !isOver, let path = state.withLock({ $0.environment })?.path else { return revocation.finish() }
        let once = Once()
        let finish: @Sendable () -> Void = { [weak self] in
            guard once.claim() else { return }
            self?.finish(revocation, affected.values.map { $0 }, gone)
        }
        if revocation.isLost {
            for assigned in affected.values { assigned.lane.discard() }
            switch path {
            case .atLeastOnce: return finish()
            case .exactlyOnce(let transactions):
                let control = control
                transactions.afterCurrent { control.async(execute: finish) }
            }
        } else {
            let drained = DispatchGroup()
            for assigned in affected.values {
                draining[assigned.lane.id] = assigned.lane
                drained.enter()
                assigned.lane.stop { drained.leave() }
            }
            drained.notify(queue: control, execute: finish)
        }
        control.asyncAfter(deadline: .now() + options.drainTimeout.dispatchInterval, execute: finish)
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
        for assigned in affected {
            draining[assigned.lane.id] = nil
            // What did not get through in time is the next owner's.
            assigned.lane.discard()
            if case .atLeastOnce(let path)? = environment?.path { path.reports.remove(assigned.lane) }
        }
        revocation.finish()
        // Partitions of the same number that stay go on in a lane of their own.
        for assigned in affected {
            let staying = assigned.queues.filter { !gone.contains($0.partition) }
            if let partition = staying.first?.partition.partition { start(staying, of: partition) }
        }
        state.withLock { $0.hasAssignment = !lanes.isEmpty }
        observe(.revoked(revocation.partitions.sorted(), lost: revocation.isLost))
    }

    /// Who may commit now. Lanes are in it from their assignment until their partitions are given back.
    private func permit() -> TransactionCoordinator.Permit? {
        guard !isOver, let consumer = state.withLock({ $0.consumer }), let group = try? consumer.groupMetadata(),
            // Without a generation the brokers would take offsets from anybody.
            group.generation != nil
        else { return nil }
        var all = draining
        for assigned in lanes.values { all[assigned.lane.id] = assigned.lane }
        return TransactionCoordinator.Permit(group: group, lanes: all)
    }

    // MARK: Rules

    /// Has every lane evaluate with another set of rules from its next record on, and lanes to come as well.
    ///
    /// - Parameter done: Called when all lanes have changed over, or at `deadline` with the partitions of those that have
    ///   yet to come to it.
    func replaceRules(
        _ rules: CompiledRules, correlatePartitions: Int, until deadline: DispatchTime,
        done: @escaping @Sendable ([Int32]) -> Void
    ) throws(KafkaError) {
        if !options.readsHits, !rules.forwarded.isEmpty {
            try state.withLock { $0.outbox }?.prepareForwards(to: options.correlateTopic)
        }
        if rules.hasShadowRules {
            try state.withLock { $0.outbox }?.prepareShadowAlerts(to: options.shadowTopic)
        }
        control.async { [self] in
            state.withLock { state in
                state.environment?.rules = rules
                state.environment?.width.correlate = correlatePartitions
            }
            let changeover = Changeover(lanes.keys, done: done)
            for (partition, assigned) in lanes {
                assigned.lane.replaceRules(rules, correlatePartitions: correlatePartitions) {
                    changeover.finished(partition)
                }
            }
            DispatchQueue.global().asyncAfter(deadline: deadline) { changeover.close() }
        }
    }

    /// Lanes on their way to another set of rules.
    private final class Changeover: Sendable {
        private let busy: Mutex<Set<Int32>>
        private let once = Once()
        private let done: @Sendable ([Int32]) -> Void

        init(_ partitions: some Sequence<Int32>, done: @escaping @Sendable ([Int32]) -> Void) {
            busy = Mutex(Set(partitions))
            self.done = done
            if busy.withLock({ $0.isEmpty }) { close() }
        }

        func finished(_ partition: Int32) {
            let isLast = busy.withLock { busy in
                busy.remove(partition)
                return busy.isEmpty
            }
            if isLast { close() }
        }

        func close() {
            if once.claim() { done(busy.withLock { $0.sorted() }) }
        }
    }

    // MARK: Checkpoints

    private func startTimer() {
        guard !isOver else { return }
        let timer = DispatchSource.makeTimerSource(queue: control)
        let interval = options.checkpointInterval.dispatchInterval
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { [weak self] in self?.checkpoint() }
        timer.activate()
        self.timer = timer
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    private func checkpoint() {
        for assigned in lanes.values { assigned.lane.tick() }
        let stalled = Set(lanes.filter { $0.value.lane.isStalled }.keys)
        let isRestoring = lanes.values.contains { $0.lane.isRestoring }
        let new = state.withLock { state in
            defer { state.stalled = stalled }
            state.isRestoring = isRestoring
            return stalled.subtracting(state.stalled)
        }
        for partition in new.sorted() { observe(.stalled(partition: partition)) }
    }

    // MARK: What lanes share

    private func makePath(
        _ consumer: Consumer, _ log: ClientLog.Handler?
    ) throws -> (Outbox, LaneEnvironment.Path) {
        let failed: @Sendable (KafkaError) -> Void = { [weak self] in self?.noticed($0) }
        func outbox(_ delivered: @escaping @Sendable ([DeliveryReport]) -> Void) throws -> Outbox {
            try Outbox(
                options.producerProperties, alertTopic: options.alertTopic,
                shadowTopic: rules.hasShadowRules ? options.shadowTopic : nil,
                deadLetterTopic: options.deadLetterTopic,
                stateTopic: rules.keepsState(in: options.role) ? options.stateTopic : nil,
                correlateTopic: handsOn ? options.correlateTopic : nil, log: log, delivered: delivered, failed: failed)
        }
        switch options.delivery {
        case .atLeastOnce:
            let reports = LaneReports()
            let outbox = try outbox { reports.hand($0) }
            let path = LaneEnvironment.Acknowledged(outbox: outbox, reports: reports) { [weak self, consumer] in
                self?.commit($0, by: consumer) ?? false
            }
            return (outbox, .atLeastOnce(path))
        case .exactlyOnce:
            let reports = TransactionReports()
            let outbox = try outbox { reports.take($0) }
            let short = shortEncoder
            let transactions = TransactionCoordinator(
                outbox: outbox, reports: reports, options: options, makeSmaller: { $0.smaller(short) },
                member: TransactionCoordinator.Member(
                    askPermit: { [weak self, control] answer in
                        control.async { [weak self] in answer(self?.permit()) }
                    },
                    report: { [weak self] in self?.observe($0) },
                    committed: { [weak self] in
                        self?.owner.committed()
                        self?.observe(.committed($0))
                    },
                    over: { [weak self] in self?.over($0, $1) }))
            return (outbox, .exactlyOnce(transactions))
        }
    }

    /// False when the commit could not even be asked for.
    private func commit(_ offsets: [PartitionOffset], by consumer: Consumer) -> Bool {
        guard !isOver else { return false }
        let id = nextCommit.add(1, ordering: .relaxed).newValue
        state.withLock { $0.commits[id] = .now }
        do throws(KafkaError) {
            try consumer.commitLater(offsets, id: id)
            return true
        } catch {
            state.withLock { $0.commits[id] = nil }
            observe(.commitFailed(error))
            return false
        }
    }

    /// For alerts that proved too large: leaves the original events out.
    private var shortEncoder: AlertEncoder {
        AlertEncoder(
            topics: options.topicNames, engineVersion: Engine.version, profile: options.profile,
            limits: AlertLimits(original: 0, allOriginals: 0, excerpt: 0, value: 256, member: 0))
    }

    private func makeStateAccess(
        _ consumer: Consumer, _ outbox: Outbox, width: Int, _ log: ClientLog.Handler?
    ) throws -> StateAccess {
        let restorer = try StateRestorer(
            options.consumerProperties, application: options.application, topic: options.stateTopic, owner: .input,
            log: log
        ) { [weak self] in self?.noticed($0) }
        return StateAccess(
            restorer: restorer, consumer: consumer, producer: outbox.producer, width: width,
            growth: options.createTopics == nil ? nil : options.producer,
            timeout: max(options.connectTimeout, options.transactionTimeout * 2))
    }

    private func makeEnvironment(
        _ path: LaneEnvironment.Path, _ consumer: Consumer, _ state: StateAccess?
    ) -> LaneEnvironment {
        let names = options.topicNames
        let topics = TopicTable(names)
        var evaluatorOptions = EvaluatorOptions(
            ordering: .stream(lateness: options.allowedLateness.wholeNanoseconds),
            decodeLimits: DecodeLimits(bytes: options.maxRecordBytes))
        evaluatorOptions.scriptBlocks = options.scriptBlocks
        evaluatorOptions.verbatimTopics = Set(
            (options.origins ?? options.inputs).filter { !$0.normalizes }.map { topics.id(of: $0.name) })
        return LaneEnvironment(
            rules: rules, options: options, width: width, topics: topics, keyWatch: keyWatch,
            encoder: AlertEncoder(topics: names, engineVersion: Engine.version, profile: options.profile),
            feedEncoder: options.profile == .ecs
                ? nil : AlertEncoder(topics: names, engineVersion: Engine.version, profile: .ecs),
            shortEncoder: shortEncoder,
            path: path, state: state,
            evaluatorOptions: evaluatorOptions,
            idleNanoseconds: UInt64(options.idleTimeout.wholeNanoseconds),
            stallNanoseconds: UInt64(options.stallTimeout.wholeNanoseconds),
            report: { [weak self] in self?.observe($0) },
            notice: { [weak self] in self?.noticed($0) },
            fail: { [weak self] in self?.over($0) },
            lag: { [weak consumer] in consumer?.lag($0) ?? 0 })
    }
}
