import Events
import EventSchema
import Foundation
import Testing

/// Records from attackers and from broken senders: each is refused with its reason or read, never a crash.
@Suite struct HostileInputTests {
    static let record = #"""
        {"@timestamp":"2026-11-24T03:11:06.123Z","event":{"category":["process"],"type":["start"],"code":1},
        "process":{"name":"powershell.exe","command_line":"powershell \"C:\\Users\\é\" \ud83d\ude00","pid":7312,
        "parent.name":"explorer.exe","args":["a",null,true,-1.5e-3]},"destination":{"port":"443"},"x":{"y":[[{}]]}}
        """#

    static let fields: [FieldPath] = [
        .timestamp, "event.category", "event.type", "process.name", "process.command_line", "process.pid",
        "process.parent.name", "process.args", "destination.port", "dll.code_signature.valid", "acme.x", "x.y",
    ]

    /// Reads everything a record gives, so that a wrong pointer or length shows.
    private func read(_ reader: Reader) -> Int {
        Self.fields.reduce(0) { sum, field in sum + reader.values(field).map(\.description.utf8.count).reduce(0, +) }
    }

    @Test func aRecordCutAnywhereIsRefused() {
        let reader = Reader(Self.fields)
        let bytes = Array(Self.record.utf8)
        #expect(reader.decode(bytes) == nil)
        #expect(read(reader) > 0)
        for length in bytes.indices {
            let failure = reader.decode(Array(bytes[..<length]))
            #expect(failure == .notJSON || failure == .invalidUTF8, "cut to \(length) bytes: \(String(describing: failure))")
        }
    }

    /// Foundation is the second opinion: what it refuses, for whatever reason, Apus may refuse or read only
    /// where both are known to differ.
    @Test func everyByteReplacedIsReadOrRefusedAsFoundationDoes() {
        let reader = Reader(Self.fields)
        let bytes = Array(Self.record.utf8)
        var generator = SplitMix(state: 4104)
        var refused = 0
        for index in bytes.indices {
            let structural = Array("{}[]:,\"\\ 0-+.etn\0\u{1F}".utf8)
            for replacement in structural + (0..<8).map({ _ in UInt8.random(in: 0...255, using: &generator) }) {
                var mutated = bytes
                mutated[index] = replacement
                let failure = reader.decode(mutated)
                if failure == nil { _ = read(reader) } else { refused += 1 }
                let isJSON = (try? JSONSerialization.jsonObject(with: Data(mutated))) is [String: Any]
                // Foundation refuses lone surrogates; Apus reads them.
                let hasSurrogate = String(decoding: mutated, as: UTF8.self).contains("\\ud")
                let agrees = (failure == nil) == isJSON || (failure == nil && hasSurrogate && !isJSON)
                #expect(agrees, "\(failure?.reason ?? "read"): \(String(decoding: mutated, as: UTF8.self))")
            }
        }
        #expect(refused > 1000)
    }

    @Test func bytesAtRandomNeverCrash() {
        let reader = Reader(Self.fields)
        var generator = SplitMix(state: 1)
        let pieces = [
            "{", "}", "[", "]", ":", ",", "\"", "\\", " ", "\"process\"", "\"process.name\"", "\"event\"", "null", "true", "1", "-",
            "1e9", "\\ud800", "\"x\"", "\u{1}", "é", "\"a\\u0022\"",
        ].map { Array($0.utf8) }
        for _ in 0..<50_000 {
            var bytes = (0..<Int.random(in: 0...40, using: &generator))
                .flatMap { _ in pieces.randomElement(using: &generator) ?? [] }
            if Bool.random(using: &generator) { bytes = Array("{\"process\":".utf8) + bytes + Array("}".utf8) }
            if reader.decode(bytes) == nil { _ = read(reader) }
        }
    }

    @Test(arguments: [
        ("", DecodeFailure.notJSON), (" \n", .notJSON), ("\0", .notJSON), ("nonsense", .notJSON), ("{", .notJSON), ("}", .notJSON),
        ("{}{}", .notJSON), ("{},", .notJSON), ("{} x", .notJSON), ("{}\0", .notJSON), ("\u{FEFF}", .notJSON), ("\u{FEFF}\u{FEFF}{}", .notJSON),
        ("{\"a\"}", .notJSON), ("{\"a\":}", .notJSON), ("{\"a\":1,}", .notJSON), ("{,}", .notJSON), ("{a:1}", .notJSON), ("{'a':1}", .notJSON),
        ("{\"a\":1 \"b\":2}", .notJSON), ("{\"a\":[1 2]}", .notJSON), ("{\"a\":[1,]}", .notJSON), ("{\"a\":[}", .notJSON), ("{\"a\":{]}", .notJSON),
        ("{\"a\":[}]}", .notJSON), ("{\"a\":tru}", .notJSON), ("{\"a\":nulll}", .notJSON), ("{\"a\":TRUE}", .notJSON), ("{\"a\":NaN}", .notJSON),
        ("{\"a\":01}", .notJSON), ("{\"a\":+1}", .notJSON), ("{\"a\":.5}", .notJSON), ("{\"a\":1.}", .notJSON), ("{\"a\":1e}", .notJSON), ("{\"a\":-}", .notJSON),
        ("{\"a\":0x1}", .notJSON), ("{\"a\":1\"b\"}", .notJSON), ("{\"a\":\"b\"c}", .notJSON), ("{\"a\":\"b\"\"c\"}", .notJSON), ("{\"a\":\"\n\"}", .notJSON),
        ("{\"a\":\"\\x\"}", .notJSON), ("{\"a\":\"\\u12g4\"}", .notJSON), ("{\"a\":\"\\u123\"}", .notJSON), ("{\"\\q\":1}", .notJSON), ("{\"a\":\\u0031}", .notJSON),
        ("{\"a\":\"", .notJSON), ("{\"a\":\"\\", .notJSON), ("{\"a\":\"\\\"}", .notJSON), ("{1:2}", .notJSON), ("{\"a\"::1}", .notJSON), ("{\"a\":1:2}", .notJSON),
        ("[]", .notObject), ("[{\"a\":1}]", .notObject), ("1", .notObject), ("\"{}\"", .notObject), ("null", .notObject), ("[1,]", .notJSON), ("1 2", .notJSON),
    ])
    func isRefused(json: String, failure: DecodeFailure) {
        // Read, or skipped: the verdict is the same.
        #expect(Reader(["a"]).decode(json) == failure)
        #expect(Reader(["b"]).decode(json) == failure)
    }

    @Test(arguments: [
        [0xFF], [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0x80],
    ] as [[UInt8]])
    func invalidUTF8IsRefusedWhereverItStands(sequence: [UInt8]) {
        let places = [("{\"a\":\"", "\"}"), ("{\"b\":\"", "\"}"), ("{\"", "\":1}"), ("{\"b\":{\"c\":[\"", "\"]}}")]
        for (before, after) in places {
            #expect(Reader(["a"]).decode(Array(before.utf8) + sequence + Array(after.utf8)) == .invalidUTF8)
        }
    }

    @Test(arguments: ["a", "b"] as [FieldPath], [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")])
    func nestingIsBoundedWhetherReadOrSkipped(field: FieldPath, brackets: (String, String)) {
        let reader = Reader([field], limits: DecodeLimits(bytes: 1 << 24, depth: 128))
        let levels = brackets.0.filter { $0 == "[" || $0 == "{" }.count
        func nested(_ count: Int) -> String {
            let repeats = (count - 1) / levels
            let inner = String(repeating: brackets.0, count: repeats) + "1" + String(repeating: brackets.1, count: repeats)
            return "{\"a\":\(inner)}"
        }
        #expect(reader.decode(nested(127)) == nil)
        #expect(reader.decode(nested(129 + levels)) == .tooDeep)
        #expect(reader.decode(nested(1_000_000)) == .tooDeep)
        #expect(reader.decode("{\"a\":" + String(repeating: brackets.0, count: 1_000_000)) == .tooDeep)
    }

    @Test func depthCountsTheRecordItself() {
        #expect(Reader(["a"], limits: DecodeLimits(depth: 2)).decode(#"{"a":[1],"b":{"c":1}}"#) == nil)
        #expect(Reader(["a"], limits: DecodeLimits(depth: 2)).decode(#"{"a":[[1]]}"#) == .tooDeep)
        #expect(Reader(["a"], limits: DecodeLimits(depth: 2)).decode(#"{"b":{"c":{}}}"#) == .tooDeep)
        #expect(Reader(["a"], limits: DecodeLimits(depth: 1)).decode("{}") == nil)
        #expect(Reader(["a"], limits: DecodeLimits(depth: 0)).decode("{}") == .tooDeep)
    }

    @Test func sizeIsBounded() {
        let reader = Reader(["a"], limits: DecodeLimits(bytes: 1 << 20))
        let rim = "{\"a\":\"\"}".utf8.count
        func record(of size: Int) -> String { "{\"a\":\"" + String(repeating: "x", count: size - rim) + "\"}" }
        #expect(reader.decode(record(of: 20 << 20)) == .tooLarge)
        #expect(reader.decode(record(of: 1 << 20 | 1)) == .tooLarge)
        #expect(reader.decode(record(of: 1 << 20)) == nil)
        #expect(reader.values("a") == [.string(String(repeating: "x", count: 1 << 20 - rim))])
        #expect(reader.decode("{\"a\":\"small\"}") == nil)
        #expect(reader.values("a") == [.string("small")])
    }

    /// Blocks of 64 bytes are simdjson's unit; tokens must survive every alignment to them.
    @Test func everyAlignmentReadsTheSame() {
        let reader = Reader(Self.fields)
        #expect(reader.decode(Self.record) == nil)
        let expected = Self.fields.map { reader.values($0) }
        for shift in 0..<130 {
            #expect(reader.decode(String(repeating: " ", count: shift) + Self.record) == nil)
            #expect(Self.fields.map { reader.values($0) } == expected)
            let filler = "{\"filler\":\"" + String(repeating: "\\\\", count: shift) + "\"," + Self.record.dropFirst()
            #expect(reader.decode(filler) == nil)
            #expect(Self.fields.map { reader.values($0) } == expected)
        }
    }

    @Test func aHundredThousandValuesOfOneFieldKeepTheirOrder() {
        let reader = Reader(["acme.x"])
        let json = "{\"acme\":{\"x\":[" + (0..<100_000).map(String.init).joined(separator: ",") + "]}}"
        #expect(reader.decode(json) == nil)
        #expect(reader.values("acme.x") == (0..<100_000).map { .integer($0) })
    }

    @Test(arguments: ["9", "-9", "0.9", "9e9", "1e-9"])
    func hugeNumbersAreReadOrLeftOut(digits: String) {
        let number = digits + String(repeating: "9", count: 100_000)
        let reader = Reader(["destination.port", "event.risk_score", "event.code", "acme.x"])
        let json = "{\"destination.port\":\(number),\"event\":{\"risk_score\":\(number),\"code\":\(number)},\"acme.x\":\"\(number)\"}"
        #expect(reader.decode(json) == nil)
        #expect(reader.values("event.code") == [.string(number)])
    }
}
