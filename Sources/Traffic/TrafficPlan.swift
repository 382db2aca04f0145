public import EventSchema

/// Why a plan cannot be made; each names the least that would do.
public enum TrafficPlanError: Error, Hashable, Sendable {
    case tooFewEvents(minimum: Int)
    case tooFewHosts(minimum: Int)
    case tooShort(minimumSeconds: Int)
}

/// A run of traffic: how many events, from how many hosts, over which stretch of event time, and where in
/// it the woven behaviours lie. Everything follows from the arguments; there is no clock.
public struct TrafficPlan: Sendable {
    public static let minimumEvents = 2_000
    public static let minimumHosts = 100
    /// Room for the behaviours, which last up to two minutes each.
    public static let minimumSeconds = 300

    public let seed: UInt64
    public let events: Int
    /// The time of the first event.
    public let start: EventTime
    /// The event time that the run covers. It need not be the time it takes to send.
    public let seconds: Int
    /// All that was woven in, attacks first. Every behaviour occurs once in a run of any length.
    public let behaviours: [WovenBehaviour]

    let fleet: Fleet
    let isQuiet: [Bool]
    /// Whose ordinary requests the web servers log: workstations that nothing was woven into, so that nobody's daily
    /// mail completes what a script began.
    let clients: [Int]
    /// Woven records in order of time.
    let woven: [Woven]
    /// How many events are background.
    let backgroundEvents: Int
    let random: TrafficRandom

    struct Woven: Sendable {
        let time: EventTime
        let host: Int
        let record: Record
        let form: RecordForm
    }

    /// - Parameters:
    ///   - start: truncated to milliseconds.
    ///   - seconds: to let event time run with real time at some rate, give `events / rate` where that is
    ///     at least ``minimumSeconds``.
    public init(
        seed: UInt64, events: Int, hosts: Int = 500, start: EventTime, seconds: Int = 900
    ) throws(TrafficPlanError) {
        guard events >= Self.minimumEvents else { throw .tooFewEvents(minimum: Self.minimumEvents) }
        guard hosts >= Self.minimumHosts else { throw .tooFewHosts(minimum: Self.minimumHosts) }
        guard seconds >= Self.minimumSeconds else { throw .tooShort(minimumSeconds: Self.minimumSeconds) }
        self.seed = seed
        self.events = events
        self.start = EventTime(nanoseconds: start.nanoseconds / 1_000_000 * 1_000_000)
        self.seconds = seconds

        var random = TrafficRandom(seed: seed)
        var fleetRandom = random.split()
        let weavingRandom = random.split()
        self.random = random
        fleet = Fleet(size: hosts, random: &fleetRandom)

        var weaver = Weaver(
            start: self.start, milliseconds: Int64(seconds) * 1_000, fleet: fleet, random: weavingRandom)
        for script in Attacks.all + NearMisses.all { weaver.weave(script) }
        woven = weaver.inOrder.map(\.woven)
        backgroundEvents = events - woven.count
        isQuiet = weaver.isQuiet
        clients = fleet.workstations.filter { !weaver.actors.contains($0) }
        let clock = BackgroundClock(start: self.start, seconds: seconds, events: backgroundEvents)
        behaviours = weaver.behaviours(clock: clock)
    }

    /// All findings the rules must make, and they must make no other.
    public var expectedFindings: [ExpectedFinding] { behaviours.flatMap(\.expected) }

    /// The `host.id` of every host.
    public var hostKeys: [String] { fleet.hosts.map(\.key) }
}

/// When the events of the background happen: spread evenly over the run, in whole milliseconds.
struct BackgroundClock: Sendable {
    let start: EventTime
    let seconds: Int
    let events: Int

    func time(of event: Int) -> EventTime {
        let (high, low) = (seconds * 1_000).multipliedFullWidth(by: event)
        let milliseconds = events.dividingFullWidth((high, low)).quotient
        return EventTime(nanoseconds: start.nanoseconds + Int64(milliseconds) * 1_000_000)
    }

    /// How many background events come before a woven event of this time. At the same time the woven
    /// event comes first.
    func events(before time: EventTime) -> Int {
        var lower = 0
        var upper = events
        while lower < upper {
            let middle = (lower + upper) / 2
            if self.time(of: middle) < time { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
