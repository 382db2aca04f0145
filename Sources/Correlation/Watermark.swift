public import EventSchema

/// The instant up to which a lane has seen everything, as far as the allowed lateness goes: the
/// smallest of its sources' newest timestamps, less the lateness. It never goes back.
///
/// Noting an event is a comparison; the watermark itself moves when ``advance()`` is called, once a batch.
public struct Watermark: Sendable {
    /// One partition that feeds the lane.
    private struct Source {
        var newest: EventTime?
        var isIdle = false
        var isRemoved = false
    }

    private let lateness: Int64
    private var sources: [Source] = []
    public private(set) var value: EventTime?

    /// - Parameter lateness: in nanoseconds; `.max` holds everything until the end of the input.
    public init(lateness: Int64) {
        self.lateness = lateness
    }

    /// Whether an event of this time is late.
    public func hasPassed(_ time: EventTime) -> Bool {
        value.map { time <= $0 } ?? false
    }

    /// Adds a source, which holds the watermark back until it has an event, is idle or is removed.
    ///
    /// - Parameters: what was known of it when this lane's state was written.
    public mutating func addSource(newest: EventTime? = nil, isIdle: Bool = false) -> Int {
        sources.append(Source(newest: newest, isIdle: isIdle))
        return sources.count - 1
    }

    /// Takes up where another watermark has come to.
    public mutating func restore(_ value: EventTime?) {
        self.value = value
    }

    public func newest(of source: Int) -> EventTime? { sources[source].newest }

    public func isIdle(_ source: Int) -> Bool { sources[source].isIdle }

    public mutating func remove(source: Int) {
        sources[source].isRemoved = true
    }

    /// Notes an event of `source`.
    public mutating func observe(_ time: EventTime, source: Int) {
        sources[source].isIdle = false
        if let newest = sources[source].newest, newest >= time { return }
        sources[source].newest = time
    }

    /// Lets the others move on without `source` until its next event.
    public mutating func setIdle(source: Int) {
        sources[source].isIdle = true
    }

    /// Waits for `source` again, as after an event.
    public mutating func setActive(source: Int) {
        sources[source].isIdle = false
    }

    /// Moves the watermark as far as the sources allow and returns it.
    ///
    /// When every source is idle it moves to the newest event itself, lateness included: nothing that
    /// could stand before it is on its way, and held matches must not wait for traffic to come back.
    public mutating func advance() -> EventTime? {
        var slowest: EventTime?
        var newest: EventTime?
        var active = 0
        var waiting = false
        for source in sources where !source.isRemoved {
            if let time = source.newest { newest = max(newest ?? time, time) }
            guard !source.isIdle else { continue }
            active += 1
            if let time = source.newest { slowest = min(slowest ?? time, time) } else { waiting = true }
        }
        let candidate = active == 0 ? newest : waiting ? nil : slowest?.back(by: lateness)
        if let candidate, lateness != .max, value.map({ candidate > $0 }) ?? true { value = candidate }
        return value
    }
}
