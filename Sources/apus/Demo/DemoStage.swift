import Detection
import Dispatch
import EventSchema
import Foundation
import KafkaClient
import Streaming
import Synchronization
import Traffic

/// The demo's cast: an embedded broker, two instances of Apus, a generator that writes events, and a
/// consumer that reads alerts, which know nothing of each other but the broker's address.
final class DemoStage: Sendable {
    static let eventTopic = "demo.events"
    static let alertTopic = "demo.alerts"
    static let deadLetterTopic = "demo.dead-letters"
    static let correlateTopic = "apus-demo.correlate"
    static let partitions = 6

    struct Stuck: Error, CustomStringConvertible {
        let description: String
    }

    private let plan: TrafficPlan
    private let rate: Int
    private let rules: CompiledRules
    private let show: DemoDisplay
    private let broker: EmbeddedBroker
    private let instances: [Pipeline]
    private let table: AssignmentTable
    /// Whether some rule correlates over partitions, for which the instances form a second group.
    private let correlates: Bool
    /// Where each woven event went, by its place in the traffic.
    private let places = Mutex<[Int: PartitionOffset]>([:])
    private let alerts = Mutex<[ReceivedAlert]>([])

    init(rules: CompiledRules, plan: TrafficPlan, rate: Int, show: DemoDisplay) throws {
        self.rules = rules
        self.plan = plan
        self.rate = rate
        self.show = show
        broker = try EmbeddedBroker(topics: [
            (Self.eventTopic, Self.partitions), (Self.alertTopic, 1), (Self.deadLetterTopic, 1),
            ("apus-demo.state", Self.partitions), (Self.correlateTopic, Self.partitions),
            ("apus-demo.correlate.state", Self.partitions),
        ])
        correlates =
            !rules.reasonsToForward(
                for: [InputKeying(topic: Self.eventTopic, key: .hostKey, partitions: Self.partitions)]
            ).isEmpty
        let assignments = AssignmentTable()
        let address = broker.bootstrapServers
        instances = (1...2).map { number in
            var options = PipelineOptions(
                application: "apus-demo",
                consumer: [
                    "bootstrap.servers": address, "auto.offset.reset": "earliest",
                    "partition.assignment.strategy": "cooperative-sticky",
                    // The embedded broker may take a joining member for two, and then waits for the one that does not
                    // exist until its session is over: 45 s by default, this long at least.
                    "session.timeout.ms": "6000", "heartbeat.interval.ms": "500",
                ],
                producer: ["bootstrap.servers": address, "linger.ms": "5"],
                inputs: [InputTopic(name: Self.eventTopic, key: .hostKey)],
                alertTopic: Self.alertTopic, deadLetterTopic: Self.deadLetterTopic)
            // The embedded broker takes transactional offset commits and does not keep them.
            options.delivery = .atLeastOnce
            options.checkpointInterval = .milliseconds(500)
            return Pipeline(
                rules: rules, options: options,
                observe: { event in
                    switch event {
                    case .assigned(let partitions): assignments.add(partitions, to: number)
                    case .revoked(let partitions, _): assignments.remove(partitions, from: number)
                    case .failed(let error): show.line("instance \(number): \(error)")
                    default: break
                    }
                })
        }
        table = assignments
    }

    // MARK: The play

    func play() async throws -> DemoOutcome {
        show.title(
            "Apus \(Engine.version): \(rules.rules.count) rules, broker at \(broker.bootstrapServers), "
                + "\(plan.events) events of \(plan.hostKeys.count) hosts at \(rate)/s")
        for instance in instances { try instance.start() }
        try await joinGroup()
        let reader = try AlertReader(broker: broker, topic: Self.alertTopic) { [self] alert in
            alerts.withLock { $0.append(alert) }
            show.alert(alert)
        }
        let started = ContinuousClock.now
        try await sendTraffic()
        let seen = try await untilEverythingIsRead()
        try await untilNothingIsOnItsWay()
        let elapsed = ContinuousClock.now - started
        for instance in instances where await !instance.stop(timeout: .seconds(20)) {
            throw Stuck(description: "an instance did not stop in time")
        }
        // Every alert was acknowledged before the instances stopped; the reader has only to catch up.
        try await reader.readToEnd(timeout: .seconds(20))
        reader.close()
        return DemoOutcome(
            plan: plan, rules: rules, events: seen.records, deadLetters: seen.deadLetters, elapsed: elapsed,
            shares: seen.shares, places: places.withLock { $0 }, alerts: alerts.withLock { $0 })
    }

    /// Both instances have their share before the first event, so that the sharing can be seen, and whatever is handed on to
    /// be correlated has somebody who waits for it.
    private func joinGroup() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !isJoined {
            guard ContinuousClock.now < deadline else {
                throw Stuck(description: "the two instances did not share the partitions within a minute")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        for (number, partitions) in table.shares(of: Self.eventTopic).sorted(by: { $0.key < $1.key }) {
            let list = partitions.map(\.partition).sorted().map(String.init).joined(separator: ", ")
            show.line("instance \(number) reads partitions \(list)")
        }
    }

    private var isJoined: Bool {
        let events = table.shares(of: Self.eventTopic)
        guard events.count == instances.count, events.values.joined().count == Self.partitions else { return false }
        return !correlates || table.shares(of: Self.correlateTopic).values.joined().count == Self.partitions
    }

    private func sendTraffic() async throws {
        let woven = Set(plan.behaviours.flatMap(\.events))
        let failure = Mutex<KafkaError?>(nil)
        let producer = try Producer(
            ["bootstrap.servers": broker.bootstrapServers, "linger.ms": "5"],
            controlQueue: DispatchQueue(label: "apus.demo.producer")
        ) { [self] event in
            guard case .delivered(let reports) = event else { return }
            for report in reports {
                if let error = report.error { failure.withLock { $0 = $0 ?? error } }
                guard woven.contains(Int(report.opaque)) else { continue }
                places.withLock {
                    $0[Int(report.opaque)] = PartitionOffset(
                        TopicPartition(Self.eventTopic, report.partition), report.offset)
                }
            }
        }
        let topic = try producer.topic(Self.eventTopic)
        var generator = TrafficGenerator(plan: plan)
        let started = ContinuousClock.now
        var sent = 0
        while sent < plan.events {
            let due = min(plan.events, Int((ContinuousClock.now - started).seconds * Double(rate)) + 1)
            while sent < due, let event = generator.next() {
                while case .queueFull = producer.send(
                    to: topic, key: Array(event.hostKey.utf8), value: event.bytes, opaque: UInt(sent))
                {
                    try await Task.sleep(for: .milliseconds(5))
                }
                sent += 1
            }
            let read = try await progress(sent: sent)
            // The embedded broker keeps about 5 MB per partition: do not run away from the readers.
            if sent - read > Self.partitions * 1500 { try await Task.sleep(for: .milliseconds(50)) }
            try await Task.sleep(for: .milliseconds(20))
        }
        try await Task.detached { try producer.close(timeout: .seconds(30)) }.value
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private struct Reading {
        var records = 0
        var deadLetters = 0
        var shares: [Int] = []
    }

    private func read() async throws -> Reading {
        var reading = Reading()
        for instance in instances {
            if let failure = instance.failure { throw failure }
            let snapshot = await instance.snapshot()
            let share = Int(snapshot.records)
            reading.records += share
            reading.deadLetters += Int(snapshot.deadLetters)
            reading.shares.append(share)
        }
        return reading
    }

    /// Waits until the lanes that correlate over partitions have taken all that was handed on to them, up to what the
    /// others say of how far they have come: they do so once a second.
    private func untilNothingIsOnItsWay() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        var taken: Int64 = -1
        var quietSince = ContinuousClock.now
        while ContinuousClock.now < deadline {
            var position: Int64 = 0
            var lag: Int64 = 0
            var isRestoring = false
            for instance in instances {
                for lane in await instance.snapshot().lanes where lane.topics != [Self.eventTopic] {
                    position += lane.sources.reduce(0) { $0 + ($1.position ?? 0) }
                    lag += lane.lag
                    isRestoring = isRestoring || lane.isRestoring
                }
            }
            if position != taken || lag > 0 || isRestoring || !isJoined { (taken, quietSince) = (position, .now) }
            if ContinuousClock.now - quietSince > .seconds(2) { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func progress(sent: Int) async throws -> Int {
        let reading = try await read()
        show.progress(
            sent: sent, of: plan.events, shares: reading.shares, alerts: alerts.withLock { $0.count })
        return reading.records
    }

    /// Waits until both instances have evaluated what was sent.
    private func untilEverythingIsRead() async throws -> Reading {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let reading = try await read()
            show.progress(
                sent: plan.events, of: plan.events, shares: reading.shares, alerts: alerts.withLock { $0.count })
            if reading.records >= plan.events { return reading }
            guard ContinuousClock.now < deadline else {
                throw Stuck(description: "only \(reading.records) of \(plan.events) events were read within a minute")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// Who reads what, as the instances report it.
final class AssignmentTable: Sendable {
    private let partitions = Mutex<[Int: Set<TopicPartition>]>([:])

    /// The partitions of a topic by instance; only of instances that have any.
    func shares(of topic: String) -> [Int: Set<TopicPartition>] {
        partitions.withLock { $0.mapValues { $0.filter { $0.topic == topic } } }.filter { !$0.value.isEmpty }
    }

    func add(_ new: [TopicPartition], to instance: Int) {
        partitions.withLock { $0[instance, default: []].formUnion(new) }
    }

    func remove(_ old: [TopicPartition], from instance: Int) {
        partitions.withLock { $0[instance, default: []].subtract(old) }
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

extension EventTime {
    static func now(minus seconds: Int) -> EventTime {
        EventTime(nanoseconds: Int64((Date().timeIntervalSince1970 - Double(seconds)) * 1e9))
    }
}
