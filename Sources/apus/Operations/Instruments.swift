import CoreMetrics
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
    private let state = Mutex(State())

    private struct State {
        var ledger = LaneLedger()
        var hasStarted = false
    }

    init(_ engine: EngineDescription) {
        feed = OperationsFeed(engine)
        runtime = RuntimeMetrics(registry)
    }

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
        case .laneClosed(let lane): state.withLock { $0.ledger.close(LaneTotals(lane), of: lane.id) }
        // Counted by the lanes, or seen in their readings.
        case .started, .deadLettered, .paused, .resumed, .stalled, .failed, .stopped: break
        }
    }

    /// Publishes a reading; call it about once a second.
    func publish(_ snapshot: PipelineSnapshot) {
        let lanes = snapshot.lanes.map(LaneReading.init)
        let (totals, hasStarted) = state.withLock { state in
            for lane in lanes { state.ledger.note(lane.totals, of: lane.id) }
            return (state.ledger.totals, state.hasStarted)
        }
        feed.publish(
            EngineReading(
                time: Date().timeIntervalSince1970, isReady: snapshot.isReady, hasStarted: hasStarted,
                failure: snapshot.failure?.description, lanes: lanes, totals: totals))
    }
}
