import Detection
import Dispatch
import EventSchema
import Events
import KafkaClient
import Synchronization

/// What a lane notes about its state topic.
struct StateUpkeep {
    /// Partitions that wait for the state.
    var unread: [PartitionQueue] = []
    /// Distinguishes attempts to restore.
    var attempt = 0
    /// The reading that is under way.
    var reading: StateRestorer.ReadingNumber?
    /// Of the last checkpoint.
    var stamp = CheckpointStamp(epoch: 0, number: 0)
    /// Restored, and has not said yet that the partition has another owner now: whatever a former one still writes
    /// from then on does not count.
    var owesMarker = false
    /// Where partitions stand that the lane does not read, as those of a topic that is no input at present.
    var absent: [CheckpointMarker.Position] = []
    var counts = StateCounts()
}

extension PartitionLane {
    // MARK: Taking up

    /// Reads the partition's state; again from the beginning when partitions have come meanwhile.
    func restore() {
        guard let access = environment.state else { return }
        upkeep.attempt += 1
        let attempt = upkeep.attempt
        giveUpReading()
        upkeep.reading = access.read(partition, upkeep.unread.map(\.partition)) { [weak self, queue] result in
            queue.async { [weak self] in
                guard let self, state == .restoring, upkeep.attempt == attempt else { return }
                upkeep.reading = nil
                switch result {
                case .success(let found): takeUp(found)
                case .failure(let error): restoreAgain(after: error, attempt)
                }
            }
        }
    }

    /// What only an operator can mend ends the membership with the notice, or can be mended meanwhile, such as a state
    /// topic with too few partitions.
    private func restoreAgain(after error: KafkaError, _ attempt: Int) {
        environment.notice(error)
        queue.asyncAfter(deadline: .now() + .seconds(min(attempt, 10))) { [weak self] in
            guard let self, state == .restoring, upkeep.attempt == attempt else { return }
            restore()
        }
    }

    private func giveUpReading() {
        if let reading = upkeep.reading { environment.state?.restorer.cancel(reading) }
        upkeep.reading = nil
    }

    func giveUpRestoring() {
        giveUpReading()
        upkeep.unread = []
        hasToRestore.store(false, ordering: .relaxed)
    }

    private func takeUp(_ found: LaneState) {
        for moved in found.moved {
            upkeep.counts.discarded += 1
            environment.report(.stateDiscarded(moved.place, committed: moved.committed, expected: moved.expected))
        }
        let snapshot = found.snapshot
        upkeep.stamp = CheckpointStamp(
            epoch: snapshot.nextEpoch(generation: found.generation), number: snapshot.nextNumber - 1)
        let places = Set(upkeep.unread.map(\.partition))
        upkeep.absent = (snapshot.marker?.positions ?? []).filter {
            !places.contains(TopicPartition($0.topic, $0.partition))
        }
        let restored = detector.restore(snapshot)
        upkeep.counts.restoredKeys += UInt64(restored.keys)
        upkeep.counts.skipped = restored.problems
        upkeep.owesMarker = snapshot.marker != nil
        if snapshot.recordCount > 0 {
            environment.report(
                .restored(
                    partition: partition, keys: restored.keys, records: snapshot.recordCount,
                    problems: restored.problems))
        }
        state = .reading
        let unread = upkeep.unread
        giveUpRestoring()
        for queue in unread {
            let place = queue.partition
            read(queue, from: found.positions[place], committed: found.committed[place])
        }
    }

    /// Begins to read a partition: behind what the restored state holds of it, if anything.
    func read(_ partition: PartitionQueue, from restored: LaneState.Start?, committed: Int64?) {
        let topic = environment.topics.id(of: partition.partition.topic)
        var source = LaneSource(
            queue: partition, topic: topic,
            number: environment.options.readsHits
                ? detector.addCarrier(topic: topic, partition: self.partition)
                : detector.addSource(topic: topic, partition: self.partition))
        source.asked = [committed ?? -1]
        upkeep.absent.removeAll { TopicPartition($0.topic, $0.partition) == partition.partition }
        if let restored {
            source.position = restored.position
            source.checkpointed = restored.resume
            source.processedUntil = restored.position
            source.replays = restored.replays
        }
        if !source.replays { _ = detector.endReplay(source.number) }
        sources.append(source)
        sayWatermark(.now())
        do throws(KafkaError) {
            try partition.activate(on: queue) { [weak self] in self?.turn() }
        } catch {
            environment.fail(error)
        }
    }

    // MARK: Replaying

    /// Lets a record that was held for the watermark wait again, and passes over others that are done already.
    ///
    /// - Returns: false when the record is new.
    func replay(_ message: MessageView, _ index: Int) -> Bool {
        let end = sources[index].processedUntil
        let isDone = message.offset < end
        if sources[index].replays {
            if isDone, environment.options.readsHits {
                takeForward(message, sources[index], isReplayed: true)
            } else if isDone {
                _ = detector.replay(
                    message.value ?? UnsafeRawBufferPointer(start: nil, count: 0),
                    origin: RecordOrigin(topic: sources[index].topic, partition: partition, offset: message.offset),
                    source: sources[index].number)
            }
            if message.offset + 1 >= end { endReplay(index) }
        }
        return isDone
    }

    private func endReplay(_ index: Int) {
        sources[index].replays = false
        _ = detector.endReplay(sources[index].number)
    }

    /// Nothing to replay has come for a while: ends it if the topic has dropped all of that.
    func askForReplay(_ index: Int) {
        sources[index].lastRecord = .now()
        let place = sources[index].queue.partition
        environment.state?.beginning(of: place) { [weak self, queue] low in
            queue.async { [weak self] in
                guard let self, state != .stopped,
                    let index = sources.firstIndex(where: { $0.queue.partition == place }),
                    sources[index].replays, sources[index].processedUntil <= low
                else { return }
                endReplay(index)
            }
        }
    }

    // MARK: Writing

    /// What has changed of the lane's state, and the marker that makes it count.
    func stateRecords(_ resume: [PartitionOffset]) -> [Output] {
        guard let time = detector.timeState else { return [] }
        upkeep.owesMarker = false
        upkeep.stamp.number += 1
        let positions = zip(sources.indices.filter { sources[$0].position != nil }, resume).map { index, resume in
            let source = sources[index]
            sources[index].ask(for: resume.offset)
            return CheckpointMarker.Position(
                topic: source.queue.partition.topic, partition: source.queue.partition.partition,
                position: source.position ?? resume.offset, resume: resume.offset,
                former: environment.options.delivery == .exactlyOnce ? nil : source.asked)
        }
        let marker = CheckpointMarker(stamp: upkeep.stamp, positions: positions + upkeep.absent, time: time)
        let records = detector.takeStateChanges() + marker.records(of: .input)
        upkeep.counts.written += UInt64(records.count)
        return records.map { Output(state: $0, of: partition, at: upkeep.stamp) }
    }

    /// The group has these offsets. A lane that has nothing to do from then on says so in one more marker: as long as the
    /// last one names former offsets, somebody who moves the group to one of them would not be noticed.
    func confirm(_ offsets: [PartitionOffset]) {
        queue.async { [self] in
            guard environment.state != nil, state == .reading || state == .paused else { return }
            for index in sources.indices {
                let place = sources[index].queue.partition
                guard let offset = offsets.first(where: { $0.partition == place })?.offset else { continue }
                if sources[index].confirm(offset) { upkeep.owesMarker = true }
            }
        }
    }
}
