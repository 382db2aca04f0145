import Alerts
import Correlation
import Detection
import EventSchema
import Events
import Foundation
import Rules
import TestSupport
import Testing

/// Correlations over several partitions: input lanes that hand stage hits on, and lanes that bring them together.
@Suite struct RoutingTests {
    private static let rules = [
        """
        sequence by user.name with maxspan=30s
          [process where event.action == "a"] [process where event.action == "b"] [process where event.action == "c"]
        """,
        """
        sequence with maxspan=20s
          [process where event.action == "a"] by user.name, host.id [process where event.action == "b"] by host.id, user.name
        """,
        """
        sequence by user.name with maxspan=30s
          [process where event.action == "a"] ![process where event.action == "c"] [process where event.action == "b"]
        """,
        """
        sequence by user.name with maxspan=30s
          [process where event.action == "a"] [process where event.action == "b"] until [process where event.action == "c"]
        """,
        """
        sequence with maxspan=5s [process where event.action == "a"] [process where event.action == "c"]
        """,
    ]

    private func compiled() throws -> CompiledRules {
        try CompiledRules(
            RuleSet(
                Self.rules.enumerated().map { number, query in
                    try rule(query, id: "8a4b1c52-0d0e-4c58-9d0b-00000000000\(number)")
                }))
    }

    private static func event(_ random: inout SeededRandom, at time: Int64) -> [UInt8] {
        func one(of names: [String]) -> String { names[Int(random.next() % UInt64(names.count))] }
        return Array(
            """
            {"@timestamp":\(time),"event":{"category":"process","action":"\(one(of: ["a", "b", "c", "x"]))"},\
            "host":{"id":"\(one(of: ["h1", "h2"]))"},"user":{"name":"\(one(of: ["u1", "u2", "u3"]))"}}
            """.utf8)
    }

    /// Whatever the order in which lanes read, write and are read: within the lateness the alerts are those of one
    /// detector that reads everything in order.
    @Test(arguments: 0..<60) func theLanesTogetherFindWhatOneFinds(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let lanes = 1 + Int(random.next() % 4)
        let correlateLanes = 1 + Int(random.next() % 3)
        let rules = try compiled()
        let spread = rules.spread(over: [InputKeying(topic: "events", key: nil, partitions: max(2, lanes))])
        #expect(spread.forwarded.count == Self.rules.count)
        let cluster = Cluster(spread, lanes: lanes, correlateLanes: correlateLanes)
        let single = Detector(rules, options: EvaluatorOptions(ordering: .sorted))
        let source = single.addSource()
        var offsets = [Int64](repeating: 0, count: lanes)
        var time: Int64 = 1_700_000_000_000
        for _ in 0..<300 {
            time += Int64(random.next() % 1000)
            // Disorder of at most a second; the lateness is two.
            let bytes = Self.event(&random, at: time - Int64(random.next() % 1000))
            let lane = Int(random.next() % UInt64(lanes))
            let origin = RecordOrigin(topic: TopicID(rawValue: 1), partition: Int32(lane), offset: offsets[lane])
            offsets[lane] += 1
            bytes.withUnsafeBytes { bytes in
                #expect(cluster.process(bytes, origin, lane: lane) == nil)
                #expect(single.process(bytes, origin: origin, source: source, recordTime: nil) == nil)
            }
            if random.next() % 5 == 0 { cluster.write(lane: Int(random.next() % UInt64(lanes))) }
            if random.next() % 7 == 0 { cluster.read(Int(random.next() % UInt64(correlateLanes))) }
        }
        expectSame(cluster, single)
        #expect(cluster.repeated == 0)
        #expect(cluster.findings.allSatisfy { $0.evidence.allSatisfy { $0.origin.topic == TopicID(rawValue: 1) } })
    }

    /// Ends both, and holds the lanes together to the alerts of one detector that has seen all in order, each once and none
    /// late.
    private func expectSame(_ cluster: Cluster, _ single: Detector) {
        cluster.finish()
        single.finish()
        let name = { (_: TopicID) in "events" }
        let expected = single.takeFindings().map { AlertID($0, topicName: name).description }
        #expect(!expected.isEmpty)
        #expect(cluster.findings.map { AlertID($0, topicName: name).description }.sorted() == expected.sorted())
        #expect(cluster.findings.allSatisfy { !$0.isLate })
    }

    /// With `at_least_once`: lanes crash when some of what they found is written, others take their place and begin where
    /// all was, and some of those that were replaced go on for a while, not knowing it.
    @Test(arguments: 0..<60) func lanesThatCrashOrLingerChangeNothing(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed) &+ 77)
        let lanes = 1 + Int(random.next() % 3)
        let correlateLanes = 1 + Int(random.next() % 3)
        let rules = try compiled()
        let spread = rules.spread(over: [InputKeying(topic: "events", key: nil, partitions: max(2, lanes))])
        let cluster = Cluster(spread, lanes: lanes, correlateLanes: correlateLanes)
        let single = Detector(rules, options: EvaluatorOptions(ordering: .sorted))
        let source = single.addSource()
        var logs = [[[UInt8]]](repeating: [], count: lanes)
        var read = [Int](repeating: 0, count: lanes)
        var committed = read
        var time: Int64 = 1_700_000_000_000

        func advance(_ lane: Int) {
            let origin = RecordOrigin(topic: TopicID(rawValue: 1), partition: Int32(lane), offset: Int64(read[lane]))
            logs[lane][read[lane]].withUnsafeBytes { #expect(cluster.process($0, origin, lane: lane) == nil) }
            read[lane] += 1
        }
        for _ in 0..<300 {
            time += Int64(random.next() % 1000)
            let lane = Int(random.next() % UInt64(lanes))
            logs[lane].append(Self.event(&random, at: time - Int64(random.next() % 1000)))
            let origin = RecordOrigin(
                topic: TopicID(rawValue: 1), partition: Int32(lane), offset: Int64(logs[lane].count - 1))
            logs[lane][logs[lane].count - 1].withUnsafeBytes {
                #expect(single.process($0, origin: origin, source: source, recordTime: nil) == nil)
            }
            advance(lane)
            // Also those that have been replaced, which are ahead of their successors.
            while read[lane] < logs[lane].count, random.next() % 3 > 0 { advance(lane) }
            switch random.next() % 24 {
            case 0..<5:
                let lane = Int(random.next() % UInt64(lanes))
                cluster.write(lane: lane)
                if random.next() % 2 == 0 { committed[lane] = read[lane] }
            case 5:
                cluster.replace(lane: lane, written: Int(random.next() % 8), lingers: random.next() % 2 == 0)
                read[lane] = committed[lane]
            case 6: cluster.writeOfTheReplaced()
            case 7..<11: cluster.read(Int(random.next() % UInt64(correlateLanes)))
            default: break
            }
        }
        for lane in 0..<lanes { while read[lane] < logs[lane].count { advance(lane) } }
        expectSame(cluster, single)
    }

    @Test func nothingMovesBeforeEveryLaneWasHeardOf() throws {
        let spread = try compiled().spread(over: [InputKeying(topic: "events", key: nil, partitions: 2)])
        let cluster = Cluster(spread, lanes: 2, correlateLanes: 1)
        cluster.send("a", at: 10, lane: 0, offset: 0)
        cluster.send("b", at: 11, lane: 0, offset: 1)
        cluster.send("x", at: 60, lane: 0, offset: 2)
        cluster.write(lane: 0)
        cluster.read(0)
        #expect(cluster.findings.isEmpty, "lane 1 may yet have an older event")
        cluster.send("x", at: 60, lane: 1, offset: 0)
        cluster.write(lane: 1)
        cluster.read(0)
        #expect(!cluster.findings.isEmpty)
    }

    @Test func aLaneWithNothingToReadIsNotWaitedFor() throws {
        let spread = try compiled().spread(over: [InputKeying(topic: "events", key: nil, partitions: 2)])
        let cluster = Cluster(spread, lanes: 2, correlateLanes: 1)
        for (offset, (action, second)) in [("a", 10), ("b", 11), ("x", 60)].enumerated() {
            cluster.send(action, at: second, lane: 0, offset: offset)
        }
        cluster.setIdle(lane: 1)
        cluster.write(lane: 0)
        cluster.write(lane: 1)
        cluster.read(0)
        #expect(!cluster.findings.isEmpty)
    }

    /// As after a crash with `at_least_once`: the same alerts come again, with the same ids, and no others.
    @Test(arguments: [
        "sequence by user.name with maxspan=1m [process where event.action == \"a\"] with runs=2",
        "sample by user.name with maxspan=1m [process where event.action == \"a\"] [process where event.action == \"a\"]",
    ])
    func whatIsHandedOnTwiceCountsOnce(query: String) throws {
        let rules = try CompiledRules(RuleSet([try rule(query)]))
            .spread(over: [InputKeying(topic: "events", key: nil, partitions: 2)])
        let cluster = Cluster(rules, lanes: 1, correlateLanes: 1)
        for _ in 0..<2 { cluster.send("a", at: 10, lane: 0, offset: 0) }
        cluster.write(lane: 0)
        cluster.finish()
        #expect(cluster.findings.isEmpty && cluster.repeated == 1)
        let other = Cluster(rules, lanes: 1, correlateLanes: 1)
        for offset in 0..<2 { other.send("a", at: 10 + offset, lane: 0, offset: offset) }
        other.finish()
        #expect(other.findings.count == 1)
    }

    /// Instances may run with different rules side by side: only hits of the very version of a rule that is handed on here
    /// are taken.
    @Test func hitsOfOtherRulesAreUnknown() throws {
        func rules(_ queries: [Character: String], key: FieldPath?) throws -> CompiledRules {
            try CompiledRules(
                RuleSet(
                    queries.map { try rule($1, id: "8a4b1c52-0d0e-4c58-9d0b-00000000000\($0)") })
            ).spread(over: [InputKeying(topic: "events", key: key, partitions: 2)])
        }
        let byUser = Self.rules[0]
        let byHost = byUser.replacingOccurrences(of: "user.name", with: "host.id")
        // The first correlates where it is read.
        let receiver = Detector(
            try rules(["1": byUser, "2": byHost], key: "user.name"),
            options: EvaluatorOptions(ordering: .stream(lateness: 0)),
            role: .correlate(lanes: TopicID(rawValue: 2), mayRepeat: false))
        let source = receiver.addCarrier(topic: TopicID(rawValue: 0), partition: 0)
        func take(hitOf query: String, as number: Character) throws -> [TakenForward] {
            let sender = Cluster(try rules([number: query], key: nil), lanes: 1, correlateLanes: 1)
            sender.send("a", at: 10, lane: 0, offset: 0)
            return sender.forwards(lane: 0).map { record in
                record.hit.withUnsafeBytes { hit in
                    record.value.withUnsafeBytes { value in
                        receiver.take(
                            value, hit: hit,
                            carrier: RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: 0),
                            source: source, topics: Cluster.topics)
                    }
                }
            }
        }
        #expect(try take(hitOf: byHost, as: "2") == [.taken])
        #expect(try take(hitOf: byHost.replacingOccurrences(of: "30s", with: "31s"), as: "2") == [.unknown])
        #expect(try take(hitOf: byHost, as: "3") == [.unknown])
        #expect(try take(hitOf: byUser, as: "1") == [.unknown])
    }

    /// Whoever reads the topic sees what the program did not write, too.
    @Test(arguments: 0..<200) func anyHeaderIsTakenOrRefused(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let spread = try compiled().spread(over: [InputKeying(topic: "events", key: nil, partitions: 2)])
        let cluster = Cluster(spread, lanes: 1, correlateLanes: 1)
        let bytes = Self.event(&random, at: 1_700_000_000_000)
        bytes.withUnsafeBytes {
            let origin = RecordOrigin(topic: TopicID(rawValue: 1), partition: 0, offset: 0)
            #expect(cluster.process($0, origin, lane: 0) == nil)
        }
        let receiver = Detector(
            spread, options: EvaluatorOptions(ordering: .stream(lateness: 0)),
            role: .correlate(lanes: TopicID(rawValue: 2), mayRepeat: true))
        let source = receiver.addCarrier(topic: TopicID(rawValue: 0), partition: 0)
        var headers = cluster.forwards(lane: 0).map(\.hit)
        headers.append(cluster.watermark(lane: 0))
        for var header in headers {
            for _ in 0..<(1 + random.next() % 4) {
                let place = Int(random.next() % UInt64(header.count))
                header[place] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 3 == 0 { header.removeLast(Int(random.next() % UInt64(header.count))) }
            header.withUnsafeBytes { header in
                bytes.withUnsafeBytes { bytes in
                    let carrier = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: 0)
                    _ = receiver.take(
                        bytes, hit: header, carrier: carrier, source: source, topics: Cluster.topics)
                    _ = receiver.note(watermark: header)
                }
            }
        }
        receiver.advance()
        receiver.finish()
        _ = receiver.takeFindings()
    }
}

/// Input lanes, correlate lanes and the topic between them, in memory.
private final class Cluster {
    static let topics = ["app.correlate", "events", "input lanes"]

    private enum Record {
        case hit(ForwardedRecord)
        case watermark([UInt8])
    }

    private let make: () -> Detector
    private var inputs: [Detector]
    private var sources: [Int]
    private var generations: [Int32]
    /// Lanes that do not know that others have taken their place.
    private var replaced: [(lane: Int, detector: Detector, generation: Int32)] = []
    private let correlators: [Detector]
    private let carriers: [Int]
    private var log: [[Record]]
    private var positions: [Int]
    private(set) var findings: [Finding] = []
    /// Hits that had been handed on before.
    private(set) var repeated = 0

    init(_ rules: CompiledRules, lanes: Int, correlateLanes: Int) {
        let options = EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000))
        make = { Detector(rules, options: options) }
        inputs = (0..<lanes).map { _ in Detector(rules, options: options) }
        generations = inputs.map { _ in 1 }
        sources = inputs.enumerated().map { $1.addSource(topic: TopicID(rawValue: 1), partition: Int32($0)) }
        correlators = (0..<correlateLanes).map { _ in
            Detector(rules, options: options, role: .correlate(lanes: TopicID(rawValue: 2), mayRepeat: true))
        }
        carriers = correlators.enumerated().map { $1.addCarrier(topic: TopicID(rawValue: 0), partition: Int32($0)) }
        log = Array(repeating: [], count: correlateLanes)
        positions = Array(repeating: 0, count: correlateLanes)
    }

    func process(_ bytes: UnsafeRawBufferPointer, _ origin: RecordOrigin, lane: Int) -> DecodeFailure? {
        inputs[lane].process(bytes, origin: origin, source: sources[lane], recordTime: nil)
    }

    /// An event of one user and host.
    func send(_ action: String, at second: Int, lane: Int, offset: Int) {
        let json = """
            {"@timestamp":\(second * 1000),"event":{"category":"process","action":"\(action)"},\
            "host":{"id":"h"},"user":{"name":"u"}}
            """
        Array(json.utf8).withUnsafeBytes {
            let origin = RecordOrigin(topic: TopicID(rawValue: 1), partition: Int32(lane), offset: Int64(offset))
            #expect(process($0, origin, lane: lane) == nil)
        }
    }

    func setIdle(lane: Int) { inputs[lane].setIdle(sources[lane]) }

    func forwards(lane: Int) -> [ForwardedRecord] { inputs[lane].takeForwards(topics: Self.topics) }

    func watermark(lane: Int) -> [UInt8] { watermark(lane, inputs[lane], generations[lane]) }

    private func watermark(_ lane: Int, _ detector: Detector, _ generation: Int32) -> [UInt8] {
        detector.laneWatermark(lane: Int32(lane), lanes: inputs.count, generation: generation)
    }

    /// Writes what a lane has found, then how far it has come.
    func write(lane: Int) { write(lane, inputs[lane], generations[lane]) }

    private func write(_ lane: Int, _ detector: Detector, _ generation: Int32, most: Int = .max) {
        detector.advance()
        #expect(detector.takeFindings().isEmpty)
        for record in detector.takeForwards(topics: Self.topics).prefix(most) {
            let partition = record.key.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % correlators.count
            log[partition].append(.hit(record))
        }
        guard most == .max else { return }
        for partition in log.indices { log[partition].append(.watermark(watermark(lane, detector, generation))) }
    }

    /// Another lane takes the place of this one, which crashes when so many of its hits are written, or goes on.
    func replace(lane: Int, written: Int, lingers: Bool) {
        if lingers {
            replaced.append((lane, inputs[lane], generations[lane]))
        } else {
            write(lane, inputs[lane], generations[lane], most: written)
        }
        inputs[lane] = make()
        sources[lane] = inputs[lane].addSource(topic: TopicID(rawValue: 1), partition: Int32(lane))
        generations[lane] += 1
        for partition in log.indices { log[partition].append(.watermark(watermark(lane: lane))) }
    }

    /// Those that were replaced write what they have, and that they have nothing more to read.
    func writeOfTheReplaced() {
        for (lane, detector, generation) in replaced {
            detector.setIdle(0)
            write(lane, detector, generation)
        }
        replaced = []
    }

    func read(_ partition: Int) {
        let correlator = correlators[partition]
        while positions[partition] < log[partition].count {
            let carrier = RecordOrigin(
                topic: TopicID(rawValue: 0), partition: Int32(partition), offset: Int64(positions[partition]))
            switch log[partition][positions[partition]] {
            case .hit(let record):
                let taken = record.value.withUnsafeBytes { value in
                    record.hit.withUnsafeBytes {
                        correlator.take(
                            value, hit: $0, carrier: carrier, source: carriers[partition], topics: Self.topics)
                    }
                }
                #expect(taken == .taken || taken == .repeated)
                if taken == .repeated { repeated += 1 }
            case .watermark(let bytes):
                #expect(bytes.withUnsafeBytes { correlator.note(watermark: $0) } != .corrupt)
            }
            positions[partition] += 1
        }
        correlator.advance()
        findings += correlator.takeFindings()
    }

    func finish() {
        for lane in inputs.indices { write(lane: lane) }
        for partition in correlators.indices {
            read(partition)
            correlators[partition].finish()
            findings += correlators[partition].takeFindings()
        }
    }
}
