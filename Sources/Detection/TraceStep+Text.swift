public import Correlation
import EventSchema
public import Events

extension TraceStep {
    /// What happened and why, as one sentence without a full stop.
    ///
    /// - Parameter name: how an event is called, such as "line 3".
    public func sentence(naming name: (RetainedEvent) -> String) -> String {
        let events = partial.map(name).joined(separator: ", ")
        return switch change {
        case .ignored: "matches stage \(stage + 1), but no partial match of its key stands before that stage"
        case .started: "begins at stage \(stage + 1)"
        case .advanced: "goes on to stage \(stage + 1) after \(partial.dropLast().map(name).joined(separator: ", "))"
        case .completed: "complete: \(events)"
        case .awaiting(let end): "has all its stages: \(events); complete unless what must be missing comes by \(end)"
        case .overwritten: "the partial match of \(events) at stage \(stage + 1) is lost to this newer one"
        case .tooLong(let excess):
            "stage \(stage + 2) came \(Self.duration(excess)) after maxspan: the partial match of \(events) dies"
        case .expired: "maxspan passed at stage \(stage + 1): the partial match of \(events) dies"
        case .endedByUntil: "until ends the partial match of \(events) at stage \(stage + 1)"
        case .rejectedByMissing(let gap, let time):
            "an event that must be missing (![…] number \(gap + 1)) came at \(time): the match of \(events) is none"
        case .evicted: "the partial match of \(events) is lost to a limit of the engine"
        }
    }

    /// A stable word for what happened.
    public var name: String {
        switch change {
        case .ignored: "ignored"
        case .started: "started"
        case .advanced: "advanced"
        case .completed: "completed"
        case .awaiting: "awaiting"
        case .overwritten: "overwritten"
        case .tooLong: "too_long"
        case .expired: "expired"
        case .endedByUntil: "ended_by_until"
        case .rejectedByMissing: "rejected_by_missing"
        case .evicted: "evicted"
        }
    }

    /// In the largest unit that leaves the number whole, but not below milliseconds unless it must: `7 s`, `1500 ms`.
    static func duration(_ nanoseconds: Int64) -> String {
        let units: [(Int64, String)] = [
            (86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"),
            (1_000_000, "ms"), (1_000, "µs"),
        ]
        let unit = units.first { nanoseconds % $0.0 == 0 } ?? (1, "ns")
        return "\(nanoseconds / unit.0) \(unit.1)"
    }
}
