import Detection
import Rules

/// What became of one exception over the events of a command.
struct ExceptionCount: Encodable {
    var id: String
    /// Matches of a rule, or of a stage of one, that it left out.
    var hits: UInt64
    /// Those that it would have left out, had it not expired by the time of the event.
    var hitsAfterExpiry: UInt64

    /// In the order of the ids.
    static func counts(of detector: Detector) -> [ExceptionCount] {
        zip(detector.rules.exceptions, detector.detectionCounters.exceptions).map {
            ExceptionCount(id: $0.id, hits: $1.hits, hitsAfterExpiry: $1.hitsAfterExpiry)
        }
    }

    /// One line for each of its numbers that is not 0.
    var lines: [String] {
        var lines: [String] = []
        if hits > 0 { lines.append("left out by exception \(id): \(hits)") }
        if hitsAfterExpiry > 0 {
            lines.append("no longer left out, exception \(id) had expired: \(hitsAfterExpiry)")
        }
        return lines
    }
}
