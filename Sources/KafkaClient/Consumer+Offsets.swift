import CRdKafka

/// Offsets, positions and the group's identity. All thread-safe; those that say "waits" ask a broker, and do
/// not belong on a lane's or the control queue, except within a revocation.
extension Consumer {
    /// Commits, and waits for the coordinator's answer. Offsets are those of the next record to read.
    public func commit(_ offsets: [PartitionOffset]) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let list = PartitionList(offsets)
        let result = rd_kafka_commit(client.pointer, list.pointer, 0)
        if let error = list.pointer.pointee.firstError("commit offsets") { throw error }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "commit offsets") }
    }

    /// Commits without waiting. The result arrives as `ConsumerEvent.committed` with the same `id`, not 0.
    public func commitLater(_ offsets: [PartitionOffset], id: Int) throws(KafkaError) {
        precondition(id != 0, "0 marks commits that nobody waits for")
        guard let queue = rd_kafka_queue_get_main(client.pointer) else {
            throw KafkaError(.destroyed, "commit offsets")
        }
        // The main queue forwards to wherever control events go at present.
        let main = QueueHandle(taking: queue, of: client)
        let list = PartitionList(offsets)
        let result = rd_kafka_commit_queue(
            client.pointer, list.pointer, main.pointer, nil, UnsafeMutableRawPointer(bitPattern: id))
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "commit offsets") }
    }

    /// The group's committed offsets; a partition without one is missing. Waits.
    public func committed(
        _ partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        let list = PartitionList(partitions)
        let result = rd_kafka_committed(client.pointer, list.pointer, timeout.timeout)
        if let error = list.pointer.pointee.firstError("fetch committed offsets") { throw error }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "fetch committed offsets") }
        return Dictionary(
            list.pointer.pointee.offsets.map { ($0.partition, $0.offset) }, uniquingKeysWith: { _, last in last })
    }

    /// The offset behind the last message taken from the partition's queue, nil before the first.
    public func position(_ partition: TopicPartition) throws(KafkaError) -> Int64? {
        let list = PartitionList([partition])
        let result = rd_kafka_position(client.pointer, list.pointer)
        if let error = list.pointer.pointee.firstError("ask for the position") { throw error }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "ask for the position") }
        return list.pointer.pointee.offsets.first?.offset
    }

    /// Goes on reading elsewhere. Waits until fetched messages of the old place are gone from the queue;
    /// those already in a batch are the caller's to drop.
    public func seek(_ partition: TopicPartition, to offset: Offset, timeout: Duration) throws(KafkaError) {
        let list = PartitionList(capacity: 1)
        list.add(partition, offset: offset.rawValue)
        if let error = rd_kafka_seek_partitions(client.pointer, list.pointer, timeout.timeout) {
            throw KafkaError(consuming: error, "seek", topic: partition.topic)
        }
        if let error = list.pointer.pointee.firstError("seek") { throw error }
    }

    /// Stops fetching, without leaving the group. Messages already fetched are thrown away by librdkafka and
    /// fetched again by `resume`; a batch taken before is not affected.
    public func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions)
        let result = rd_kafka_pause_partitions(client.pointer, list.pointer)
        if let error = list.pointer.pointee.firstError("pause") { throw error }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "pause") }
    }

    public func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions)
        let result = rd_kafka_resume_partitions(client.pointer, list.pointer)
        if let error = list.pointer.pointee.firstError("resume") { throw error }
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(result, "resume") }
    }

    /// The watermarks as of the last fetch, nil before the first. Asks nobody.
    /// `low` is only kept up to date with `statistics.interval.ms`; until it is known, it is 0.
    public func cachedWatermarks(_ partition: TopicPartition) -> Watermarks? {
        var low: Int64 = -1
        var high: Int64 = -1
        let result = rd_kafka_get_watermark_offsets(client.pointer, partition.topic, partition.partition, &low, &high)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 else { return nil }
        return Watermarks(low: max(low, 0), high: high)
    }

    /// The watermarks by the partition's leader. Waits.
    public func watermarks(_ partition: TopicPartition, timeout: Duration) throws(KafkaError) -> Watermarks {
        try client.watermarks(partition, timeout: timeout)
    }

    /// Records between the position and the end of the partition, as of the last fetch; nil before the first.
    /// Asks nobody, so it is fit for metrics.
    public func lag(_ partition: TopicPartition) -> Int64? {
        guard let high = cachedWatermarks(partition)?.high, let position = try? position(partition) else { return nil }
        return max(0, high - position)
    }

    /// Describes the cluster without creating anything. Waits.
    public func metadata(topic: String? = nil, timeout: Duration) throws(KafkaError) -> ClusterMetadata {
        try client.metadata(topic: topic, timeout: timeout)
    }

    /// The group's identity for `Producer.sendOffsets`: id, generation and member. Take it anew for each
    /// transaction, since every rebalance changes it.
    public func groupMetadata() throws(KafkaError) -> GroupMetadata {
        guard let pointer = rd_kafka_consumer_group_metadata(client.pointer) else {
            throw KafkaError(.state, "take the group's metadata", message: "the consumer is in no group")
        }
        return GroupMetadata(taking: pointer)
    }
}

/// A snapshot of a consumer's membership, by which a transaction's offsets are fenced.
///
/// `@unchecked Sendable` because librdkafka never changes the object, and `deinit` frees it once.
public final class GroupMetadata: @unchecked Sendable {
    let pointer: OpaquePointer

    init(taking pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { rd_kafka_consumer_group_metadata_destroy(pointer) }

    /// The group's generation, or nil while the consumer is no member of it.
    ///
    /// Offsets sent without one are not fenced: for producers from before KIP-447 brokers take them from anybody.
    /// (librdkafka tells it in the serialised form only: `CGMDv2:`, then the generation in this machine's byte order;
    /// the same in 2.0.2 and 2.16.)
    public var generation: Int32? {
        var bytes: UnsafeMutableRawPointer?
        var size = 0
        if let error = rd_kafka_consumer_group_metadata_write(pointer, &bytes, &size) {
            rd_kafka_error_destroy(error)
            return nil
        }
        guard let bytes else { return nil }
        defer { rd_kafka_mem_free(nil, bytes) }
        let opening = Array("CGMDv2:".utf8)
        let form = UnsafeRawBufferPointer(start: bytes, count: size)
        guard form.count >= opening.count + 4, form.starts(with: opening) else { return nil }
        let generation = form.loadUnaligned(fromByteOffset: opening.count, as: Int32.self)
        return generation >= 0 ? generation : nil
    }
}
