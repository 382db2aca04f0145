import CAllocations
import Foundation

/// What one workload cost: the median of several runs, and how far they lay apart.
struct Figure: Encodable {
    var workload: String
    /// Events of one run.
    var events: Int
    var bytesPerEvent: Double
    /// Median over the runs.
    var nanosecondsPerEvent: Double
    /// From the fastest run to the slowest, in percent of the median.
    var spread: Double
    /// Nil where they cannot be counted.
    var allocationsPerEvent: Double?
    /// This workload's time over that of a floor.
    var ratio: Ratio?
    var note: String?

    struct Ratio: Encodable {
        var floor: String
        var times: Double
    }

    var eventsPerSecond: Double { 1e9 / nanosecondsPerEvent }
    var megabytesPerSecond: Double { eventsPerSecond * bytesPerEvent / 1e6 }

    /// - Parameter runs: nanoseconds of each run.
    init(_ workload: String, events: Int, bytes: Int, runs: [Double], allocations: [UInt64]? = nil, note: String? = nil)
    {
        let sorted = runs.sorted()
        let median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        self.workload = workload
        self.events = events
        bytesPerEvent = Double(bytes) / Double(events)
        nanosecondsPerEvent = median / Double(events)
        spread = median > 0 ? ((sorted.last ?? 0) - (sorted.first ?? 0)) / median * 100 : 0
        allocationsPerEvent = allocations.map { Double($0.sorted()[$0.count / 2]) / Double(events) }
        self.note = note
    }

    func over(_ floor: Figure) -> Figure {
        over(floor, runs: [nanosecondsPerEvent / floor.nanosecondsPerEvent])
    }

    /// - Parameter runs: the ratios of runs that were made one beside the other; their median counts.
    func over(_ floor: Figure, runs: [Double]) -> Figure {
        var figure = self
        figure.ratio = Ratio(floor: floor.workload, times: runs.sorted()[runs.count / 2])
        return figure
    }
}

/// One run on the calling thread: its CPU time, which neighbours on the machine disturb less than wall
/// time, and its allocations.
struct Run {
    var nanoseconds: Double
    var allocations: UInt64

    init(_ body: () -> Void) {
        let allocated = apus_allocation_count()
        let started = Self.threadTime()
        body()
        nanoseconds = Double(Self.threadTime() - started)
        allocations = apus_allocation_count() - allocated
    }

    private static func threadTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
