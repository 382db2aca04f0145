import Detection
import KafkaClient

/// The way of the lanes' outputs and positions to the brokers, one for all lanes of a membership.
///
///     at_least_once   Outbox ──acknowledged──▶ LaneReports ──▶ lane ──checkpoint──▶ GroupCommits
///     exactly_once    lane ──checkpoint──▶ TransactionCoordinator ──outputs and offsets──▶ Outbox
enum DeliveryPath: Sendable {
    case atLeastOnce(Acknowledged)
    case exactlyOnce(TransactionCoordinator)

    /// What delivery at least once needs.
    struct Acknowledged: Sendable {
        let outbox: Outbox
        let reports: LaneReports
        /// False when the commit could not even be asked for.
        let commit: @Sendable ([PartitionOffset]) -> Bool
    }

    /// Opens the producer of a membership, and the way of its reports.
    ///
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    static func open(
        _ rules: CompiledRules, _ options: PipelineOptions, log: ClientLog.Handler?, member: MembershipLink
    ) throws -> (outbox: Outbox, path: DeliveryPath) {
        func outbox(_ delivered: @escaping @Sendable ([DeliveryReport]) -> Void) throws -> Outbox {
            try Outbox(
                options.producerProperties, alertTopic: options.alertTopic,
                shadowTopic: rules.hasShadowRules ? options.shadowTopic : nil,
                deadLetterTopic: options.deadLetterTopic,
                stateTopic: rules.keepsState(in: options.role) ? options.stateTopic : nil,
                correlateTopic: options.handsOn(rules) ? options.correlateTopic : nil, log: log, delivered: delivered,
                failed: member.notice)
        }
        switch options.delivery {
        case .atLeastOnce:
            let reports = LaneReports()
            let outbox = try outbox { reports.hand($0) }
            return (outbox, .atLeastOnce(Acknowledged(outbox: outbox, reports: reports, commit: member.commit)))
        case .exactlyOnce:
            let reports = TransactionReports()
            let outbox = try outbox { reports.take($0) }
            let short = options.makeShortEncoder()
            let transactions = TransactionCoordinator(
                outbox: outbox, reports: reports, options: options, makeSmaller: { $0.smaller(short) },
                member: TransactionCoordinator.Member(
                    askPermit: member.askPermit, report: member.report, committed: member.committed,
                    over: member.over))
            return (outbox, .exactlyOnce(transactions))
        }
    }

    /// Lets a lane hear of what becomes of its outputs.
    func add(_ lane: PartitionLane) {
        if case .atLeastOnce(let path) = self { path.reports.add(lane) }
    }

    func remove(_ lane: PartitionLane) {
        if case .atLeastOnce(let path) = self { path.reports.remove(lane) }
    }

    /// Commits nothing any more but what is under way.
    func endTransactions() {
        if case .exactlyOnce(let transactions) = self { transactions.close() }
    }

    /// Cuts the cycle of reports, which lead to lanes, and these to the producer.
    func forgetLanes() {
        if case .atLeastOnce(let path) = self { path.reports.removeAll() }
    }
}
