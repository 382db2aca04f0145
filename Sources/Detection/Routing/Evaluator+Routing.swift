import Correlation
import EventSchema
import Events

extension Evaluator {
    // MARK: Handing on

    /// Leaves the hits of a query to the lane that its join keys belong to.
    func forward(_ hits: HeldHits, isAhead: Bool, isJoined: Bool) {
        var keys: [CorrelationKey] = []
        for (_, stageKeys) in hits.hits.stages {
            for key in stageKeys where !keys.contains(key) { keys.append(key) }
        }
        // A correlation without join key has one key for all.
        if keys.isEmpty { keys = [CorrelationKey([])] }
        for key in keys {
            let stages = hits.hits.stages.filter { $0.keys.isEmpty || $0.keys.contains(key) }.map(\.stage)
            forwards.append(
                ForwardedHit(
                    query: hits.query, key: key, stages: stages, event: hits.hits.event, isAhead: isAhead,
                    isJoined: isJoined))
        }
    }

    var hasForwards: Bool { !forwards.isEmpty }

    func takeForwards() -> [ForwardedHit] {
        defer { forwards.removeAll(keepingCapacity: true) }
        return forwards
    }

    /// How far this lane has come.
    func laneWatermark(lane: Int32, lanes: Int, generation: Int32) -> LaneWatermark {
        LaneWatermark(
            lane: lane, lanes: max(lanes, Int(lane) + 1), generation: generation, isIdle: clocks.isIdle,
            clocks: clocks.all.map { ($0.name, $0.watermark.value) })
    }

    // MARK: Taking up

    /// Announces the partition of the correlate topic. Only the input lanes' watermarks move time.
    func addCarrier(topic: TopicID, partition: Int32) -> Int {
        let source = clocks.addSource(EventClocks.SourcePartition(topic: topic, partition: partition))
        clocks.setIdle(source)
        return source
    }

    /// Whether a hit has not been taken before. Of those that come in no order only what is still held is known.
    func isNew(_ hit: ForwardedHit, rule: String) -> Bool {
        guard case .correlate(_, mayRepeat: true) = role, !hit.isJoined else { return true }
        return taken.insert(hit, rule: rule)
    }

    /// Takes a hit that another lane has handed on. It waits for the watermark as it would have there.
    ///
    /// - Parameter carrier: where it stands in the correlate topic.
    func take(_ hit: ForwardedHit, carrier: RecordOrigin) {
        totals.hits += 1
        let clock = queries.timings[hit.query].clock
        // Late where it was read need not be late here, where the slowest lane sets the pace.
        let isLate = clocks.all[clock].watermark.hasPassed(hit.event.timestamp)
        let event =
            isLate == hit.event.isLate
            ? hit.event
            : RetainedEvent(
                hit.event, timestamp: hit.event.timestamp, tiebreaker: hit.event.tiebreaker, isLate: isLate)
        let hits = hits(hit, event, carrier)
        if isLate {
            totals.late += 1
            advance(hits)
        } else if hit.isAhead {
            totals.ahead += 1
            advance(hits)
        } else if waits(hit.query) {
            clocks.all[clock].held.insert(hits, event: event)
        } else {
            advance(hits)
        }
    }

    /// Takes a hit once more that the restored state names as held; see ``replay(_:origin:source:)``.
    func replay(_ hit: ForwardedHit, carrier: RecordOrigin, source: Int) -> Bool {
        guard let awaited = clocks.takeAwaited(carrier.offset, source: source) else { return true }
        let clock = queries.timings[hit.query].clock
        guard waits(hit.query), awaited.contains(where: { $0.clock == clock }) else { return false }
        clocks.all[clock].held.insert(hits(hit, hit.event, carrier), event: hit.event)
        return true
    }

    private func hits(_ hit: ForwardedHit, _ event: RetainedEvent, _ carrier: RecordOrigin) -> HeldHits {
        let keys = hit.key.values.isEmpty && queries.keyReaders[hit.query].isEmpty ? [] : [hit.key]
        return HeldHits(
            query: hit.query, hits: StageHits(event: event, stages: hit.stages.map { ($0, keys) }), readAt: carrier)
    }

    /// Notes how far an input lane has come. Time moves when all of them were heard of, with the slowest.
    ///
    /// - Returns: false when another lane has taken the place of this one: that one may be behind, and must be waited for.
    func note(_ watermark: LaneWatermark, lanes topic: TopicID) -> Bool {
        announce(lanes: watermark.lanes, topic)
        guard watermark.generation >= laneGenerations[watermark.lane] ?? .min else { return false }
        laneGenerations[watermark.lane] = watermark.generation
        let source = laneSources[Int(watermark.lane)]
        for (field, time) in watermark.clocks {
            guard let time, let clock = clocks.all.firstIndex(where: { $0.name == field }) else { continue }
            clocks.all[clock].watermark.observe(time, source: source)
        }
        if watermark.isIdle { clocks.setIdle(source) } else { clocks.setActive(source) }
        return true
    }

    /// Lets time move without the input lanes that have been silent for too long.
    func setIdle(lane: Int32) {
        // A group that was deleted counts its generations anew.
        laneGenerations[lane] = nil
        if laneSources.indices.contains(Int(lane)) { clocks.setIdle(laneSources[Int(lane)]) }
    }

    private func announce(lanes: Int, _ topic: TopicID) {
        while laneSources.count < lanes {
            laneSources.append(
                clocks.addSource(EventClocks.SourcePartition(topic: topic, partition: Int32(laneSources.count))))
        }
    }

    /// Announces the input lanes that the restored state knows.
    func announceRestored(lanes topic: TopicID) {
        announce(lanes: clocks.restoredPartitions(of: topic), topic)
    }
}
