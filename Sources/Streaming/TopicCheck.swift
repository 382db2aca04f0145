import Detection
import Glibc
import KafkaClient

/// Why a pipeline does not start. All reasons at once; each says what to do.
public struct StartFailure: Error, Sendable, CustomStringConvertible {
    public let reasons: [String]

    public init(_ reasons: [String]) {
        self.reasons = reasons
    }

    public var description: String { reasons.joined(separator: "\n") }
}

extension StartFailure {
    /// What an error of announcing the transactional id means; nil when it speaks for itself.
    init?(joining error: KafkaError, _ options: PipelineOptions) {
        guard options.delivery == .exactlyOnce else { return nil }
        let brokers = options.producer["bootstrap.servers"] ?? "(none configured)"
        let otherwise = """
            or set delivery: at_least_once: nothing is lost then, and an alert that is written twice has the same id \
            both times
            """
        switch error.code {
        case .unsupportedFeature, .unsupportedVersion:
            self.init([
                "the brokers of \(brokers) have no transactions: \(error). Use Kafka 2.5 or newer, \(otherwise)"
            ])
        case .timedOut, .timedOutInQueue, .coordinatorNotAvailable, .notCoordinator, .coordinatorLoading:
            self.init([
                """
                no transaction coordinator of \(brokers) answered within \(options.connectTimeout): \(error). A \
                cluster of fewer than three brokers needs transaction.state.log.replication.factor set; mend that, \
                \(otherwise)
                """
            ])
        default: return nil
        }
    }
}

/// Looks at the cluster before the group is joined: a wrong name should say so at once instead of an
/// instance that runs for ever and reads nothing.
struct TopicCheck {
    let options: PipelineOptions
    let rules: CompiledRules
    /// Told of what is no reason to refuse the start.
    let observe: @Sendable (PipelineEvent) -> Void

    private var brokers: String { options.producer["bootstrap.servers"] ?? "HOST:PORT" }

    /// What was found.
    struct Topics {
        /// Of each input, the number of its partitions.
        var partitions: [String: Int]
        /// Of the correlate topic; 0 where nothing is handed on.
        var correlatePartitions: Int
        /// Spread over the inputs.
        var rules: CompiledRules
    }

    /// - Throws: ``StartFailure`` naming every topic that is missing or refused, or the brokers that do not answer.
    func run() throws -> Topics {
        let admin = try Admin(options.producer)
        var metadata = try reach(admin)
        let outputs =
            [options.alertTopic] + (rules.hasShadowRules ? [options.shadowTopic] : []) + [options.deadLetterTopic]
        let needed = options.inputs.map(\.name) + outputs
        let missing = needed.filter { metadata.topic($0)?.partitions.isEmpty ?? true }
        if !missing.isEmpty, let creation = options.createTopics {
            try create(missing, creation, admin)
            metadata = try awaitMetadata(of: missing, admin)
        }
        var reasons = needed.compactMap { reason(for: $0, in: metadata) }
        guard reasons.isEmpty else { throw StartFailure(reasons) }
        let partitions = Dictionary(
            options.inputs.map { ($0.name, metadata.topic($0.name)?.partitions.count ?? 0) },
            uniquingKeysWith: { first, _ in first })
        let widest = partitions.values.max() ?? 1
        let spread = options.spread(rules, over: partitions)
        if spread.keepsState(in: options.role) {
            reasons += try checkState(partitions, widest, &metadata, admin)
        }
        var correlatePartitions = 0
        if options.handsOn(spread) {
            reasons += try checkCorrelate(spread, partitions, widest, &metadata, admin)
            correlatePartitions = metadata.topic(options.correlateTopic)?.partitions.count ?? 0
        }
        guard reasons.isEmpty else { throw StartFailure(reasons) }
        return Topics(partitions: partitions, correlatePartitions: correlatePartitions, rules: spread)
    }

    private func checkState(
        _ partitions: [String: Int], _ widest: Int, _ metadata: inout ClusterMetadata, _ admin: Admin
    ) throws -> [String] {
        // Otherwise two instances could own partitions of one number, and one state partition.
        guard partitions.values.allSatisfy({ $0 == widest }) else {
            let counts = partitions.sorted { $0.key < $1.key }.map { "'\($0.key)' has \($0.value)" }
            return [
                """
                rules that remember what they have seen in a partition need inputs with equal numbers of partitions, but \
                \(counts.joined(separator: ", ")): give the topics equal numbers, or run one application for each
                """
            ]
        }
        let width = metadata.topic(options.stateTopic)?.partitions.count ?? 0
        if width < widest, let creation = options.createTopics {
            if width == 0 {
                try create(state: widest, creation, admin)
            } else {
                try admin.grow(options.stateTopic, to: widest, timeout: options.connectTimeout)
            }
            metadata = try awaitMetadata(of: [options.stateTopic], partitions: widest, admin)
        }
        if let reason = reason(forState: widest, in: metadata) { return [reason] }
        let refusal = options.state.refusal(admin, brokers: brokers, timeout: options.connectTimeout) { [observe] in
            observe(.compactionUnseen(topic: options.stateTopic, $0))
        }
        return refusal.map { [$0] } ?? []
    }

    private func checkCorrelate(
        _ rules: CompiledRules, _ partitions: [String: Int], _ widest: Int, _ metadata: inout ClusterMetadata,
        _ admin: Admin
    ) throws -> [String] {
        let topic = options.correlateTopic
        guard metadata.topic(topic)?.partitions.isEmpty ?? true else { return [] }
        if let creation = options.createTopics {
            var alike = creation
            alike.partitions = widest
            try create([topic], alike, admin)
            metadata = try awaitMetadata(of: [topic], admin)
        }
        guard let refusal = reason(for: topic, in: metadata) else { return [] }
        let why = rules.reasonsToForward(for: options.keying(partitions)).prefix(3)
        let more = rules.forwarded.count > 3 ? ", and \(rules.forwarded.count - 3) more" : ""
        return [
            """
            \(rules.forwarded.count) rules need the topic '\(topic)', which brings events of several partitions together \
            (\(why.joined(separator: "; "))\(more)): say by which field the inputs are keyed (input.topics: {name, key}), \
            or create it: \(refusal)
            """
        ]
    }

    /// The first answer of a broker; it may be starting, too.
    private func reach(_ admin: Admin) throws -> ClusterMetadata {
        do throws(KafkaError) {
            return try admin.metadata(timeout: options.connectTimeout)
        } catch {
            let brokers = options.producer["bootstrap.servers"] ?? "(none configured)"
            if error.reaction == .stop { throw StartFailure(["the brokers of \(brokers) refuse: \(error)"]) }
            throw StartFailure(["no broker of \(brokers) answered within \(options.connectTimeout): \(error)"])
        }
    }

    /// A created topic is known to the controller at once, and to the broker that is asked a little later.
    private func awaitMetadata(
        of topics: [String], partitions: Int = 1, _ admin: Admin
    ) throws -> ClusterMetadata {
        let deadline = ContinuousClock.now + options.connectTimeout
        while true {
            let metadata = try admin.metadata(timeout: options.connectTimeout)
            let isComplete = topics.allSatisfy { metadata.topic($0)?.partitions.count ?? 0 >= partitions }
            if isComplete || ContinuousClock.now > deadline { return metadata }
            usleep(100_000)
        }
    }

    private func create(_ topics: [String], _ creation: TopicCreation, _ admin: Admin) throws {
        let refusals = try admin.create(
            topics.map {
                NewTopic(
                    $0, partitions: creation.partitions,
                    replication: creation.replicationFactor > 0 ? creation.replicationFactor : nil)
            }, timeout: options.connectTimeout)
        let reasons = refusals.values.filter { $0.reaction != .ignore }.map(\.description).sorted()
        guard reasons.isEmpty else { throw StartFailure(reasons) }
    }

    private func create(state partitions: Int, _ creation: TopicCreation, _ admin: Admin) throws {
        let refusals = try admin.create(
            [
                NewTopic(
                    options.stateTopic, partitions: partitions,
                    replication: creation.replicationFactor > 0 ? creation.replicationFactor : nil,
                    configuration: options.state.configuration)
            ], timeout: options.connectTimeout)
        let reasons = refusals.values.filter { $0.reaction != .ignore }.map(\.description)
        guard reasons.isEmpty else { throw StartFailure(reasons) }
    }

    private func reason(forState partitions: Int, in metadata: ClusterMetadata) -> String? {
        let topic = options.stateTopic
        let script = "kafka-topics.sh --bootstrap-server \(brokers)"
        let found = metadata.topic(topic)?.partitions.count ?? 0
        guard found < partitions else { return nil }
        if let error = metadata.topic(topic)?.error, error.code != .unknownTopicOrPartition { return error.description }
        guard found == 0 else {
            return """
                topic '\(topic)' has \(found) partitions and needs \(partitions), as many as the widest input: \
                \(script) --alter --topic \(topic) --partitions \(partitions)
                """
        }
        let settings = options.state.configuration.sorted { $0.key < $1.key }.map { "--config \($0.key)=\($0.value)" }
        return """
            topic '\(topic)', for what rules remember of hosts, does not exist. Set kafka.create_topics, or create it: \
            \(script) --create --topic \(topic) --partitions \(partitions) \(settings.joined(separator: " "))
            """
    }

    private func reason(for topic: String, in metadata: ClusterMetadata) -> String? {
        guard let found = metadata.topic(topic), !found.partitions.isEmpty else {
            if let error = metadata.topic(topic)?.error, error.code != .unknownTopicOrPartition {
                return error.description
            }
            let near = metadata.topics.map(\.name).filter { !$0.hasPrefix("__") }.sorted().prefix(8)
            let others = near.isEmpty ? "the cluster has no topics" : "the cluster has \(near.joined(separator: ", "))"
            return """
                topic '\(topic)' does not exist (\(others)). Correct its name, set kafka.create_topics, or create it: \
                kafka-topics.sh --bootstrap-server \(brokers) --create \
                --topic \(topic) --partitions 6
                """
        }
        return nil
    }
}
