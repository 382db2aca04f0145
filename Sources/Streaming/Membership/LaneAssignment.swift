import Detection
import Dispatch
import KafkaClient
import Synchronization

/// The lanes of a membership, one for each partition number that is assigned: begun when partitions come, and handed over
/// in good order when they go.
///
/// *Runs on:* the membership's control queue, all but ``isReady``, so that whatever happens in a rebalance happens in
/// order.
// `@unchecked`: `lanes`, `draining` and `lastLane` are only touched on `control`; everything else is immutable or in a
// Mutex.
final class LaneAssignment: @unchecked Sendable {
    private let state: MembershipState
    private let control: DispatchQueue
    private let pool: LanePool
    private let drainTimeout: Duration
    private let report: @Sendable (PipelineEvent) -> Void
    private let readiness = Mutex(LaneReadiness())

    private var lanes: [Int32: AssignedLane] = [:]
    /// Lanes that have stopped reading and whose last checkpoint is on its way, by id.
    private var draining: [UInt64: PartitionLane] = [:]
    private var lastLane: UInt64 = 0

    private struct AssignedLane {
        var lane: PartitionLane
        var queues: [PartitionQueue]
    }

    init(
        _ state: MembershipState, control: DispatchQueue, pool: LanePool, drainTimeout: Duration,
        report: @escaping @Sendable (PipelineEvent) -> Void
    ) {
        self.state = state
        self.control = control
        self.pool = pool
        self.drainTimeout = drainTimeout
        self.report = report
    }

    // MARK: Readings

    /// Whether partitions are assigned, and every lane has taken up its state and gets on. From any thread.
    var isReady: Bool { readiness.withLock { $0.isReady } }

    /// The lanes that read.
    var reading: [PartitionLane] { lanes.values.map(\.lane) }

    /// Lanes by id, from their assignment until their partitions are given back.
    var all: [UInt64: PartitionLane] {
        var all = draining
        for assigned in lanes.values { all[assigned.lane.id] = assigned.lane }
        return all
    }

    func lane(of partition: Int32) -> PartitionLane? { lanes[partition]?.lane }

    // MARK: Rebalancing

    func assign(_ queues: [PartitionQueue]) {
        guard !state.isOver else { return }
        for (partition, queues) in Dictionary(grouping: queues, by: \.partition.partition) {
            start(queues, of: partition)
        }
        readiness.withLock { $0.hasAssignment = true }
        report(.assigned(queues.map(\.partition).sorted()))
    }

    private func start(_ queues: [PartitionQueue], of partition: Int32) {
        guard let clients = state.clients else { return }
        if let assigned = lanes[partition] {
            lanes[partition]?.queues += queues
            assigned.lane.start(queues)
            return
        }
        lastLane += 1
        let lane = PartitionLane(
            id: lastLane, partition: partition, generation: (try? clients.consumer.groupMetadata())?.generation ?? 0,
            queue: pool.makeQueue(label: "apus.lane.\(partition)", number: lastLane),
            environment: clients.environment)
        clients.path.add(lane)
        lanes[partition] = AssignedLane(lane: lane, queues: queues)
        if clients.keepsState { readiness.withLock { $0.isRestoring = true } }
        lane.start(queues)
    }

    /// Stops the lanes concerned. When their last checkpoint is safe, or the drain time-out is over, the partitions
    /// go back.
    func revoke(_ revocation: Revocation) {
        let gone = Set(revocation.partitions)
        let affected = lanes.filter { $0.value.queues.contains { gone.contains($0.partition) } }
        for partition in affected.keys { lanes[partition] = nil }
        guard !state.isOver, let path = state.clients?.path else { return revocation.finish() }
        let leaving = Array(affected.values)
        if !revocation.isLost {
            for assigned in leaving { draining[assigned.lane.id] = assigned.lane }
        }
        let handover = Handover(lanes: leaving.map(\.lane), isLost: revocation.isLost, path: path, control: control)
        handover.begin(within: drainTimeout) { [weak self] in self?.giveBack(revocation, leaving, gone) }
    }

    private func giveBack(_ revocation: Revocation, _ leaving: [AssignedLane], _ gone: Set<TopicPartition>) {
        let clients = state.clients
        if !revocation.isLost { commit(leaving.flatMap { $0.lane.takeCommittable() }, by: clients?.consumer) }
        for assigned in leaving {
            draining[assigned.lane.id] = nil
            // What did not get through in time is the next owner's.
            assigned.lane.discard()
            clients?.path.remove(assigned.lane)
        }
        revocation.finish()
        // Partitions of the same number that stay go on in a lane of their own.
        for assigned in leaving {
            let staying = assigned.queues.filter { !gone.contains($0.partition) }
            if let partition = staying.first?.partition.partition { start(staying, of: partition) }
        }
        readiness.withLock { $0.hasAssignment = !lanes.isEmpty }
        report(.revoked(revocation.partitions.sorted(), lost: revocation.isLost))
    }

    private func commit(_ offsets: [PartitionOffset], by consumer: Consumer?) {
        do throws(KafkaError) {
            try consumer?.commit(offsets)
            if !offsets.isEmpty { report(.committed(offsets)) }
        } catch {
            // Whoever reads on starts at the last commit: alerts may repeat, with equal ids.
            report(.commitFailed(error))
        }
    }

    /// Drops all lanes with what they have not committed.
    func discard() {
        for lane in all.values { lane.discard() }
        lanes = [:]
        draining = [:]
    }

    // MARK: What all lanes are told

    /// The lanes' share of the checkpoint timer; says which of them have come to a stall.
    func tick() {
        let lanes = reading
        for lane in lanes { lane.tick() }
        for partition in readiness.withLock({ $0.look(at: lanes) }) { report(.stalled(partition: partition)) }
    }

    /// Has every lane evaluate with other rules from its next record on, and lanes to come as well.
    ///
    /// - Parameter done: Called when all lanes have changed over, or at `deadline` with the partitions of those that have
    ///   yet to come to it.
    func replaceRules(
        _ rules: CompiledRules, correlatePartitions: Int, until deadline: DispatchTime,
        done: @escaping @Sendable ([Int32]) -> Void
    ) {
        state.replace(rules, correlatePartitions: correlatePartitions)
        let changeover = RuleChangeover(lanes.keys, done: done)
        for (partition, assigned) in lanes {
            assigned.lane.replaceRules(rules, correlatePartitions: correlatePartitions) {
                changeover.finished(partition)
            }
        }
        DispatchQueue.global().asyncAfter(deadline: deadline) { changeover.close() }
    }
}
