import Dispatch
import KafkaClient
import Synchronization

/// Commits the checkpoints of a membership's lanes: what they put out and how far they have read, in one transaction.
///
///     idle ── submit ──▶ asking ── permit ──▶ begin ▶ write ▶ flush ▶ offsets ▶ commit ──▶ idle
///                          ▲                    └───────┴────────┴────────┘         └─ failed ──▶ over
///                          └──── wait ◀──────────────── abort ── failed ──▶ over
///
/// A transaction that must be aborted is repeated with the same checkpoints, less those of lanes that were lost
/// meanwhile. Committing is only begun when every record is acknowledged and the offsets are taken: so whatever a
/// commit fails with, other than the advice to call it again, its outcome is unknown, and only the log can tell. Then,
/// and when the producer is fenced, the membership is over, and the pipeline starts a new one from what is committed.
///
/// Each attempt asks the membership for a permit: the group's generation, and the lanes whose partitions were not
/// given back, both of one moment on the control queue. The brokers refuse offsets of a generation that has passed,
/// and the partitions of a lane are given to nobody else before its generation has.
///
/// *Runs on:* a queue of its own, because most calls wait for a broker.
// `@unchecked`: the variables are only touched on `queue`.
final class TransactionCoordinator: @unchecked Sendable {
    /// Who may commit at one moment.
    struct Permit: Sendable {
        let group: GroupMetadata
        /// Lanes by id.
        let lanes: [UInt64: PartitionLane]
    }

    /// What the coordinator asks and tells its membership. Called on the coordinator's queue.
    struct Member: Sendable {
        /// Answers nil when the group does not know this member at present.
        let askPermit: @Sendable (@escaping @Sendable (Permit?) -> Void) -> Void
        let report: @Sendable (PipelineEvent) -> Void
        let committed: @Sendable ([PartitionOffset]) -> Void
        /// The producer is of no further use; at most once.
        let over: @Sendable (KafkaError, Reaction) -> Void
    }

    private let queue = DispatchQueue(label: "apus.transactions")
    private let outbox: Outbox
    private let reports: TransactionReports
    private let options: PipelineOptions
    private let makeSmaller: @Sendable (Output) -> Output?
    private let member: Member
    /// Raised once, to cut every wait short.
    private let closing = DispatchSemaphore(value: 0)
    private let isClosed = Atomic(false)

    private var phase = Phase.idle
    private var waiting: [SealedCheckpoint] = []
    /// Since the last commit.
    private var failures = 0
    private var failingSince: DispatchTime?

    private enum Phase { case idle, asking, over }

    private enum Outcome {
        case committed
        /// Aborted; the same work may succeed in a new transaction.
        case aborted(KafkaError)
        case over(KafkaError, Reaction)
    }

    /// - Parameters:
    ///   - reports: where the outbox's delivery reports go.
    ///   - makeSmaller: a form of the output for a topic that refuses it as too large; nil when there is none.
    init(
        outbox: Outbox, reports: TransactionReports, options: PipelineOptions,
        makeSmaller: @escaping @Sendable (Output) -> Output?, member: Member
    ) {
        self.outbox = outbox
        self.reports = reports
        self.options = options
        self.makeSmaller = makeSmaller
        self.member = member
    }

    // MARK: From others

    /// Takes a checkpoint. ``PartitionLane/committed()`` is called when it is committed; until then no other of the
    /// same lane may come.
    func submit(_ checkpoint: SealedCheckpoint) {
        queue.async { [self] in
            waiting.append(checkpoint)
            next()
        }
    }

    /// Calls `completion` when the transaction that is under way now has ended.
    func afterCurrent(_ completion: @escaping @Sendable () -> Void) {
        queue.async(execute: completion)
    }

    /// Begins no more transactions, and forgets what waits. One that is under way may still be committed.
    func close() {
        isClosed.store(true, ordering: .relaxed)
        closing.signal()
        queue.async { [self] in
            phase = .over
            waiting = []
        }
    }

    // MARK: Rounds

    private func next() {
        guard phase == .idle, !waiting.isEmpty else { return }
        phase = .asking
        member.askPermit { [weak self, queue] permit in
            queue.async { [weak self] in self?.run(permit) }
        }
    }

    private func next(after delay: DispatchTimeInterval) {
        queue.asyncAfter(deadline: .now() + delay) { [weak self] in
            guard let self, phase == .asking else { return }
            phase = .idle
            next()
        }
    }

    private func run(_ permit: Permit?) {
        guard phase == .asking else { return }
        guard let permit else { return next(after: .milliseconds(100)) }
        waiting.removeAll { permit.lanes[$0.lane] == nil }
        guard !waiting.isEmpty else {
            phase = .idle
            return
        }
        // What did not succeed at once may be too much for the time a transaction has.
        var batch = Array(waiting.prefix(max(1, waiting.count >> max(0, failures - 1))))
        let start = ContinuousClock.now
        let outcome = attempt(&batch, permit.group)
        // With outputs that were made smaller.
        waiting.replaceSubrange(..<batch.count, with: batch)
        switch outcome {
        case .committed:
            waiting.removeFirst(batch.count)
            failures = 0
            failingSince = nil
            for checkpoint in batch { permit.lanes[checkpoint.lane]?.committed() }
            member.report(.transactionCommitted(after: .now - start))
            for checkpoint in batch {
                member.report(.checkpointed(partition: checkpoint.partition, after: .now - checkpoint.sealed))
            }
            member.committed(batch.flatMap(\.positions))
            phase = .idle
            next()
        case .aborted(let error):
            member.report(.transactionAborted(error))
            failures += 1
            guard hasPatience else { return end(error, .rejoin) }
            next(after: .milliseconds(min(1000, 20 << min(failures, 6))))
        case .over(let error, let reaction):
            end(error, reaction)
        }
    }

    private func end(_ error: KafkaError, _ reaction: Reaction) {
        phase = .over
        waiting = []
        if !isClosed.load(ordering: .relaxed) { member.over(error, reaction) }
    }

    /// Whether it is too early to think that a new producer would do better.
    private var hasPatience: Bool {
        let now = DispatchTime.now()
        let since = failingSince ?? now
        failingSince = since
        return now.uptimeNanoseconds - since.uptimeNanoseconds < UInt64(options.transactionTimeout.wholeNanoseconds) * 6
    }

    /// Waits; false when the coordinator was closed meanwhile.
    private func pause(_ time: DispatchTimeInterval) -> Bool {
        guard closing.wait(timeout: .now() + time) == .success else { return true }
        closing.signal()
        return false
    }

    // MARK: One transaction

    private func attempt(_ batch: inout [SealedCheckpoint], _ group: GroupMetadata) -> Outcome {
        reports.begin()
        do throws(KafkaError) {
            try outbox.producer.beginTransaction()
        } catch {
            return .over(error, error.reaction == .stop ? .stop : .rejoin)
        }
        do throws(KafkaError) {
            try write(&batch)
            // The offsets last: what an instance writes that was stopped and comes back stays without them, and is aborted.
            try outbox.producer.flush(timeout: options.transactionTimeout)
            guard reports.areComplete else { throw Self.incomplete }
            try outbox.producer.sendOffsets(batch.flatMap(\.positions), group: group)
        } catch {
            return abort(explained(error), &batch)
        }
        return commit()
    }

    /// What the transaction has really failed with. A call that runs into an earlier failure sometimes says only that
    /// it does not fit the state; beginning once more, which cannot succeed now, is then answered with the failure.
    private func explained(_ error: KafkaError) -> KafkaError {
        guard error.code == .state, !error.isFatal else { return error }
        do throws(KafkaError) {
            try outbox.producer.beginTransaction()
            return error
        } catch {
            return error.code == .state ? Self.incomplete : error
        }
    }

    /// Stands for the reports that say more.
    private static let incomplete = KafkaError(.inconsistent, "complete the transaction", requiresAbort: true)

    private func write(_ batch: inout [SealedCheckpoint]) throws(KafkaError) {
        let deadline = DispatchTime.now() + options.transactionTimeout.dispatchInterval
        var number = 0
        for index in batch.indices {
            for output in batch[index].outputs.indices {
                try write(&batch[index].outputs[output], number, until: deadline)
                number += 1
            }
        }
    }

    private func write(_ output: inout Output, _ number: Int, until deadline: DispatchTime) throws(KafkaError) {
        while true {
            switch outbox.send(output, opaque: reports.opaque(number)) {
            case .queued: return
            case .queueFull:
                guard DispatchTime.now() < deadline else { throw KafkaError(.queueFull, "write a record") }
                // Reports make room.
                try outbox.producer.flush(timeout: options.transactionTimeout)
            case .failed(let error) where error.code == .messageTooLarge:
                guard let smaller = shortened(output) else { throw error }
                output = smaller
            case .failed(let error) where error.code == .state && !error.isFatal:
                // An earlier record has failed; its report says why.
                throw Self.incomplete
            case .failed(let error):
                throw error
            }
        }
    }

    private func shortened(_ output: Output) -> Output? {
        guard let smaller = makeSmaller(output) else { return nil }
        member.report(output.whenSmaller)
        return smaller
    }

    /// Aborts because of `error`, and says what to do about it.
    private func abort(_ error: KafkaError, _ batch: inout [SealedCheckpoint]) -> Outcome {
        if error.reaction == .rejoin { return .over(error, .rejoin) }
        while true {
            do throws(KafkaError) {
                try outbox.producer.abortTransaction()
                break
            } catch {
                guard error.reaction == .retry, hasPatience, pause(.milliseconds(100)) else {
                    return .over(error, error.reaction == .stop ? .stop : .rejoin)
                }
            }
        }
        // The failure of a record is the cause of what failed after it.
        var cause = error
        for (number, refusal) in reports.refusals.sorted(by: { $0.key < $1.key }) {
            if refusal.code == .messageTooLarge {
                guard makeSmaller(number, in: &batch) else { return .over(refusal, .stop) }
            } else if refusal.reaction == .stop || refusal.reaction == .rejoin {
                return .over(refusal, refusal.reaction)
            }
            cause = refusal
        }
        return cause.reaction == .stop && cause.code != .messageTooLarge ? .over(cause, .stop) : .aborted(cause)
    }

    /// Makes the output smaller that was written under this number; false when there is no smaller form.
    private func makeSmaller(_ number: Int, in batch: inout [SealedCheckpoint]) -> Bool {
        var first = 0
        for index in batch.indices {
            let next = first + batch[index].outputs.count
            if number < next {
                guard let smaller = shortened(batch[index].outputs[number - first]) else { return false }
                batch[index].outputs[number - first] = smaller
                return true
            }
            first = next
        }
        return false
    }

    private func commit() -> Outcome {
        while true {
            do throws(KafkaError) {
                try outbox.producer.commitTransaction()
                return .committed
            } catch {
                guard error.reaction == .retry, hasPatience, pause(.milliseconds(100)) else {
                    return .over(error, error.reaction == .stop ? .stop : .rejoin)
                }
            }
        }
    }
}

/// Delivery reports of the transaction under way: only failures are kept.
final class TransactionReports: Sendable {
    private let state = Mutex(State())

    private struct State {
        /// Distinguishes the reports of this transaction from late ones of those before it.
        var transaction: UInt32 = 0
        var areComplete = true
        var refusals: [Int: KafkaError] = [:]
    }

    func begin() {
        state.withLock { state in
            state.transaction &+= 1
            state.areComplete = true
            state.refusals = [:]
        }
    }

    func opaque(_ number: Int) -> UInt {
        UInt(state.withLock { $0.transaction }) << 32 | UInt(UInt32(truncatingIfNeeded: number))
    }

    /// Whether every record reported so far was acknowledged.
    var areComplete: Bool { state.withLock { $0.areComplete } }

    /// Records that the broker or librdkafka refused, by number. Those that were purged because another had
    /// failed are not among them.
    var refusals: [Int: KafkaError] { state.withLock { $0.refusals } }

    func take(_ reports: [DeliveryReport]) {
        state.withLock { state in
            for report in reports {
                guard let error = report.error, UInt32(report.opaque >> 32) == state.transaction else { continue }
                state.areComplete = false
                if error.code == .purgedFromQueue || error.code == .purgedInFlight { continue }
                state.refusals[Int(report.opaque & 0xFFFF_FFFF)] = error
            }
        }
    }
}
