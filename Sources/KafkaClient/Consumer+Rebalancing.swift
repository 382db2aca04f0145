import CRdKafka
import Dispatch
import Synchronization

/// What the group asks of a member.
enum Rebalance {
    case assign([TopicPartition])
    case revoke([TopicPartition])
    case failure(KafkaError, [TopicPartition])

    /// Nil when the event carries no partitions.
    init?(_ event: OpaquePointer) {
        guard let partitions = rd_kafka_event_topic_partition_list(event)?.pointee.partitions else { return nil }
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS: self = .assign(partitions)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS: self = .revoke(partitions)
        case let code: self = .failure(KafkaError(code, "rebalance"), partitions)
        }
    }
}

/// Partitions that the group has given to us, and whose start is being looked for.
///
/// `@unchecked Sendable` because the variables are only touched on the control queue.
final class PendingAssignment: @unchecked Sendable {
    let queues: [PartitionQueue]
    private let asked = ContinuousClock.now
    private var lastFailure: KafkaErrorCode?

    init(_ queues: [PartitionQueue]) {
        self.queues = queues
    }

    var partitions: [TopicPartition] { queues.map(\.partition) }

    /// Whether somebody should hear of the failure: once of each, and of one that soon passes only when it does not.
    func isNews(_ error: KafkaError) -> Bool {
        guard error.code != lastFailure, error.reaction != .retry || ContinuousClock.now - asked > .seconds(10) else {
            return false
        }
        lastFailure = error.code
        return true
    }
}

/// Rebalances, one after the other, on the control queue.
///
/// ```
///              ┌────── again ──────┐
///   assign ──▶ look for the start ─┴─▶ accept ──▶ .assigned
///              └── closing, or revoked meanwhile ──▶ accept, read nothing
/// ```
///
/// **Partitions are assigned with the offset to start at, never with "the committed one".** librdkafka would look that up
/// as well. But when an open transaction may yet move it (`UNSTABLE_OFFSET_COMMIT`, the answer for some seconds after a
/// member was killed) and the assignment changes before it is stable, librdkafka takes the answer for "nothing
/// committed" and starts at `auto.offset.reset`: everything is read once more, or with `latest` not at all. Seen with
/// 2.0.2; in 2.x since cooperative rebalancing came.
///
/// Until the assignment is accepted the group counts us as a member, heartbeats go on, and other members wait with the
/// next rebalance.
extension Consumer {
    /// Takes a rebalance up when those before it are dealt with.
    func take(_ rebalance: Rebalance) {
        state.withLock { $0.rebalances.append(rebalance) }
        if case .revoke(let partitions) = rebalance {
            let gone = Set(partitions)
            cutShort { $0.allSatisfy(gone.contains) }
        }
        goOn()
    }

    private func goOn() {
        while let next = state.withLock({ state in
            state.pending == nil && !state.rebalances.isEmpty ? state.rebalances.removeFirst() : nil
        }) {
            switch next {
            case .assign(let partitions):
                begin(partitions)
            case .revoke(let partitions):
                let isLost = rd_kafka_assignment_lost(client.pointer) != 0
                // Strong: a revocation in somebody's hands keeps the consumer until it is finished.
                let revocation = Revocation(partitions, isLost: isLost) {
                    self.controlQueue.async { self.giveBack(partitions) }
                }
                emit(.revoked(revocation))
            case .failure(let error, let partitions):
                emit(.failed(error))
                giveBack(partitions)
            }
        }
    }

    private func begin(_ partitions: [TopicPartition]) {
        do throws(KafkaError) {
            // First the queues, then the assignment: no record may reach the control queue in between.
            let pending = PendingAssignment(try takeQueues(partitions))
            let isOpen = state.withLock { state in
                state.pending = pending
                return state.phase == .open
            }
            if isOpen, !partitions.isEmpty {
                lookForStart(of: pending, after: 0)
            } else {
                accept(pending, isOpen ? [:] : nil)
            }
        } catch {
            emit(.failed(error))
        }
    }

    /// Waits for brokers, so not on the control queue. Nobody is kept alive by it for longer than one question.
    private func lookForStart(of pending: PendingAssignment, after milliseconds: Int) {
        let queue = DispatchQueue.global()
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self, controlQueue] in
            guard let start = self?.start(of: pending.partitions) else { return }
            controlQueue.async { [weak self] in self?.answer(pending, start) }
        }
    }

    private func start(of partitions: [TopicPartition]) -> Result<[TopicPartition: Offset], KafkaError> {
        Result { () throws(KafkaError) in
            // `committed` itself asks again while offsets are not stable.
            let committed = try committed(partitions, timeout: .seconds(3))
            var start: [TopicPartition: Offset] = [:]
            for partition in partitions {
                guard let offset = committed[partition].map(Offset.at) ?? startWithoutCommit(partition) else {
                    throw KafkaError(
                        .autoOffsetReset, "find where to start", topic: partition.topic, partition: partition.partition)
                }
                start[partition] = offset
            }
            return start
        }
    }

    private func answer(_ pending: PendingAssignment, _ start: Result<[TopicPartition: Offset], KafkaError>) {
        guard state.withLock({ $0.pending === pending }) else { return }
        switch start {
        case .success(let start): accept(pending, start)
        case .failure(let error):
            // Whether the group can be done without is the owner's to say. Here it is asked until it answers.
            if pending.isNews(error) { emit(.failed(error)) }
            lookForStart(of: pending, after: 200)
        }
    }

    /// Accepts what is pending, without reading from it, if it is among what `isGone` says.
    func cutShort(_ isGone: ([TopicPartition]) -> Bool) {
        guard let pending = state.withLock({ $0.pending }), isGone(pending.partitions) else { return }
        accept(pending, nil)
    }

    /// - Parameter start: nil when the partitions are about to be given back: they are accepted, since librdkafka waits for
    ///   that, and nobody is told.
    private func accept(_ pending: PendingAssignment, _ start: [TopicPartition: Offset]?) {
        state.withLock { $0.pending = nil }
        client.hasBeenAssigned()
        let list = PartitionList(capacity: pending.queues.count)
        for partition in pending.partitions { list.add(partition, offset: (start?[partition] ?? .end).rawValue) }
        do throws(KafkaError) {
            if isCooperative {
                if let error = rd_kafka_incremental_assign(client.pointer, list.pointer) {
                    throw KafkaError(consuming: error, "accept partitions")
                }
            } else {
                let result = rd_kafka_assign(client.pointer, list.pointer)
                if result != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(result, "accept partitions") }
            }
            if start != nil { emit(.assigned(pending.queues)) }
        } catch {
            retire(pending.partitions)
            emit(.failed(error))
        }
        goOn()
    }

    /// Answers an assignment that nobody has dealt with: librdkafka waits for that also where the client is destroyed, for
    /// ever (2.0.2). When there is none it changes nothing that matters to a consumer which is let go of.
    func acceptNothing() {
        let none = PartitionList(capacity: 0)
        if isCooperative {
            if let error = rd_kafka_incremental_assign(client.pointer, none.pointer) { rd_kafka_error_destroy(error) }
        } else {
            rd_kafka_assign(client.pointer, none.pointer)
        }
    }

    private func giveBack(_ partitions: [TopicPartition]) {
        retire(partitions)
        if isCooperative {
            let list = PartitionList(partitions)
            if let error = rd_kafka_incremental_unassign(client.pointer, list.pointer) {
                emit(.failed(KafkaError(consuming: error, "give partitions back")))
            }
        } else {
            let result = rd_kafka_assign(client.pointer, nil)
            if result != RD_KAFKA_RESP_ERR_NO_ERROR { emit(.failed(KafkaError(result, "give partitions back"))) }
        }
    }

    private var isCooperative: Bool {
        rd_kafka_rebalance_protocol(client.pointer).map { String(cString: $0) } == "COOPERATIVE"
    }
}
