import KafkaClient

/// How what one lane makes of its records reaches the log, and how its read positions reach the group. Only used on
/// the lane's queue.
///
/// What the lane has done since its last checkpoint is sealed into the next one; a checkpoint succeeds, is repeated
/// or is lost as a whole.
protocol LaneDelivery: AnyObject {
    /// Outputs that are not safe yet.
    var outstanding: Int { get }
    /// False when the lane has to stop reading until some outputs are safe.
    var hasRoom: Bool { get }
    /// Whether a checkpoint can be taken now.
    var takesCheckpoint: Bool { get }
    /// Whether so much waits that the next checkpoint should not wait for its time.
    var isCheckpointUrgent: Bool { get }
    /// Whether nothing was added since the last checkpoint that has to wait for the next.
    var isEmpty: Bool { get }
    /// Whether everything is safe, or given up for good.
    var isDrained: Bool { get }

    func add(_ output: Output)
    /// Seals everything added since the last checkpoint. Call it when ``takesCheckpoint``.
    ///
    /// - Parameters:
    ///   - positions: the next record to read of every source that has been read.
    ///   - hasMoved: whether they say more than those of the last checkpoint.
    ///   - state: what is to be safe with them, its marker last; empty for a lane that keeps no state.
    func checkpoint(_ positions: [PartitionOffset], hasMoved: Bool, state: [Output])
    /// Goes on with whatever had to wait; called at every checkpoint interval, and while draining more often.
    func proceed()

    /// Delivery reports of outputs that were sent outside of transactions.
    func delivered(_ reports: [OutputReport])
    /// A commit to the group was refused.
    func repeatCommit()
    /// The checkpoint that the transactions had in hand is committed.
    func committed()
    /// What of a stopped lane is safe and may still be committed to the group by the caller.
    func takeCommittable() -> [PartitionOffset]
}

/// One lane's work between two checkpoints, never to be changed again.
struct SealedCheckpoint: Sendable {
    /// ``PartitionLane/id``.
    let lane: UInt64
    let partition: Int32
    var outputs: [Output]
    /// The next record to read, of every source that has been read.
    let positions: [PartitionOffset]
    let sealed = ContinuousClock.now
}
