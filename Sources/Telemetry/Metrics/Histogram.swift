/// Durations counted in fixed buckets, in seconds; a plain value that its owner adds to without a lock.
///
/// Equal bounds everywhere, so that instances, lanes and restarts can be added up.
public struct Histogram: Hashable, Sendable {
    /// Upper bounds in seconds, ascending; one more bucket takes what is longer than the last.
    public let bounds: [Double]
    /// Observations per bucket, not cumulative; one more than there are bounds.
    public private(set) var counts: [UInt64]
    public private(set) var sum = 0.0

    /// From a millisecond to ten minutes: what lies between an event and its alert, or a checkpoint's two ends.
    public static let latencyBounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600,
    ]

    public init(bounds: [Double] = Self.latencyBounds) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    public var count: UInt64 { counts.reduce(0, +) }

    /// Negative durations, of events from a clock that is ahead, count as none.
    public mutating func observe(_ seconds: Double) {
        let seconds = max(0, seconds)
        counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
        sum += seconds
    }

    public static func += (left: inout Histogram, right: Histogram) {
        precondition(left.bounds == right.bounds, "histograms of different bounds cannot be added")
        for index in left.counts.indices { left.counts[index] += right.counts[index] }
        left.sum += right.sum
    }

    /// What came in since an earlier reading of the same histogram.
    public func since(_ earlier: Histogram) -> Histogram {
        var difference = self
        guard earlier.bounds == bounds else { return self }
        for index in counts.indices {
            difference.counts[index] = counts[index] - min(counts[index], earlier.counts[index])
        }
        difference.sum = max(0, sum - earlier.sum)
        return difference
    }

    /// The duration that the share `q` of all observations does not exceed, interpolated within its bucket as
    /// Prometheus' `histogram_quantile` does; nil when there is none.
    public func quantile(_ q: Double) -> Double? {
        let total = count
        guard total > 0 else { return nil }
        let rank = q * Double(total)
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            if below + Double(count) >= rank {
                guard index < bounds.count else { return bounds.last }
                let lower = index == 0 ? 0 : bounds[index - 1]
                return lower + (bounds[index] - lower) * max(0, rank - below) / Double(count)
            }
            below += Double(count)
        }
        return bounds.last
    }
}
