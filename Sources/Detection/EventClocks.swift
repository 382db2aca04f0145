import Correlation
import EventSchema
import Events

/// Matches of one event for one query, which wait for the watermark.
struct HeldHits {
    var query: Int
    var hits: StageHits
    /// Where the record was read that brought them: the event's own place, or one in the correlate topic.
    var readAt: RecordOrigin
}

/// The times of one evaluator: for each timestamp field that some query orders its events by, a watermark and the
/// matches that wait for it.
struct EventClocks {
    struct Clock {
        let field: FieldID
        let name: String
        var watermark: Watermark
        var held = ReorderBuffer<HeldHits>()
    }

    /// A partition that feeds the evaluator.
    private struct Source {
        var partition: SourcePartition?
        var isRemoved = false
        /// Records that were held when the restored state was written and have not been read again: by offset,
        /// the clocks that held them and their times there.
        var awaited: [Int64: [(clock: Int, time: EventTime)]] = [:]
    }

    struct SourcePartition: Hashable {
        var topic: TopicID
        var partition: Int32
    }

    /// The engine's time, then that of each timestamp field that some query has for itself.
    var all: [Clock]
    /// The time of the record before, for one that has no time at all.
    var previous = EventTime(nanoseconds: 0)
    /// Parts of script blocks that wait for the others; they hold their offsets as matches do.
    var blocks: ScriptBlocks
    private var sources: [Source] = []
    /// Restored, and not announced yet.
    private var restored: [SourcePartition: RestoredSource] = [:]
    /// Records that ``Source/awaited`` still has, over all sources.
    private(set) var awaitedCount = 0

    private struct RestoredSource {
        var newest: [EventTime?]
        var isIdle: Bool
        var held: [(offset: Int64, clock: Int, time: EventTime)]
    }

    init(_ fields: [(id: FieldID, name: String)], lateness: Int64, blocks: ScriptBlocks) {
        self.blocks = blocks
        all = fields.map { Clock(field: $0.id, name: $0.name, watermark: Watermark(lateness: lateness)) }
    }

    /// Notes when an event of `source` happened.
    ///
    /// - Parameters:
    ///   - time: by the engine's clock, and by each whose field the event does not have.
    ///   - limit: what moves no watermark any further.
    mutating func observe(_ event: Event, _ time: EventTime, notAfter limit: EventTime, source: Int) {
        previous = time
        all[0].watermark.observe(min(time, limit), source: source)
        for clock in 1..<all.count {
            all[clock].watermark.observe(min(event.time(in: all[clock].field) ?? time, limit), source: source)
        }
    }

    /// Goes on where `old` has come to, with the clocks of other queries. Time that no query had asked for begins with
    /// the next event of each source; what clocks hold is for the caller to bring along.
    init(_ fields: [(id: FieldID, name: String)], lateness: Int64, continuing old: EventClocks) {
        self.init(fields, lateness: lateness, blocks: old.blocks)
        previous = old.previous
        for clock in all.indices {
            if let before = old.all.first(where: { $0.name == all[clock].name }) {
                all[clock].watermark = before.watermark
                continue
            }
            for (number, source) in old.sources.enumerated() {
                _ = all[clock].watermark.addSource(isIdle: old.all[0].watermark.isIdle(number))
                if source.isRemoved { all[clock].watermark.remove(source: number) }
            }
        }
        let own = old.all.map { clock in all.firstIndex { $0.name == clock.name } }
        sources = old.sources.map { source in
            var source = source
            source.awaited = source.awaited.compactMapValues { held in
                let kept = held.compactMap { held in own[held.clock].map { (clock: $0, time: held.time) } }
                return kept.isEmpty ? nil : kept
            }
            return source
        }
        awaitedCount = sources.reduce(0) { $0 + $1.awaited.count }
        restored = old.restored.mapValues { source in
            var newest = [EventTime?](repeating: nil, count: all.count)
            for (saved, clock) in own.enumerated() {
                if let clock { newest[clock] = source.newest[saved] }
            }
            return RestoredSource(
                newest: newest, isIdle: source.isIdle,
                held: source.held.compactMap { held in own[held.clock].map { (held.offset, $0, held.time) } })
        }
    }

    var indices: Range<Int> { all.indices }

    // MARK: Sources

    /// A source that is in the restored state goes on from there.
    mutating func addSource(_ partition: SourcePartition?) -> Int {
        let known = partition.flatMap { restored.removeValue(forKey: $0) }
        for clock in all.indices {
            _ = all[clock].watermark.addSource(newest: known?.newest[clock], isIdle: known?.isIdle ?? false)
        }
        var source = Source(partition: partition)
        for held in known?.held ?? [] { source.awaited[held.offset, default: []].append((held.clock, held.time)) }
        awaitedCount += source.awaited.count
        sources.append(source)
        return sources.count - 1
    }

    mutating func removeSource(_ source: Int) {
        for clock in all.indices { all[clock].watermark.remove(source: source) }
        sources[source].isRemoved = true
        _ = endReplay(source)
    }

    mutating func setIdle(_ source: Int) {
        for clock in all.indices { all[clock].watermark.setIdle(source: source) }
    }

    /// Has the watermark wait for `source` again.
    mutating func setActive(_ source: Int) {
        for clock in all.indices { all[clock].watermark.setActive(source: source) }
    }

    /// Whether no source has anything to read.
    var isIdle: Bool {
        sources.indices.allSatisfy { sources[$0].isRemoved || all[0].watermark.isIdle($0) }
    }

    /// How many partitions of a topic are in the restored state, counted from 0.
    func restoredPartitions(of topic: TopicID) -> Int {
        restored.keys.lazy.filter { $0.topic == topic }.map { Int($0.partition) + 1 }.max() ?? 0
    }

    // MARK: Held events

    /// The clocks that held a record when the restored state was written, which is now there again.
    mutating func takeAwaited(_ offset: Int64, source: Int) -> [(clock: Int, time: EventTime)]? {
        guard let awaited = sources[source].awaited.removeValue(forKey: offset) else { return nil }
        awaitedCount -= 1
        return awaited
    }

    /// Waits no longer for records of `source`; returns how many did not come.
    mutating func endReplay(_ source: Int) -> Int {
        let missing = sources[source].awaited.count
        sources[source].awaited = [:]
        awaitedCount -= missing
        return missing
    }

    /// The oldest offset of a partition that a clock holds or that is awaited.
    func oldestHeldOffset(_ partition: SourcePartition) -> Int64? {
        let held = all.lazy.flatMap { $0.held.payloads.lazy.map(\.readAt) }
            .filter { $0.topic == partition.topic && $0.partition == partition.partition }
            .map(\.offset).min()
        let parts = blocks.waiting.lazy.map(\.origin)
            .filter { $0.topic == partition.topic && $0.partition == partition.partition }
            .map(\.offset).min()
        guard awaitedCount > 0 else { return [held, parts].compactMap(\.self).min() }
        let awaited = sources.lazy.filter { $0.partition == partition && !$0.isRemoved }
            .compactMap { $0.awaited.keys.min() }.min()
        return [held, parts, awaited].compactMap(\.self).min()
    }

    // MARK: State

    /// - Parameter topics: names by number.
    func state(topics: [String]) -> TimeState {
        var held: [SourcePartition: [TimeState.Held]] = [:]
        for (index, clock) in all.enumerated() {
            for payload in clock.held.payloads {
                let place = payload.readAt
                held[SourcePartition(topic: place.topic, partition: place.partition), default: []]
                    .append(TimeState.Held(offset: place.offset, clock: index, time: payload.hits.event.timestamp))
            }
        }
        for part in blocks.waiting {
            held[SourcePartition(topic: part.origin.topic, partition: part.origin.partition), default: []]
                .append(TimeState.Held(offset: part.origin.offset, clock: 0, time: part.time))
        }
        var state = TimeState(
            clocks: all.map { TimeState.Clock(field: $0.name, watermark: $0.watermark.value) }, previous: previous)
        for (number, source) in sources.enumerated() {
            guard let partition = source.partition, !source.isRemoved else { continue }
            var events = held[partition] ?? []
            for (offset, awaited) in source.awaited {
                events += awaited.map { TimeState.Held(offset: offset, clock: $0.clock, time: $0.time) }
            }
            events.sort { ($0.offset, $0.clock) < ($1.offset, $1.clock) }
            // One record is held once for each query that it matches.
            events = events.indices.filter { $0 == 0 || events[$0] != events[$0 - 1] }.map { events[$0] }
            state.sources.append(
                TimeState.Source(
                    topic: topics[Int(partition.topic.rawValue)], partition: partition.partition,
                    newest: all.map { $0.watermark.newest(of: number) },
                    isIdle: all[0].watermark.isIdle(number), held: events))
        }
        // Of partitions that are not read at present: for whoever reads them again.
        let absent = restored.sorted {
            ($0.key.topic.rawValue, $0.key.partition) < ($1.key.topic.rawValue, $1.key.partition)
        }
        for (partition, source) in absent {
            state.sources.append(
                TimeState.Source(
                    topic: topics[Int(partition.topic.rawValue)], partition: partition.partition, newest: source.newest,
                    isIdle: source.isIdle,
                    held: source.held.map { TimeState.Held(offset: $0.offset, clock: $0.clock, time: $0.time) }))
        }
        return state
    }

    /// Takes up where another evaluator has come to. Before the sources are announced.
    ///
    /// Clocks that no query has any more are left out with what they held, as are sources of other topics.
    mutating func restore(_ state: TimeState, topics: [String]) {
        previous = state.previous
        let own = state.clocks.map { saved in all.firstIndex { $0.name == saved.field } }
        for (saved, clock) in zip(state.clocks, own) {
            if let clock { all[clock].watermark.restore(saved.watermark) }
        }
        for source in state.sources {
            guard let topic = topics.firstIndex(of: source.topic) else { continue }
            var newest = [EventTime?](repeating: nil, count: all.count)
            for (saved, clock) in own.enumerated() {
                if let clock { newest[clock] = source.newest[saved] }
            }
            let partition = SourcePartition(
                topic: TopicID(rawValue: UInt16(topic)), partition: source.partition)
            restored[partition] = RestoredSource(
                newest: newest, isIdle: source.isIdle,
                held: source.held.compactMap { held in own[held.clock].map { (held.offset, $0, held.time) } })
        }
    }
}
