import CFloors
import Detection
import Dispatch
import Foundation
import KafkaClient
import Streaming
import Synchronization

/// A pipeline that reads a full topic, beside a plain consumer that reads it to nowhere.
///
/// The embedded broker answers from the same process and takes its share of the cores in both.
struct BrokerWorkload {
    private static let topic = "bench.events"
    private static let timeout = 120.0

    let rules: BenchRules
    let corpora: Corpora
    let scale: Scale

    struct Stuck: Error, CustomStringConvertible {
        let description: String
    }

    func run(_ report: Report) async throws {
        let broker = try EmbeddedBroker(topics: [
            (Self.topic, scale.partitions), ("bench.alerts", 1), ("bench.dead-letters", 1),
        ])
        // 4 MB a partition, below the 5 MB at which the broker begins to forget.
        let perPartition = 4_000_000 / (corpora.kilobyte.payloadBytes / corpora.kilobyte.count)
        let bytes = try await fill(broker, perPartition: perPartition)
        let events = perPartition * scale.partitions
        var floors: [Double] = []
        var runs: [Double] = []
        for run in 0..<min(scale.runs, 5) {
            var seconds = 0.0
            guard
                apus_floor_consume(
                    broker.bootstrapServers, Self.topic, Int32(scale.partitions), UInt64(events),
                    Int32(Self.timeout * 1000), &seconds) == 1
            else { throw Stuck(description: "the floor's consumer did not read all events") }
            floors.append(seconds * 1e9)
            runs.append(try await pipeline(broker, events: events, run: run))
        }
        let floor = Figure("floor: librdkafka consumer", events: events, bytes: bytes, runs: floors)
        report.add(floor)
        report.add(Figure("pipeline, seed rule, 1 KB", events: events, bytes: bytes, runs: runs).over(floor))
    }

    /// Writes the records of the corpus to every partition, over again if they are few.
    private func fill(_ broker: EmbeddedBroker, perPartition: Int) async throws -> Int {
        let producer = try Producer(
            ["bootstrap.servers": broker.bootstrapServers, "linger.ms": "20"],
            controlQueue: DispatchQueue(label: "apus.bench.producer"), events: { _ in })
        let topic = try producer.topic(Self.topic)
        var bytes = 0
        for index in 0..<perPartition {
            let record = Array(corpora.kilobyte.bytes[corpora.kilobyte.records[index % corpora.kilobyte.count]])
            for partition in 0..<scale.partitions {
                bytes += record.count
                while case .queueFull = producer.send(
                    to: topic, partition: Int32(partition), key: nil, value: record)
                { try await Task.sleep(for: .milliseconds(5)) }
            }
        }
        try await Task.detached { try producer.close(timeout: .seconds(60)) }.value
        return bytes
    }

    /// Nanoseconds from the first record to the last.
    private func pipeline(_ broker: EmbeddedBroker, events: Int, run: Int) async throws -> Double {
        var options = PipelineOptions(
            application: "apus-bench-\(run)",
            consumer: ["bootstrap.servers": broker.bootstrapServers, "auto.offset.reset": "earliest"],
            producer: ["bootstrap.servers": broker.bootstrapServers],
            inputs: [InputTopic(name: Self.topic)], alertTopic: "bench.alerts", deadLetterTopic: "bench.dead-letters")
        // The embedded broker does not keep transactional offset commits.
        options.delivery = .atLeastOnce
        let pipeline = Pipeline(rules: rules.seed, options: options)
        try pipeline.start()
        let deadline = ContinuousClock.now + .seconds(Self.timeout)
        var first: ContinuousClock.Instant?
        while true {
            if let failure = pipeline.failure { throw failure }
            let records = await pipeline.snapshot().records
            if records > 0, first == nil { first = .now }
            if records >= UInt64(events) { break }
            guard ContinuousClock.now < deadline else {
                throw Stuck(description: "the pipeline read \(records) of \(events) events")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        let elapsed = first.map { ContinuousClock.now - $0 } ?? .zero
        guard await pipeline.stop(timeout: .seconds(20)) else { throw Stuck(description: "the pipeline did not stop") }
        return seconds(elapsed) * 1e9
    }
}
