import Foundation
import Synchronization
public import Telemetry

/// What the endpoints show: the newest reading, a few minutes of history, the latest alerts, and the dashboards that
/// want to hear of the next ones. Whoever runs the engine publishes here; nobody reaches back.
///
/// Thread-safe, and quick to publish to: alerts come from the lanes' own queues.
public final class OperationsFeed: Sendable {
    /// Alerts that a new dashboard is shown, by number and by size.
    static let alertsKept = 200
    static let alertBytesKept = 8 << 20
    /// Alerts that dashboards are sent between two readings; the rest is only counted, since nobody reads so fast.
    static let alertsPerReading = 50
    /// Readings of the charts: ten minutes at one a second.
    static let historyKept = 600
    /// Readings over which latencies are taken.
    static let latencyWindow = 30
    static let connectionsAllowed = 32

    private let state: Mutex<State>

    fileprivate struct State {
        var engine: EngineDescription
        var reading: EngineReading?
        var live: LiveReading?
        var history: [HistoryPoint] = []
        var latencies: [Histogram] = []
        var alerts: [[UInt8]] = []
        var alertBytes = 0
        var sentSinceReading = 0
        var skipped: UInt64 = 0
        var connections: [UInt64: AsyncStream<ServerSentEvent>.Continuation] = [:]
        var nextConnection: UInt64 = 0
        var isClosed = false
    }

    public init(_ engine: EngineDescription) {
        state = Mutex(State(engine: engine))
    }

    // MARK: Publishing

    /// A new set of rules, for example. Open dashboards are told.
    public func describe(_ engine: EngineDescription) {
        state.withLock { state in
            state.engine = engine
            state.send(.hello(Hello(engine: engine, history: [], now: state.reading?.time ?? engine.started)))
        }
    }

    /// A reading, about once a second.
    public func publish(_ reading: EngineReading) {
        state.withLock { state in
            state.latencies.append(reading.totals.eventToAlert)
            if state.latencies.count > Self.latencyWindow { state.latencies.removeFirst() }
            let live = LiveReading(
                reading, after: state.reading, state.engine,
                latency: state.latencies.first.map { reading.totals.eventToAlert.since($0) }, skipped: state.skipped)
            state.reading = reading
            state.live = live
            state.sentSinceReading = 0
            state.history.append(HistoryPoint(live))
            if state.history.count > Self.historyKept { state.history.removeFirst() }
            if !state.connections.isEmpty { state.send(.reading(live)) }
        }
    }

    /// An alert as it is written: one JSON object.
    public func publish(alert: [UInt8]) {
        state.withLock { state in
            state.alerts.append(alert)
            state.alertBytes += alert.count
            while state.alerts.count > Self.alertsKept
                || state.alertBytes > Self.alertBytesKept && state.alerts.count > 1
            {
                state.alertBytes -= state.alerts.removeFirst().count
            }
            guard state.sentSinceReading < Self.alertsPerReading else {
                state.skipped += 1
                return
            }
            state.sentSinceReading += 1
            state.send(ServerSentEvent("alert", json: alert))
        }
    }

    /// Ends every connection; there will be no more.
    public var isClosed: Bool { state.withLock { $0.isClosed } }

    public func close() {
        let connections = state.withLock { state in
            state.isClosed = true
            defer { state.connections = [:] }
            return state.connections
        }
        for connection in connections.values { connection.finish() }
    }

    // MARK: Reading

    var engine: EngineDescription { state.withLock { $0.engine } }
    var reading: EngineReading? { state.withLock { $0.reading } }
    var connections: Int { state.withLock { $0.connections.count } }

    func status(now: Double) -> StatusReport {
        state.withLock { StatusReport($0.engine, $0.reading, $0.live, now: now) }
    }

    /// What happened so far, then what happens; nil when there are connections enough.
    ///
    /// A reader that does not keep up loses the oldest of what waits for it.
    func connect(now: Double) -> AsyncStream<ServerSentEvent>? {
        state.withLock { state in
            guard state.connections.count < Self.connectionsAllowed, !state.isClosed else { return nil }
            let id = state.nextConnection
            state.nextConnection += 1
            let (stream, continuation) = AsyncStream.makeStream(
                of: ServerSentEvent.self, bufferingPolicy: .bufferingNewest(Self.alertsKept + 100))
            continuation.yield(.hello(Hello(engine: state.engine, history: state.history, now: now)))
            if let live = state.live { continuation.yield(.reading(live)) }
            for alert in state.alerts { continuation.yield(ServerSentEvent("past", json: alert)) }
            continuation.yield(ServerSentEvent("caught_up", json: Array("{}".utf8)))
            continuation.onTermination = { [weak self] _ in
                // Not within the lock, which the one who ends the stream may hold.
                Task { self?.disconnect(id) }
            }
            state.connections[id] = continuation
            return stream
        }
    }

    private func disconnect(_ id: UInt64) {
        _ = state.withLock { $0.connections.removeValue(forKey: id) }
    }
}

extension OperationsFeed.State {
    fileprivate func send(_ event: @autoclosure () -> ServerSentEvent) {
        guard !connections.isEmpty else { return }
        let event = event()
        for connection in connections.values { connection.yield(event) }
    }
}
