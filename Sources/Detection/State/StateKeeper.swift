import Correlation
import EventSchema
import Events
import Rules

/// Turns what changes in the correlations of a detector into records, and back.
///
/// An event is written once, however many keys and rules hold it, and removed when the last of them has let it go:
///
///     key 1 ─┐
///     key 2 ─┼─▶ event      K records refer to E records
///     key 3 ─┘
struct StateKeeper {
    let tracking: StateTracking
    /// For each rule, what its keys begin with.
    private let rules: [(id: String, hash: String)]
    /// How many keys hold an event. Every event that is held has a record.
    private var holders: [RecordOrigin: Int] = [:]
    /// In how many records the values stand that take more than one.
    private var splits: [[UInt8]: UInt8] = [:]
    /// Records that restoring found to be missing or of no use in the topic; the next ones to be written.
    private var repairs: [StateRecord] = []

    init(_ tracking: StateTracking, rules: [Rule]) {
        self.tracking = tracking
        self.rules = rules.map { ($0.id, StateKey.prefix(ofHash: $0.contentHash)) }
    }

    /// Goes on for another set of rules.
    ///
    /// - Parameter pending: what `old` took last and nobody has written yet.
    init(_ old: StateKeeper, rules: [Rule], pending: [StateRecord]) {
        self.init(old.tracking, rules: rules)
        holders = old.holders
        splits = old.splits
        repairs = pending
    }

    private func key(of origin: RecordOrigin) -> [UInt8] {
        StateKey.event(
            topic: tracking.topics[Int(origin.topic.rawValue)], partition: origin.partition, offset: origin.offset
        ).bytes(tracking.owner)
    }

    // MARK: Writing

    var hasRepairs: Bool { !repairs.isEmpty }

    mutating func takeRecords(from evaluator: Evaluator, _ suppressor: Suppressor) -> [StateRecord] {
        var records: [StateRecord] = []
        swap(&records, &repairs)
        var fresh: [RetainedEvent] = []
        var released: [RecordOrigin] = []
        evaluator.takeStateChanges { query, change in
            let form = StateKey.JoinKeyForm(change.key)
            let rule = rules[query]
            let key = StateKey.correlation(rule: rule.id, hash: rule.hash, key: form).bytes(tracking.owner)
            released += change.before
            switch change.record {
            case .same: break
            case .removed: write(nil, key, to: &records)
            case .written(let state):
                fresh += hold(state.events)
                write(value(of: state, form: form, key: change.key), key, to: &records)
            }
        }
        for change in suppressor.takeChanges() {
            let rule = rules[change.rule]
            let key = StateKey.suppression(rule: rule.id, hash: rule.hash, group: change.group)
            write(change.window?.stateBytes, key.bytes(tracking.owner), to: &records)
        }
        for event in fresh { write(event.bytes, key(of: event.origin), to: &records) }
        // Last: an event may have gone from one key to another.
        for origin in released {
            guard let count = holders[origin] else { continue }
            holders[origin] = count > 1 ? count - 1 : nil
            if count == 1 { write(nil, key(of: origin), to: &records) }
        }
        return records
    }

    /// Counts one more holder for each event, and returns those that had none.
    private mutating func hold(_ events: [RetainedEvent]) -> [RetainedEvent] {
        var fresh: [RetainedEvent] = []
        var origins: Set<RecordOrigin> = []
        for event in events where origins.insert(event.origin).inserted {
            if holders[event.origin] == nil { fresh.append(event) }
            holders[event.origin, default: 0] += 1
        }
        return fresh
    }

    /// Join key where it does not stand in the record's key, topics, events, and the correlation's own bytes.
    private func value(of state: KeyState, form: StateKey.JoinKeyForm, key: CorrelationKey) -> [UInt8] {
        var writer = StateWriter()
        if case .digest = form { key.write(to: &writer) }
        var topics: [TopicID] = []
        for event in state.events where !topics.contains(event.origin.topic) { topics.append(event.origin.topic) }
        writer.append(count: topics.count)
        for topic in topics { writer.append(tracking.topics[Int(topic.rawValue)]) }
        writer.append(count: state.events.count)
        for event in state.events {
            writer.append(count: topics.firstIndex(of: event.origin.topic) ?? 0)
            writer.append(signed: Int64(event.origin.partition))
            writer.append(signed: event.origin.offset)
            writer.append(event.timestamp)
            writer.append(event.tiebreaker != nil)
            if let tiebreaker = event.tiebreaker { writer.append(signed: tiebreaker) }
            writer.append(event.isLate)
        }
        writer.append(raw: state.body)
        return writer.bytes
    }

    /// Appends the records of one value, and removes those of a value in another number of parts.
    private mutating func write(_ value: [UInt8]?, _ key: [UInt8], to records: inout [StateRecord]) {
        let parts = value.map { max(1, ($0.count + tracking.longestValue - 1) / tracking.longestValue) } ?? 0
        precondition(parts <= UInt8.max, "the longest value is far above that of a record")
        let before = splits[key] ?? 1
        if parts != Int(before) {
            for part in 0..<before { records.append(StateRecord(key: key + [part, before], value: nil)) }
        }
        splits[key] = parts > 1 ? UInt8(parts) : nil
        guard let value else { return }
        for part in 0..<parts {
            let start = part * tracking.longestValue
            let bytes = parts == 1 ? value : Array(value[start..<min(value.count, start + tracking.longestValue)])
            records.append(StateRecord(key: key + [UInt8(part), UInt8(parts)], value: bytes))
        }
    }

    // MARK: Restoring

    /// One value of the topic, put together from its parts.
    private struct Stored {
        var key: StateKey
        var value: [UInt8]
        /// The records it stands in.
        var records: [[UInt8]]
    }

    /// Takes up a state that `takeRecords` wrote. Whatever in it is of no use is counted, left out and, unless
    /// another version of Apus may want it, removed from the topic.
    mutating func restore(
        _ snapshot: StateSnapshot, into evaluator: Evaluator, _ suppressor: Suppressor
    ) -> StateProblems {
        var problems = StateProblems()
        var useless: Set<[UInt8]> = []
        let stored = assemble(snapshot.records, &problems, &useless)
        var payloads: [RecordOrigin: Stored] = [:]
        for value in stored {
            guard case .event(let topic, let partition, let offset) = value.key else { continue }
            guard let topic = topicID(topic) else {
                useless.formUnion(value.records)
                continue
            }
            payloads[RecordOrigin(topic: topic, partition: partition, offset: offset)] = value
        }
        var shared: [EventReference: RetainedEvent] = [:]
        for value in stored {
            guard case .correlation(let id, let hash, let form) = value.key else { continue }
            guard let query = rules.firstIndex(where: { $0.id == id && $0.hash == hash }) else {
                problems.add(.unknownRule, "rule \(id), version \(hash)")
                useless.formUnion(value.records)
                continue
            }
            do throws(StateCorruption) {
                let restored = try restore(value.value, form, query, payloads, &shared, into: evaluator)
                if restored.missing > 0 {
                    problems.add(.missingEvent, "rule \(id): \(restored.missing) partial matches")
                }
                if restored.isEmpty { useless.formUnion(value.records) }
                for origin in restored.origins { holders[origin, default: 0] += 1 }
            } catch {
                problems.add(.corrupt, "rule \(id): \(error)")
                useless.formUnion(value.records)
            }
        }
        restoreWindows(stored, into: suppressor, &problems, &useless)
        for (origin, value) in payloads where holders[origin] == nil { useless.formUnion(value.records) }
        evaluator.finishRestoring()
        repairs = useless.map { StateRecord(key: $0, value: nil) }
        for key in snapshot.rewrites where !useless.contains(key) {
            repairs.append(StateRecord(key: key, value: snapshot.records[key]))
        }
        return problems
    }

    private func restoreWindows(
        _ stored: [Stored], into suppressor: Suppressor, _ problems: inout StateProblems,
        _ useless: inout Set<[UInt8]>
    ) {
        for value in stored {
            guard case .suppression(let id, let hash, let group) = value.key else { continue }
            guard let rule = rules.firstIndex(where: { $0.id == id && $0.hash == hash }) else {
                problems.add(.unknownRule, "rule \(id), version \(hash)")
                useless.formUnion(value.records)
                continue
            }
            do throws(StateCorruption) {
                let window = try Suppressor.Window(stateBytes: value.value)
                // Nobody asks any more: the rule no longer suppresses.
                if !suppressor.restore(rule: rule, group: group, window: window) { useless.formUnion(value.records) }
            } catch {
                problems.add(.corrupt, "rule \(id): \(error)")
                useless.formUnion(value.records)
            }
        }
        suppressor.finishRestoring()
    }

    private mutating func assemble(
        _ records: [[UInt8]: [UInt8]], _ problems: inout StateProblems, _ useless: inout Set<[UInt8]>
    ) -> [Stored] {
        var parts: [[UInt8]: [(part: UInt8, of: UInt8)]] = [:]
        for key in records.keys where key.count >= 5 {
            parts[Array(key.dropLast(2)), default: []].append((key[key.count - 2], key[key.count - 1]))
        }
        var stored: [Stored] = []
        for (key, parts) in parts {
            let numbers = parts.map(\.part).sorted()
            let keys = numbers.map { key + [$0, UInt8(parts.count)] }
            do throws(StateCorruption) {
                guard parts.count <= UInt8.max, parts.allSatisfy({ $0.of == parts.count }),
                    numbers.elementsEqual(0..<UInt8(parts.count))
                else { throw StateCorruption("a value of \(parts.map { "\($0.part)/\($0.of)" })") }
                let identity = try StateKey(key.dropFirst(2))
                let value = keys.count == 1 ? records[keys[0]] : keys.reduce(into: []) { $0 += records[$1] ?? [] }
                guard let value else { continue }
                stored.append(Stored(key: identity, value: value, records: keys))
                if keys.count > 1 { splits[key] = UInt8(keys.count) }
            } catch {
                problems.add(.corrupt, "a key: \(error)")
                useless.formUnion(parts.map { key + [$0.part, $0.of] })
            }
        }
        return stored
    }

    /// An event as a correlation refers to it: queries may differ over the time of one record.
    private struct EventReference: Hashable {
        var origin: RecordOrigin
        var timestamp: EventTime
        var tiebreaker: Int64?
        var isLate: Bool
    }

    private func topicID(_ name: String) -> TopicID? {
        tracking.topics.firstIndex(of: name).map { TopicID(rawValue: UInt16($0)) }
    }

    private func restore(
        _ value: [UInt8], _ form: StateKey.JoinKeyForm, _ query: Int, _ payloads: [RecordOrigin: Stored],
        _ shared: inout [EventReference: RetainedEvent], into evaluator: Evaluator
    ) throws(StateCorruption) -> RestoredKey {
        var reader = StateReader(value)
        let key: CorrelationKey
        switch form {
        case .literal(let literal): key = literal
        case .digest:
            key = try CorrelationKey(&reader)
            guard StateKey.JoinKeyForm(key) == form else { throw StateCorruption("the join key is another") }
        }
        var topics: [TopicID?] = []
        for _ in 0..<(try reader.count()) { topics.append(topicID(try reader.text())) }
        var events: [RetainedEvent?] = []
        for _ in 0..<(try reader.count()) {
            let topic = try reader.unsigned()
            guard topic < UInt64(topics.count) else { throw StateCorruption("topic \(topic) of \(topics.count)") }
            let partition = try reader.integer(Int32.self)
            let offset = try reader.signed()
            let reference = EventReference(
                origin: RecordOrigin(
                    topic: topics[Int(topic)] ?? TopicID(rawValue: .max), partition: partition, offset: offset),
                timestamp: try reader.time(), tiebreaker: try reader.flag() ? try reader.signed() : nil,
                isLate: try reader.flag())
            guard let payload = payloads[reference.origin] else {
                events.append(nil)
                continue
            }
            let event =
                shared[reference]
                ?? RetainedEvent(
                    payload.value, origin: reference.origin, timestamp: reference.timestamp,
                    tiebreaker: reference.tiebreaker, isLate: reference.isLate)
            shared[reference] = event
            events.append(event)
        }
        let restored = try evaluator.restore(query, key, reader.remaining, events: events)
        if restored.missing > 0 { evaluator.rewrite(query, key) }
        return restored
    }
}
