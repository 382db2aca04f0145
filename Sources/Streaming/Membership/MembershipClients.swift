import Detection
import KafkaClient
import Synchronization

/// The clients of a membership and what its lanes share, from when they are opened until they are forgotten.
struct MembershipClients: Sendable {
    let consumer: Consumer
    let outbox: Outbox
    var environment: LaneEnvironment

    var path: DeliveryPath { environment.path }

    /// Whether lanes write what rules remember to the state topic.
    var keepsState: Bool { environment.state != nil }

    /// Opens what a membership needs besides its consumer.
    ///
    /// - Throws: `InvalidProperties`, or `KafkaError` when librdkafka cannot start.
    init(
        _ consumer: Consumer, _ rules: CompiledRules, _ options: PipelineOptions, partitions: PartitionCounts,
        keyWatch: KeyWatch, log: ClientLog.Handler?, member: MembershipLink
    ) throws {
        self.consumer = consumer
        let path: DeliveryPath
        (outbox, path) = try DeliveryPath.open(rules, options, log: log, member: member)
        let state =
            rules.keepsState(in: options.role)
            ? try StateAccess(
                consumer, outbox.producer, options, width: partitions.lanes, log: log, notice: member.notice)
            : nil
        environment = LaneEnvironment(
            rules, options, partitions: partitions, keyWatch: keyWatch, path: path, state: state, member: member,
            lag: { [weak consumer] in consumer?.lag($0) ?? 0 })
    }

    /// Cuts the cycles of what belongs to lanes.
    func close() {
        environment.state?.restorer.close()
        path.forgetLanes()
        path.endTransactions()
    }
}

/// How far a membership has come: its clients, as long as it has them, and whether it is over. Thread-safe.
final class MembershipState: Sendable {
    private let values = Mutex<(clients: MembershipClients?, isOver: Bool)>((nil, false))

    /// Nil before they are opened, and again when they are forgotten.
    var clients: MembershipClients? { values.withLock { $0.clients } }

    /// Whether nothing of the membership has any effect any more.
    var isOver: Bool { values.withLock { $0.isOver } }

    func open(_ clients: MembershipClients) { values.withLock { $0.clients = clients } }

    func end() { values.withLock { $0.isOver = true } }

    /// Lanes to come begin with these rules.
    func replace(_ rules: CompiledRules, correlatePartitions: Int) {
        values.withLock { values in
            values.clients?.environment.rules = rules
            values.clients?.environment.partitions.correlate = correlatePartitions
        }
    }

    /// Lets go of the clients.
    func forget() {
        // Released outside the lock: the end of a client calls back.
        let clients = values.withLock { values in
            defer { values.clients = nil }
            return values.clients
        }
        clients?.close()
    }
}
