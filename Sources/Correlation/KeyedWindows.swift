import DequeModule
import EventSchema
import Events

/// What a correlation remembers for one key.
protocol WindowState {
    /// One partial match.
    associatedtype Partial
    /// What reading needs to know of the query.
    associatedtype Shape

    /// Forgets what can no longer take part in anything once all events before `horizon` are out of
    /// reach, handing on the partial matches among it, and returns the time of the oldest thing still
    /// held, or nil when nothing is left.
    mutating func expire(before horizon: EventTime, dropped: (Partial) -> Void) -> EventTime?

    var isEmpty: Bool { get }

    /// Payload bytes of its events, as often as they are held.
    var eventBytes: Int { get }

    /// Every event that is held, as often as it is held.
    func forEachEvent(_ body: (RetainedEvent) -> Void)

    func write(to writer: inout StateWriter, _ events: inout EventTable)

    /// Reads what `write` wrote. Partial matches with an event that is missing are left out and counted in `dropped`.
    init(
        _ reader: inout StateReader, events: [RetainedEvent?], shape: Shape, dropped: inout Int
    ) throws(StateCorruption)
}

/// Per-key state with bounded memory, forgotten in the order in which keys became known.
///
/// Each key stands in the queue once. Expiry looks at the front only: a state may live longer than it
/// needs to, never shorter. Nothing depends on hashing order, so replaying the same events gives the
/// same result, and so does going on from stored state: what decides over it is stored with it.
struct KeyedWindows<State: WindowState> {
    private struct Entry {
        var state: State
        /// Its place in the queue, which it keeps until it is looked at for expiry.
        var order: UInt64
        var oldest: EventTime
        /// Payload bytes of its events.
        var bytes: Int
        /// Whether ``changes`` has it.
        var isChanged = false
        /// Whether a record of it was handed out.
        var isStored = false

        /// The change to be noted before anything changes; nil when it has been.
        mutating func noteChange(_ key: CorrelationKey) -> Change? {
            guard !isChanged else { return nil }
            isChanged = true
            return Change(key: key, wasStored: isStored, before: isStored ? state.origins : [])
        }
    }

    private struct Place {
        var key: CorrelationKey
        var order: UInt64
        var oldest: EventTime
    }

    private var entries: [CorrelationKey: Entry] = [:]
    /// Keys that are no more, or stand further behind by now, keep their old places until these are reached.
    private var queue: Deque<Place> = []
    private var lastOrder: UInt64 = 0
    /// Keys that changed since the last `takeChanges`, in the order of their first change; nil when nobody asks.
    private var changes: [Change]?
    /// Payload bytes of all events, as often as they are held.
    private(set) var bytes = 0

    /// The first change of a key since its record was handed out, or since it became known.
    struct Change {
        var key: CorrelationKey
        /// Whether there is a record of it, which refers to the events in `before`.
        var wasStored: Bool
        var before: Set<RecordOrigin>
    }

    /// - Parameter tracksChanges: whether `takeChanges` will be called.
    init(tracksChanges: Bool) {
        changes = tracksChanges ? [] : nil
    }

    var count: Int { entries.count }

    subscript(key: CorrelationKey) -> State? { entries[key]?.state }

    /// Changes the state of a key that is known. One that holds nothing afterwards is forgotten.
    ///
    /// - Returns: nil when the key is unknown.
    mutating func withState<Result>(of key: CorrelationKey, _ body: (inout State) -> Result) -> Result? {
        guard let index = entries.index(forKey: key) else { return nil }
        let (result, isEmpty) = Self.update(&entries.values[index], key, &bytes, &changes, body)
        if isEmpty { remove(index) }
        return result
    }

    /// One access to the entry, for each costs a search.
    private static func update<Result>(
        _ entry: inout Entry, _ key: CorrelationKey, _ bytes: inout Int, _ changes: inout [Change]?,
        _ body: (inout State) -> Result
    ) -> (Result, isEmpty: Bool) {
        if changes != nil, let change = entry.noteChange(key) { changes?.append(change) }
        let result = body(&entry.state)
        let size = entry.state.eventBytes
        bytes += size - entry.bytes
        entry.bytes = size
        return (result, entry.state.isEmpty)
    }

    /// Makes `key` known. Nothing depends on it that is not in `state`, which holds something.
    mutating func insert(_ key: CorrelationKey, _ state: State, at time: EventTime) {
        lastOrder += 1
        let bytes = state.eventBytes
        self.bytes += bytes
        entries[key] = Entry(
            state: state, order: lastOrder, oldest: time, bytes: bytes, isChanged: changes != nil)
        changes?.append(Change(key: key, wasStored: false, before: []))
        queue.append(Place(key: key, order: lastOrder, oldest: time))
        if queue.count > 2 * entries.count + 1024 { dropOldPlaces() }
    }

    /// Evicts the keys known longest until no more than `keys` are left with no more than `bytes`.
    mutating func trim(toKeys keys: Int, bytes limit: Int, evicted: (CorrelationKey, State) -> Void) {
        while entries.count > keys || bytes > limit, let front = queue.popFirst() {
            guard let index = index(of: front) else { continue }
            noteChange(index)
            evicted(front.key, remove(index))
        }
    }

    mutating func expire(before horizon: EventTime, dropped: (CorrelationKey, State.Partial) -> Void) {
        while let front = queue.first {
            // A place that is void holds up nobody: a restored queue has none.
            guard let index = index(of: front) else {
                queue.removeFirst()
                continue
            }
            guard front.oldest < horizon else { return }
            queue.removeFirst()
            let (oldest, _) = Self.update(&entries.values[index], front.key, &bytes, &changes) { state in
                state.expire(before: horizon) { dropped(front.key, $0) }
            }
            guard let oldest else {
                remove(index)
                continue
            }
            lastOrder += 1
            entries.values[index].order = lastOrder
            entries.values[index].oldest = oldest
            queue.append(Place(key: front.key, order: lastOrder, oldest: oldest))
        }
    }

    private func index(of place: Place) -> Dictionary<CorrelationKey, Entry>.Index? {
        guard let index = entries.index(forKey: place.key), entries.values[index].order == place.order else {
            return nil
        }
        return index
    }

    /// Forgets every key, so that `takeChanges` tells of those with a record.
    mutating func removeAll() {
        for index in entries.indices { noteChange(index) }
        entries = [:]
        queue = []
        bytes = 0
    }

    @discardableResult
    private mutating func remove(_ index: Dictionary<CorrelationKey, Entry>.Index) -> State {
        let entry = entries.remove(at: index).value
        bytes -= entry.bytes
        return entry.state
    }

    private mutating func dropOldPlaces() {
        queue = queue.filter { index(of: $0) != nil }
    }

    // MARK: State records

    private mutating func noteChange(_ index: Dictionary<CorrelationKey, Entry>.Index) {
        guard changes != nil else { return }
        if let change = entries.values[index].noteChange(entries.keys[index]) { changes?.append(change) }
    }

    var hasChanges: Bool { changes?.isEmpty == false }

    /// Hands on what changed since the last call, and forgets it.
    mutating func takeChanges(_ body: (StateChange) -> Void) {
        guard let taken = changes, !taken.isEmpty else { return }
        changes?.removeAll(keepingCapacity: true)
        for change in taken {
            guard let index = entries.index(forKey: change.key) else {
                body(StateChange(key: change.key, before: change.before, record: change.wasStored ? .removed : .same))
                continue
            }
            guard entries.values[index].isChanged else {
                // It was gone in between, so that it is here for the second time.
                body(StateChange(key: change.key, before: change.before, record: .same))
                continue
            }
            entries.values[index].isChanged = false
            entries.values[index].isStored = true
            body(StateChange(key: change.key, before: change.before, record: .written(write(entries.values[index]))))
        }
    }

    private func write(_ entry: Entry) -> KeyState {
        var writer = StateWriter()
        var events = EventTable()
        writer.append(unsigned: entry.order)
        writer.append(entry.oldest)
        entry.state.write(to: &writer, &events)
        return KeyState(body: writer.bytes, events: events.events)
    }

    /// Takes up a key from its record. Before any event, and followed by `finishRestoring`.
    mutating func restore(
        _ key: CorrelationKey, _ body: ArraySlice<UInt8>, events: [RetainedEvent?], shape: State.Shape
    ) throws(StateCorruption) -> RestoredKey {
        var reader = StateReader(body)
        let order = try reader.unsigned()
        let oldest = try reader.time()
        guard order < UInt64.max >> 1 else { throw StateCorruption("place \(order) in the queue") }
        var dropped = 0
        let state = try State(&reader, events: events, shape: shape, dropped: &dropped)
        try reader.finish()
        lastOrder = max(lastOrder, order)
        let restored = RestoredKey(missing: dropped, origins: state.origins, isEmpty: state.isEmpty)
        guard !state.isEmpty else { return restored }
        let bytes = state.eventBytes
        self.bytes += bytes
        entries[key] = Entry(state: state, order: order, oldest: oldest, bytes: bytes, isStored: true)
        return restored
    }

    /// Has a key written again although nothing happened to it.
    mutating func rewrite(_ key: CorrelationKey) {
        if let index = entries.index(forKey: key) { noteChange(index) }
    }

    /// Calls `body` with every key and its state.
    func visit(_ body: (CorrelationKey, State) -> Void) {
        for place in queue {
            if let index = index(of: place) { body(place.key, entries.values[index].state) }
        }
    }

    mutating func finishRestoring() {
        queue = Deque(
            entries.map { Place(key: $0.key, order: $0.value.order, oldest: $0.value.oldest) }
                .sorted { $0.order < $1.order })
    }
}

extension WindowState {
    /// Where its events stand, each once.
    var origins: Set<RecordOrigin> {
        var origins: Set<RecordOrigin> = []
        forEachEvent { origins.insert($0.origin) }
        return origins
    }
}
