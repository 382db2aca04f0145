import Alerts
import Correlation
import Detection
import EventSchema
import Events
import Rules
import Testing

/// A lane whose detector can die at any moment, with a log of inputs, a state topic and an alert topic that live on.
///
/// As in `exactly_once`: alerts and state of a checkpoint become visible together, or not at all.
final class DurableLane {
    struct Input {
        var partition: Int32
        var json: [UInt8]
    }

    /// What the lane does in one go: it reads, hears which partitions are idle, and moves its time.
    struct Batch {
        var inputs: [Input]
        var idle: [Int32] = []
    }

    struct StateTopicRecord {
        var key: [UInt8]
        var value: [UInt8]?
        var stamp: CheckpointStamp
    }

    static let topic = "events"

    let rules: CompiledRules
    let options: EvaluatorOptions
    let longestValue: Int
    let partitions: Int32
    /// Every record of the input topic, by partition and offset.
    private(set) var log: [[[UInt8]]]
    var stateTopic: [StateTopicRecord] = []
    private(set) var alerts: [EncodedAlert] = []

    private(set) var detector: Detector
    private var sources: [Int] = []
    private var stamp = CheckpointStamp(epoch: 1, number: 0)
    private var uncommitted: [EncodedAlert] = []
    private let encoder = AlertEncoder(topics: [DurableLane.topic], engineVersion: "test")

    init(
        _ rules: CompiledRules, options: EvaluatorOptions, partitions: Int32, longestValue: Int = 512 << 10,
        isTracked: Bool = true
    ) {
        self.rules = rules
        self.options = options
        self.partitions = partitions
        self.longestValue = longestValue
        log = Array(repeating: [], count: Int(partitions))
        detector = Detector(
            rules, options: options,
            tracking: isTracked ? StateTracking(topics: [Self.topic], longestValue: longestValue) : nil)
        addSources()
    }

    private func addSources() {
        sources = (0..<partitions).map { detector.addSource(topic: TopicID(rawValue: 0), partition: $0) }
    }

    private func origin(_ partition: Int32, _ offset: Int) -> RecordOrigin {
        RecordOrigin(topic: TopicID(rawValue: 0), partition: partition, offset: Int64(offset))
    }

    func run(_ batch: Batch) {
        for input in batch.inputs {
            let offset = log[Int(input.partition)].count
            log[Int(input.partition)].append(input.json)
            let failure = input.json.withUnsafeBytes {
                detector.process(
                    $0, origin: origin(input.partition, offset), source: sources[Int(input.partition)], recordTime: nil)
            }
            #expect(failure == nil)
        }
        for partition in batch.idle { detector.setIdle(sources[Int(partition)]) }
        detector.advance()
        takeFindings()
    }

    private func takeFindings() { uncommitted += detector.takeFindings().map { encoder.encode($0) } }

    func finish() {
        detector.finish()
        takeFindings()
        alerts += uncommitted
        uncommitted = []
    }

    // MARK: Checkpoints

    /// The records of the next checkpoint, the marker last.
    private func seal() throws -> [StateRecord] {
        stamp.number += 1
        let positions = (0..<partitions).map { partition in
            let position = Int64(log[Int(partition)].count)
            let held = detector.oldestHeldOffset(topic: TopicID(rawValue: 0), partition: partition)
            return CheckpointMarker.Position(
                topic: Self.topic, partition: partition, position: position, resume: min(position, held ?? position),
                former: nil)
        }
        let marker = CheckpointMarker(
            stamp: stamp, positions: positions, time: try #require(detector.timeState))
        return detector.takeStateChanges() + marker.records(of: .input)
    }

    func checkpoint() throws {
        write(try seal())
        alerts += uncommitted
        uncommitted = []
    }

    /// Writes the first `count` records of a checkpoint and nothing else, as a crash would.
    func tear(_ count: (Int) -> Int) throws {
        let records = try seal()
        write(Array(records.prefix(min(count(records.count), records.count - 1))))
    }

    private func write(_ records: [StateRecord]) {
        stateTopic += records.map { StateTopicRecord(key: $0.key, value: $0.value, stamp: stamp) }
    }

    /// Forgets everything that is not in a topic and goes on from there.
    ///
    /// - Returns: how many records of each partition the lane has read, as of the last checkpoint.
    @discardableResult
    func crash(generation: Int32 = 0) throws -> [Int] {
        uncommitted = []
        detector = Detector(
            rules, options: options, tracking: StateTracking(topics: [Self.topic], longestValue: longestValue))
        let snapshot = snapshot()
        stamp = CheckpointStamp(
            epoch: snapshot.nextEpoch(generation: generation), number: snapshot.nextNumber - 1)
        let restoration = detector.restore(snapshot)
        let expected: Set<StateProblem> = [.torn, .zombie]
        #expect(expected.isSuperset(of: restoration.problems.counts.keys), "\(restoration.problems)")
        addSources()
        guard let marker = snapshot.marker else {
            log = log.map { _ in [] }
            return log.map(\.count)
        }
        for position in marker.positions {
            let source = sources[Int(position.partition)]
            for offset in Int(position.resume)..<Int(position.position) {
                let problem = log[Int(position.partition)][offset].withUnsafeBytes {
                    detector.replay($0, origin: origin(position.partition, offset), source: source)
                }
                #expect(problem == nil)
            }
            #expect(detector.endReplay(source) == 0)
            log[Int(position.partition)].removeSubrange(Int(position.position)...)
        }
        #expect(!detector.awaitsReplay)
        return log.map(\.count)
    }

    func snapshot() -> StateSnapshot {
        var log = StateLog(owner: .input)
        for record in stateTopic { log.read(key: record.key, value: record.value, stamp: record.stamp) }
        return log.finish()
    }

    /// Removes what a newer record of the same key makes superfluous, and tombstones, as the broker does.
    func compact() {
        var last: [[UInt8]: Int] = [:]
        for (place, record) in stateTopic.enumerated() { last[record.key] = place }
        stateTopic = stateTopic.enumerated().compactMap { place, record in
            last[record.key] == place && record.value != nil ? record : nil
        }
    }
}

extension EncodedAlert {
    /// What a consumer sees.
    var text: String { String(decoding: key + [0x20] + value, as: UTF8.self) }
}
