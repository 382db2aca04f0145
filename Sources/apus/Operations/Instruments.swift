import CoreMetrics
import Detection
import Foundation
import KafkaClient
import Operations
import Streaming
import Synchronization
import Telemetry

/// Where the pipeline's events and readings become metrics and what the endpoints show.
final class Instruments: Sendable {
    let registry = MetricRegistry()
    let feed: OperationsFeed
    private let runtime: RuntimeMetrics
    private let state: Mutex<State>

    private struct State {
        var engine: EngineDescription
        var ledger = LaneLedger()
        var hasStarted = false
    }

    init(_ engine: EngineDescription) {
        feed = OperationsFeed(engine)
        runtime = RuntimeMetrics(registry)
        state = Mutex(State(engine: engine))
        runtime.loaded(at: engine.started, isReload: false)
    }

    /// Another set of rules takes effect; what was counted for rules that stay is kept.
    func reloaded(_ rules: CompiledRules) {
        state.withLock { state in
            let engine = state.engine.with(rules)
            let origins = engine.origins(in: state.engine)
            state.engine = engine
            state.ledger.arrange(rules: origins.rules, exceptions: origins.exceptions)
            feed.describe(engine)
        }
        runtime.loaded(at: Date().timeIntervalSince1970, isReload: true)
    }

    /// So many records of the topic of rules gave no rule.
    func ruleRecordsRejected(_ count: Int) { runtime.ruleRecordsRejected.increment(by: count) }

    func reloadFailed() { runtime.reloadFailed() }

    /// Counts what happens to the instance. Called on the pipeline's queues.
    func observe(_ event: PipelineEvent) {
        switch event {
        case .assigned:
            state.withLock { $0.hasStarted = true }
            runtime.rebalanced(.assigned)
        case .revoked(_, let lost): runtime.rebalanced(lost ? .lost : .revoked)
        case .committed: runtime.commit(.committed)
        case .commitFailed: runtime.commit(.failed)
        case .checkpointed(_, let duration): runtime.checkpoint(after: duration)
        case .transactionCommitted(let duration): runtime.transaction(.committed, after: duration)
        case .transactionAborted: runtime.transaction(.aborted)
        case .rejoining: runtime.rejoins.increment()
        case .deadLetterWithoutValue: runtime.deadLettersEmptied.increment()
        case .alertShortened: runtime.alertsShortened.increment()
        case .problem: runtime.clientErrors.increment()
        case .keyStrayed(_, _, let records): runtime.strayKeys.increment(by: records)
        case .laneClosed(let lane):
            state.withLock { $0.ledger.close(LaneTotals(lane, $0.engine), of: lane.id) }
        // Counted by the lanes, or seen in their readings.
        case .restored, .stateDiscarded, .started, .correlatesThrough, .compactionUnseen, .deadLettered, .paused,
            .resumed, .stalled, .laneSilent, .rulesReplaced, .failed, .stopped:
            break
        }
    }

    /// Publishes a reading; call it about once a second.
    func publish(_ snapshot: PipelineSnapshot) {
        // Within the lock, so that a reading and the description it belongs to come in order.
        state.withLock { state in
            let lanes = snapshot.lanes.map { LaneReading($0, state.engine) }
            for lane in lanes { state.ledger.note(lane.totals, of: lane.id) }
            feed.publish(
                EngineReading(
                    time: Date().timeIntervalSince1970, isReady: snapshot.isReady, hasStarted: state.hasStarted,
                    failure: snapshot.failure?.description, lanes: lanes, totals: state.ledger.totals))
        }
    }
}
