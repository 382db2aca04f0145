public import Detection
public import Events
public import KafkaClient
public import Telemetry

/// What happens inside a pipeline, for logs, progress and tests. Delivered on the pipeline's own queues:
/// be quick. No event carries record content.
public enum PipelineEvent: Sendable {
    /// The topics were found and the group is being joined.
    case started(version: String)
    /// Rules whose events do not come together in the lanes that read them, each with the reason.
    case correlatesThrough(topic: String, rules: [String])
    /// The brokers do not tell whether a topic is compacted that has to be.
    case compactionUnseen(topic: String, KafkaError)
    case assigned([TopicPartition])
    case revoked([TopicPartition], lost: Bool)
    case committed([PartitionOffset])
    /// What a lane did up to one moment is safe, so long after that moment.
    case checkpointed(partition: Int32, after: Duration)
    /// A transaction was committed; it took so long from its beginning.
    case transactionCommitted(after: Duration)
    /// A commit was refused; the next checkpoint tries again.
    case commitFailed(KafkaError)
    /// A transaction was given up; the same work is written in the next one.
    case transactionAborted(KafkaError)
    /// Consumer, producer and everything uncommitted are given up, and the pipeline starts over from what is
    /// committed.
    case rejoining(KafkaError)
    /// A lane goes on from the state that its partition's last owner has left.
    case restored(partition: Int32, keys: Int, records: UInt64, problems: StateProblems)
    /// The group's offset of a partition is not the one its state belongs to: somebody has moved it. The state of the
    /// lane is dropped, and reading begins at the committed offset.
    case stateDiscarded(TopicPartition, committed: Int64?, expected: Int64)
    /// A record went to the dead-letter topic.
    case deadLettered(TopicPartition, offset: Int64, reason: DecodeFailure)
    /// The dead-letter topic refused a record for its size; it was sent without its value.
    case deadLetterWithoutValue
    /// An alert was too large for the alert topic and was sent without the original events.
    case alertShortened
    /// The consumer or producer reports a problem that librdkafka is dealing with.
    case problem(KafkaError)
    /// A lane reads no further until outputs are acknowledged, or goes on again.
    case paused(partition: Int32)
    case resumed(partition: Int32)
    /// A lane has records but has taken none for the stall time-out.
    case stalled(partition: Int32)
    /// A lane of the correlate topic has not heard of an input lane for so long that it does not wait for it any more.
    case laneSilent(Int32, heardBy: Int32)
    /// Events of one host came in a partition of another number than before, although rules rely on its coming to one.
    /// So many were seen in a sample of the records; one of them with its places.
    case keyStrayed(TopicPartition, before: TopicPartition, records: Int)
    /// The lanes evaluate with the set of rules that has this hash.
    case rulesReplaced(hash: String)
    /// A lane has stopped reading for good: its last reading.
    case laneClosed(LaneSnapshot)
    /// The pipeline cannot go on; `Pipeline.failure` has the reason.
    case failed(KafkaError)
    case stopped
}

/// What a lane has to do with the state topic, in numbers. All zero where no rule remembers anything.
public struct StateCounts: Sendable {
    /// Join keys that were live when the lane began.
    public var restoredKeys: UInt64 = 0
    /// Partitions whose state was dropped, because the group's offset had been moved.
    public var discarded: UInt64 = 0
    /// Records written, markers and tombstones included.
    public var written: UInt64 = 0
    /// Records that could not be used, by reason.
    public var skipped = StateProblems()
}

/// What a lane found on the correlate topic besides hits that it could take; zero for lanes that read inputs.
public struct CorrelateCounts: Sendable {
    /// Hits of rules or topics that are not known here: nobody takes them.
    public var unknown: UInt64 = 0
    /// Records that are neither hits nor watermarks.
    public var rejected: UInt64 = 0
}

/// A reading of one lane at one moment.
public struct LaneSnapshot: Sendable {
    /// A partition that the lane reads.
    public struct Source: Sendable {
        public var topic: String
        /// The offset behind the last record taken; nil before the first.
        public var position: Int64?
        /// Records behind the end of the partition, as of the last fetch.
        public var lag: Int64
        /// Age of the last record taken, in seconds, while others are behind it; else 0.
        public var lagSeconds: Double
        /// Records that were fetched and not taken yet.
        public var waiting: Int
    }

    /// Different for every lane of the process.
    public var id: UInt64
    public var pipeline: LaneReading.Pipeline
    /// Unique within the pipeline only.
    public var partition: Int32
    /// What the lane evaluates with.
    public var rules: CompiledRules
    public var sources: [Source]
    public var counters: EvaluatorCounters
    public var detections: DetectionCounters
    public var deadLetters: UInt64
    public var alerts: UInt64
    /// Outputs that are not acknowledged.
    public var outstanding: Int
    public var isPaused: Bool
    public var isStalled: Bool
    /// Whether it has yet to take up what the partition's last owner has left.
    public var isRestoring: Bool
    public var state: StateCounts
    public var correlate: CorrelateCounts
    /// Join keys that correlations hold something for.
    public var liveKeys: Int
    /// How far event time trails the clock, in seconds; nil before the first event.
    public var watermarkDelay: Double?
    /// From an alert's newest event to the moment the alert was raised.
    public var eventToAlert: Histogram
    /// What evaluating each rule by itself took, on a sample of the records; in the order of the rules.
    public var ruleCosts: [RuleCost]

    public var topics: [String] { sources.map(\.topic) }
    /// Records behind the end of its partitions, as of the last fetch.
    public var lag: Int64 { sources.reduce(0) { $0 + $1.lag } }
}

/// A reading of a whole pipeline.
public struct PipelineSnapshot: Sendable {
    public var lanes: [LaneSnapshot]
    public var isReady: Bool
    public var failure: KafkaError?

    /// Taken from the inputs.
    public var records: UInt64 { lanes.reduce(0) { $0 + $1.counters.records } }
    public var alerts: UInt64 { lanes.reduce(0) { $0 + $1.alerts } }
    public var deadLetters: UInt64 { lanes.reduce(0) { $0 + $1.deadLetters } }
    public var lag: Int64 { lanes.reduce(0) { $0 + $1.lag } }
}
