import Correlation
import Detection
import Events
import KafkaClient
import Rules
import Streaming
import Telemetry

extension EngineDescription {
    init(_ rules: CompiledRules, application: String, instance: String, started: Double) {
        self.init(
            application: application, instance: instance, version: Engine.version,
            clientVersion: Library.version, started: started, rulesHash: String(rules.hash.prefix(16)),
            rules: rules.rules.map {
                Rule(
                    id: $0.id, name: $0.name, severity: $0.severity.rawValue, stage: $0.stage.rawValue,
                    hash: $0.contentHash, path: $0.path)
            },
            exceptions: rules.exceptions.map(\.id))
    }
}

extension EngineDescription {
    /// For each rule and exception, where it is in `former`.
    func origins(in former: EngineDescription) -> (rules: [Int?], exceptions: [Int?]) {
        let places = Dictionary(
            former.rules.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        return (
            rules.map { places[$0.id] }, exceptions.map { id in former.exceptions.firstIndex(of: id) }
        )
    }

    /// The same instance with another set of rules.
    func with(_ rules: CompiledRules) -> EngineDescription {
        EngineDescription(rules, application: application, instance: instance, started: started)
    }
}

extension LaneReading {
    /// - Parameter engine: its rules give the order of what is counted by rule.
    init(_ lane: LaneSnapshot, _ engine: EngineDescription) {
        self.init(
            id: lane.id, pipeline: lane.pipeline, partition: lane.partition,
            state: lane.isStalled ? .stalled : lane.isRestoring ? .restoring : lane.isPaused ? .paused : .reading,
            sources: lane.sources.map {
                Source(
                    topic: $0.topic, position: $0.position, lag: $0.lag, lagSeconds: $0.lagSeconds,
                    waiting: $0.waiting)
            },
            alerts: lane.alerts, outstanding: lane.outstanding, keys: lane.liveKeys,
            suppressionWindows: lane.detections.suppression.windows, watermarkDelay: lane.watermarkDelay,
            totals: LaneTotals(lane, engine))
        scriptBlocks = lane.counters.scriptBlocks.waiting
        scriptBlockBytes = lane.counters.scriptBlocks.held
    }
}

extension LaneTotals {
    init(_ lane: LaneSnapshot, _ engine: EngineDescription) {
        self.init()
        records = lane.counters.records
        passedOver = lane.counters.passedOver
        decoded = lane.counters.records - passedOver - lane.counters.rejected.values.reduce(0, +)
        bytes = lane.counters.bytes
        matched = lane.counters.matched
        late = lane.counters.late
        ahead = lane.counters.ahead
        withoutTimestamp = lane.counters.withoutTimestamp
        coercionFailures = lane.counters.coercionFailures
        truncatedKeys = lane.counters.truncatedKeys
        let blocks = lane.counters.scriptBlocks
        scriptBlockParts = blocks.parts
        scriptBlockPartsAlone = blocks.alone
        scriptBlocks = ["complete": blocks.complete, "incomplete": blocks.incomplete, "evicted": blocks.evicted]
        scriptBlocksCut = blocks.cut
        deadLetters = Dictionary(
            lane.counters.rejected.map { ($0.key.reason, $0.value) }, uniquingKeysWith: +)
        if lane.correlate.rejected > 0 {
            deadLetters[DecodeFailure.notForwarded.reason, default: 0] += lane.correlate.rejected
        }
        hits = lane.counters.hits
        unknownHits = lane.correlate.unknown
        findings = lane.detections.findings
        suppressed = lane.detections.suppression.suppressed
        costs = lane.ruleCosts
        exceptions = lane.detections.exceptions.map(\.hits)
        expiredExceptions = lane.detections.exceptions.map(\.hitsAfterExpiry)
        completed = lane.detections.correlation.completed
        expired = lane.detections.correlation.expired
        evicted = lane.detections.correlation.evicted
        suppressionEvicted = lane.detections.suppression.evicted
        restoredKeys = lane.state.restoredKeys
        stateDiscarded = lane.state.discarded
        stateWritten = lane.state.written
        stateSkipped = Dictionary(
            StateProblem.allCases.map { ($0.rawValue, lane.state.skipped.counts[$0] ?? 0) }, uniquingKeysWith: +)
        eventToAlert = lane.eventToAlert
        guard !lane.rules.hash.hasPrefix(engine.rulesHash) else { return }
        // A lane that has not changed over yet, or has before anybody else knows.
        let origins = engine.origins(in: engine.with(lane.rules))
        arrange(rules: origins.rules, exceptions: origins.exceptions)
    }
}
