import DequeModule
import EventSchema

/// What a correlation remembers for one key.
protocol WindowState {
    /// Forgets what can no longer take part in anything once all events before `horizon` are out of
    /// reach, and returns the time of the oldest event still held, or nil when nothing is left.
    mutating func expire(before horizon: EventTime) -> (oldest: EventTime?, dropped: Int)
    /// The number of partial matches held.
    var partials: Int { get }
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
    ///
    /// - Returns: the number of partial matches lost by eviction.
    mutating func insert(_ key: CorrelationKey, _ state: State, at time: EventTime, limit: Int) -> Int {
        var evicted = 0
        while states.count >= limit, let front = queue.popFirst() {
            evicted += states.removeValue(forKey: front.key)?.partials ?? 0
        }
        states[key] = state
        queue.append((key, time))
        return evicted
    }

    /// - Returns: the number of partial matches that expired.
    mutating func expire(before horizon: EventTime) -> Int {
        var expired = 0
        while let front = queue.first, front.oldest < horizon {
            queue.removeFirst()
            guard let index = states.index(forKey: front.key) else { continue }
            let (oldest, dropped) = states.values[index].expire(before: horizon)
            expired += dropped
            if let oldest {
                queue.append((front.key, oldest))
            } else {
                states.remove(at: index)
            }
        }
        return expired
    }
}
