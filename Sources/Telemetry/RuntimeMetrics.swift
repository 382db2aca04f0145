public import CoreMetrics

/// What happens to an instance as a whole: each member is one metric, counted through swift-metrics.
///
/// For what happens now and then, not per event: the totals of lanes come with their readings.
public struct RuntimeMetrics: Sendable {
    public enum Rebalance: String, CaseIterable, Sendable {
        case assigned, revoked, lost
    }

    public enum Outcome: String, CaseIterable, Sendable {
        case committed, failed, aborted
    }

    private let rebalances: [Rebalance: Counter]
    private let commits: [Outcome: Counter]
    private let transactions: [Outcome: Counter]
    private let checkpointTimer: CoreMetrics.Timer
    private let transactionTimer: CoreMetrics.Timer
    private let reloads: Counter
    private let reloadFailures: Counter
    private let lastReload: Gauge
    private let lastReloadSuccessful: Gauge
    public let ruleRecordsRejected: Counter
    public let rejoins: Counter
    public let strayKeys: Counter
    public let clientErrors: Counter
    public let alertsShortened: Counter
    public let deadLettersEmptied: Counter

    public init(_ factory: any MetricsFactory) {
        func counter(_ metric: MetricDescription, _ labels: [(String, String)] = []) -> Counter {
            Counter(label: metric.name, dimensions: labels, factory: factory)
        }
        rebalances = Dictionary(
            uniqueKeysWithValues: Rebalance.allCases.map { ($0, counter(.rebalances, [("kind", $0.rawValue)])) })
        commits = Dictionary(
            uniqueKeysWithValues: [.committed, .failed].map { ($0, counter(.commits, [("outcome", $0.rawValue)])) })
        transactions = Dictionary(
            uniqueKeysWithValues: [.committed, .aborted].map {
                ($0, counter(.transactions, [("outcome", $0.rawValue)]))
            })
        checkpointTimer = CoreMetrics.Timer(
            label: MetricDescription.checkpointSeconds.name, dimensions: [], factory: factory)
        transactionTimer = CoreMetrics.Timer(
            label: MetricDescription.transactionSeconds.name, dimensions: [], factory: factory)
        reloads = counter(.reloads)
        reloadFailures = counter(.reloadFailures)
        lastReload = Gauge(label: MetricDescription.lastReload.name, dimensions: [], factory: factory)
        lastReloadSuccessful = Gauge(
            label: MetricDescription.lastReloadSuccessful.name, dimensions: [], factory: factory)
        ruleRecordsRejected = counter(.ruleRecordsRejected)
        rejoins = counter(.rejoins)
        strayKeys = counter(.strayKeys)
        clientErrors = counter(.clientErrors)
        alertsShortened = counter(.alertsShortened)
        deadLettersEmptied = counter(.deadLettersEmptied)
    }

    /// Rules took effect, at so many seconds since 1970; those of the start count as no reload.
    public func loaded(at time: Double, isReload: Bool) {
        if isReload { reloads.increment() }
        lastReload.record(time)
        lastReloadSuccessful.record(1)
    }

    public func reloadFailed() {
        reloadFailures.increment()
        lastReloadSuccessful.record(0)
    }

    public func rebalanced(_ kind: Rebalance) { rebalances[kind]?.increment() }

    /// Offsets were committed, or the attempt failed.
    public func commit(_ outcome: Outcome) { commits[outcome]?.increment() }

    /// What a lane did up to one moment is safe, so long after it.
    public func checkpoint(after duration: Duration) { checkpointTimer.recordNanoseconds(duration.nanoseconds) }

    public func transaction(_ outcome: Outcome, after duration: Duration? = nil) {
        transactions[outcome]?.increment()
        if let duration { transactionTimer.recordNanoseconds(duration.nanoseconds) }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
