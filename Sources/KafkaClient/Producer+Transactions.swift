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
/// control queue, which must hand delivery reports on meanwhile. Without a time-out a call waits for
/// `transaction.timeout.ms`; librdkafka advises so, because a call given up early leaves it out of step with the
/// coordinator. Each error's `reaction` says how to go on: `retry` the same call, `abortTransaction`, `dropLane`
/// (abort, and ask the group who we are), `rejoin` with a new producer, or `stop`.
extension Producer {
    /// Announces the transactional id: fences older instances, and completes or aborts their transaction.
    /// Once, before the first `beginTransaction`. Goes on in the background after a time-out; call it again.
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
        _ offsets: [PartitionOffset], group: GroupMetadata, timeout: Duration? = nil
    ) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        guard !offsets.isEmpty else { return }
        let list = PartitionList(offsets)
        try check(
            rd_kafka_send_offsets_to_transaction(
                client.pointer, list.pointer, group.pointer, timeout?.timeout ?? Self.transactionTimeout),
            "add offsets to the transaction")
    }

    /// Flushes, then commits. After `retry` errors, call it again: the outcome is not known yet. After any other
    /// error it is not known either, once every record was acknowledged: librdkafka may have given the transaction
    /// up while the coordinator was committing it.
    public func commitTransaction(timeout: Duration? = nil) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        try check(
            rd_kafka_commit_transaction(client.pointer, timeout?.timeout ?? Self.transactionTimeout),
            "commit the transaction")
    }

    /// Purges what is queued (each record gets its report), then aborts.
    public func abortTransaction(timeout: Duration? = nil) throws(KafkaError) {
        dispatchPrecondition(condition: .notOnQueue(controlQueue))
        try check(
            rd_kafka_abort_transaction(client.pointer, timeout?.timeout ?? Self.transactionTimeout),
            "abort the transaction")
    }

    /// Means `transaction.timeout.ms` to librdkafka.
    private static let transactionTimeout: Int32 = -1

    private func check(_ error: OpaquePointer?, _ operation: String) throws(KafkaError) {
        if let error { throw KafkaError(consuming: error, operation) }
    }
}
