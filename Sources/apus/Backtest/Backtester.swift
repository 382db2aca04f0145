import Alerts
import Detection
import EventSchema
import Events
import Foundation
import KafkaClient
import Rules

/// Runs rule sets over stretches of topics, all over the same records.
///
/// One detector per rule set takes all partitions, so that correlation sees whatever production brings together. The
/// partitions are read in step by the time of their records: the reorder buffer then holds little more than the allowed
/// lateness, however unequal they are.
final class Backtester {
    private let reader: RangeReader
    private let detectors: [Detector]
    private let encoder: AlertEncoder
    private let topics: [TopicID]
    /// Per range: the detectors' numbers for it, and the time of its newest record.
    private var sources: [[Int]]
    private var newest: [Int64]
    private let batch = MessageBatch(capacity: 2000)
    private(set) var hits: [[BacktestHit]]

    init(_ rules: [CompiledRules], options: EvaluatorOptions, ranges: TopicRanges, reader: RangeReader) {
        self.reader = reader
        let names = ranges.topicNames
        topics = ranges.ranges.map { range in
            TopicID(rawValue: UInt16(names.firstIndex(of: range.partition.topic) ?? 0))
        }
        encoder = AlertEncoder(topics: names, engineVersion: Engine.version)
        detectors = rules.map { Detector($0, options: options) }
        hits = rules.map { _ in [] }
        newest = ranges.ranges.map { _ in .min }
        sources = []
        for (index, range) in ranges.ranges.enumerated() {
            sources.append(detectors.map { $0.addSource() })
            if range.isEmpty { finish(index) }
        }
    }

    var counters: EvaluatorCounters { detectors[0].counters }

    /// What the exceptions of each rule set left out.
    var exceptions: [[ExceptionCount]] { detectors.map { ExceptionCount.counts(of: $0) } }

    /// Records behind, gaps in the offsets included.
    var position: Int64 { reader.ranges.indices.reduce(0) { $0 + reader.position($1) } }

    /// Reads everything. `alert` gets each alert of the first rule set; `tick` is called now and then.
    func run(alert: (EncodedAlert) -> Void, tick: () -> Void) throws {
        while let range = slowest {
            try reader.read(range, into: batch) { message in
                newest[range] = max(newest[range], message.timestamp ?? newest[range])
                evaluate(message, range)
            }
            if reader.isDone(range) { finish(range) }
            for detector in detectors { detector.advance() }
            collect(alert)
            tick()
        }
        for detector in detectors { detector.finish() }
        collect(alert)
        tick()
    }

    /// The unfinished range whose records are the oldest.
    private var slowest: Int? {
        reader.ranges.indices.filter { !reader.isDone($0) }.min { newest[$0] < newest[$1] }
    }

    private func evaluate(_ message: MessageView, _ range: Int) {
        let origin = RecordOrigin(topic: topics[range], partition: message.partition, offset: message.offset)
        for (detector, source) in zip(detectors, sources[range]) {
            // What cannot be decoded is counted, and is a dead letter in production.
            _ = detector.process(
                message.value ?? UnsafeRawBufferPointer(start: nil, count: 0), origin: origin, source: source,
                recordTime: message.timestamp.flatMap { EventTime(milliseconds: $0) })
        }
    }

    /// A partition read to its end holds nobody back.
    private func finish(_ range: Int) {
        for (detector, source) in zip(detectors, sources[range]) { detector.removeSource(source) }
    }

    private func collect(_ alert: (EncodedAlert) -> Void) {
        for (set, detector) in detectors.enumerated() {
            for finding in detector.takeFindings() {
                hits[set].append(BacktestHit(finding))
                if set == 0, finding.rule.stage == .active { alert(encoder.encode(finding)) }
            }
        }
    }
}

/// What a backtest keeps of a finding.
struct BacktestHit {
    var ruleID: String
    /// Nil for a finding about no host.
    var host: String?
    var time: EventTime
    /// The records, which identify the finding apart from the rule's version.
    var evidence: [RecordOrigin]

    init(_ finding: Finding) {
        ruleID = finding.rule.id
        host = finding.hostKey?.value
        time = finding.evidence.map(\.timestamp).max() ?? EventTime(nanoseconds: 0)
        evidence = finding.evidence.map(\.origin)
    }

    /// The day in UTC, as `2026-11-24`.
    var day: String { String(time.description.prefix(10)) }
}
