import KafkaClient
import Streaming
import TestSupport
import Testing

/// Records that are no events: kept as they are, with the reason, and never in the way of the others.
@Suite(.timeLimit(.minutes(4)))
struct DeadLetterTests {
    static let deep = String(repeating: #"{"a":"#, count: 2000) + "1" + String(repeating: "}", count: 2000)

    static let broken: [(value: [UInt8], reason: String)] = [
        (Array("no json".utf8), "not_json"),
        (Array(#"{"@timestamp":"2025-01-01T00:00:00Z""#.utf8), "not_json"),
        (Array(#"["alert"]"#.utf8), "not_object"),
        (Array(#"{"event":{"action":"al"#.utf8) + [0xFF, 0xFE] + Array(#"ert"}}"#.utf8), "invalid_utf8"),
        (Array(deep.utf8), "too_deep"),
        (Array(#"{"message":"\#(String(repeating: "x", count: 70_000))"}"#.utf8), "too_large"),
        ([], "not_json"),
    ]

    @Test func originalBytesAndReason() async throws {
        let stage = try Stage()
        let instance = try stage.instance { $0.maxRecordBytes = 64 << 10 }
        try stage.write(Self.broken.map(\.value), key: "k")
        try stage.write([event("alert")])
        let letters = try await stage.reader(of: Stage.deadLetters).waitForAll(Self.broken.count)
        for (offset, (letter, expected)) in zip(letters, Self.broken).enumerated() {
            #expect(letter.value == expected.value)
            #expect(letter.key == Array("k".utf8))
            #expect(letter.headers["apus-reason"] == expected.reason)
            #expect(letter.headers["apus-topic"] == "events")
            #expect(letter.headers["apus-partition"] == "0")
            #expect(letter.headers["apus-offset"] == "\(offset)")
            #expect(letter.headers["apus-size"] == "\(expected.value.count)")
            #expect(letter.headers["apus-timestamp"] != nil)
            #expect(letter.headers["apus-value-omitted"] == nil)
        }
        // The event behind them is evaluated as if they were not there.
        #expect(try await stage.reader().waitForAll(1)[0].place() == "events/0/\(Self.broken.count)")
        try await eventually("commit") { try stage.committed() == Int64(Self.broken.count + 1) }
        await instance.stop()
    }

    @Test func aRecordWithoutValueStaysWithoutOne() async throws {
        let stage = try Stage()
        let instance = try stage.instance()
        try stage.write([nil], key: "deleted")
        let letter = try await stage.reader(of: Stage.deadLetters).waitForAll(1)[0]
        #expect(letter.value == nil)
        #expect(letter.key == Array("deleted".utf8))
        #expect(letter.headers["apus-reason"] == "not_json")
        try await eventually("commit") { try stage.committed() == 1 }
        await instance.stop()
    }

    /// As large as the embedded broker can hand out again: it keeps 5 MB of a partition.
    @Test func aRecordOfFourMegabytesArrivesWhole() async throws {
        let stage = try Stage()
        let huge = Array(#"{"message":""#.utf8) + [UInt8](repeating: 0x78, count: 4 << 20) + Array(#""}"#.utf8)
        try stage.write([huge])
        let instance = try stage.instance()
        let letter = try await stage.reader(of: Stage.deadLetters).waitForAll(1)[0]
        #expect(letter.headers["apus-reason"] == "too_large")
        #expect(letter.headers["apus-size"] == "\(huge.count)")
        #expect(letter.value == huge)
        try await eventually("commit") { try stage.committed() == 1 }
        try stage.write([event("alert")])
        try await stage.reader().wait(count: 1)
        await instance.stop()
    }

    /// The producer's own limit refuses it before any broker does.
    @Test func whatTheProducerRefusesForItsSizeGoesWithoutItsValue() async throws {
        let stage = try Stage()
        let instance = try stage.instance {
            $0.maxRecordBytes = 16 << 10
            $0.producer["message.max.bytes"] = "32768"
        }
        try stage.write([[UInt8](repeating: 0x78, count: 100_000)], key: "k")
        let letter = try await stage.reader(of: Stage.deadLetters).waitForAll(1)[0]
        #expect(letter.value == nil)
        #expect(letter.key == Array("k".utf8))
        #expect(letter.headers["apus-value-omitted"] == "too_large_for_topic")
        #expect(letter.headers["apus-size"] == "100000")
        try await eventually("commit") { try stage.committed() == 1 }
        #expect(instance.events.contains { if case .deadLetterWithoutValue = $0 { true } else { false } })
        await instance.stop()
    }

    @Test func whatTheTopicRefusesForItsSizeGoesWithoutItsValue() async throws {
        let stage = try Stage()
        try stage.write(["no json"])
        stage.broker.fail(.produce, with: [.messageTooLarge])
        let instance = try stage.instance()
        let letter = try await stage.reader(of: Stage.deadLetters).waitForAll(1)[0]
        #expect(letter.value == nil)
        #expect(letter.headers["apus-value-omitted"] == "too_large_for_topic")
        try await eventually("commit") { try stage.committed() == 1 }
        #expect(instance.pipeline.failure == nil)
        await instance.stop()
    }

    /// An alert that the topic refuses for its size goes once more, without the original event.
    @Test func anAlertThatIsTooLargeIsShortened() async throws {
        let stage = try Stage()
        try stage.write([event("alert")])
        stage.broker.fail(.produce, with: [.messageTooLarge])
        let instance = try stage.instance()
        let alert = try await stage.reader().waitForAll(1)[0]
        #expect(try alert.place() == "events/0/0")
        #expect(instance.events.contains { if case .alertShortened = $0 { true } else { false } })
        try await eventually("commit") { try stage.committed() == 1 }
        await instance.stop()
    }
}
