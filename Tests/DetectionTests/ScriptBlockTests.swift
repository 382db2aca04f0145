import Alerts
import Correlation
import Detection
import EQL
import EventSchema
import Events
import Foundation
import Rules
import Testing

@Suite("Script blocks in parts")
struct ScriptBlockTests {
    /// Both names of its condition lie in different parts, and a third across two of them.
    private static let query = """
        process where event.code == "4104" and
          powershell.file.script_block_text like "*Invoke-SelfSearch*MailboxExportRequest*"
        """
    private static let texts = ["function Invoke-Self", "Search { New-Mailbox", "ExportRequest }"]

    private static func part(
        _ number: Int, of total: Int = 3, text: String? = nil, block: String = "b-1", host: String = "h-1",
        second: Int = 0
    ) -> String {
        let text = text ?? texts[number - 1]
        return """
            {"@timestamp":"2026-11-24T09:00:\(second < 10 ? "0" : "")\(second).\(100 * number)Z","event":{"category":["process"],\
            "type":["info"],"code":"4104"},"host":{"id":"\(host)"},"powershell":{"sequence":\(number),"total":\(total),\
            "file":{"script_block_id":"\(block)","script_block_text":"\(text)"}}}
            """
    }

    /// Moves time on: an event that matches nothing.
    private static func tick(_ second: Int) -> String {
        #"{"@timestamp":"2026-11-24T09:\#(second / 60 < 10 ? "0" : "")\#(second / 60):\#(second % 60 < 10 ? "0" : "")\#(second % 60)Z","event.category":"host"}"#
    }

    @Test(
        "In any order of arrival they are one event",
        arguments: [
            [1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1],
        ])
    func anyOrder(_ order: [Int]) throws {
        let lane = try Lane(RuleSet([try rule(Self.query)]))
        // Offsets by number of the part, so that the order of arrival is the only difference.
        for number in order { lane.send(Self.part(number), offset: Int64(number)) }
        #expect(lane.findings().isEmpty)
        lane.send(Self.tick(10))
        let findings = lane.findings()
        #expect(findings.map(\.offsets) == [[1]])
        let evidence = try #require(findings.first?.evidence.first)
        let original = try #require(
            try JSONSerialization.jsonObject(with: Data(evidence.original)) as? [String: Any])
        let block = try #require((original["apus"] as? [String: Any])?["script_block"] as? [String: Any])
        #expect(block["text"] as? String == Self.texts.joined())
        #expect(block["complete"] as? Bool == true)
        let parts = try #require(block["parts"] as? [[String: Int]])
        #expect(parts.map { $0["offset"] } == [1, 2, 3] && parts.map { $0["sequence"] } == [1, 2, 3])
        // What the first part said itself is still there.
        #expect((original["host"] as? [String: Any])?["id"] as? String == "h-1")
        #expect(lane.detector.counters.scriptBlocks.complete == 1)
    }

    @Test func wholeBlocksDoNotWait() throws {
        let lane = try Lane(RuleSet([try rule(Self.query)]))
        lane.send(Self.part(1, of: 1, text: Self.texts.joined()))
        #expect(lane.findings().count == 1)
    }

    @Test func blocksOfTwoHostsAreTwo() throws {
        let lane = try Lane(RuleSet([try rule(Self.query)]))
        for (number, host) in [(1, "h-1"), (2, "h-2"), (3, "h-1")] { lane.send(Self.part(number, host: host)) }
        #expect(lane.finish().isEmpty)
        #expect(lane.detector.counters.scriptBlocks.incomplete == 2)
    }

    @Test func aRepeatedPartChangesNothing() throws {
        let lane = try Lane(RuleSet([try rule(Self.query)]))
        for number in [1, 2, 2, 1, 3] { lane.send(Self.part(number)) }
        #expect(lane.finish().count == 1)
    }

    /// As far as it came, after its time, once.
    @Test func anIncompleteBlockIsMatchedAsFarAsItCame() throws {
        let text = "process where powershell.file.script_block_text like \"*SelfSearch { New*\""
        let lane = try Lane(RuleSet([try rule(text)]))
        for number in 1...2 { lane.send(Self.part(number)) }
        lane.send(Self.tick(20))
        #expect(lane.findings().isEmpty)
        #expect(lane.detector.oldestHeldOffset(topic: TopicID(rawValue: 0), partition: 0) == 0)
        lane.send(Self.tick(40))
        #expect(lane.findings().map(\.offsets) == [[0]])
        #expect(lane.detector.counters.scriptBlocks.incomplete == 1)
        #expect(lane.detector.oldestHeldOffset(topic: TopicID(rawValue: 0), partition: 0) == nil)
        #expect(lane.finish().isEmpty)
    }

    @Test func tooManyBlocksPushTheOldestOn() throws {
        let text = "process where powershell.file.script_block_text like \"*Invoke-Self*\""
        let lane = try Lane(
            RuleSet([try rule(text)]), options: options(scriptBlocks: ScriptBlockLimits(blocks: 2)))
        for block in 0..<5 { lane.send(Self.part(1, block: "b-\(block)")) }
        #expect(lane.findings().count == 3)
        #expect(lane.detector.counters.scriptBlocks.evicted == 3)
        #expect(lane.detector.counters.scriptBlocks.waiting == 2)
        #expect(lane.detector.counters.scriptBlocks.held > 0)
        #expect(lane.finish().count == 2)
        let counters = lane.detector.counters.scriptBlocks
        #expect((counters.complete, counters.incomplete, counters.evicted) == (0, 2, 3))
        #expect((counters.waiting, counters.held) == (0, 0))
    }

    @Test func tooManyBytesPushTheOldestOn() throws {
        let text = "process where powershell.file.script_block_text like \"*Invoke-Self*\""
        let bytes = 2 * (Self.part(1).utf8.count + Self.texts[0].utf8.count)
        let lane = try Lane(
            RuleSet([try rule(text)]), options: options(scriptBlocks: ScriptBlockLimits(bytes: bytes)))
        for block in 0..<3 { lane.send(Self.part(1, block: "b-\(block)")) }
        #expect(lane.findings().count == 1)
        #expect(lane.detector.counters.scriptBlocks.evicted == 1)
        #expect(lane.detector.counters.scriptBlocks.held == bytes)
    }

    @Test func blocksOfTooManyPartsAreMatchedPartByPart() throws {
        let text = "process where powershell.file.script_block_text like \"*Invoke-Self*\""
        let lane = try Lane(RuleSet([try rule(text)]), options: options(scriptBlocks: ScriptBlockLimits(parts: 2)))
        for number in 1...3 { lane.send(Self.part(number)) }
        #expect(lane.findings().map(\.offsets) == [[0]])
        #expect(lane.detector.counters.scriptBlocks.alone == 3)
        #expect(lane.detector.counters.scriptBlocks.parts == 0)
    }

    /// In a sequence the block stands where its first part happened.
    @Test func inASequence() throws {
        let text = """
            sequence by host.id with maxspan=1m
              [process where powershell.file.script_block_text like "*Invoke-SelfSearch*"]
              [network where true]
            """
        let connection = #"{"@timestamp":"2026-11-24T09:00:01Z","event":{"category":"network"},"host":{"id":"h-1"}}"#
        let lane = try Lane(RuleSet([try rule(text)]))
        lane.send(connection, offset: 10)
        for number in [3, 1, 2] { lane.send(Self.part(number), offset: Int64(number)) }
        lane.send(Self.tick(10))
        #expect(lane.findings().map(\.offsets) == [[1, 10]])
    }

    /// A text that would make the record too large, or is longer than allowed, is cut, and the block still takes part.
    @Test(arguments: [(ScriptBlockLimits(), 4096), (ScriptBlockLimits(text: 1024), 1 << 20)])
    func aLongTextIsCut(limits: ScriptBlockLimits, recordBytes: Int) throws {
        let text = "process where powershell.file.script_block_text like \"*Invoke-Self*\""
        let lane = try Lane(
            RuleSet([try rule(text)]), options: options(scriptBlocks: limits, recordBytes: recordBytes))
        for number in 1...3 {
            let long = (number == 1 ? "Invoke-Self" : "é\\n") + String(repeating: "é\\u0001", count: 240)
            lane.send(Self.part(number, text: long))
        }
        #expect(lane.finish().count == 1)
        #expect(lane.detector.counters.scriptBlocks.cut == 1)
    }

    /// Stopped and taken up again after any record, with what the state holds: the findings are those of a lane that was
    /// never stopped, none twice.
    @Test("A restart loses nothing and doubles nothing", arguments: 0...7)
    func restart(after cut: Int) throws {
        let text = """
            sequence by host.id with maxspan=1m
              [process where powershell.file.script_block_text like "*Invoke-SelfSearch*"]
              [network where true]
            """
        let rules = RuleSet([
            try rule(Self.query), try rule(text, id: "8a4b1c52-0d0e-4c58-9d0b-000000000002"),
        ])
        let connection = #"{"@timestamp":"2026-11-24T09:00:01Z","event":{"category":"network"},"host":{"id":"h-1"}}"#
        let records = [
            Self.tick(0), Self.part(2), connection, Self.part(3), Self.part(1), Self.tick(2), Self.tick(30),
            Self.tick(90),
        ]
        let whole = try TrackedLane(rules)
        whole.read(records, 0..<records.count)
        let expected = whole.found
        #expect(expected.count == 2)

        let first = try TrackedLane(rules)
        first.read(records, 0..<cut)
        let (snapshot, resume) = first.checkpoint(position: Int64(cut))
        let second = try TrackedLane(rules, restoring: snapshot)
        for offset in Int(resume)..<cut { second.replay(records[offset], offset) }
        second.endReplay()
        second.read(records, cut..<records.count)
        #expect((first.found + second.found).sorted() == expected.sorted(), "after \(cut)")
    }
}

private func options(
    scriptBlocks: ScriptBlockLimits = ScriptBlockLimits(), recordBytes: Int = 1 << 20
) -> EvaluatorOptions {
    var options = EvaluatorOptions(
        ordering: .stream(lateness: 2 * Lane.second), decodeLimits: DecodeLimits(bytes: recordBytes))
    options.scriptBlocks = scriptBlocks
    return options
}

extension Lane {
    func send(_ json: String, offset: Int64) {
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: offset)
        _ = Array(json.utf8).withUnsafeBytes {
            detector.process($0, origin: origin, source: source, recordTime: nil)
        }
    }
}

/// A lane whose state is kept.
private final class TrackedLane {
    private let detector: Detector
    private let source: Int
    private(set) var found: [String] = []

    init(_ rules: RuleSet, restoring snapshot: StateSnapshot? = nil) throws {
        detector = Detector(
            try CompiledRules(rules), options: EvaluatorOptions(ordering: .stream(lateness: 2_000_000_000)),
            tracking: StateTracking(topics: ["events"]))
        if let snapshot { _ = detector.restore(snapshot) }
        source = detector.addSource(topic: TopicID(rawValue: 0), partition: 0)
    }

    private func origin(_ offset: Int) -> RecordOrigin {
        RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(offset))
    }

    func read(_ records: [String], _ range: Range<Int>) {
        for offset in range {
            _ = Array(records[offset].utf8).withUnsafeBytes {
                detector.process($0, origin: origin(offset), source: source, recordTime: nil)
            }
            detector.advance()
            found += detector.takeFindings().map { "\($0.rule.id) \($0.offsets) \($0.id)" }
        }
    }

    func replay(_ record: String, _ offset: Int) {
        _ = Array(record.utf8).withUnsafeBytes { detector.replay($0, origin: origin(offset), source: source) }
    }

    func endReplay() { #expect(detector.endReplay(source) == 0) }

    func checkpoint(position: Int64) -> (StateSnapshot, resume: Int64) {
        let stamp = CheckpointStamp(epoch: 1, number: 1)
        let resume = min(position, detector.oldestHeldOffset(topic: TopicID(rawValue: 0), partition: 0) ?? position)
        var log = StateLog(owner: .input)
        for record in detector.takeStateChanges() { log.read(key: record.key, value: record.value, stamp: stamp) }
        let marker = CheckpointMarker(
            stamp: stamp,
            positions: [.init(topic: "events", partition: 0, position: position, resume: resume, former: nil)],
            time: detector.timeState ?? TimeState())
        let record = marker.records(of: .input)[0]
        log.read(key: record.key, value: record.value, stamp: stamp)
        return (log.finish(), resume)
    }
}
