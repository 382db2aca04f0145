import Detection
import Dispatch
import EventSchema
import Glibc
import Synchronization
import Telemetry

/// What a lane measures of itself beside counting: how old events are when their alert is raised, and what its rules
/// cost. Of one lane, on its queue.
///
/// *Cost:* one decrement per record; every ``interval``-th record is evaluated once more against one rule.
struct LaneMeter {
    /// Records between two measurements. Each takes one rule by itself, a microsecond or two against the half
    /// millisecond that so many records take.
    static let interval = 1024

    /// Different for every lane of the process, also across memberships.
    let lane = Self.nextLane.add(1, ordering: .relaxed).newValue
    private static let nextLane = Atomic<UInt64>(0)

    private(set) var eventToAlert = Histogram()
    private(set) var costs: [RuleCost]
    private var untilMeasurement = interval
    private var nextRule = 0

    init(rules: Int) {
        costs = Array(repeating: RuleCost(), count: rules)
    }

    /// Goes on with the costs of another set, by the rules' ids.
    mutating func replaceRules(_ old: CompiledRules, by new: CompiledRules) {
        costs = new.predecessors(in: old).map { $0.map { costs[$0] } ?? RuleCost() }
        nextRule = 0
    }

    /// An alert was raised, and its newest event is of this time.
    mutating func raised(newest time: EventTime?) {
        guard let time else { return }
        eventToAlert.observe(Double(WallClock.now.nanoseconds &- time.nanoseconds) / 1e9)
    }

    /// The detector has just taken a record that decoded.
    @inline(__always)
    mutating func evaluated(by detector: Detector) {
        untilMeasurement -= 1
        if untilMeasurement == 0 { measure(detector) }
    }

    private mutating func measure(_ detector: Detector) {
        untilMeasurement = Self.interval
        guard !costs.isEmpty else { return }
        let nanoseconds = detector.measure(rule: nextRule) { DispatchTime.now().uptimeNanoseconds }
        costs[nextRule] += RuleCost(samples: 1, nanoseconds: nanoseconds)
        nextRule = (nextRule + 1) % costs.count
    }
}

/// The time of day.
enum WallClock {
    static var now: EventTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return EventTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
