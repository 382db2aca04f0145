import Alerts
import Detection
import Dispatch
import EventSchema
import Events
import KafkaClient
import Synchronization
import Telemetry

/// Everything that belongs to one partition number: its queues, its detector with the correlation state
/// of its hosts, and the outputs that are on their way. Revocation discards one lane.
///
/// One turn takes a batch the whole way; the lane hops queues per batch, never per record:
///
///     wake ─▶ poll ─▶ decode ─▶ match ─▶ correlate ─▶ alert ─▶ checkpoint ─▶ commit
///             └─────────── Detector.process ──────────┘   └── LaneDelivery ──┘
///
/// A lane whose rules remember something first takes up what its partition's last owner has left. Then it reads, or is
/// paused because too many of its outputs are not safe yet, or is stopped for good:
///
///     restoring ──▶ reading ⇄ paused
///         └────────────┴───────┴──▶ stopped
///
// `@unchecked`: every stored variable is only touched on `queue`, which is serial; the entry points that
// others call hop there first.
final class PartitionLane: @unchecked Sendable {
    /// Distinguishes the lanes of one process, also those of one partition one after the other, so that a
    /// late delivery report cannot be taken for an answer to a new lane.
    let id: UInt64
    let partition: Int32
    /// Of the group, when the lane began; 0 where it tells none.
    let generation: Int32

    let queue: DispatchQueue
    let environment: LaneEnvironment
    let delivery: any LaneDelivery
    private(set) var detector: Detector
    private let batch: MessageBatch
    var sources: [LaneSource] = []
    var state: State
    var upkeep = StateUpkeep()
    var correlation = LaneCorrelation()
    private var whenDrained: (@Sendable () -> Void)?
    private var counts = Counts()
    // Written for every record, with nothing else going on meanwhile: see EventDecoder.
    @exclusivity(unchecked) private var meter: LaneMeter
    @exclusivity(unchecked) private var strays = StrayKeys()
    private var ticked = DispatchTime.now()
    /// When the lane last took records or had none to take: uptime in nanoseconds, read by the membership,
    /// which notices a lane that does not get there any more.
    private let progress = Atomic(DispatchTime.now().uptimeNanoseconds)
    let hasToRestore: Atomic<Bool>

    enum State {
        case restoring
        case reading
        case paused
        case stopped
    }

    private struct Counts {
        var alerts: UInt64 = 0
        var deadLetters: UInt64 = 0
    }

    init(id: UInt64, partition: Int32, generation: Int32, queue: DispatchQueue, environment: LaneEnvironment) {
        self.id = id
        self.partition = partition
        self.generation = generation
        self.queue = queue
        self.environment = environment
        delivery = environment.makeDelivery(lane: id, partition: partition)
        detector = Detector(
            environment.rules, options: environment.evaluatorOptions, role: environment.options.role,
            tracking: environment.state.map { _ in StateTracking(topics: environment.topics.names) })
        state = environment.state == nil ? .reading : .restoring
        hasToRestore = Atomic(environment.state != nil)
        correlation.partitions = environment.partitions.correlate
        batch = MessageBatch(capacity: environment.options.batchSize)
        meter = LaneMeter(rules: environment.rules.rules.count)
    }

    // MARK: Life

    /// Starts reading these partitions, besides those it reads already.
    func start(_ queues: [PartitionQueue]) {
        queue.async { [self] in
            guard state != .stopped else { return }
            if state == .restoring {
                upkeep.unread += queues
                restore()
            } else {
                // Partitions of one number come together; one that comes by itself has no state of its own.
                for partition in queues { read(partition, from: nil, committed: nil) }
            }
        }
    }

    /// Stops reading for good and calls `completion` once everything it has put out is safe, and so are the
    /// positions that go with it.
    ///
    /// What the watermark still holds back is not evaluated: its offsets are not committed either, so
    /// that whoever reads the partition next sees these records again.
    func stop(completion: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            silence()
            whenDrained = completion
            keepDraining()
        }
    }

    /// Stops at once and forgets what is not safe: the partitions are somebody else's.
    func discard() {
        queue.async { [self] in
            silence()
            whenDrained = nil
        }
    }

    private func silence() {
        for source in sources { source.queue.deactivate() }
        giveUpRestoring()
        batch.clear()
        if state != .stopped { environment.report(.laneClosed(reading())) }
        state = .stopped
    }

    /// Nobody ticks a stopped lane, and the room its producer lacks may be taken by other lanes' outputs, whose
    /// reports do not come here: so it looks again by itself.
    private func keepDraining() {
        drain()
        guard whenDrained != nil else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(50)) { [weak self] in self?.keepDraining() }
    }

    private func drain() {
        guard let completion = whenDrained else { return }
        checkpoint()
        delivery.proceed()
        guard delivery.isDrained else { return }
        whenDrained = nil
        completion()
    }

    /// What of a stopped lane may be committed to the group by whoever stopped it. Waits for the lane's queue, so
    /// not from there.
    func takeCommittable() -> [PartitionOffset] {
        dispatchPrecondition(condition: .notOnQueue(queue))
        return queue.sync { delivery.takeCommittable() }
    }

    // MARK: Rules

    /// Evaluates with another set of rules from the next record on; unchanged ones keep what they remember.
    func replaceRules(
        _ rules: CompiledRules, correlatePartitions: Int, done: @escaping @Sendable () -> Void
    ) {
        queue.async { [self] in
            defer { done() }
            guard state != .stopped else { return }
            // What the rules have found so far is theirs.
            alert()
            meter.replaceRules(detector.rules, by: rules)
            detector = Detector(rules, replacing: detector)
            correlation.partitions = correlatePartitions
        }
    }

    // MARK: The way of a batch

    /// Takes what waits in the lane's queues the whole way, and gives other lanes their turn after a while.
    func turn() {
        for _ in 0..<environment.batchesPerTurn {
            guard state == .reading, hasRoom() else { return }
            progress.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
            var taken = 0
            for index in sources.indices { taken += poll(index) }
            detector.advance()
            alert()
            if taken == 0 { return }
        }
        sources.first?.queue.wake()
    }

    /// Polls one source and evaluates what it gives.
    private func poll(_ index: Int) -> Int {
        do throws(KafkaError) {
            try sources[index].queue.consumeBatch(into: batch)
        } catch {
            environment.notice(error)
            return 0
        }
        let count = batch.count
        guard count > 0 else { return 0 }
        // Once per batch: each access to the lane's variables is checked, and copies of a source count references.
        let (detector, readsHits) = (detector, environment.options.readsHits)
        let (topic, number, processedUntil) =
            (sources[index].topic, sources[index].number, sources[index].processedUntil)
        var (position, replays) = (sources[index].position, sources[index].replays)
        var timestamp = sources[index].lastTimestamp
        for message in batch {
            switch message.kind {
            case .record:
                var isDone = false
                if replays || message.offset < processedUntil {
                    isDone = replay(message, index)
                    replays = sources[index].replays
                }
                if !isDone {
                    if readsHits {
                        takeForward(message, sources[index])
                    } else {
                        evaluate(message, topic, number, index, detector)
                    }
                }
                position = max(position ?? 0, message.offset + 1)
                timestamp = message.timestamp
            case .error:
                if let error = message.error { environment.notice(error) }
            case .endOfPartition:
                break
            }
        }
        batch.clear()
        sources[index].position = position
        sources[index].lastTimestamp = timestamp
        sources[index].lastRecord = .now()
        sources[index].isIdle = false
        return count
    }

    private func evaluate(_ message: MessageView, _ topic: TopicID, _ number: Int, _ index: Int, _ detector: Detector) {
        let failure = detector.process(
            message.value ?? UnsafeRawBufferPointer(start: nil, count: 0),
            origin: RecordOrigin(topic: topic, partition: partition, offset: message.offset),
            source: number, recordTime: message.timestamp.flatMap { EventTime(milliseconds: $0) })
        if let failure { return reject(message, sources[index], failure) }
        guard detector.hasEvent else { return }
        meter.evaluated(by: detector)
        strays.evaluated(by: detector, topic, partition, environment.keyWatch)
    }

    func reject(_ message: MessageView, _ source: LaneSource, _ failure: DecodeFailure) {
        let topic = source.queue.partition
        counts.deadLetters += 1
        environment.report(.deadLettered(topic, offset: message.offset, reason: failure))
        delivery.add(
            Output(
                deadLetter: message.value, key: message.key, reason: failure, topic: topic.topic,
                partition: topic.partition, offset: message.offset, timestamp: message.timestamp,
                replays: message.headers.last("apus-replays")))
    }

    /// Sends what the detector found since the last time.
    private func alert() {
        for finding in detector.takeFindings() {
            let output = Output(alert: finding, encoder: environment.encoder)
            if !finding.isShadow {
                counts.alerts += 1
                meter.raised(newest: finding.evidence.lazy.map(\.timestamp).max())
                if let onAlert = environment.options.onAlert {
                    // Listeners know one shape, whatever the profile of the topic is.
                    let shown = environment.feedEncoder.map { $0.encode(finding).value } ?? output.value
                    if let shown { onAlert(shown) }
                }
            }
            delivery.add(output)
        }
        for record in detector.takeForwards(topics: environment.topics.names) {
            delivery.add(Output(forward: record, from: environment.topics))
        }
        if delivery.isCheckpointUrgent { checkpoint() }
    }

    // MARK: Answers

    /// Takes delivery reports, from the producer's queue.
    func delivered(_ reports: [OutputReport]) {
        queue.async { [self] in
            delivery.delivered(reports)
            goOn()
        }
    }

    /// The checkpoint that the transactions had in hand is committed.
    func committed() {
        queue.async { [self] in
            delivery.committed()
            goOn()
        }
    }

    /// A commit to the group was refused: the next tick repeats it, with what is safe by then.
    func repeatCommit() {
        queue.async { self.delivery.repeatCommit() }
    }

    /// There may be room again, or nothing left to wait for.
    private func goOn() {
        switch state {
        case .restoring, .reading: break
        case .paused: if hasRoom() { turn() }
        case .stopped: drain()
        }
    }

    /// Whether the lane may read on, with its state moved accordingly.
    private func hasRoom() -> Bool {
        let hasRoom = delivery.hasRoom
        switch (state, hasRoom) {
        case (.reading, false):
            state = .paused
            environment.report(.paused(partition: partition))
        case (.paused, true):
            state = .reading
            environment.report(.resumed(partition: partition))
        default: break
        }
        return hasRoom
    }

    // MARK: Time

    /// The lane's share of the pipeline's checkpoint timer: idle sources let the watermark go, and what has
    /// become safe is committed.
    func tick() {
        queue.async { [self] in
            guard state != .stopped else { return }
            let now = DispatchTime.now()
            if state == .restoring {
                // That has a time-out of its own.
                progress.store(now.uptimeNanoseconds, ordering: .relaxed)
                return
            }
            passOverUnseenTime(now)
            var becameIdle = false
            // A paused lane, or one that is behind, is not idle: what it has yet to read may be older than what it holds.
            for index in sources.indices
            where !sources[index].isIdle && state == .reading && sources[index].queue.waiting == 0 {
                if now.uptimeNanoseconds - sources[index].lastRecord.uptimeNanoseconds > environment.idleNanoseconds {
                    // A leader that is away is no reason to forget what is to be read again.
                    guard !sources[index].replays else {
                        askForReplay(index)
                        continue
                    }
                    sources[index].isIdle = true
                    detector.setIdle(sources[index].number)
                    becameIdle = true
                }
            }
            if becameIdle {
                detector.advance()
                alert()
            }
            sayWatermark(now)
            listen(now)
            sayStrays()
            checkpoint()
            delivery.proceed()
            if state == .paused, hasRoom() { turn() }
            if sources.allSatisfy({ $0.queue.waiting == 0 }) {
                progress.store(now.uptimeNanoseconds, ordering: .relaxed)
            }
        }
    }

    /// Time during which nobody looked, since the process was stopped or the lane's queue was busy, is no silence: nobody
    /// knows yet what has come meanwhile.
    private func passOverUnseenTime(_ now: DispatchTime) {
        defer { ticked = now }
        let seen = 2 * UInt64(environment.options.checkpointInterval.wholeNanoseconds)
        let gap = now.uptimeNanoseconds - ticked.uptimeNanoseconds
        guard gap > seen else { return }
        for index in sources.indices {
            let shifted = sources[index].lastRecord.uptimeNanoseconds + (gap - seen)
            sources[index].lastRecord = DispatchTime(uptimeNanoseconds: min(shifted, now.uptimeNanoseconds))
        }
    }

    private func sayStrays() {
        guard let found = strays.take() else { return }
        let names = environment.topics.names
        environment.report(
            .keyStrayed(
                TopicPartition(names[Int(found.now.rawValue)], partition),
                before: TopicPartition(names[Int(found.before.topic.rawValue)], found.before.partition),
                records: found.records))
    }

    /// Seals what was done since the last checkpoint. What the watermark still holds back counts as unread.
    private func checkpoint() {
        guard delivery.takesCheckpoint else { return }
        var hasMoved = false
        var positions: [PartitionOffset] = []
        for index in sources.indices {
            guard let position = sources[index].position else { continue }
            let held = detector.oldestHeldOffset(topic: sources[index].topic, partition: partition)
            let offset = min(position, held ?? position)
            if offset != sources[index].checkpointed { hasMoved = true }
            sources[index].checkpointed = offset
            positions.append(PartitionOffset(sources[index].queue.partition, offset))
        }
        guard !positions.isEmpty, hasMoved || !delivery.isEmpty || detector.hasStateChanges || upkeep.owesMarker
        else { return }
        // Always of every source, since only the newest checkpoint that is ready may be committed.
        delivery.checkpoint(positions, hasMoved: hasMoved, state: stateRecords(positions))
    }

    /// Whether the lane has yet to take up its state. From any thread.
    var isRestoring: Bool { hasToRestore.load(ordering: .relaxed) }

    /// Whether the lane has had records waiting for the stall time-out and taken none of them. From any thread.
    var isStalled: Bool {
        let now = DispatchTime.now().uptimeNanoseconds
        let last = progress.load(ordering: .relaxed)
        return now > last && now - last > environment.stallNanoseconds
    }

    /// A reading, taken on the lane's queue: a lane that hangs does not deliver one.
    func snapshot(_ deliver: @escaping @Sendable (LaneSnapshot) -> Void) {
        queue.async { [self] in deliver(reading()) }
    }

    private func reading() -> LaneSnapshot {
        let now = WallClock.now
        return LaneSnapshot(
            id: meter.lane, pipeline: environment.options.readsHits ? .correlate : .input, partition: partition,
            rules: detector.rules,
            sources: sources.map { source in
                let lag = environment.lag(source.queue.partition)
                let age = source.lastTimestamp.map { Double(now.milliseconds - $0) / 1000 } ?? 0
                return LaneSnapshot.Source(
                    topic: source.queue.partition.topic, position: source.position, lag: lag,
                    lagSeconds: lag > 0 ? max(0, age) : 0, waiting: source.queue.waiting)
            },
            counters: detector.counters, detections: detector.detectionCounters, deadLetters: counts.deadLetters,
            alerts: counts.alerts, outstanding: delivery.outstanding, isPaused: state == .paused,
            isStalled: isStalled, isRestoring: isRestoring, state: upkeep.counts, correlate: correlation.counts,
            liveKeys: detector.liveKeys,
            // Nothing waits for it where records are passed over, which do not move it.
            watermarkDelay: detector.rules.prefilter != nil
                ? nil : detector.watermark.map { max(0, Double(now.nanoseconds &- $0.nanoseconds) / 1e9) },
            eventToAlert: meter.eventToAlert, ruleCosts: meter.costs)
    }
}
