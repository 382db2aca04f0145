import KafkaClient

/// What the lanes, the clients and the transactions of a membership tell it, and ask of it. Called on any queue.
struct MembershipLink: Sendable {
    let report: @Sendable (PipelineEvent) -> Void
    /// Something went wrong that may need nothing to be done about it.
    let notice: @Sendable (KafkaError) -> Void
    /// The membership is of no further use; without a reaction the error's own says whether a new one is.
    let over: @Sendable (KafkaError, Reaction?) -> Void
    /// Asks the group to take these offsets, outside of transactions. False when it could not even be asked.
    let commit: @Sendable ([PartitionOffset]) -> Bool
    /// A transaction has committed these offsets.
    let committed: @Sendable ([PartitionOffset]) -> Void
    /// Who may commit now; nil when the group does not know this member at present.
    let askPermit: @Sendable (@escaping @Sendable (TransactionCoordinator.Permit?) -> Void) -> Void
}
