import Alerts
import Correlation
import Detection
import EQL
import EventSchema
import Events
import Rules

/// From the bytes of a state topic to what rules remember.
///
/// Promises: whatever stands there, a detector takes up what it can use and goes on; and what it writes in its first
/// checkpoint mends the topic, so that the next detector takes up the same, without another problem that can be mended,
/// and both find the same from then on.
final class StateSubject: FuzzSubject {
    private static let files = [
        query(
            1, #"sequence by host.id with maxspan=1m [any where event.action == "a"] [any where event.action == "b"]"#),
        query(
            2,
            """
            sequence by host.id, ?user.name with maxspan=1m [any where event.action == "a"] ![any where event.action == "c"] \
            [any where event.action == "b"] with runs=2 until [any where event.action == "d"]
            """),
        query(3, #"sample by host.id with maxspan=1m [any where event.action == "a"] [any where event.action == "c"]"#),
        query(4, #"any where event.action == "b""#) + """

            [rule.alert_suppression]
            group_by = ["host.id"]
            duration = { value = 1, unit = "h" }
            """,
    ]

    private static func query(_ number: Int, _ text: String) -> String {
        """
        [rule]
        name = "Rule \(number)"
        rule_id = "00000000-0000-4000-8000-00000000000\(number)"
        description = "Is fuzzed."
        severity = "low"
        risk_score = 1
        type = "eql"
        query = '''
        \(text)
        '''
        """
    }

    private static func event(_ action: String, host: String, second: Int, user: String? = nil) -> [UInt8] {
        let user = user.map { #","user":{"name":"\#($0)"}"# } ?? ""
        return Array(
            #"{"@timestamp":\#(1_700_000_000_000 + second * 1000),"event":{"action":"\#(action)"},"host":{"id":"\#(host)"}\#(user)}"#
                .utf8)
    }

    private let rules: CompiledRules

    init() throws {
        let loader = RuleLoader(checker: .streaming)
        rules = try CompiledRules(RuleSet(Self.files.flatMap { loader.load(toml: $0, path: "rule.toml").rules.rules }))
        precondition(rules.rules.count == Self.files.count, "a rule of the fuzzer does not load")
    }

    private func detector() -> Detector {
        Detector(
            rules, options: EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000)),
            tracking: StateTracking(topics: ["events"], longestValue: 200))
    }

    func run(_ input: [UInt8]) -> String? {
        var log = StateLog(owner: .input)
        for record in FuzzedRecord.read(input) { log.read(record) }
        let found = log.finish()
        let first = detector()
        _ = first.restore(found)
        let stamp = CheckpointStamp(epoch: found.nextEpoch(generation: 1), number: found.nextNumber)
        let changes = first.takeStateChanges()
        guard let time = first.timeState else { return "no time" }
        let marker = CheckpointMarker(stamp: stamp, positions: found.marker?.positions ?? [], time: time)
        for record in changes + marker.records(of: .input) {
            log.read(key: record.key, value: record.value, stamp: stamp)
        }
        let mended = log.finish()
        guard mended.marker == marker else { return "the marker is not the one that was written" }
        let second = detector()
        let again = second.restore(mended)
        for problem in [StateProblem.torn, .unknownRule, .missingEvent] {
            if let count = again.problems.counts[problem] { return "still \(count) of \(problem)" }
        }
        guard (first.liveKeys, first.heldBytes) == (second.liveKeys, second.heldBytes) else {
            return """
                \(first.liveKeys) keys with \(first.heldBytes) bytes, then \(second.liveKeys) with \(second.heldBytes): \
                \(again.problems)
                """
        }
        let findings = [goOn(first), goOn(second)]
        return findings[0] == findings[1] ? nil : "other findings: \(findings)"
    }

    /// What follows finishes whatever can be finished.
    private func goOn(_ detector: Detector) -> [String] {
        let topic = TopicID(rawValue: 0)
        let source = detector.addSource(topic: topic, partition: 0)
        for offset in 0..<8 {
            let event = Self.event("a", host: "h1", second: offset)
            let origin = RecordOrigin(topic: topic, partition: 0, offset: Int64(offset))
            event.withUnsafeBytes { _ = detector.replay($0, origin: origin, source: source) }
        }
        _ = detector.endReplay(source)
        var offset: Int64 = 1000
        for (place, action) in ["c", "b", "b", "a", "b", "z"].enumerated() {
            for host in ["h1", "h2"] {
                let event = Self.event(action, host: host, second: place == 5 ? 500 : 20 + place, user: "ada")
                let origin = RecordOrigin(topic: topic, partition: 0, offset: offset)
                event.withUnsafeBytes { _ = detector.process($0, origin: origin, source: source, recordTime: nil) }
                offset += 1
            }
        }
        detector.advance()
        var findings = detector.takeFindings()
        detector.finish()
        findings += detector.takeFindings()
        return findings.map { finding in
            let evidence = finding.evidence.map { "\($0.stage):\($0.origin.partition)/\($0.origin.offset)" }
            return "\(finding.rule.id) \(evidence) \(finding.suppression?.count ?? 0)"
        }
    }

    /// What a lane writes while rules come to remember something, and the torn ends of it.
    static func seeds() throws -> [[UInt8]] {
        let subject = try StateSubject()
        let detector = subject.detector()
        let topic = TopicID(rawValue: 0)
        let source = detector.addSource(topic: topic, partition: 0)
        var records: [FuzzedRecord] = []
        var seeds: [[UInt8]] = []
        for (offset, action) in ["a", "a", "c", "b", "a", "z", "b", "a", "d", "a"].enumerated() {
            for host in ["h1", "h2"] {
                let event = event(action, host: host, second: offset, user: offset % 2 == 0 ? "ada" : nil)
                let origin = RecordOrigin(topic: topic, partition: 0, offset: Int64(records.count))
                event.withUnsafeBytes { _ = detector.process($0, origin: origin, source: source, recordTime: nil) }
            }
            detector.advance()
            _ = detector.takeFindings()
            let stamp = CheckpointStamp(epoch: Int64(1 + offset / 4), number: UInt64(1 + offset))
            let marker = CheckpointMarker(
                stamp: stamp,
                positions: [
                    .init(
                        topic: "events", partition: 0, position: Int64(offset), resume: Int64(offset), former: [-1, 1])
                ], time: detector.timeState ?? TimeState())
            let written = detector.takeStateChanges()
            records += (written + marker.records(of: .input)).map { FuzzedRecord($0, stamp) }
            if offset % 3 == 2 { seeds.append(records.flatMap(\.bytes)) }
            seeds.append((records.suffix(2).dropLast(offset % 2)).flatMap(\.bytes))
        }
        return seeds
    }

    static let words: [[UInt8]] = [
        [0], [1], [1, 0x69], [1, 0x69, 0x4B], [1, 0x69, 0x4D], [1, 0x69, 0x45], [1, 0x69, 0x53], [2, 0x69], [0x7F],
        [0x80],
        [0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0xFF, 0x7F],
        [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0, 1],
        [1, 2],
        Array("events".utf8), Array(#"{"host":{"id":"h1"}}"#.utf8), Array("h1".utf8),
    ]
}

/// A record of the state topic with the value of its header, as bytes that stand for it whatever they are.
private struct FuzzedRecord {
    var key: [UInt8]
    var value: [UInt8]?
    var header: [UInt8]

    init(_ record: StateRecord, _ stamp: CheckpointStamp) {
        key = record.key
        value = record.value
        header = stamp.bytes
    }

    /// Key, whether there is a value, value, header; each with its length before it.
    var bytes: [UInt8] {
        [key, value.map { [1] + $0 } ?? [0], header].flatMap { part in
            [UInt8(truncatingIfNeeded: part.count >> 8), UInt8(truncatingIfNeeded: part.count)] + part
        }
    }

    static func read(_ bytes: [UInt8]) -> [FuzzedRecord] {
        var rest = bytes[...]
        func part() -> [UInt8] {
            let size = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(2)
            defer { rest = rest.dropFirst(size) }
            return Array(rest.prefix(size))
        }
        var records: [FuzzedRecord] = []
        while !rest.isEmpty {
            let key = part()
            let value = part()
            var record = FuzzedRecord(
                StateRecord(key: key, value: value.first.map { $0 & 1 == 1 } == true ? Array(value.dropFirst()) : nil),
                CheckpointStamp(epoch: 0, number: 0))
            record.header = part()
            records.append(record)
        }
        return records
    }
}

extension StateLog {
    fileprivate mutating func read(_ record: FuzzedRecord) {
        read(
            key: record.key, value: record.value,
            stamp: record.header.withUnsafeBytes { CheckpointStamp($0) })
    }
}
