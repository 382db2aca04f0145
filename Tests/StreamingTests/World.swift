import Detection
import Dispatch
import EventSchema
import Foundation
import KafkaClient
import Streaming
import TestSupport

/// A process with a broker that keeps transactions (`ops/broker/broker.py`), a producer of events, and the records that
/// readers of committed ones see.
final class World: Sendable {
    private let broker: BrokerProcess
    let properties: ClientProperties
    let admin: Admin
    private let producer: Producer

    init(partitions: Int) async throws {
        broker = try await BrokerProcess([
            "--topic", "events:\(partitions)", "--topic", "alerts:1", "--topic", "dead-letters:1",
        ])
        properties = ["bootstrap.servers": broker.address]
        admin = try Admin(properties)
        producer = try Producer(
            properties.merging(["topic.metadata.refresh.interval.ms": "100"]),
            controlQueue: DispatchQueue(label: "writer")
        ) { _ in }
    }

    func write(_ values: [String], to topic: String = "events", partition: Int = 0) async throws {
        let topic = try producer.topic(topic)
        for value in values {
            // The producer, too, has to notice that a partition is there.
            try await eventually("a partition \(partition)") {
                let outcome = producer.send(
                    to: topic, partition: Int32(partition), key: nil, value: Array(value.utf8))
                return if case .queued = outcome { true } else { false }
            }
        }
        try producer.flush(timeout: .seconds(30))
    }

    /// To partition 0 of the state topic, as nobody should.
    func writeState(key: [UInt8], value: [UInt8]?, stamp: CheckpointStamp?) throws {
        let headers = stamp.map { [RecordHeader(CheckpointStamp.header, $0.bytes)] } ?? []
        try write(key: key, value: value, headers: headers, to: "apus.state")
    }

    /// To partition 0 of the correlate topic, as a lane of another instance does.
    func write(hit record: ForwardedRecord) throws {
        let header = RecordHeader(ForwardedRecord.header, record.hit)
        try write(key: record.key, value: record.value, headers: [header], to: "apus.correlate")
    }

    private func write(key: [UInt8], value: [UInt8]?, headers: [RecordHeader], to topic: String) throws {
        let outcome = producer.send(
            to: try producer.topic(topic), partition: 0, key: key, value: value, headers: headers)
        guard case .queued = outcome else { throw Stage.NotWritten(outcome: outcome) }
        try producer.flush(timeout: .seconds(30))
    }

    func alerts() throws -> TopicReader { try reader(of: "alerts") }

    /// Of partition 0.
    func reader(of topic: String) throws -> TopicReader { try TopicReader(properties, topic) }

    /// Commits another offset of partition 0 of the events while no instance is in the group, as an operator does.
    func moveGroup(to offset: Int64) async throws {
        let mover = try Consumer(properties, group: "apus", controlQueue: DispatchQueue(label: "mover")) { _ in }
        try mover.commit([PartitionOffset(TopicPartition("events", 0), offset)])
        await mover.close()
    }

    /// Of partition 0.
    func state() throws -> TopicReader { try reader(of: "apus.state") }

    func partitionCount(of topic: String) throws -> Int? {
        try admin.metadata(topic: topic, timeout: .seconds(10)).topic(topic)?.partitions.count
    }

    func instance(
        rules: [String] = [singleRule], _ adjust: (inout PipelineOptions) -> Void = { _ in }
    ) throws -> Instance {
        var options = PipelineOptions(
            application: "apus",
            consumer: properties.merging([
                "auto.offset.reset": "earliest", "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": "6000", "heartbeat.interval.ms": "200",
                "topic.metadata.refresh.interval.ms": "300",
            ]),
            producer: properties.merging(["linger.ms": "0"]), inputs: [InputTopic(name: "events", key: "host.id")],
            alertTopic: "alerts", deadLetterTopic: "dead-letters")
        options.createTopics = TopicCreation(partitions: 1, replicationFactor: 1)
        options.checkpointInterval = .milliseconds(50)
        options.drainTimeout = .seconds(10)
        options.cores = 2
        adjust(&options)
        let instance = try Instance(rules: rules, options: options)
        try instance.pipeline.start()
        return instance
    }

    func stop() { broker.process.signal(SIGKILL) }

    /// A member whose name survives its process: a crashed one comes back without waiting for its session to end.
    static func named(_ options: inout PipelineOptions) {
        options.consumer["group.instance.id"] = "one"
        options.instance = "one"
    }
}
