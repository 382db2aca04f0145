import Alerts
import Detection
import Events
import KafkaClient

/// What the lanes of one membership share. Immutable, or thread-safe.
struct LaneEnvironment: Sendable {
    /// Turns are cut after this many batches, so that a lane with a long backlog lets the others run.
    let batchesPerTurn = 8

    /// With which lanes begin; those that run are told of another set by themselves.
    var rules: CompiledRules
    let options: PipelineOptions
    var width: Membership.Width
    let topics: TopicTable
    let keyWatch: KeyWatch
    let encoder: AlertEncoder
    /// For ``PipelineOptions/onAlert``; nil when alerts have that shape anyway.
    let feedEncoder: AlertEncoder?
    /// For alerts that proved too large: leaves the original events out.
    let shortEncoder: AlertEncoder
    let path: Path
    /// Nil when no rule remembers anything.
    let state: StateAccess?
    let evaluatorOptions: EvaluatorOptions
    let idleNanoseconds: UInt64
    let stallNanoseconds: UInt64

    let report: @Sendable (PipelineEvent) -> Void
    /// Says what a client complains of; ends the pipeline when nothing but an operator can help.
    let notice: @Sendable (KafkaError) -> Void
    /// Ends the membership; what is not committed is read again by whoever comes next.
    let fail: @Sendable (KafkaError) -> Void
    let lag: @Sendable (TopicPartition) -> Int64

    /// The way of a lane's outputs and positions.
    enum Path: Sendable {
        case atLeastOnce(Acknowledged)
        case exactlyOnce(TransactionCoordinator)
    }

    /// What delivery at least once needs.
    struct Acknowledged: Sendable {
        let outbox: Outbox
        let reports: LaneReports
        /// False when the commit could not even be asked for.
        let commit: @Sendable ([PartitionOffset]) -> Bool
    }

    func makeDelivery(lane: UInt64, partition: Int32) -> any LaneDelivery {
        switch path {
        case .atLeastOnce(let path): AtLeastOnceDelivery(lane: lane, environment: self, path: path)
        case .exactlyOnce(let transactions):
            TransactionalDelivery(lane: lane, partition: partition, options: options, transactions: transactions)
        }
    }
}

/// The input topics by number, so that an event carries two bytes instead of a name.
struct TopicTable: Sendable {
    let names: [String]
    private let ids: [String: TopicID]

    init(_ names: [String]) {
        self.names = names
        ids = Dictionary(
            names.enumerated().map { ($1, TopicID(rawValue: UInt16($0))) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Precondition: the topic is one of the inputs, as every assigned partition's is.
    func id(of name: String) -> TopicID {
        guard let id = ids[name] else { preconditionFailure("\(name) is not an input topic") }
        return id
    }
}
