import CRdKafka
import Dispatch

/// Transactions (KIP-98, KIP-447), for a producer with a `transactional.id`.
///
/// ```
///  initTransactions ──▶ begin ──▶ send … ──▶ sendOffsets ──▶ commit ──┐
///                         ▲                        │ abort            │
///                         └────────────────────────┴──────────────────┘
/// ```
///
/// Every call waits for the transaction coordinator, up to its time-out, except `begin`. None belongs on the
/// control queue, which must hand delivery reports on meanwhile. Each error's `reaction` says how to go on:
/// `retry` the same call, `abortTransaction`, or `stop` when fenced.
extension Producer {
    /// Announces the transactional id: fences older instances, and completes or aborts their transaction.
    /// Once, before the first `beginTransaction`.
    public func initTransactions(timeout: Duration) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        try check(rd_kafka_init_transactions(client.pointer, timeout.timeout), "initialise transactions")
    }

    /// From here on every `send` belongs to the transaction.
    public func beginTransaction() throws(KafkaError) {
        try check(rd_kafka_begin_transaction(client.pointer), "begin a transaction")
    }

    /// Makes the consumed offsets part of the transaction. The broker refuses them when the group has
    /// moved on since `group` was taken.
    public func sendOffsets(
        _ offsets: [PartitionOffset], group: GroupMetadata, timeout: Duration
    ) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        guard !offsets.isEmpty else { return }
        let list = PartitionList(offsets)
        try check(
            rd_kafka_send_offsets_to_transaction(client.pointer, list.pointer, group.pointer, timeout.timeout),
            "add offsets to the transaction")
    }

    /// Flushes, then commits. After `retry` errors, call it again: the outcome is not known yet.
    public func commitTransaction(timeout: Duration) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        try check(rd_kafka_commit_transaction(client.pointer, timeout.timeout), "commit the transaction")
    }

    /// Purges what is queued (each record gets its report), then aborts.
    public func abortTransaction(timeout: Duration) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        try check(rd_kafka_abort_transaction(client.pointer, timeout.timeout), "abort the transaction")
    }

    private func check(_ error: OpaquePointer?, _ operation: String) throws(KafkaError) {
        if let error { throw KafkaError(consuming: error, operation) }
    }
}
