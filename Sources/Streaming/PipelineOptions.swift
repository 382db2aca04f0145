public import Detection
public import EventSchema
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
    public var deadLetterTopic: String
    /// Create missing topics instead of refusing to start.
    public var createTopics: TopicCreation?
    public var connectTimeout: Duration = .seconds(30)

    public var maxRecordBytes = 1 << 20
    public var fields = EventFields()
    public var allowedLateness: Duration = .seconds(2)
    /// A partition without records for this long no longer holds the watermark back.
    public var idleTimeout: Duration = .seconds(5)

    /// Lanes that may run at the same moment; 0 for one per core.
    public var cores = 0
    /// Records taken from librdkafka at once.
    public var batchSize = 1000
    public var checkpointInterval: Duration = .seconds(1)
    /// What revocation and shutdown may wait for alerts to be acknowledged.
    public var drainTimeout: Duration = .seconds(20)
    /// A lane that has records but takes none for this long is reported as stalled.
    public var stallTimeout: Duration = .seconds(30)
    /// Unacknowledged outputs at which a lane stops reading until some are acknowledged.
    public var maxOutstanding = 10_000

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

/// A topic that is read, with the field its producers use as record key, if they promise one.
public struct InputTopic: Hashable, Sendable {
    public var name: String
    public var key: FieldPath?

    public init(name: String, key: FieldPath? = nil) {
        self.name = name
        self.key = key
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
