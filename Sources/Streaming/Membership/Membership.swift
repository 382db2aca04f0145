import Detection
import Dispatch
import KafkaClient

/// One membership of the consumer group: the consumer, its lanes, and the producer they write to. It ends by leaving
/// the group in good order, or by being given up, after which nothing of it has any effect any more.
///
///     consumer group ──assigned, revoked──▶ LaneAssignment
///                                             │ one for each partition number, on Dispatch queues of their own
///                                             ▼
///                                           PartitionLane: poll ▶ decode ▶ match ▶ correlate ▶ alert
///                                             │ outputs, checkpoints
///                                             ▼
///                                           DeliveryPath: commit
///
/// *Runs on:* a control queue for everything that concerns membership, the lanes' queues, the producer's, and the
/// transactions'. Whatever happens in a rebalance happens on the control queue, in order.
// `@unchecked`: the timer is only touched on `control`; everything else is immutable or thread-safe.
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
    private let owner: Owner
    private let control = DispatchQueue(label: "apus.control")
    private let state = MembershipState()
    private let assignment: LaneAssignment
    private let commits: GroupCommits
    private var timer: (any DispatchSourceTimer)?

    /// Connects to nothing yet.
    ///
    /// - Parameter rules: those of the beginning.
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    init(
        rules: CompiledRules, options: PipelineOptions, pool: LanePool, partitions: PartitionCounts,
        keyWatch: KeyWatch, log: ClientLog.Handler?, owner: Owner
    ) throws {
        self.options = options
        self.owner = owner
        assignment = LaneAssignment(
            state, control: control, pool: pool, drainTimeout: options.drainTimeout, report: owner.observe)
        commits = GroupCommits(report: owner.observe)
        let consumer = try Consumer(
            options.consumerProperties, group: options.application, controlQueue: control, log: log,
            startWithoutCommit: { partition in
                // What was added while the application runs is new, also what came before the group noticed.
                let isNew = Int(partition.partition) >= partitions.inputs[partition.topic] ?? 0
                return options.startsAtEnd && !isNew ? .end : .beginning
            },
            events: { [weak self] in self?.handle($0) })
        state.open(
            try MembershipClients(
                consumer, rules, options, partitions: partitions, keyWatch: keyWatch, log: log, member: makeLink()))
    }

    /// Dropped without being ended: nothing is committed, and the group may have to wait for the session to time out.
    deinit { state.forget() }

    private func makeLink() -> MembershipLink {
        MembershipLink(
            report: { [weak self] in self?.owner.observe($0) },
            notice: { [weak self] in self?.noticed($0) },
            over: { [weak self] in self?.over($0, $1) },
            commit: { [weak self] in self?.commit($0) ?? false },
            committed: { [weak self] in
                self?.owner.committed()
                self?.owner.observe(.committed($0))
            },
            askPermit: { [weak self, control] answer in
                control.async { [weak self] in answer(self?.permit()) }
            })
    }

    // MARK: Beginning

    /// Announces the transactional id, which ends what an earlier instance of that name has left open, and joins the
    /// group.
    ///
    /// - Parameter patience: how long to wait for the transaction coordinator; nil waits until `isCancelled`.
    func join(patience: Duration?, isCancelled: () -> Bool) throws {
        guard let clients = state.clients else { return }
        if options.delivery == .exactlyOnce {
            try announce(clients.outbox.producer, patience: patience, isCancelled: isCancelled)
        }
        try clients.consumer.subscribe(to: options.inputs.map(\.name))
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

    private func startTimer() {
        guard !state.isOver else { return }
        let timer = DispatchSource.makeTimerSource(queue: control)
        let interval = options.checkpointInterval.dispatchInterval
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { [weak self] in self?.assignment.tick() }
        timer.activate()
        self.timer = timer
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    // MARK: Ending

    /// Stops reading, lets everything be written and committed, and leaves the group. Waits, at most `timeout`, so
    /// not on any queue of the membership.
    ///
    /// - Returns: false when the time was not enough; what was not committed is read again by the next one.
    func leave(timeout: Duration) -> Bool {
        guard let clients = state.clients else { return true }
        let deadline = DispatchTime.now() + timeout.dispatchInterval
        let hasLeft = clients.consumer.waitUntilClosed(timeout: timeout.dispatchInterval)
        state.end()
        control.async { self.stopTimer() }
        clients.path.endTransactions()
        let left = Duration.nanoseconds(
            Int64(clamping: deadline.uptimeNanoseconds) - Int64(clamping: DispatchTime.now().uptimeNanoseconds))
        let isWritten = (try? clients.outbox.producer.close(timeout: max(left, .zero))) != nil
        state.forget()
        return hasLeft && isWritten
    }

    /// Drops everything that is not committed, at once, and leaves the group if that is possible within `timeout`.
    /// Waits, so not on any queue of the membership.
    func giveUp(timeout: Duration = .seconds(5)) {
        state.end()
        let clients = state.clients
        clients?.path.endTransactions()
        control.sync {
            stopTimer()
            assignment.discard()
        }
        _ = clients?.consumer.waitUntilClosed(timeout: timeout.dispatchInterval)
        clients?.outbox.producer.purge(inFlight: true)
        state.forget()
    }

    /// Ends the membership: what only a new one can mend is said to be so, all else stops the pipeline.
    private func over(_ error: KafkaError, _ reaction: Reaction? = nil) {
        guard !state.isOver else { return }
        owner.over(self, error, reaction ?? (error.reaction == .rejoin ? .rejoin : .stop))
    }

    // MARK: Readings

    /// Whether partitions are assigned, and every lane has taken up its state and gets on.
    var isReady: Bool { assignment.isReady && !state.isOver }

    /// Whether its lanes write what rules remember to the state topic.
    var keepsState: Bool { state.clients?.keepsState == true }

    /// Hands a reading of each lane to `add`; `group` is left when all have answered.
    func snapshot(_ group: DispatchGroup, add: @escaping @Sendable (LaneSnapshot) -> Void) {
        group.enter()
        control.async { [self] in
            for lane in assignment.reading {
                group.enter()
                lane.snapshot { snapshot in
                    add(snapshot)
                    group.leave()
                }
            }
            group.leave()
        }
    }

    // MARK: What the consumer says

    private func handle(_ event: ConsumerEvent) {
        switch event {
        case .assigned(let queues): assignment.assign(queues)
        case .revoked(let revocation): assignment.revoke(revocation)
        case .committed(let result): answered(result)
        case .failed(let error): noticed(error)
        case .statistics: break
        }
    }

    /// A problem of a client. librdkafka deals with most of them by itself. What it would repeat in vain ends the
    /// membership: an instance that reads nothing for want of an ACL must not look well.
    private func noticed(_ error: KafkaError) {
        switch error.reaction {
        case .ignore, .retry, .abortTransaction, .dropLane:
            if error.leavesPartitionUnread { over(error, .rejoin) } else { owner.observe(.problem(error)) }
        case .rejoin: over(error)
        case .stop where error.isFatal || !Self.passing.contains(error.code): over(error)
        case .stop: owner.observe(.problem(error))
        }
    }

    /// Would stop a call, but may pass while clients go on: a topic that is being made anew, one broker of several
    /// with the wrong certificate or credentials, files that other processes hold.
    private static let passing: Set<KafkaErrorCode> = [
        .unknownTopicOrPartition, .unknownTopic, .ssl, .authentication, .saslAuthenticationFailed, .systemResource,
    ]

    // MARK: Committing

    /// False when the commit could not even be asked for.
    private func commit(_ offsets: [PartitionOffset]) -> Bool {
        guard !state.isOver, let consumer = state.clients?.consumer else { return false }
        return commits.ask(for: offsets, by: consumer)
    }

    private func answered(_ result: CommitResult) {
        if result.error == nil { owner.committed() }
        commits.answered(result, lane: assignment.lane(of:))
        if let error = result.error, error.reaction == .stop || error.reaction == .rejoin { over(error) }
    }

    /// Who may commit in a transaction now.
    private func permit() -> TransactionCoordinator.Permit? {
        guard !state.isOver, let consumer = state.clients?.consumer, let group = try? consumer.groupMetadata(),
            // Without a generation the brokers would take offsets from anybody.
            group.generation != nil
        else { return nil }
        return TransactionCoordinator.Permit(group: group, lanes: assignment.all)
    }

    // MARK: Rules

    /// Has every lane evaluate with another set of rules from its next record on, and lanes to come as well.
    ///
    /// - Parameter done: Called when all lanes have changed over, or at `deadline` with the partitions of those that have
    ///   yet to come to it.
    /// - Throws: `KafkaError` when what the rules need cannot be written to; the old set stays then.
    func replaceRules(
        _ rules: CompiledRules, correlatePartitions: Int, until deadline: DispatchTime,
        done: @escaping @Sendable ([Int32]) -> Void
    ) throws(KafkaError) {
        let outbox = state.clients?.outbox
        if options.handsOn(rules) { try outbox?.prepareForwards(to: options.correlateTopic) }
        if rules.hasShadowRules { try outbox?.prepareShadowAlerts(to: options.shadowTopic) }
        control.async { [self] in
            assignment.replaceRules(
                rules, correlatePartitions: correlatePartitions, until: deadline, done: done)
        }
    }
}
