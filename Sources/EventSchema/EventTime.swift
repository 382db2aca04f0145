/// An instant of event time: nanoseconds since 1970-01-01T00:00:00Z, from 1677 to 2262.
public struct EventTime: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Nil when the instant does not fit.
    public init?(milliseconds: Int64) {
        let (value, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return nil }
        nanoseconds = value
    }

    public static func < (left: EventTime, right: EventTime) -> Bool { left.nanoseconds < right.nanoseconds }
}
