import EventSchema
import Testing

@testable import Detection

/// Which records of the state topic count.
@Suite struct StateLogTests {
    private static func key(_ name: String) -> [UInt8] {
        [StateKey.version, StateOwner.input.rawValue] + Array(name.utf8)
    }

    /// One record: `K5a` is key `a` of checkpoint 5, `-5a` its tombstone, `M5` the marker. Epochs come as `2:K5a`.
    private struct Record {
        var key: [UInt8]
        var value: [UInt8]?
        var stamp: CheckpointStamp

        init(_ text: Substring) {
            let parts = text.split(separator: ":")
            let epoch = parts.count > 1 ? Int64(parts[0])! : 1
            let text = parts[parts.count - 1]
            let number = UInt64(text.dropFirst().prefix { $0.isNumber })!
            stamp = CheckpointStamp(epoch: epoch, number: number)
            if text.first == "M" {
                let marker = CheckpointMarker(
                    stamp: stamp,
                    positions: [.init(topic: "events", partition: 0, position: Int64(number), resume: 0, former: nil)],
                    time: TimeState())
                let record = marker.records(of: .input)[0]
                key = record.key
                value = record.value
            } else {
                key = StateLogTests.key(String(text.dropFirst().drop { $0.isNumber }))
                value = text.first == "-" ? nil : [UInt8(number)]
            }
        }
    }

    private static func read(_ records: [Record]) -> StateSnapshot {
        var log = StateLog(owner: .input)
        for record in records { log.read(key: record.key, value: record.value, stamp: record.stamp) }
        return log.finish()
    }

    private static func records(_ text: String) -> [Record] { text.split(separator: " ").map { Record($0) } }

    /// What counts, as `a5 b6`.
    private static func state(_ snapshot: StateSnapshot) -> String {
        snapshot.records.map { String(decoding: $0.key.dropFirst(2), as: UTF8.self) + "\($0.value[0])" }
            .sorted().joined(separator: " ")
    }

    private static func rewrites(_ snapshot: StateSnapshot) -> String {
        snapshot.rewrites.map { String(decoding: $0.dropFirst(2), as: UTF8.self) }.sorted().joined()
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let log: String
        let state: String
        var marker: Int64?
        /// Keys that the next checkpoint has to write again.
        var rewrites = ""
        var problems: [StateProblem: UInt64] = [:]
    }

    @Test(arguments: [
        Case(testDescription: "nothing", log: "", state: ""),
        Case(testDescription: "finished checkpoints", log: "K1a K1b M1 K2a -2b M2", state: "a2", marker: 2),
        Case(
            testDescription: "a torn tail", log: "K1a M1 K2a K2b", state: "a1", marker: 1, rewrites: "ab",
            problems: [.torn: 2]),
        Case(
            testDescription: "a tombstone in a torn tail", log: "K1a M1 -2a", state: "a1", marker: 1, rewrites: "a",
            problems: [.torn: 1]),
        Case(testDescription: "no marker at all", log: "K1a", state: "", rewrites: "a", problems: [.torn: 1]),
        Case(
            testDescription: "the next owner has written a torn tail again",
            log: "K1a M1 K2a K2b 2:K3a 2:-3b 2:M3", state: "a3", marker: 3),
        Case(
            testDescription: "an owner of before writes on", log: "K1a M1 2:K2a 2:M2 K2a K2c M2", state: "a2",
            marker: 2, rewrites: "ac", problems: [.zombie: 3]),
        Case(
            testDescription: "compaction has left one marker", log: "K1a K2b 2:K3c 2:M3", state: "a1 b2 c3", marker: 3),
        Case(
            testDescription: "compaction has left one marker and a torn tail", log: "K1a 2:K3c 2:M3 2:K4a",
            state: "a1 c3", marker: 3, rewrites: "a", problems: [.torn: 1]),
    ])
    func onlyFinishedCheckpointsCount(_ test: Case) {
        let snapshot = Self.read(Self.records(test.log))
        #expect(Self.state(snapshot) == test.state)
        #expect(snapshot.marker?.positions.first?.position == test.marker)
        // A marker of a former owner is not written again: the next one replaces it.
        #expect(Self.rewrites(snapshot).filter { $0 != "M" } == test.rewrites)
        #expect(snapshot.problems.counts == test.problems)
    }

    /// Whatever compaction removes, the state is the same.
    @Test(arguments: ["K1a K1b M1 K2a -2b M2 2:K3b 2:M3", "K1a M1 K2b 2:-3b 2:K3c 2:M3 2:K4a 2:M4"])
    func compactionChangesNothing(_ text: String) {
        let records = Self.records(text)
        var newest: [[UInt8]: Int] = [:]
        for (index, record) in records.enumerated() { newest[record.key] = index }
        let whole = Self.state(Self.read(records))
        let old = records.indices.filter { newest[records[$0].key] != $0 }
        // Compaction comes as far as it comes, and removes some of what it may or all.
        for chosen in 0..<(1 << old.count) {
            let removed = Set(old.enumerated().filter { chosen >> $0.offset & 1 == 1 }.map(\.element))
            let left = records.indices.filter { !removed.contains($0) }.map { records[$0] }
            #expect(Self.state(Self.read(left)) == whole)
        }
    }

    @Test func whatCannotBeReadIsCountedAndSkipped() {
        var log = StateLog(owner: .input)
        let stamp = CheckpointStamp(epoch: 1, number: 1)
        let good = Record("K1a")
        log.read(key: good.key, value: good.value, stamp: stamp)
        log.read(key: [], value: [1], stamp: stamp)
        log.read(key: [StateKey.version, 0x7A, 1], value: [1], stamp: stamp)
        log.read(key: [StateKey.version + 1, StateOwner.input.rawValue, 1], value: [1], stamp: stamp)
        log.read(key: Self.key("b"), value: [1], stamp: nil)
        // Another lane's, which is nobody's problem here.
        log.read(key: [StateKey.version, StateOwner.correlate.rawValue, 1], value: [1], stamp: stamp)
        log.read(key: StateKey.marker(.input), value: [0, 1, 2, 3], stamp: stamp)
        let marker = Record("M1")
        log.read(key: marker.key, value: marker.value, stamp: stamp)
        let snapshot = log.finish()
        #expect(Self.state(snapshot) == "a1")
        #expect(snapshot.problems.counts == [.corrupt: 4, .unknownVersion: 1])
        #expect(snapshot.problems.examples.keys.contains(.unknownVersion))
        #expect(snapshot.recordCount == 8)
    }

    /// While very many events are held the marker takes several records, and counts when all are there.
    @Test func aLongMarkerIsSplit() throws {
        let stamp = CheckpointStamp(epoch: 3, number: 9)
        let held = (0..<500).map {
            TimeState.Held(offset: Int64($0 * 7), clock: 0, time: .init(nanoseconds: Int64($0) * 1_000_003))
        }
        let marker = CheckpointMarker(
            stamp: stamp, positions: [.init(topic: "events", partition: 4, position: 3501, resume: 0, former: [5, 8])],
            time: TimeState(
                clocks: [.init(field: "@timestamp", watermark: nil)],
                sources: [.init(topic: "events", partition: 4, newest: [nil], isIdle: false, held: held)]))
        let records = marker.records(of: .input, longestValue: 1000)
        #expect(records.count > 2)
        #expect(records.allSatisfy { ($0.value?.count ?? 0) <= 1003 })
        #expect(Set(records.map(\.key)).count == records.count)
        var whole = StateLog(owner: .input)
        for record in records { whole.read(key: record.key, value: record.value, stamp: stamp) }
        let snapshot = whole.finish()
        #expect(snapshot.marker == marker)
        #expect(snapshot.count == 0 && snapshot.problems.isEmpty && snapshot.rewrites.isEmpty)
        // A shorter one follows, and what is left of the longer one is nobody's.
        let next = CheckpointMarker(stamp: .init(epoch: 3, number: 10), positions: [], time: TimeState())
        for record in next.records(of: .input) { whole.read(key: record.key, value: record.value, stamp: next.stamp) }
        #expect(whole.finish().marker == next)

        for missing in records.indices.dropLast() {
            var torn = StateLog(owner: .input)
            for (index, record) in records.enumerated() where index != missing {
                torn.read(key: record.key, value: record.value, stamp: stamp)
            }
            let snapshot = torn.finish()
            #expect(snapshot.marker == nil)
            #expect(snapshot.problems.counts == [.corrupt: 1])
        }
    }
}
