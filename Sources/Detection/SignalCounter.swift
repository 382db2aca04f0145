import EventSchema
import Rules

/// Counts the alerts of one rule against its `max_signals`, run by run of Elastic's schedule.
///
/// A stream has no runs: an interval of event time, counted from the epoch, stands for one. An alert from before the
/// newest interval counts for the newest, as a late event does for the run that finds it.
struct SignalCounter {
    private var interval = Int64.min
    private var count = 0

    /// Takes an alert of an event at `time`.
    ///
    /// - Returns: whether Elastic would have dropped it.
    mutating func exceeds(_ cap: Rule.SignalCap, at time: EventTime) -> Bool {
        let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: cap.interval)
        let interval = remainder < 0 ? quotient - 1 : quotient
        if interval > self.interval { (self.interval, count) = (interval, 0) }
        count += 1
        return count > cap.count
    }
}
