import Dispatch
import TestSupport
import Testing

@testable import KafkaClient

@Suite(.timeLimit(.minutes(3)))
struct GroupTests {
    /// The group's whole life, in both rebalance protocols.
    @Test(arguments: ["range", "cooperative-sticky"])
    func aGroupSharesPartitionsAndTakesOverWhatAMemberLeaves(strategy: String) async throws {
        let broker = try EmbeddedBroker(topics: [("events", 4)])
        let settings: ClientProperties = [
            "partition.assignment.strategy": strategy, "heartbeat.interval.ms": "200",
            "topic.metadata.refresh.interval.ms": "1000",
        ]
        let writer = try Writer(broker)
        try writer.write(0..<400, to: "events", partitions: 4)

        let first = try Reader(broker, group: "shared", settings)
        try first.consumer.subscribe(to: ["events"])
        try await first.records.wait(count: 400)
        #expect(try first.consumer.assignment.count == 4)
        #expect(try first.consumer.memberID != nil)
        try first.commit()

        let second = try Reader(broker, group: "shared", settings)
        try second.consumer.subscribe(to: ["events"])
        try await second.notes.wait(for: "share of the partitions") { notes in
            notes.contains { if case .assigned(let partitions) = $0 { partitions.count == 2 } else { false } }
        }
        let shared = try second.consumer.assignment
        #expect(shared.count == 2)
        let revoked = try await first.notes.wait(for: "revocation") { notes in
            notes.contains { if case .revoked(_, isLost: false) = $0 { true } else { false } }
        }
        // Apache Kafka takes commits while a group rebalances eagerly; the embedded broker refuses them.
        #expect(revoked.compactMap(\.error).allSatisfy { $0.code == .rebalanceInProgress && $0.reaction == .dropLane })

        try writer.write(400..<800, to: "events", partitions: 4)
        try await second.records.wait(count: 200)
        // Starts where the first had stopped.
        #expect(second.records.elements.allSatisfy { $0.offset >= 100 && shared.contains($0.partition) })
        try await first.records.wait(count: 600)

        try second.commit()
        // The first leaves: its handler commits within the revocation, and the second goes on there.
        try await first.close()
        try writer.write(800..<1200, to: "events", partitions: 4)
        try await second.records.wait(count: 600)
        #expect(try second.consumer.assignment.count == 4)

        let all = first.records.elements + second.records.elements
        #expect(all.count == 1200)
        #expect(Set(all.map(\.text)) == Set((0..<1200).map(String.init)))

        let ours = try second.consumer.assignment
        try await second.close()
        let third = try Reader(broker, group: "shared", settings)
        let committed = try third.consumer.committed(ours, timeout: .seconds(10))
        #expect(committed == Dictionary(uniqueKeysWithValues: ours.map { ($0, Int64(300)) }))
        try await third.close()
    }

    /// An open transaction may yet move them. librdkafka by itself would start at the beginning when the assignment
    /// changes before it is known whether it does.
    @Test func unstableOffsetsAreWaitedForWhileTheAssignmentChanges() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1), ("more", 1)])
        let writer = try Writer(broker)
        try writer.write(0..<10, to: "events")
        let settings: ClientProperties = [
            "partition.assignment.strategy": "cooperative-sticky", "heartbeat.interval.ms": "200",
        ]
        let first = try Reader(broker, group: "unstable", settings)
        try first.consumer.subscribe(to: ["events"])
        try await first.records.wait(count: 10)
        try await first.close()
        try writer.write(10..<20, to: "events")
        try writer.write(0..<5, to: "more")

        broker.fail(.offsetFetch, with: Array(repeating: .unstableOffsetCommit, count: 60))
        let second = try Reader(broker, group: "unstable", settings)
        try second.consumer.subscribe(to: ["events"])
        try await eventually("membership", seconds: 30) { try second.consumer.assignment.count == 1 }
        try second.consumer.subscribe(to: ["events", "more"])
        try await second.records.wait(count: 15)
        let start = second.records.elements.first { $0.partition.topic == "events" }
        #expect(start?.offset == 10)
        #expect(second.records.elements.count == 15)
        try await second.close()
    }

    /// Whoever leaves does not wait for the answer.
    @Test func leavingDoesNotWaitForOffsets() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        broker.fail(.offsetFetch, with: Array(repeating: .unstableOffsetCommit, count: 1000))
        let reader = try Reader(broker, group: "leaving")
        try reader.consumer.subscribe(to: ["events"])
        try await eventually("membership", seconds: 30) { try reader.consumer.assignment.count == 1 }
        try await reader.close()
        #expect(!reader.notes.elements.contains { if case .assigned = $0 { true } else { false } })
    }

    @Test func whereToBeginWithoutACommitIsTheOwnersToSay() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 2)])
        try Writer(broker).write(0..<10, to: "events", partitions: 2)
        let reader = try Reader(
            broker, group: "fresh", startWithoutCommit: { $0.partition == 1 ? .beginning : .end })
        try reader.consumer.subscribe(to: ["events"])
        try await reader.notes.wait(for: "assignment") { notes in
            notes.contains { if case .assigned(let partitions) = $0 { partitions.count == 2 } else { false } }
        }
        try await reader.records.wait(count: 5)
        #expect(reader.records.elements.allSatisfy { $0.partition.partition == 1 })
        try await reader.close()
    }

    /// What fences a transaction's offsets.
    @Test func theGenerationIsThatOfTheMembership() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let reader = try Reader(broker, group: "generations")
        #expect(try reader.consumer.groupMetadata().generation == nil)
        try reader.consumer.subscribe(to: ["events"])
        try await reader.notes.wait(for: "assignment") { notes in
            notes.contains { if case .assigned = $0 { true } else { false } }
        }
        #expect(try reader.consumer.groupMetadata().generation ?? 0 >= 1)
        try await reader.close()
    }

    @Test func commitsAreConfirmedByID() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let partition = TopicPartition("events", 0)
        try Writer(broker).write(0..<10, to: "events")
        let reader = try Reader(broker, group: "confirmed")
        try reader.consumer.subscribe(to: ["events"])
        try await reader.records.wait(count: 10)

        #expect(try reader.consumer.committed([partition], timeout: .seconds(10)).isEmpty)
        try reader.consumer.commitLater([PartitionOffset(partition, 4)], id: 17)
        let notes = try await reader.notes.wait(for: "commit") { notes in
            notes.contains { if case .committed = $0 { true } else { false } }
        }
        guard case .committed(let result)? = notes.last else { throw KafkaError(.state, "confirm") }
        #expect(result.id == 17)
        #expect(result.error == nil)
        #expect(result.offsets == [PartitionOffset(partition, 4)])
        #expect(try reader.consumer.committed([partition], timeout: .seconds(10)) == [partition: 4])

        // A blocking commit's result goes to its caller alone.
        try reader.consumer.commit([PartitionOffset(partition, 5)])
        broker.fail(.offsetCommit, with: [.groupAuthorizationFailed])
        let refusal = #expect(throws: KafkaError.self) {
            try reader.consumer.commit([PartitionOffset(partition, 6)])
        }
        #expect(refusal?.code == .groupAuthorizationFailed)
        #expect(refusal?.reaction == .stop)
        #expect(try reader.consumer.committed([partition], timeout: .seconds(10)) == [partition: 5])
        #expect(reader.notes.elements.filter { if case .committed = $0 { true } else { false } }.count == 1)
        _ = try reader.consumer.groupMetadata()
        try await reader.close()
    }

    /// The lanes may take their time; nobody gets the partitions before.
    @Test func theGroupWaitsForTheRevocation() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let revocations = Recorder<Revocation>()
        let assigned = Recorder<Int>()
        let consumer = try Consumer(
            broker.properties, group: "patient", controlQueue: DispatchQueue(label: "control")
        ) { event in
            switch event {
            case .assigned(let queues): assigned.append(queues.count)
            case .revoked(let revocation): revocations.append(revocation)
            default: break
            }
        }
        try consumer.subscribe(to: ["events"])
        try await assigned.wait(count: 1)
        let closed = Recorder<Bool>()
        consumer.close { closed.append(true) }
        consumer.close { closed.append(true) }
        let revocation = try #require(try await revocations.wait(count: 1).first)
        #expect(revocation.partitions == [TopicPartition("events", 0)])
        #expect(!revocation.isLost)
        let rounds = consumer.controlRounds
        while consumer.controlRounds < rounds + 5 { await Task.yield() }
        #expect(closed.elements.isEmpty)
        // Still ours.
        try consumer.commit([PartitionOffset(TopicPartition("events", 0), 0)])
        revocation.finish()
        revocation.finish()
        try await closed.wait(count: 2)
        #expect(consumer.waitUntilClosed(timeout: .seconds(5)))
        #expect(consumer.assignment.isEmpty)
    }

    @Test(arguments: [KafkaErrorCode.unknownTopicOrPartition, .topicAuthorizationFailed])
    func aTopicThatCannotBeReadIsNamed(code: KafkaErrorCode) async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        broker.setError(code, ofTopic: "events")
        let reader = try Reader(broker, group: "lost")
        try reader.consumer.subscribe(to: ["events"])
        let notes = try await reader.notes.wait(for: "error") { $0.contains { $0.error?.code == code } }
        let error = try #require(notes.compactMap(\.error).first { $0.code == code })
        #expect(error.topic == "events")
        #expect(error.reaction == .stop)
        #expect(error.description.contains("--topic events"))
        try await reader.close()
    }

    /// librdkafka refuses to close what has failed for good, and would join again: a member that reads nothing.
    @Test func aFencedMemberStaysAway() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        broker.fail(.joinGroup, with: [.fencedInstance])
        let reader = try Reader(broker, group: "fenced", ["partition.assignment.strategy": "cooperative-sticky"])
        try reader.consumer.subscribe(to: ["events"])
        #expect(try reader.consumer.subscription == ["events"])
        try await reader.notes.wait(for: "fatal error") { $0.contains { $0.error?.isFatal == true } }
        let consumer = try reader.consumer
        try await reader.close()
        #expect(try consumer.subscription == [])
    }

    /// librdkafka waits for an answer to an assignment, also where the client is destroyed.
    @Test(arguments: ["range", "cooperative-sticky"], ["looking for its start", "reading"])
    func aConsumerThatIsDroppedEnds(strategy: String, moment: String) async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        if moment != "reading" { broker.fail(.offsetFetch, with: Array(repeating: .unstableOffsetCommit, count: 1000)) }
        let clients = Library.clients
        let reader = try Reader(broker, group: "dropped", ["partition.assignment.strategy": strategy])
        try reader.consumer.subscribe(to: ["events"])
        try await eventually("membership", seconds: 30) { try reader.consumer.assignment.count == 1 }
        if moment == "reading" {
            try await reader.notes.wait(for: "assignment") {
                $0.contains { if case .assigned = $0 { true } else { false } }
            }
        }
        reader.drop()
        try await eventually("the end of its client", seconds: 60) { Library.clients <= clients }
    }

    /// Whoever closes may let go at once: the consumer lives until it has left, and no longer.
    @Test func nothingIsKeptAfterClosing() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let closed = Recorder<Bool>()
        let released = Recorder<Bool>()
        do {
            let canary = Canary { released.append(true) }
            let consumer = try Consumer(
                broker.properties, group: "gone", controlQueue: DispatchQueue(label: "control")
            ) { _ in canary.sing() }
            try consumer.subscribe(to: ["events"])
            consumer.close { closed.append(true) }
        }
        try await closed.wait(count: 1)
        try await released.wait(count: 1)
    }

    private final class Canary: Sendable {
        let whenReleased: @Sendable () -> Void
        init(whenReleased: @escaping @Sendable () -> Void) { self.whenReleased = whenReleased }
        func sing() {}
        deinit { whenReleased() }
    }

    @Test func readingGoesOnAfterTheBrokerWasAway() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let writer = try Writer(broker, ["reconnect.backoff.max.ms": "200"])
        let reader = try Reader(broker, group: "away", ["reconnect.backoff.max.ms": "200"])
        for queue in try reader.consumer.assign([(TopicPartition("events", 0), .beginning)]) { reader.read(queue) }
        try writer.write(0..<10, to: "events")
        try await reader.records.wait(count: 10)

        try broker.takeDown()
        let errors = try await reader.notes.wait(for: "broken connection") { $0.contains { $0.error != nil } }
        #expect(errors.compactMap(\.error).allSatisfy { $0.reaction == .retry })
        let topic = try writer.producer.topic("events")
        for number in 10..<20 {
            _ = writer.producer.send(to: topic, key: nil, value: Array("\(number)".utf8), opaque: UInt(number))
        }
        #expect(throws: KafkaError.self) { try writer.producer.flush(timeout: .milliseconds(50)) }
        #expect(writer.producer.outstanding >= 10)

        try broker.bringUp()
        try writer.producer.flush(timeout: .seconds(30))
        let received = try await reader.records.wait(count: 20)
        #expect(received.map(\.text) == (0..<20).map(String.init))
        try await reader.close()
    }

    /// No records come, nobody consumes: only the control queue's own rounds keep the membership.
    @Test func anIdleMemberStays() async throws {
        let broker = try EmbeddedBroker(topics: [("events", 1)])
        let reader = try Reader(
            broker, group: "idle", ["max.poll.interval.ms": "6000", "heartbeat.interval.ms": "200"])
        try reader.consumer.subscribe(to: ["events"])
        try await reader.notes.wait(count: 1)
        let consumer = try reader.consumer
        // Eight rounds of 1 s pass the limit of 6 s.
        let rounds = consumer.controlRounds
        while consumer.controlRounds < rounds + 8 { try await Task.sleep(for: .milliseconds(100)) }
        #expect(reader.notes.elements.count == 1)
        #expect(consumer.assignment.count == 1)
        try await reader.close()
    }
}
