import Dispatch
import KafkaClient
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ProducerTests {
    @Test(arguments: [
        (KafkaErrorCode.messageTooLarge, Reaction.abortTransaction, "max.message.bytes"),
        (.topicAuthorizationFailed, .stop, "kafka-acls --add --topic events"),
    ])
    func aRefusedRecordIsReported(code: KafkaErrorCode, reaction: Reaction, advice: String) throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let writer = try Writer(broker)
        broker.fail(.produce, with: [code])
        try writer.write(7..<8, to: "events")
        let report = try #require(writer.reports.elements.first)
        let error = try #require(report.error)
        #expect(report.opaque == 7)
        #expect(report.offset < 0)
        #expect(error.code == code)
        #expect(error.reaction == reaction)
        #expect(error.topic == "events")
        #expect(error.description.contains(advice))
    }

    @Test func passingTroubleIsRetriedWithoutDuplicates() throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let writer = try Writer(broker, ["retry.backoff.ms": "10"])
        broker.fail(.produce, with: [.notLeader, .requestTimedOut, .transport])
        try writer.write(0..<10, to: "events")
        #expect(writer.reports.elements.map(\.opaque) == Array(0..<10))
        #expect(writer.reports.elements.allSatisfy { $0.error == nil })
        let watermarks = try Admin(broker.properties).watermarks(TopicPartition("events", 0), timeout: .seconds(10))
        #expect(watermarks == Watermarks(low: 0, high: 10))
    }

    @Test func aFullQueueSaysSoAndMakesRoomAgain() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let writer = try Writer(broker, ["queue.buffering.max.messages": "5"])
        try broker.takeDown()
        let topic = try writer.producer.topic("events")
        func send(_ number: UInt) -> SendOutcome {
            let headers = [RecordHeader("name", "value")]
            return writer.producer.send(
                to: topic, partition: 0, key: nil, value: [1], headers: headers, opaque: number)
        }
        for number in 0..<5 {
            guard case .queued = send(UInt(number)) else { throw KafkaError(.state, "queue") }
        }
        guard case .queueFull = send(5) else { throw KafkaError(.state, "fill the queue") }
        #expect(writer.producer.outstanding >= 5)

        writer.producer.purge()
        let reports = try await writer.reports.wait(count: 5)
        #expect(reports.allSatisfy { $0.error?.code == .purgedFromQueue })
        // A record has its place until its report is done with, a moment after it was handed on.
        try await eventually("room") { writer.producer.outstanding == 0 }
        guard case .queued = send(6) else { throw KafkaError(.state, "queue") }
        // Closing gives up what cannot be written, and reports it.
        let error = #expect(throws: KafkaError.self) { try writer.producer.close(timeout: .milliseconds(100)) }
        #expect(error?.code == .timedOut)
        #expect(writer.reports.elements.count == 6)
    }

    @Test func aRecordThatIsTooLargeForTheClientFailsAtOnce() throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let writer = try Writer(broker, ["message.max.bytes": "1000"])
        let topic = try writer.producer.topic("events")
        let outcome = writer.producer.send(to: topic, key: nil, value: [UInt8](repeating: 1, count: 2000))
        guard case .failed(let error) = outcome else { throw KafkaError(.state, "refuse") }
        #expect(error.code == .messageTooLarge)
        #expect(writer.producer.outstanding == 0)
    }

    /// murmur2("21") is -973932308 in Apache Kafka's own tests (UtilsTest.testMurmur2).
    @Test func keysChoosePartitionsLikeJava() throws {
        let broker = try EmbeddedBroker(topics: [("events", 7)])
        let writer = try Writer(broker)
        let topic = try writer.producer.topic("events")
        _ = writer.producer.send(to: topic, key: Array("21".utf8), value: [])
        try writer.producer.flush(timeout: .seconds(20))
        #expect(writer.reports.elements.first?.partition == Int32(-973_932_308 & 0x7fff_ffff) % 7)
    }

    @Test func transactionsBeginCommitAndAbort() throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let writer = try Writer(broker, ["transactional.id": "apus-1"])
        try writer.producer.initTransactions(timeout: .seconds(20))
        try writer.producer.beginTransaction()
        try writer.write(0..<3, to: "events")
        try writer.producer.commitTransaction(timeout: .seconds(20))

        try writer.producer.beginTransaction()
        let nested = #expect(throws: KafkaError.self) { try writer.producer.beginTransaction() }
        #expect(nested?.code == .state)
        broker.fail(.addPartitionsToTransaction, with: [.unknownServerError])
        try writer.write(3..<4, to: "events")
        #expect(writer.reports.elements.last?.error != nil)
        let error = #expect(throws: KafkaError.self) { try writer.producer.commitTransaction(timeout: .seconds(20)) }
        #expect(error?.reaction == .abortTransaction)
        try writer.producer.abortTransaction(timeout: .seconds(20))

        try writer.producer.beginTransaction()
        try writer.write(4..<5, to: "events")
        try writer.producer.commitTransaction(timeout: .seconds(20))
        #expect(writer.reports.elements.filter { $0.error == nil }.map(\.opaque) == [0, 1, 2, 4])
    }

    /// What the coordinator answers once another instance has taken the transactional id over.
    @Test func aFencedInstanceStartsOver() throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let old = try Writer(broker, ["transactional.id": "apus-1"])
        try old.producer.initTransactions(timeout: .seconds(20))
        try old.producer.beginTransaction()
        broker.fail(.endTransaction, with: [.producerFenced])
        try old.write(0..<1, to: "events")
        let error = #expect(throws: KafkaError.self) { try old.producer.commitTransaction(timeout: .seconds(20)) }
        #expect(error?.reaction == .rejoin)
        #expect(error?.isFatal == true)
        #expect(old.producer.fatalError?.reaction == .rejoin)
    }
}

@Suite(.timeLimit(.minutes(3)))
struct AdminTests {
    @Test func describesWithoutCreating() throws {
        let broker = try EmbeddedBroker(brokers: 2, topics: [("events", 3)])
        let admin = try Admin(broker.properties)
        let metadata = try admin.metadata(timeout: .seconds(10))
        #expect(metadata.brokers.count == 2)
        #expect(metadata.topics.map(\.name) == ["events"])
        #expect(metadata.topic("events")?.partitions.map(\.id).sorted() == [0, 1, 2])
        #expect(try admin.metadata(topic: "missing", timeout: .seconds(10)).topics.isEmpty)
        #expect(try admin.metadata(timeout: .seconds(10)).topics.map(\.name) == ["events"])
    }

    @Test func reportsTheErrorOfATopic() throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        broker.setError(.topicAuthorizationFailed, ofTopic: "events")
        let topic = try Admin(broker.properties).metadata(timeout: .seconds(10)).topic("events")
        #expect(topic?.error?.code == .topicAuthorizationFailed)
        #expect(topic?.error?.reaction == .stop)
    }

    @Test func anUnreachableBrokerIsNamedAndLogged() throws {
        let lines = Recorder<ClientLog>()
        let admin = try Admin(["bootstrap.servers": "127.0.0.1:1"], log: { lines.append($0) })
        let error = #expect(throws: KafkaError.self) { try admin.metadata(timeout: .milliseconds(500)) }
        #expect(error?.reaction == .retry)
        // By the name the setting has, which is not the client property's.
        #expect(error?.description.contains("Check kafka.brokers") == true)
        #expect(lines.elements.contains { $0.facility == "FAIL" && $0.message.contains("127.0.0.1:1") })
    }

    @Test func refusesImpossibleTopics() throws {
        let broker = try EmbeddedBroker()
        let admin = try Admin(broker.properties)
        let error = #expect(throws: KafkaError.self) {
            try admin.create([NewTopic("fine", partitions: 1), NewTopic("none", partitions: 0)], timeout: .seconds(1))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.topic == "none")
        #expect(try admin.create([], timeout: .seconds(1)).isEmpty)
    }
}
