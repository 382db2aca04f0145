import Detection
import Dispatch
import Glibc
import KafkaClient

/// What a lane finds when it begins: the state of its partition, and what the group has committed.
struct LaneState: Sendable {
    /// Where a partition goes on that the state knows.
    struct Start: Sendable {
        /// Records below it are in the state.
        let position: Int64
        /// What the last checkpoint committed, or was to commit.
        let resume: Int64
        /// Whether records from `resume` on, below `position`, are still there to be read once more.
        let replays: Bool
    }

    /// A partition whose offset does not belong to the state.
    struct Moved: Hashable, Sendable {
        let place: TopicPartition
        let committed: Int64?
        let expected: Int64
    }

    /// Without content when the group was moved.
    let snapshot: StateSnapshot
    /// Of the group.
    let generation: Int32
    let committed: [TopicPartition: Int64]
    /// Of the partitions that go on from the state.
    let positions: [TopicPartition: Start]
    let moved: [Moved]

    /// - Parameter ends: where the places' logs begin and end.
    init(
        _ found: StateSnapshot, places: [TopicPartition], committed: [TopicPartition: Int64],
        ends: [TopicPartition: Watermarks], generation: Int32
    ) {
        var positions: [TopicPartition: Start] = [:]
        var moved: [Moved] = []
        for position in found.marker?.positions ?? [] {
            let place = TopicPartition(position.topic, position.partition)
            guard places.contains(place) else { continue }
            let committed = committed[place]
            let low = ends[place]?.low ?? 0
            // A log that ends below what was read of it is another one, of a topic that was made anew.
            if position.fits(committed: committed), position.position <= ends[place]?.high ?? .max {
                positions[place] = Start(
                    position: position.position, resume: position.resume,
                    replays: max(position.resume, low) < position.position)
            } else {
                moved.append(Moved(place: place, committed: committed, expected: position.resume))
            }
        }
        snapshot = moved.isEmpty ? found : found.discarded
        self.generation = generation
        self.committed = committed
        self.positions = moved.isEmpty ? positions : [:]
        self.moved = moved
    }
}

/// The way to a lane's state; thread-safe.
struct StateAccess: Sendable {
    let restorer: StateRestorer
    let consumer: Consumer
    /// Writes the state.
    let producer: Producer
    /// Partitions of the state topic for certain.
    let width: Int
    /// How to add partitions; nil where that is not allowed.
    let growth: ClientProperties?
    /// How long nothing may come. An open transaction of the lane's former owner takes up to its time-out to end.
    let timeout: Duration

    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    init(
        _ consumer: Consumer, _ producer: Producer, _ options: PipelineOptions, width: Int, log: ClientLog.Handler?,
        notice: @escaping @Sendable (KafkaError) -> Void
    ) throws {
        self.consumer = consumer
        self.producer = producer
        self.width = width
        restorer = try StateRestorer(
            options.consumerProperties, application: options.application, topic: options.stateTopic, owner: .input,
            log: log, notice: notice)
        growth = options.createTopics == nil ? nil : options.producer
        timeout = max(options.connectTimeout, options.transactionTimeout * 2)
    }

    /// Reads the state of a partition to its end, then what the group has committed for `places`, and sees to it that
    /// reading them begins where the state ends. The completion is not called when the reading was given up.
    func read(
        _ partition: Int32, _ places: [TopicPartition],
        completion: @escaping @Sendable (Result<LaneState, KafkaError>) -> Void
    ) -> StateRestorer.ReadingNumber {
        let prepare: @Sendable () throws(KafkaError) -> Void = { () throws(KafkaError) in
            if partition >= width { try widen(to: Int(partition) + 1) }
        }
        return restorer.restore(partition: partition, timeout: timeout, after: prepare) { [self] result in
            // On the restorer's queue, which may wait.
            do throws(KafkaError) {
                completion(.success(try complete(try result.get(), places)))
            } catch {
                completion(.failure(error))
            }
        }
    }

    private func complete(_ snapshot: StateSnapshot, _ places: [TopicPartition]) throws(KafkaError) -> LaneState {
        let committed = try consumer.committed(places, timeout: timeout)
        let generation = try? consumer.groupMetadata().generation
        var ends: [TopicPartition: Watermarks] = [:]
        if snapshot.marker != nil {
            for place in places { ends[place] = try restorer.watermarks(place, timeout: timeout) }
        }
        let found = LaneState(
            snapshot, places: places, committed: committed, ends: ends, generation: generation ?? 0)
        for place in places {
            let start = found.positions[place].map { max($0.resume, ends[place]?.low ?? 0) } ?? committed[place]
            // Elsewhere when nothing is committed, for then the consumer begins wherever a new group does; or when a
            // lane before has read on, which lost its other partition.
            guard let start else { continue }
            let position = try? consumer.position(place)
            if start != committed[place] || start != position ?? start { try seek(place, to: start) }
        }
        return found
    }

    /// Only what is being read already can be sought in: that takes a moment after the assignment.
    private func seek(_ place: TopicPartition, to offset: Int64) throws(KafkaError) {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            do throws(KafkaError) {
                return try consumer.seek(place, to: .at(offset), timeout: timeout)
            } catch {
                guard error.code == .state, !error.isFatal, ContinuousClock.now < deadline else { throw error }
            }
            usleep(20_000)
        }
    }

    /// Asks where the log of a partition begins; the completion is not called when nobody answers.
    func beginning(of place: TopicPartition, completion: @escaping @Sendable (Int64) -> Void) {
        restorer.queue.async {
            if let found = try? restorer.watermarks(place, timeout: timeout) { completion(found.low) }
        }
    }

    /// Partitions were added to an input. The state topic has to follow, and the producer to know.
    private func widen(to partitions: Int) throws(KafkaError) {
        func width() throws(KafkaError) -> Int {
            try producer.metadata(topic: restorer.topic, timeout: timeout).topic(restorer.topic)?.partitions.count ?? 0
        }
        if try width() >= partitions { return }
        if let growth, let admin = try? Admin(growth) {
            try? admin.grow(restorer.topic, to: partitions, timeout: timeout)
        }
        let found = try width()
        guard found < partitions else { return }
        throw KafkaError(
            .unknownTopicOrPartition, "read the state of partition \(partitions - 1)",
            message: """
                the state topic has \(found) partitions and needs as many as the widest input: kafka-topics.sh --alter \
                --topic \(restorer.topic) --partitions \(partitions)
                """,
            topic: restorer.topic, partition: Int32(partitions - 1))
    }
}

extension CheckpointMarker.Position {
    /// Whether the group's committed offset is one that this checkpoint or a crash soon after it leaves behind. Any
    /// other means that somebody has moved the group, and that the state is not that of its position.
    ///
    /// With `exactly_once` both are written together. With `at_least_once` the offset follows the marker, and a crash in
    /// between leaves it where it was before; the marker says where that may be.
    ///
    /// A group that has nothing committed was not moved by anybody: its offsets have expired, or the first commit did
    /// not get through. The state says where to go on.
    func fits(committed: Int64?) -> Bool {
        guard let committed else { return true }
        return committed == resume || former?.contains(committed) == true
    }
}
