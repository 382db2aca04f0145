public import Alerts
public import Detection
public import EventSchema
import Events
public import KafkaClient

/// Everything one pipeline is told. What it consists of comes from the settings; nothing here is checked again.
public struct PipelineOptions: Sendable {
    /// The consumer group, and the name under which the instance speaks of itself.
    public var application: String
    /// Properties of both clients, without what the pipeline itself decides.
    public var consumer: ClientProperties
    public var producer: ClientProperties
    public var inputs: [InputTopic]
    public var alertTopic: String
    /// For alerts of rules in the shadow stage; needed only when there are such rules.
    public var shadowTopic = "apus.alerts.shadow"
    public var deadLetterTopic: String
    /// The shape of alerts.
    public var profile = AlertProfile.ecs
    public var delivery = Delivery.exactlyOnce
    /// Distinguishes this instance from the others of the application, also after it has started over. A name that
    /// survives the process lets a restarted instance end what its predecessor left open.
    public var instance = String(UInt64.random(in: .min ... .max), radix: 36)
    /// How long a transaction may take; what a killed instance leaves open holds others up no longer than that.
    public var transactionTimeout: Duration = .seconds(10)
    /// Compacted; holds what rules remember of hosts, where some rule remembers anything.
    public var stateTopic: String { application + ".state" }
    /// Brings together what belongs to one join key and lies in several partitions, where some rule needs that.
    public var correlateTopic: String { application + ".correlate" }
    /// Create missing topics instead of refusing to start.
    public var createTopics: TopicCreation?
    public var connectTimeout: Duration = .seconds(30)

    public var maxRecordBytes = 1 << 20
    public var fields = EventFields()
    public var allowedLateness: Duration = .seconds(2)
    /// What the parts of script blocks may take in a lane.
    public var scriptBlocks = ScriptBlockLimits()
    /// A partition without records for this long no longer holds the watermark back.
    public var idleTimeout: Duration = .seconds(5)

    /// Lanes that may run at the same moment; 0 for one per core.
    public var cores = 0
    /// Records taken from librdkafka at once.
    public var batchSize = 1000
    public var checkpointInterval: Duration = .milliseconds(100)
    /// What revocation and shutdown may wait for alerts to be acknowledged.
    public var drainTimeout: Duration = .seconds(20)
    /// A lane that has records but takes none for this long is reported as stalled.
    public var stallTimeout: Duration = .seconds(30)
    /// Outputs at which a lane stops reading until some are safe, by number and by bytes.
    public var maxOutstanding = 10_000
    public var maxOutstandingBytes = 16 << 20
    /// How often in a row a pipeline starts over after an error without having committed anything in between. The
    /// next error stops it.
    public var restartBudget = 5

    /// The inputs of the lanes that write what these read; nil for those lanes themselves.
    var origins: [InputTopic]?

    /// Called with each alert in the profile `ecs`, whatever ``profile`` is, as it is raised, before it is written; from
    /// the lanes' queues, so be quick. One whose transaction is aborted comes again.
    public var onAlert: (@Sendable ([UInt8]) -> Void)?

    public init(
        application: String, consumer: ClientProperties, producer: ClientProperties, inputs: [InputTopic],
        alertTopic: String, deadLetterTopic: String
    ) {
        self.application = application
        self.consumer = consumer
        self.producer = producer
        self.inputs = inputs
        self.alertTopic = alertTopic
        self.deadLetterTopic = deadLetterTopic
    }
}

/// What a crash can do to the alerts.
public enum Delivery: Hashable, Sendable {
    /// Nothing is lost; an alert may come twice, with the same id.
    case atLeastOnce
    /// Nothing is lost and nothing comes twice, for those who read committed records only. Needs brokers with
    /// transactions.
    case exactlyOnce
}

/// A topic that is read, with the field its producers use as record key, if they promise one.
public struct InputTopic: Hashable, Sendable {
    public var name: String
    public var key: FieldPath?
    /// Whether its records that are not ECS are brought into it.
    public var normalizes: Bool

    public init(name: String, key: FieldPath? = nil, normalizes: Bool = true) {
        self.name = name
        self.key = key
        self.normalizes = normalizes
    }
}

public struct TopicCreation: Hashable, Sendable {
    public var partitions: Int
    /// -1 leaves it to the broker.
    public var replicationFactor: Int

    public init(partitions: Int, replicationFactor: Int) {
        self.partitions = partitions
        self.replicationFactor = replicationFactor
    }
}

extension PipelineOptions {
    /// For the pipeline that correlates what the lanes of this one hand on: an application of its own, with a group,
    /// a transactional id and a state topic named after the correlate topic.
    var correlating: PipelineOptions {
        var options = self
        options.application = correlateTopic
        options.inputs = [InputTopic(name: correlateTopic)]
        options.origins = inputs
        // Whatever was handed on is for us, also what came before we joined.
        options.consumer["auto.offset.reset"] = "earliest"
        options.consumer["partition.assignment.strategy"] = "cooperative-sticky"
        if let id = producer["transactional.id"] { options.producer["transactional.id"] = id + ".correlate" }
        return options
    }

    /// Whether the lanes read what others have handed on, in place of the inputs.
    var readsHits: Bool { origins != nil }

    var role: DetectorRole {
        guard readsHits else { return .inputs }
        // The last of the names.
        return .correlate(
            lanes: TopicID(rawValue: UInt16(topicNames.count - 1)), mayRepeat: delivery == .atLeastOnce)
    }

    /// Of everything that evidence and state may name, in the order of their numbers.
    var topicNames: [String] {
        let names = inputs.map(\.name)
        guard let origins else { return names }
        return names + origins.map(\.name) + ["input lanes"]
    }

    /// How records are spread over the inputs.
    func keying(_ partitions: [String: Int]) -> [InputKeying] {
        inputs.map { InputKeying(topic: $0.name, key: $0.key, partitions: partitions[$0.name] ?? 0) }
    }

    /// The same rules for inputs with so many partitions each; lanes that read hits take them as they are.
    func spread(_ rules: CompiledRules, over partitions: [String: Int]) -> CompiledRules {
        readsHits ? rules : rules.spread(over: keying(partitions))
    }

    /// Whether lanes hand hits of these rules on to others.
    func handsOn(_ rules: CompiledRules) -> Bool { !readsHits && !rules.forwarded.isEmpty }

    /// Of the group's member. Offsets are fetched and records read only when they are stable: what a transaction has
    /// not committed yet is waited for.
    var consumerProperties: ClientProperties {
        var properties = consumer
        if delivery == .exactlyOnce { properties["isolation.level"] = "read_committed" }
        properties["topic.metadata.refresh.interval.ms"] = String(metadataInterval.wholeNanoseconds / 1_000_000)
        // Where to begin is found out by the membership, `startsAtEnd` or not. This is for records that were deleted before
        // they were read: on to the oldest one there is, never past what is still there.
        properties["auto.offset.reset"] = "earliest"
        return properties
    }

    /// How soon partitions that were added to a topic are noticed. librdkafka's default is five minutes.
    public var metadataInterval: Duration {
        .milliseconds(consumer["topic.metadata.refresh.interval.ms"].flatMap(Int.init) ?? 30_000)
    }

    /// Whether reading starts behind the newest record where nothing is committed.
    var startsAtEnd: Bool { Offset(reset: consumer["auto.offset.reset"]) == .end }

    /// Whether another process under our name would be another member with our `group.instance.id`.
    var isNamed: Bool { consumer["group.instance.id"] != nil }

    /// Within this time a consumer has heard from its group.
    var heartbeat: Duration { .milliseconds(consumer["heartbeat.interval.ms"].flatMap(Int.init) ?? 3000) }

    /// Of the producer.
    var producerProperties: ClientProperties {
        var properties = producer
        switch delivery {
        case .atLeastOnce:
            // An alert is tried until it is written; giving up after a while would lose it.
            properties["message.timeout.ms"] = properties["message.timeout.ms"] ?? "0"
        case .exactlyOnce:
            properties["transactional.id"] = properties["transactional.id"] ?? "\(application).\(instance)"
            properties["transaction.timeout.ms"] =
                properties["transaction.timeout.ms"] ?? String(transactionTimeout.wholeNanoseconds / 1_000_000)
        }
        return properties
    }
}
