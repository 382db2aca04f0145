import Telemetry

/// What a dashboard is told when it connects.
struct Hello: Encodable, Sendable {
    var engine: EngineDescription
    var history: [HistoryPoint]
    /// Seconds since 1970, for browsers whose clock is wrong.
    var now: Double
}

/// What a dashboard is told every second.
struct LiveReading: Encodable, Sendable {
    struct Lane: Encodable, Sendable {
        var pipeline: LaneReading.Pipeline
        var partition: Int32
        var state: LaneReading.State
        var sources: [LaneReading.Source]
        /// What it has taken: records, or hits from the correlate topic.
        var records: UInt64
        var alerts: UInt64
        var outstanding: Int
        var keys: Int
        var watermarkDelay: Double?

        init(_ lane: LaneReading) {
            pipeline = lane.pipeline
            partition = lane.partition
            state = lane.state
            sources = lane.sources
            records = lane.totals.records + lane.totals.hits
            alerts = lane.alerts
            outstanding = lane.outstanding
            keys = lane.keys
            watermarkDelay = lane.watermarkDelay
        }
    }

    struct Rule: Encodable, Sendable {
        /// The place in ``EngineDescription/rules``.
        var index: Int
        var matches: UInt64
        var alerts: UInt64
        var suppressed: UInt64
        /// Nanoseconds per record that evaluating the rule alone takes; nil until that was measured.
        var cost: Double?
    }

    /// Rules that one message carries at most: those with the most matches.
    static let rulesShown = 200

    var time: Double
    var isReady: Bool
    var failure: String?
    var records: UInt64
    var alerts: UInt64
    var suppressed: UInt64
    /// Per second, since the reading before.
    var recordRate: Double
    var byteRate: Double
    var alertRate: Double
    var lag: Int64
    var lagSeconds: Double
    /// Seconds from event to alert, over the last half minute; nil without an alert.
    var latencyMedian: Double?
    var latency99: Double?
    var late: UInt64
    var evicted: UInt64
    var deadLetters: [String: UInt64]
    var lanes: [Lane]
    var rules: [Rule]
    /// Alerts that were raised and not sent to dashboards, for their number.
    var skipped: UInt64

    init(
        _ reading: EngineReading, after previous: EngineReading?, _ engine: EngineDescription, latency: Histogram?,
        skipped: UInt64
    ) {
        let totals = reading.totals
        let seconds = previous.map { max(0.001, reading.time - $0.time) }
        func rate(_ now: UInt64, _ before: UInt64?) -> Double {
            guard let seconds, let before, now > before else { return 0 }
            return Double(now - before) / seconds
        }
        time = reading.time
        isReady = reading.isReady
        failure = reading.failure
        records = totals.records
        alerts = totals.alerts(engine)
        suppressed = totals.suppressed.reduce(0, +)
        recordRate = rate(totals.records, previous?.totals.records)
        byteRate = rate(totals.bytes, previous?.totals.bytes)
        alertRate = rate(alerts, previous?.totals.alerts(engine))
        lag = reading.lag
        lagSeconds = reading.lagSeconds
        latencyMedian = latency?.quantile(0.5)
        latency99 = latency?.quantile(0.99)
        late = totals.late
        evicted = totals.evicted
        deadLetters = totals.deadLetters
        lanes = reading.lanes.map(Lane.init)
        rules = Self.rules(totals, engine)
        self.skipped = skipped
    }

    private static func rules(_ totals: LaneTotals, _ engine: EngineDescription) -> [Rule] {
        let all = engine.rules.indices.map { index in
            let cost = totals.costs.indices.contains(index) ? totals.costs[index] : RuleCost()
            return Rule(
                index: index, matches: totals.findings.indices.contains(index) ? totals.findings[index] : 0,
                alerts: totals.alerts(of: index, engine),
                suppressed: totals.suppressed.indices.contains(index) ? totals.suppressed[index] : 0,
                cost: cost.samples > 0 ? Double(cost.nanoseconds) / Double(cost.samples) : nil)
        }
        guard all.count > rulesShown else { return all }
        return Array(all.sorted { ($0.matches, $0.cost ?? 0) > ($1.matches, $1.cost ?? 0) }.prefix(rulesShown))
    }
}

/// One point of the charts.
struct HistoryPoint: Encodable, Sendable {
    var time: Double
    var recordRate: Double
    var alertRate: Double
    var lag: Int64
    var lagSeconds: Double
    var latencyMedian: Double?
    var latency99: Double?

    init(_ reading: LiveReading) {
        time = reading.time
        recordRate = reading.recordRate
        alertRate = reading.alertRate
        lag = reading.lag
        lagSeconds = reading.lagSeconds
        latencyMedian = reading.latencyMedian
        latency99 = reading.latency99
    }
}

extension LaneTotals {
    func alerts(_ engine: EngineDescription) -> UInt64 {
        engine.rules.indices.reduce(0) { $0 + alerts(of: $1, engine) }
    }
}

/// `/status`.
struct StatusReport: Encodable, Sendable {
    struct Rule: Encodable, Sendable {
        var id: String
        var name: String
        var severity: String
        var stage: String
        var hash: String
        var path: String
        var matches: UInt64
        var alerts: UInt64
    }

    struct Rules: Encodable, Sendable {
        var hash: String
        var count: Int
        var rules: [Rule]
    }

    struct Versions: Encodable, Sendable {
        var apus: String
        var librdkafka: String
    }

    struct Assignment: Encodable, Sendable {
        var topic: String
        var partition: Int32
        var position: Int64?
        var lag: Int64
        var lagSeconds: Double
    }

    var application: String
    var instance: String
    var versions: Versions
    var started: Double
    var time: Double
    var ready: Bool
    var problems: [String]
    var assignment: [Assignment]
    var lanes: [LiveReading.Lane]
    var records: UInt64
    var alerts: UInt64
    var deadLetters: [String: UInt64]
    var rules: Rules

    init(_ engine: EngineDescription, _ reading: EngineReading?, _ live: LiveReading?, now: Double) {
        application = engine.application
        instance = engine.instance
        versions = Versions(apus: engine.version, librdkafka: engine.clientVersion)
        started = engine.started
        time = reading?.time ?? now
        problems = Health.readiness(reading, now: now)
        ready = problems.isEmpty
        assignment = (reading?.lanes ?? []).flatMap { lane in
            lane.sources.map {
                Assignment(
                    topic: $0.topic, partition: lane.partition, position: $0.position, lag: $0.lag,
                    lagSeconds: $0.lagSeconds)
            }
        }
        lanes = live?.lanes ?? []
        records = live?.records ?? 0
        alerts = live?.alerts ?? 0
        deadLetters = live?.deadLetters ?? [:]
        let totals = reading?.totals ?? LaneTotals()
        rules = Rules(
            hash: engine.rulesHash, count: engine.rules.count,
            rules: engine.rules.enumerated().map { index, rule in
                Rule(
                    id: rule.id, name: rule.name, severity: rule.severity, stage: rule.stage, hash: rule.hash,
                    path: rule.path, matches: totals.findings.indices.contains(index) ? totals.findings[index] : 0,
                    alerts: totals.alerts(of: index, engine))
            })
    }
}
