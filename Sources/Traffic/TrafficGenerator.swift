public import EventSchema

/// One generated event.
public struct GeneratedEvent: Sendable {
    /// A JSON object in ECS form, without a line break.
    public let bytes: [UInt8]
    /// Its `host.id`, a good Kafka key.
    public let hostKey: String
    /// Its `@timestamp`, in whole milliseconds. Never less than that of the event before it.
    public let timestamp: EventTime
}

/// What is known of an event whose bytes were written into a buffer of the caller.
public struct GeneratedEventHeader: Sendable {
    public let hostKey: String
    public let timestamp: EventTime
}

/// Yields the events of a plan in order of time: the same plan gives the same bytes.
///
/// *Cost*: ``next(into:)`` writes into the buffer it is given and keeps no other.
public struct TrafficGenerator: Sendable, Sequence, IteratorProtocol {
    public let plan: TrafficPlan
    /// How many events were yielded.
    public private(set) var count = 0

    private let clock: BackgroundClock
    private var random: TrafficRandom
    private var writer = RecordWriter()
    private var nextWoven = 0

    public init(plan: TrafficPlan) {
        self.plan = plan
        clock = BackgroundClock(start: plan.start, seconds: plan.seconds, events: plan.backgroundEvents)
        random = plan.random
    }

    public mutating func next() -> GeneratedEvent? {
        var buffer: [UInt8] = []
        guard let header = next(into: &buffer) else { return nil }
        return GeneratedEvent(bytes: buffer, hostKey: header.hostKey, timestamp: header.timestamp)
    }

    /// Replaces the content of `buffer` with the next event; nil, and `buffer` untouched, after the last.
    public mutating func next(into buffer: inout [UInt8]) -> GeneratedEventHeader? {
        guard count < plan.events else { return nil }
        let background = count - nextWoven
        let time: EventTime
        let host: Int
        let record: Record
        var form = RecordForm.ecs
        if nextWoven < plan.woven.count,
            background == plan.backgroundEvents || plan.woven[nextWoven].time <= clock.time(of: background)
        {
            let woven = plan.woven[nextWoven]
            (time, host, record, form) = (woven.time, woven.host, woven.record, woven.form)
            nextWoven += 1
        } else {
            time = clock.time(of: background)
            host = random.below(plan.fleet.hosts.count)
            record = Background.record(
                on: plan.fleet.hosts[host], isQuiet: plan.isQuiet[host], clients: plan.clients, random: &random)
        }
        swap(&writer.bytes, &buffer)
        switch form {
        case .ecs:
            writer.write(record, at: time, on: plan.fleet.hosts[host], of: plan.fleet, serial: count, random: &random)
        case .raw:
            writer.writeRaw(
                record, at: time, on: plan.fleet.hosts[host], of: plan.fleet, serial: count, random: &random)
        }
        swap(&writer.bytes, &buffer)
        count += 1
        return GeneratedEventHeader(hostKey: plan.fleet.hosts[host].key, timestamp: time)
    }
}
