import KafkaClient

/// Outputs are kept until their checkpoint, which is then committed with them in one transaction.
///
/// One checkpoint at a time is in the transactions' hands; meanwhile the lane gathers the next, up to its bounds.
final class TransactionalDelivery: LaneDelivery {
    private let lane: UInt64
    private let partition: Int32
    private let options: PipelineOptions
    private let transactions: TransactionCoordinator
    private var gathered: [Output] = []
    private var gatheredBytes = 0
    /// Outputs of the checkpoint that the transactions have in hand; nil when they have none.
    private var sealed: Int?

    init(lane: UInt64, partition: Int32, options: PipelineOptions, transactions: TransactionCoordinator) {
        self.lane = lane
        self.partition = partition
        self.options = options
        self.transactions = transactions
    }

    var outstanding: Int { gathered.count + (sealed ?? 0) }

    var hasRoom: Bool {
        outstanding < options.maxOutstanding && gatheredBytes < options.maxOutstandingBytes
    }

    var takesCheckpoint: Bool { sealed == nil }

    var isCheckpointUrgent: Bool {
        sealed == nil
            && (gathered.count >= options.maxOutstanding / 4 || gatheredBytes >= options.maxOutstandingBytes / 4)
    }

    var isEmpty: Bool { gathered.isEmpty }

    var isDrained: Bool { sealed == nil && gathered.isEmpty }

    func add(_ output: Output) {
        gathered.append(output)
        gatheredBytes += output.size
    }

    func checkpoint(_ positions: [PartitionOffset], hasMoved: Bool, state: [Output]) {
        guard hasMoved || !gathered.isEmpty || !state.isEmpty else { return }
        sealed = gathered.count
        transactions.submit(
            SealedCheckpoint(lane: lane, partition: partition, outputs: gathered + state, positions: positions))
        gathered = []
        gatheredBytes = 0
    }

    func proceed() {}

    func committed() { sealed = nil }

    func delivered(_ reports: [OutputReport]) {}

    func repeatCommit() {}

    /// The transactions have committed everything already.
    func takeCommittable() -> [PartitionOffset] { [] }
}
