public import Detection
import Dispatch
public import KafkaClient
import Synchronization

/// One instance of Apus, as long as it runs: one membership of the consumer group after the other.
///
///     start ──▶ member ──▶ stopped
///               ▲    │ a client is of no further use, or a commit's outcome is unknown
///               └────┘ start over from what is committed, a bounded number of times in a row
///
/// Delivery is exactly once or at least once; either way nothing is committed before it is done. Alerts carry ids
/// made of what caused them, so one that is written twice has the same id twice.
public final class Pipeline: Sendable {
    private let options: PipelineOptions
    private let observe: @Sendable (PipelineEvent) -> Void
    private let log: ClientLog.Handler?
    private let pool: LanePool
    private let keyWatch = KeyWatch()
    private let state: Mutex<State>
    /// Memberships begin and end here, one at a time; may wait.
    private let lifecycle = DispatchQueue(label: "apus.lifecycle")
    /// Raised once, to cut every wait between two memberships short.
    private let stopping = DispatchSemaphore(value: 0)

    private struct State {
        var rules: CompiledRules
        var membership: Membership?
        /// One that is about to be given up; may still learn that another process has taken our place.
        var ending: Membership?
        var partitions = PartitionCounts()
        /// Reads the correlate topic, where some rule needs it.
        var correlation: Pipeline?
        var failure: KafkaError?
        var isStopping = false
        /// Since the last commit.
        var restarts = 0
    }

    public init(
        rules: CompiledRules, options: PipelineOptions, log: ClientLog.Handler? = nil,
        observe: @escaping @Sendable (PipelineEvent) -> Void = { _ in }
    ) {
        state = Mutex(State(rules: rules))
        self.options = options
        self.log = log
        self.observe = observe
        pool = LanePool(cores: options.cores)
    }

    // MARK: Life

    /// Looks at the cluster, connects and joins the group. Waits for a broker, at most the connect time-out.
    ///
    /// - Throws: `StartFailure`, `InvalidProperties` or `KafkaError`; nothing was read then.
    public func start() throws {
        let topics = try TopicCheck(options: options, rules: state.withLock { $0.rules }, observe: observe).run()
        state.withLock { state in
            state.rules = topics.rules
            state.partitions = PartitionCounts(inputs: topics.partitions, correlate: topics.correlatePartitions)
        }
        if topics.correlatePartitions > 0 {
            try startCorrelation(topics.rules)
            let reasons = topics.rules.reasonsToForward(for: options.keying(topics.partitions))
            observe(.correlatesThrough(topic: options.correlateTopic, rules: reasons))
        }
        let membership = try makeMembership()
        state.withLock { $0.membership = membership }
        do {
            try membership.join(patience: options.connectTimeout) { false }
        } catch let error as KafkaError {
            let correlation = state.withLock { state in
                state.membership = nil
                return state.correlation
            }
            correlation?.giveUp()
            throw StartFailure(joining: error, options) ?? error
        }
        observe(.started(version: Engine.version))
    }

    /// Stops reading, lets everything be written and committed and leaves the group, all within `timeout`.
    ///
    /// - Returns: false when the time was not enough; what was not committed is read again by the next one.
    public func stop(timeout: Duration) async -> Bool {
        state.withLock { $0.isStopping = true }
        stopping.signal()
        let deadline = ContinuousClock.now + timeout
        let isInTime = await withCheckedContinuation { continuation in
            let once = Once()
            lifecycle.async { [self] in
                let membership = state.withLock { $0.membership }
                let hasLeft = membership?.leave(timeout: max(.zero, deadline - .now)) ?? true
                if once.claim() { continuation.resume(returning: hasLeft) }
            }
            // A membership that is just being given up, or begun, may hold the queue.
            DispatchQueue.global().asyncAfter(deadline: .now() + timeout.dispatchInterval + .seconds(1)) {
                if once.claim() { continuation.resume(returning: false) }
            }
        }
        // Last: it may still get something of what was finished.
        let correlation = state.withLock { $0.correlation }
        let hasCorrelated = await correlation?.stop(timeout: max(.seconds(1), deadline - .now)) ?? true
        observe(.stopped)
        return isInTime && hasCorrelated
    }

    /// Starts the pipeline that reads the correlate topic. It says what happens to it, but not that it starts and stops.
    private func startCorrelation(_ rules: CompiledRules) throws {
        let correlation = Pipeline(rules: rules, options: options.correlating, log: log) { [observe] event in
            switch event {
            case .started, .stopped, .rulesReplaced: break
            default: observe(event)
            }
        }
        try correlation.start()
        state.withLock { $0.correlation = correlation }
    }

    /// Drops everything that is not committed.
    private func giveUp() {
        let membership = state.withLock { state in
            state.isStopping = true
            return state.membership
        }
        stopping.signal()
        lifecycle.async { membership?.giveUp(timeout: .seconds(1)) }
    }

    /// Why the pipeline cannot go on, once it cannot. Stop it then; what is not committed is read again.
    public var failure: KafkaError? {
        let (failure, correlation) = state.withLock { ($0.failure, $0.correlation) }
        return failure ?? correlation?.failure
    }

    /// A reading of all lanes that answer within `timeout`; a lane that hangs is missing from it.
    public func snapshot(timeout: Duration = .seconds(1)) async -> PipelineSnapshot {
        let collected = Mutexed<[LaneSnapshot]>([])
        let (membership, correlation) = state.withLock { ($0.membership, $0.correlation) }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let group = DispatchGroup()
                membership?.snapshot(group) { snapshot in collected.value.withLock { $0.append(snapshot) } }
                _ = group.wait(timeout: .now() + timeout.dispatchInterval)
                continuation.resume()
            }
        }
        let own = state.withLock { state in
            PipelineSnapshot(
                lanes: collected.value.withLock { $0 }.sorted { $0.partition < $1.partition },
                isReady: membership?.isReady == true && state.failure == nil && !state.isStopping,
                failure: state.failure)
        }
        guard let other = await correlation?.snapshot(timeout: timeout) else { return own }
        return PipelineSnapshot(
            lanes: own.lanes + other.lanes, isReady: own.isReady && other.isReady,
            failure: own.failure ?? other.failure)
    }

    private final class Mutexed<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    // MARK: Rules

    /// Evaluates with another set of rules: each lane from its next record on, so that every record is evaluated once,
    /// by the one set or the other. Rules that are in both, unchanged, keep what they remember. The first set of which a
    /// rule remembers anything begins a new membership, since lanes take up their state before they read.
    ///
    /// - Returns: nothing once all lanes have changed over. After `timeout`, the partitions of those that are still busy
    ///   with their last records; they change over when these are done.
    /// - Throws: `StartFailure` when the set needs a topic that is missing, `ReplacementFailure` when the pipeline is busy
    ///   starting over for as long as `timeout`, or `KafkaError`. The old set stays then.
    @discardableResult
    public func replaceRules(_ rules: CompiledRules, timeout: Duration = .seconds(10)) async throws -> [Int32] {
        let deadline = DispatchTime.now() + timeout.dispatchInterval
        let begun = Once()
        return try await withCheckedThrowingContinuation { continuation in
            // There no membership begins or ends meanwhile.
            lifecycle.async { [self] in
                guard begun.claim() else { return }
                do {
                    try replaceRules(rules, until: deadline) { continuation.resume(returning: $0) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            DispatchQueue.global().asyncAfter(deadline: deadline) {
                if begun.claim() { continuation.resume(throwing: ReplacementFailure()) }
            }
        }
    }

    private func replaceRules(
        _ rules: CompiledRules, until deadline: DispatchTime, done: @escaping @Sendable ([Int32]) -> Void
    ) throws {
        let (current, membership, correlation, known) = state.withLock {
            ($0.rules, $0.membership, $0.correlation, $0.partitions)
        }
        var spread = options.spread(rules, over: known.inputs)
        let beginsToRemember = spread.keepsState(in: options.role) && membership?.keepsState == false
        let beginsToHandOn = options.handsOn(spread) && correlation == nil
        var partitions = known
        if beginsToRemember || beginsToHandOn || spread.hasShadowRules && !current.hasShadowRules {
            let topics = try TopicCheck(options: options, rules: rules, observe: observe).run()
            spread = topics.rules
            partitions.correlate = topics.correlatePartitions
        }
        let rules = spread
        if beginsToHandOn { try startCorrelation(rules) }
        state.withLock { $0.partitions = partitions }
        // First, so that what this pipeline hands on is known there.
        if let correlation { try correlation.replaceRules(rules, until: deadline) { _ in } }
        let replaced: @Sendable ([Int32]) -> Void = { [observe] busy in
            observe(.rulesReplaced(hash: rules.hash))
            done(busy)
        }
        if beginsToRemember, let membership {
            state.withLock { $0.rules = rules }
            beginAnew(after: membership)
            return replaced([])
        }
        try membership?.replaceRules(
            rules, correlatePartitions: partitions.correlate, until: deadline, done: replaced)
        state.withLock { $0.rules = rules }
        if membership == nil { replaced([]) }
    }

    // MARK: Memberships

    private func makeMembership() throws -> Membership {
        try Membership(
            rules: state.withLock { $0.rules }, options: options, pool: pool,
            partitions: state.withLock { $0.partitions }, keyWatch: keyWatch, log: log,
            owner: Membership.Owner(
                observe: observe,
                committed: { [weak self] in self?.state.withLock { $0.restarts = 0 } },
                over: { [weak self] in self?.over($0, $1, $2) }))
    }

    private func over(_ membership: Membership, _ error: KafkaError, _ reaction: Reaction) {
        let isCurrent = state.withLock { state in
            guard state.failure == nil, !state.isStopping else { return false }
            if state.ending === membership, reaction == .stop {
                state.failure = error
                return true
            }
            guard state.membership === membership else { return false }
            guard reaction == .rejoin, state.restarts < options.restartBudget else {
                state.failure = error
                return true
            }
            state.restarts += 1
            state.membership = nil
            state.ending = membership
            return true
        }
        guard isCurrent else { return }
        if failure != nil { return observe(.failed(error)) }
        observe(.rejoining(error))
        lifecycle.async { self.startOver(after: membership, because: error) }
    }

    /// Gives the old membership up and begins a new one, however long the brokers take to answer.
    private func startOver(after old: Membership, because error: KafkaError) {
        if options.isNamed, [.fenced, .producerFenced, .invalidProducerEpoch].contains(error.code) {
            // Either our transaction timed out, or a second process has our name. Starting over would fence that one,
            // and so on for ever; the group tells with the next heartbeat whether there is one.
            _ = pause(for: (options.heartbeat * 2).dispatchInterval)
        }
        old.giveUp()
        state.withLock { $0.ending = nil }
        begin()
    }

    /// Lets the old membership finish what it has begun, and begins a new one.
    private func beginAnew(after old: Membership) {
        state.withLock { state in
            state.membership = nil
            state.ending = old
        }
        // What it does not get done the next one does again.
        _ = old.leave(timeout: options.drainTimeout)
        state.withLock { $0.ending = nil }
        begin()
    }

    private func begin() {
        guard failure == nil else { return }
        while pause(before: state.withLock { $0.restarts }) {
            do {
                let membership = try makeMembership()
                state.withLock { $0.membership = membership }
                do {
                    try membership.join(patience: nil) { [self] in state.withLock { $0.isStopping } }
                    return
                } catch {
                    state.withLock { $0.membership = nil }
                    membership.giveUp(timeout: .zero)
                    throw error
                }
            } catch {
                guard mayTryAgain(after: error) else { return }
            }
        }
    }

    private func mayTryAgain(after error: any Error) -> Bool {
        let error = error as? KafkaError ?? KafkaError(.state, "start over", message: "\(error)")
        let (isStopping, mayTry) = state.withLock { state in
            state.restarts += 1
            let mayTry = error.reaction != .stop && state.restarts <= options.restartBudget
            if !mayTry, !state.isStopping { state.failure = error }
            return (state.isStopping, mayTry)
        }
        if isStopping { return false }
        observe(mayTry ? .problem(error) : .failed(error))
        return mayTry
    }

    /// Longer with every restart in a row; false when the pipeline stops.
    private func pause(before restart: Int) -> Bool {
        pause(for: .milliseconds(restart <= 1 ? 0 : min(10_000, 250 << min(restart, 6))))
    }

    private func pause(for time: DispatchTimeInterval) -> Bool {
        guard stopping.wait(timeout: .now() + time) == .success else { return true }
        stopping.signal()
        return false
    }
}

/// Why rules could not be replaced now.
public struct ReplacementFailure: Error, CustomStringConvertible {
    public let description = "the pipeline is starting over and cannot take other rules yet; try again"
}

/// Lets the first of several callers through.
final class Once: Sendable {
    private let isClaimed = Mutex(false)

    func claim() -> Bool {
        isClaimed.withLock { isClaimed in
            defer { isClaimed = true }
            return !isClaimed
        }
    }
}
