import Alerts
import Detection
import Events
import KafkaClient

/// What the lanes of one membership share. Immutable, or thread-safe.
struct LaneEnvironment: Sendable {
    /// Turns are cut after this many batches, so that a lane with a long backlog lets the others run.
    let batchesPerTurn = 8

    /// With which lanes begin; those that run are told of another set by themselves.
    var rules: CompiledRules
    let options: PipelineOptions
    var partitions: PartitionCounts
    let topics: TopicTable
    let keyWatch: KeyWatch
    let encoder: AlertEncoder
    /// For ``PipelineOptions/onAlert``; nil when alerts have that shape anyway.
    let feedEncoder: AlertEncoder?
    /// For alerts that proved too large: leaves the original events out.
    let shortEncoder: AlertEncoder
    let path: DeliveryPath
    /// Nil when no rule remembers anything.
    let state: StateAccess?
    let evaluatorOptions: EvaluatorOptions
    let idleNanoseconds: UInt64
    let stallNanoseconds: UInt64

    let report: @Sendable (PipelineEvent) -> Void
    /// Says what a client complains of; ends the pipeline when nothing but an operator can help.
    let notice: @Sendable (KafkaError) -> Void
    /// Ends the membership; what is not committed is read again by whoever comes next.
    let fail: @Sendable (KafkaError) -> Void
    let lag: @Sendable (TopicPartition) -> Int64

    init(
        _ rules: CompiledRules, _ options: PipelineOptions, partitions: PartitionCounts, keyWatch: KeyWatch,
        path: DeliveryPath, state: StateAccess?, member: MembershipLink,
        lag: @escaping @Sendable (TopicPartition) -> Int64
    ) {
        self.rules = rules
        self.options = options
        self.partitions = partitions
        self.keyWatch = keyWatch
        self.path = path
        self.state = state
        self.lag = lag
        report = member.report
        notice = member.notice
        fail = { member.over($0, nil) }
        let topics = TopicTable(options.topicNames)
        self.topics = topics
        encoder = options.makeEncoder(options.profile)
        feedEncoder = options.profile == .ecs ? nil : options.makeEncoder(.ecs)
        shortEncoder = options.makeShortEncoder()
        var evaluatorOptions = EvaluatorOptions(
            ordering: .stream(lateness: options.allowedLateness.wholeNanoseconds),
            decodeLimits: DecodeLimits(bytes: options.maxRecordBytes))
        evaluatorOptions.scriptBlocks = options.scriptBlocks
        evaluatorOptions.verbatimTopics = Set(
            (options.origins ?? options.inputs).filter { !$0.normalizes }.map { topics.id(of: $0.name) })
        self.evaluatorOptions = evaluatorOptions
        idleNanoseconds = UInt64(options.idleTimeout.wholeNanoseconds)
        stallNanoseconds = UInt64(options.stallTimeout.wholeNanoseconds)
    }

    func makeDelivery(lane: UInt64, partition: Int32) -> any LaneDelivery {
        switch path {
        case .atLeastOnce(let path): AtLeastOnceDelivery(lane: lane, environment: self, path: path)
        case .exactlyOnce(let transactions):
            TransactionalDelivery(lane: lane, partition: partition, options: options, transactions: transactions)
        }
    }
}

extension PipelineOptions {
    func makeEncoder(_ profile: AlertProfile) -> AlertEncoder {
        AlertEncoder(topics: topicNames, engineVersion: Engine.version, profile: profile)
    }

    /// For alerts that proved too large: leaves the original events out.
    func makeShortEncoder() -> AlertEncoder {
        AlertEncoder(
            topics: topicNames, engineVersion: Engine.version, profile: profile,
            limits: AlertLimits(original: 0, allOriginals: 0, excerpt: 0, value: 256, member: 0))
    }
}

/// The input topics by number, so that an event carries two bytes instead of a name.
struct TopicTable: Sendable {
    let names: [String]
    private let ids: [String: TopicID]

    init(_ names: [String]) {
        self.names = names
        ids = Dictionary(
            names.enumerated().map { ($1, TopicID(rawValue: UInt16($0))) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Precondition: the topic is one of the inputs, as every assigned partition's is.
    func id(of name: String) -> TopicID {
        guard let id = ids[name] else { preconditionFailure("\(name) is not an input topic") }
        return id
    }
}
