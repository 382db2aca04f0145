import Alerts
import Detection
import Events
import KafkaClient

/// A record on its way out, kept until the broker has it.
struct Output: Sendable {
    enum Kind: Hashable, Sendable {
        case alert
        /// The alert of a rule in the shadow stage.
        case shadowAlert
        case deadLetter
        /// Of the correlate topic: a stage hit, or how far the lane has come.
        case forward
        /// Of the state topic; without value it is a tombstone.
        case state
    }

    var kind: Kind
    var key: [UInt8]?
    /// Nil for a dead letter whose original had no value, or was too large for the dead-letter topic.
    var value: [UInt8]?
    var headers: [RecordHeader]
    /// Nil lets the key decide.
    var partition: Int32?

    /// About what it takes in memory and on the wire, in bytes.
    var size: Int {
        (key?.count ?? 0) + (value?.count ?? 0) + headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    }

    /// Of a stage hit: where its event stands.
    private var origin: (topic: String, partition: Int32, offset: Int64)?

    /// Of an alert; kept to encode it once more without the original events if it proves too large.
    private var finding: Finding?

    init(alert finding: Finding, encoder: AlertEncoder) {
        self.init(encoder.encode(finding), kind: finding.isShadow ? .shadowAlert : .alert)
        self.finding = finding
    }

    private init(_ alert: EncodedAlert, kind: Kind) {
        self.kind = kind
        key = alert.key
        value = alert.value
        headers = alert.headers.map { RecordHeader($0.name, $0.value) }
    }

    /// A change of state of the lane of this partition, at a checkpoint.
    init(state record: StateRecord, of partition: Int32, at stamp: CheckpointStamp) {
        kind = .state
        key = record.key
        value = record.value
        headers = [RecordHeader(CheckpointStamp.header, stamp.bytes)]
        self.partition = partition
    }

    /// A stage hit for the lane that correlates it.
    init(forward record: ForwardedRecord, from topics: TopicTable) {
        kind = .forward
        key = record.key
        value = record.value
        headers = [RecordHeader(ForwardedRecord.header, record.hit)]
        origin = (topics.names[Int(record.origin.topic.rawValue)], record.origin.partition, record.origin.offset)
    }

    /// How far a lane has come, for one partition of the correlate topic.
    init(watermark: [UInt8], for partition: Int32) {
        kind = .forward
        value = []
        headers = [RecordHeader(ForwardedRecord.watermarkHeader, watermark)]
        self.partition = partition
    }

    /// A record that could not be evaluated: its key and value unchanged, why in the headers.
    init(
        deadLetter value: UnsafeRawBufferPointer?, key: UnsafeRawBufferPointer?, reason: DecodeFailure,
        topic: String, partition: Int32, offset: Int64, timestamp: Int64?, replays: UnsafeRawBufferPointer? = nil
    ) {
        kind = .deadLetter
        self.key = key.map { Array($0) }
        self.value = value.map { Array($0) }
        headers = [
            RecordHeader("apus-reason", reason.reason), RecordHeader("apus-topic", topic),
            RecordHeader("apus-partition", String(partition)), RecordHeader("apus-offset", String(offset)),
            RecordHeader("apus-size", String(value?.count ?? 0)),
            RecordHeader("apus-engine-version", Engine.version),
        ]
        // A record that was replayed from here in vain keeps its count.
        if let replays { headers.append(RecordHeader("apus-replays", Array(replays))) }
        if let timestamp { headers.append(RecordHeader("apus-timestamp", String(timestamp))) }
    }

    /// What is said when the smaller form takes its place.
    var whenSmaller: PipelineEvent {
        switch kind {
        case .deadLetter: .deadLetterWithoutValue
        case .alert, .shadowAlert, .state: .alertShortened
        case .forward:
            .deadLettered(
                TopicPartition(origin?.topic ?? "", origin?.partition ?? 0), offset: origin?.offset ?? 0,
                reason: .tooLarge)
        }
    }

    /// A smaller form for a topic that refuses this one as too large, or nil when this is the smallest: an
    /// alert without the original events, a dead letter without its value. The originals still stand in the
    /// input topic, at the places the alert and the headers name.
    ///
    /// - Parameter encoder: one whose limits leave the originals out.
    func smaller(_ encoder: AlertEncoder) -> Output? {
        switch kind {
        case .alert, .shadowAlert: return finding.map { Output(encoder.encode($0), kind: kind) }
        case .deadLetter:
            guard value != nil else { return nil }
            var output = self
            output.value = nil
            output.headers.append(RecordHeader("apus-value-omitted", "too_large_for_topic"))
            return output
        case .forward:
            // The correlate topic takes less than the input did: whoever looks after dead letters learns of it.
            guard let origin, let value else { return nil }
            return value.withUnsafeBytes {
                Output(
                    deadLetter: $0, key: nil, reason: .tooLarge, topic: origin.topic, partition: origin.partition,
                    offset: origin.offset, timestamp: nil)
            }
        // Values are split before they are too large.
        case .state: return nil
        }
    }
}
