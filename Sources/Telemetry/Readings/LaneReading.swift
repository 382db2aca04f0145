/// A reading of one lane at one moment: how it is, and what it has counted.
public struct LaneReading: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable, Encodable {
        /// Takes up what the partition's last owner has left.
        case restoring
        case reading
        /// Waits until the brokers have acknowledged its outputs.
        case paused
        /// Has records and takes none.
        case stalled
    }

    /// What a lane reads. Both kinds have the same partition numbers.
    public enum Pipeline: String, Sendable, Hashable, CaseIterable, Encodable {
        case input
        /// The correlate topic, which brings together what lies in several partitions.
        case correlate
    }

    /// One partition of a topic.
    public struct Source: Sendable, Hashable, Encodable {
        public var topic: String
        /// The offset behind the last record taken; nil before the first.
        public var position: Int64?
        /// Records behind the end of the partition.
        public var lag: Int64
        /// Age of the last record taken while others wait behind it, else 0.
        public var lagSeconds: Double
        /// Records fetched and not yet taken.
        public var waiting: Int

        public init(topic: String, position: Int64?, lag: Int64, lagSeconds: Double, waiting: Int) {
            self.topic = topic
            self.position = position
            self.lag = lag
            self.lagSeconds = lagSeconds
            self.waiting = waiting
        }
    }

    /// Different for every lane of a process, also for two that had the same partition.
    public var id: UInt64
    public var pipeline: Pipeline
    /// Unique within ``pipeline`` only.
    public var partition: Int32
    public var state: State
    public var sources: [Source]
    public var alerts: UInt64
    /// Outputs that are not acknowledged.
    public var outstanding: Int
    /// Join keys with partial matches.
    public var keys: Int
    public var suppressionWindows: Int
    /// Script blocks that wait for parts, and their bytes.
    public var scriptBlocks = 0
    public var scriptBlockBytes = 0
    /// How far event time trails the clock; nil before the first event.
    public var watermarkDelay: Double?
    public var totals: LaneTotals

    public init(
        id: UInt64, pipeline: Pipeline, partition: Int32, state: State, sources: [Source], alerts: UInt64 = 0,
        outstanding: Int = 0,
        keys: Int = 0, suppressionWindows: Int = 0, watermarkDelay: Double? = nil, totals: LaneTotals = LaneTotals()
    ) {
        self.id = id
        self.pipeline = pipeline
        self.partition = partition
        self.state = state
        self.sources = sources
        self.alerts = alerts
        self.outstanding = outstanding
        self.keys = keys
        self.suppressionWindows = suppressionWindows
        self.watermarkDelay = watermarkDelay
        self.totals = totals
    }
}

/// A reading of a whole instance.
public struct EngineReading: Sendable, Hashable {
    /// Seconds since 1970.
    public var time: Double
    public var isReady: Bool
    /// Whether partitions have been assigned at least once.
    public var hasStarted: Bool
    /// Why the instance cannot go on.
    public var failure: String?
    public var lanes: [LaneReading]
    /// Of all lanes, those that are gone included.
    public var totals: LaneTotals

    public init(
        time: Double, isReady: Bool, hasStarted: Bool, failure: String? = nil, lanes: [LaneReading],
        totals: LaneTotals = LaneTotals()
    ) {
        self.time = time
        self.isReady = isReady
        self.hasStarted = hasStarted
        self.failure = failure
        self.lanes = lanes
        self.totals = totals
    }

    public var lag: Int64 { lanes.reduce(0) { $0 + $1.sources.reduce(0) { $0 + $1.lag } } }
    /// Of the partition that is furthest behind.
    public var lagSeconds: Double { lanes.flatMap(\.sources).map(\.lagSeconds).max() ?? 0 }
}

/// Adds up what lanes counted over their comings and goings, so that no total of the instance ever falls.
public struct LaneLedger: Sendable {
    private var current: [UInt64: LaneTotals] = [:]
    private var gone = LaneTotals()
    private var closed: Set<UInt64> = []

    public init() {}

    /// Notes the newest totals of a lane. One that is closed is not opened again by a reading that comes late.
    public mutating func note(_ totals: LaneTotals, of lane: UInt64) {
        if !closed.contains(lane) { current[lane] = totals }
    }

    /// Notes the last totals of a lane that is gone.
    public mutating func close(_ totals: LaneTotals, of lane: UInt64) {
        guard closed.insert(lane).inserted else { return }
        current[lane] = nil
        gone += totals
    }

    /// As ``LaneTotals/arrange(rules:exceptions:)``, for every lane.
    public mutating func arrange(rules: [Int?], exceptions: [Int?]) {
        gone.arrange(rules: rules, exceptions: exceptions)
        for lane in current.keys { current[lane]?.arrange(rules: rules, exceptions: exceptions) }
    }

    public var totals: LaneTotals { current.values.reduce(into: gone) { $0 += $1 } }
}
