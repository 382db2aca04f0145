import DequeModule
import EventSchema

/// What a correlation remembers for one key.
protocol WindowState {
    /// One partial match.
    associatedtype Partial
    /// Forgets what can no longer take part in anything once all events before `horizon` are out of
    /// reach, handing on the partial matches among it, and returns the time of the oldest thing still
    /// held, or nil when nothing is left.
    mutating func expire(before horizon: EventTime, dropped: (Partial) -> Void) -> EventTime?
}

/// Per-key state with bounded memory, forgotten in the order in which keys became known.
///
/// Each key stands in the queue once. Expiry looks at the front only: a state may live longer than it
/// needs to, never shorter. Nothing depends on hashing order, so replaying the same events gives the
/// same result.
struct KeyedWindows<State: WindowState> {
    private var states: [CorrelationKey: State] = [:]
    private var queue: Deque<(key: CorrelationKey, oldest: EventTime)> = []

    var count: Int { states.count }

    subscript(key: CorrelationKey) -> State? { states[key] }

    /// Changes the state of a key that is known.
    ///
    /// - Returns: nil when the key is unknown.
    mutating func withState<Result>(of key: CorrelationKey, _ body: (inout State) -> Result) -> Result? {
        guard let index = states.index(forKey: key) else { return nil }
        return body(&states.values[index])
    }

    /// Makes `key` known. When there are `limit` keys already, the one known longest is evicted.
    mutating func insert(
        _ key: CorrelationKey, _ state: State, at time: EventTime, limit: Int,
        evicted: (CorrelationKey, State) -> Void
    ) {
        while states.count >= limit, let front = queue.popFirst() {
            if let state = states.removeValue(forKey: front.key) { evicted(front.key, state) }
        }
        states[key] = state
        queue.append((key, time))
    }

    mutating func expire(before horizon: EventTime, dropped: (CorrelationKey, State.Partial) -> Void) {
        while let front = queue.first, front.oldest < horizon {
            queue.removeFirst()
            guard let index = states.index(forKey: front.key) else { continue }
            if let oldest = states.values[index].expire(before: horizon, dropped: { dropped(front.key, $0) }) {
                queue.append((front.key, oldest))
            } else {
                states.remove(at: index)
            }
        }
    }
}
