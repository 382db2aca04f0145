import Dispatch
import Glibc
import KafkaClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(3)))
struct RoundTripTests {
    @Test func recordsArriveAsTheyWereSent() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 2)])
        let writer = try Writer(broker)
        let topic = try writer.producer.topic("events")
        let sent: [(key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader], timestamp: Int64?)] = [
            ([1, 0, 255], Array("value".utf8), [RecordHeader("a", "1"), RecordHeader("a", "2")], 1_700_000_000_123),
            (nil, nil, [], 1),
            ([], [], [RecordHeader("none", nil), RecordHeader("empty", [])], nil),
        ]
        for (index, record) in sent.enumerated() {
            let outcome = writer.producer.send(
                to: topic, partition: 1, key: record.key, value: record.value, headers: record.headers,
                timestamp: record.timestamp, opaque: UInt(index))
            guard case .queued = outcome else { throw KafkaError(.state, "queue") }
        }
        try writer.producer.flush(timeout: .seconds(20))
        let reports = writer.reports.elements
        #expect(reports.map(\.opaque) == [0, 1, 2])
        #expect(reports.map(\.offset) == [0, 1, 2])
        #expect(reports.allSatisfy { $0.partition == 1 && $0.error == nil })
        #expect(writer.producer.outstanding == 0)

        let reader = try Reader(broker, group: "round-trip")
        let partition = TopicPartition("events", 1)
        for queue in try reader.consumer.assign([(partition, .beginning)]) { reader.read(queue) }
        let received = try await reader.records.wait(count: sent.count)
        for (record, sent) in zip(received, sent) {
            #expect(record.partition == partition)
            #expect(record.key == sent.key)
            #expect(record.value == sent.value)
            #expect(record.headers == sent.headers)
            if let timestamp = sent.timestamp { #expect(record.timestamp == timestamp) }
        }
        #expect(received.map(\.offset) == [0, 1, 2])
        #expect(try reader.consumer.position(partition) == 3)
        #expect(try reader.consumer.lag(partition) == 0)
        #expect(try reader.consumer.watermarks(partition, timeout: .seconds(10)) == Watermarks(low: 0, high: 3))
        try writer.producer.close(timeout: .seconds(10))
        try await reader.close()
    }

    /// The empty queue alone signals: what is there before activation must be seen nevertheless.
    @Test func messagesQueuedBeforeActivationAreSeen() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        try Writer(broker).write(0..<100, to: "events")
        let reader = try Reader(broker, group: "late")
        let queue = try #require(try reader.consumer.assign([(TopicPartition("events", 0), .beginning)]).first)
        while queue.waiting < 100 { usleep(1000) }
        reader.read(queue)
        let received = try await reader.records.wait(count: 100)
        #expect(received.map(\.text) == (0..<100).map(String.init))
        // From here on the signal alone must do.
        try Writer(broker).write(100..<200, to: "events")
        #expect(try await reader.records.wait(count: 200).map(\.text) == (0..<200).map(String.init))
        try await reader.close()
    }

    @Test func aDrainThatStopsMidwayLosesNothing() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        try Writer(broker).write(0..<500, to: "events")
        let reader = try Reader(broker, group: "slow")
        let queue = try #require(try reader.consumer.assign([(TopicPartition("events", 0), .beginning)]).first)
        let seen = Recorder<String>()
        let lane = DispatchQueue(label: "slow lane")
        try queue.activate(on: lane) {
            // Seven at a time, then others get their turn.
            let batch = MessageBatch(capacity: 50)
            guard let count = try? queue.consumeBatch(max: 7, into: batch), count > 0 else { return }
            #expect(count <= 7)
            seen.append(batch.map { String(decoding: $0.value ?? .init(start: nil, count: 0), as: UTF8.self) })
            queue.wake()
        }
        #expect(try await seen.wait(count: 500) == (0..<500).map(String.init))

        // Without a handler, messages wait; a new handler starts with them.
        queue.deactivate()
        try Writer(broker).write(500..<600, to: "events")
        reader.read(queue)
        #expect(try await reader.records.wait(count: 100).map(\.text) == (500..<600).map(String.init))
        try await reader.close()
    }

    @Test func aRetiredQueueStaysEmpty() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let partition = TopicPartition("events", 0)
        try Writer(broker).write(0..<10, to: "events")
        let reader = try Reader(broker, group: "again")
        let old = try #require(try reader.consumer.assign([(partition, .beginning)]).first)
        let new = try #require(try reader.consumer.assign([(partition, .at(5))]).first)
        reader.read(new)
        #expect(try await reader.records.wait(count: 5).map(\.offset) == [5, 6, 7, 8, 9])
        let batch = MessageBatch(capacity: 10)
        try Writer(broker).write(10..<20, to: "events")
        #expect(try old.consumeBatch(into: batch) == 0)
        #expect(try await reader.records.wait(count: 15).count == 15)
        try await reader.close()
    }

    @Test func endsOfPartitionsSeekAndPause() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let partition = TopicPartition("events", 0)
        let writer = try Writer(broker)
        try writer.write(0..<20, to: "events")
        let reader = try Reader(broker, group: "eof", ["enable.partition.eof": "true"])
        for queue in try reader.consumer.assign([(partition, .beginning)]) { reader.read(queue) }
        try await reader.notes.wait(for: "end of partition") { notes in
            notes.contains { if case .endOfPartition(partition, 20) = $0 { true } else { false } }
        }
        try reader.consumer.seek(partition, to: .at(15), timeout: .seconds(10))
        let received = try await reader.records.wait(count: 25)
        #expect(received.map(\.offset) == Array(0..<20) + [15, 16, 17, 18, 19])

        try reader.consumer.pause([partition])
        try writer.write(20..<25, to: "events")
        #expect(reader.records.elements.count == 25)
        try reader.consumer.resume([partition])
        #expect(try await reader.records.wait(count: 30).last?.offset == 24)
        try await reader.close()
    }

    @Test(.enabled(if: access("/usr/bin/kcat", X_OK) == 0, "kcat is not installed"))
    func anotherProcessReadsTheEmbeddedBroker() throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        try Writer(broker).write(0..<3, to: "events")
        let pipe = try #require(
            popen("/usr/bin/kcat -q -b \(broker.bootstrapServers) -t events -C -e -o beginning 2>&1", "r"))
        var output = ""
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), pipe) != nil {
            output += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        #expect(pclose(pipe) == 0)
        #expect(output == "0\n1\n2\n")
    }
}
