import Detection
import Dispatch
import EventSchema
import Foundation
import KafkaClient
import Rules
import Streaming
import Synchronization
import TestSupport
import Testing

/// An embedded cluster with the topics of one pipeline, a producer of events, and eyes on what comes out.
///
/// Two brokers, so that one can be away while the other goes on: the first leads the events and coordinates the
/// group, the second leads the alerts and dead letters.
final class Stage: Sendable {
    static let events = "events"
    static let alerts = "alerts"
    static let deadLetters = "dead-letters"
    static let outputBroker: Int32 = 2

    let broker: EmbeddedBroker
    let group = "apus"
    private let producer: Producer
    private let watcher: Consumer

    init(
        partitions: Int = 1, inputs: [String] = [Stage.events], outputs: Bool = true, state: Bool = true
    ) throws {
        broker = try EmbeddedBroker(brokers: 2)
        for input in inputs {
            try broker.createTopic(input, partitions: partitions)
            for partition in 0..<partitions { try broker.setLeader(1, of: TopicPartition(input, Int32(partition))) }
        }
        if state { try broker.createTopic("\(group).state", partitions: partitions) }
        if outputs {
            for output in [Self.alerts, Self.deadLetters] {
                try broker.createTopic(output, partitions: 1)
                try broker.setLeader(Self.outputBroker, of: TopicPartition(output, 0))
            }
        }
        try broker.setCoordinator(1, of: .group, id: group)
        producer = try Producer(
            broker.properties.merging(["message.max.bytes": "40000000", "linger.ms": "0"]),
            controlQueue: DispatchQueue(label: "writer")
        ) { _ in }
        watcher = try Consumer(broker.properties, group: group, controlQueue: DispatchQueue(label: "watcher")) { _ in }
    }

    // MARK: In

    func write(
        _ values: [[UInt8]?], key: String? = nil, to topic: String = Stage.events, partition: Int32 = 0
    ) throws {
        let topic = try producer.topic(topic)
        for value in values {
            let outcome = producer.send(
                to: topic, partition: partition, key: key.map { Array($0.utf8) }, value: value)
            guard case .queued = outcome else { throw NotWritten(outcome: outcome) }
        }
        try producer.flush(timeout: .seconds(30))
    }

    func write(_ values: [String], to topic: String = Stage.events, partition: Int32 = 0) throws {
        try write(values.map { Array($0.utf8) }, to: topic, partition: partition)
    }

    struct NotWritten: Error {
        let outcome: SendOutcome
    }

    // MARK: Out

    /// The committed offset of one input partition.
    func committed(_ partition: Int32 = 0, of topic: String = Stage.events) throws -> Int64? {
        let place = TopicPartition(topic, partition)
        return try watcher.committed([place], timeout: .seconds(20))[place]
    }

    func partitionCount(of topic: String) throws -> Int? {
        try watcher.metadata(topic: topic, timeout: .seconds(20)).topic(topic)?.partitions.count
    }

    /// A reader of partition 0 of `topic` from its beginning.
    func reader(of topic: String = Stage.alerts) throws -> TopicReader { try TopicReader(broker, topic) }

    // MARK: Instances

    func options() -> PipelineOptions {
        let common = broker.properties.merging(["reconnect.backoff.max.ms": "200"])
        var options = PipelineOptions(
            application: group,
            consumer: common.merging([
                "auto.offset.reset": "earliest", "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": "6000", "heartbeat.interval.ms": "200",
            ]),
            producer: common.merging([
                "linger.ms": "0", "retry.backoff.ms": "20", "message.max.bytes": "40000000",
            ]),
            inputs: [InputTopic(name: Self.events, key: "host.id")], alertTopic: Self.alerts,
            deadLetterTopic: Self.deadLetters)
        // The embedded broker does not keep transactional offset commits; what needs none is tested apart.
        options.delivery = .atLeastOnce
        options.checkpointInterval = .milliseconds(50)
        options.idleTimeout = .milliseconds(300)
        options.drainTimeout = .seconds(10)
        options.cores = 2
        return options
    }

    /// A started instance.
    func instance(
        rules: [String] = [singleRule], _ adjust: (inout PipelineOptions) -> Void = { _ in }
    ) throws -> Instance {
        var options = options()
        adjust(&options)
        let instance = try Instance(rules: rules, options: options)
        try instance.pipeline.start()
        return instance
    }

    /// Takes the outputs' broker away from an instance with room for five outputs while a hundred alerts are due, and
    /// waits until its lane pauses.
    func pause(_ instance: Instance) async throws -> PipelineSnapshot {
        try await eventually("assignment") { !instance.assignment.isEmpty }
        try broker.takeDown(broker: Self.outputBroker)
        try write((0..<100).map { event("alert", host: "h\($0)") })
        try await eventually("pause") {
            instance.events.contains { if case .paused(partition: 0) = $0 { true } else { false } }
        }
        let paused = await instance.pipeline.snapshot()
        #expect(paused.lanes.first?.isPaused == true)
        #expect((paused.lanes.first?.outstanding ?? 0) <= 10, "one checkpoint in hand and one being gathered")
        return paused
    }
}

/// A pipeline and everything it said.
final class Instance: Sendable {
    let pipeline: Pipeline
    private let log: EventLog

    private final class EventLog: Sendable {
        let events = Mutex<[PipelineEvent]>([])
    }

    init(rules: [String] = [singleRule], options: PipelineOptions) throws {
        let log = EventLog()
        self.log = log
        pipeline = Pipeline(
            rules: try compile(rules), options: options,
            observe: { event in
                log.events.withLock { $0.append(event) }
            })
    }

    var events: [PipelineEvent] { log.events.withLock { $0 } }

    /// What is assigned and not revoked.
    var assignment: Set<TopicPartition> {
        events.reduce(into: []) { assignment, event in
            switch event {
            case .assigned(let partitions): assignment.formUnion(partitions)
            case .revoked(let partitions, _): assignment.subtract(partitions)
            default: break
            }
        }
    }

    /// Offsets of partition 0 of the events that were committed, one after the other.
    var committed: [Int64] { committed(TopicPartition(Stage.events, 0)) }

    func committed(_ place: TopicPartition) -> [Int64] {
        events.flatMap { event -> [Int64] in
            guard case .committed(let offsets) = event else { return [] }
            return offsets.filter { $0.partition == place }.map(\.offset)
        }
    }

    func records() async -> UInt64 { await pipeline.snapshot().records }

    func stop() async { #expect(await pipeline.stop(timeout: .seconds(30)), "stopped within its time") }
}

/// Reads one partition to the end and goes on reading.
final class TopicReader: Sendable {
    struct Record: Sendable {
        let offset: Int64
        let key: [UInt8]?
        let value: [UInt8]?
        let headers: [String: String]

        /// The value as a JSON object.
        func json() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(value ?? [])) as? [String: Any])
        }
    }

    private let consumer: Consumer
    private let lane = DispatchQueue(label: "reader")
    private let place: TopicPartition
    private let state: State

    private final class State: Sendable {
        let records = Mutex<[Record]>([])
        /// The offset at which there was nothing more to read, the last time.
        let end = Mutex<Int64>(0)
    }

    convenience init(_ broker: EmbeddedBroker, _ topic: String) throws { try self.init(broker.properties, topic) }

    init(_ properties: ClientProperties, _ topic: String) throws {
        let state = State()
        self.state = state
        place = TopicPartition(topic, 0)
        consumer = try Consumer(
            properties.merging(["reconnect.backoff.max.ms": "200", "enable.partition.eof": "true"]),
            group: "reader-\(UUID())",
            controlQueue: DispatchQueue(label: "reader.control")
        ) { _ in }
        let queue = try #require(try consumer.assign([(place, .beginning)]).first)
        try queue.activate(on: lane) {
            let batch = MessageBatch(capacity: 100)
            while let count = try? queue.consumeBatch(into: batch), count > 0 {
                for message in batch {
                    if message.kind == .endOfPartition { state.end.withLock { $0 = message.offset } }
                    guard message.kind == .record else { continue }
                    let record = Record(
                        offset: message.offset, key: message.key.map { Array($0) },
                        value: message.value.map { Array($0) },
                        headers: Dictionary(
                            message.headers.map {
                                ($0.name, $0.value.map { String(decoding: $0, as: UTF8.self) } ?? "")
                            }, uniquingKeysWith: { first, _ in first }))
                    state.records.withLock { $0.append(record) }
                }
            }
        }
    }

    var records: [Record] { state.records.withLock { $0 } }

    /// Alert ids, one per record.
    var alertIDs: [String] { records.compactMap { $0.headers["apus-alert-id"] } }

    @discardableResult
    func wait(count: Int, file: StaticString = #fileID, line: Int = #line) async throws -> [Record] {
        try await eventually("\(count) records, but \(records.count)", file: file, line: line) {
            records.count >= count
        }
        return records
    }

    /// Waits for `count` records, and looks whether the topic holds more of them than that.
    func waitForAll(_ count: Int, file: StaticString = #fileID, line: Int = #line) async throws -> [Record] {
        try await wait(count: count, file: file, line: line)
        let high = try consumer.watermarks(place, timeout: .seconds(20)).high
        // Not by their number: what ends a transaction takes an offset, too.
        try await eventually("end of the topic", file: file, line: line) { state.end.withLock { $0 } >= high }
        return records
    }
}

extension TopicReader.Record {
    /// `topic/partition/offset` of each record that contributed to an alert.
    func places() throws -> [String] {
        let apus = try #require(try json()["apus"] as? [String: Any])
        let evidence = try #require(apus["evidence"] as? [[String: Any]])
        return evidence.map { "\($0["topic"] ?? "")/\($0["partition"] ?? "")/\($0["offset"] ?? "")" }
    }

    func place() throws -> String { try #require(try places().first) }
}

// MARK: Rules and events

/// Fires for every event whose action is `alert`.
let singleRule = ruleFile(1, #"any where event.action == "alert""#)

/// Fires for `first` and then `second` of one host.
let sequenceRule = ruleFile(
    2, #"sequence by host.id with maxspan=60s [any where event.action == "first"] [any where event.action == "second"]"#
)

func ruleFile(_ number: Int, _ query: String) -> String {
    """
    [rule]
    name = "Rule \(number)"
    rule_id = "00000000-0000-4000-8000-00000000000\(number)"
    description = "Fires in tests."
    severity = "high"
    risk_score = 73
    type = "eql"
    query = '''
    \(query)
    '''
    """
}

func compile(_ files: [String]) throws -> CompiledRules {
    let loader = RuleLoader(checker: .streaming)
    let reports = files.enumerated().map { loader.load(toml: $1, path: "rule\($0).toml") }
    for report in reports { try #require(!report.hasErrors, "\(report.problems)") }
    return try CompiledRules(RuleSet(reports.flatMap(\.rules.rules)))
}

/// An event of `host` at a second of a fixed day.
func event(_ action: String, host: String = "h1", second: Int = 0, year: Int = 2025) -> String {
    let clock = [second / 3600, second / 60 % 60, second % 60].map { ($0 < 10 ? "0" : "") + String($0) }
    return """
        {"@timestamp":"\(year)-01-01T\(clock.joined(separator: ":"))Z","event":{"action":"\(action)"},\
        "host":{"id":"\(host)"}}
        """
}
