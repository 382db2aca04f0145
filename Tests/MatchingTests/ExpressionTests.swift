import EQL
import Matching
import Testing

@testable import EventSchema

/// Expressions over fields: missing values, arrays, types, and how they stand among other tests.
@Suite struct ExpressionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var condition: String
        var record: String
        var isMatch: Bool

        init(_ condition: String, _ record: String, _ isMatch: Bool) {
            self.condition = condition
            self.record = record
            self.isMatch = isMatch
        }

        var testDescription: String { "\(condition) on \(record)" }
    }

    static let traps: [Case] = [
        Case(#"not startsWith(f, "a")"#, "{}", true),  // 6
        Case(#"not startsWith(f, g)"#, #"{"f": "a"}"#, true),  // 6
        Case("length(f) == 3", #"{"f": ["a", "bbb"]}"#, true),  // 12
        Case(#"stringContains(f, "p=*x")"#, #"{"f": "p=12x"}"#, true),  // 25
        Case(#"stringContains(concat(f), "p=*x")"#, #"{"f": "p=12x"}"#, false),  // 25
        Case(#"stringContains(concat(f), "")"#, #"{"f": "a"}"#, false),  // 26
        Case(#"startsWith(f, "") and stringContains(f, "")"#, #"{"f": "a"}"#, true),  // 26
        Case("83 / f == 41 and not 83 / (f * 1.0) == 41", #"{"f": 2}"#, true),  // 27
        Case("null == (f > 1)", "{}", true),  // 28
        Case("null == (f > 1)", #"{"f": 0}"#, false),  // 28
        Case("concat(f, g) == null", #"{"f": "a"}"#, true),  // 29
        Case("concat(f, g) == null", #"{"f": "a", "g": 1}"#, false),  // 29
        Case("substring(f, -5, -1) == \"worl\"", #"{"f": "hello world"}"#, true),  // 30
        Case(#"indexOf(f, "L") == null"#, #"{"f": "foobarbaz"}"#, true),  // 31
        Case("number(f) == 50", #"{"f": "0x32"}"#, true),  // 32
        Case(#"cidrMatch(source.ip, "10.6.48.157/8")"#, #"{"source.ip": "10.0.0.1"}"#, true),  // 33
    ]

    @Test(arguments: traps) func trap(_ sample: Case) throws { try expect(sample) }

    static let threeValued: [Case] = [
        Case("(f > 1) == false", "{}", false), Case("(f > 1) == false", #"{"f": 0}"#, true),
        Case("(f > 1) == false", #"{"f": [0, 2]}"#, true), Case("(f > 1) != true", "{}", true),
        Case("(f > 1 or f == null) == null", "{}", false), Case("(f > 1 and f == null) == null", "{}", true),
        Case("(f > 1 and f != null) == null", "{}", false), Case("(f > 1) != null", #"{"f": 0}"#, true),
        Case("(not f > 1) == null", "{}", true), Case("(f and g > 1) == null", #"{"f": true}"#, true),
        Case("(f and g > 1) == null", #"{"f": false}"#, false), Case(#"(f like "a*") == null"#, "{}", true),
        Case(#"(f like "a*") == false"#, #"{"f": "b"}"#, true), Case("(f in (1, 2)) == null", "{}", true),
        Case("(f not in (1, 2)) == true", #"{"f": 3}"#, true), Case("length(f) != 1", "{}", true),
        Case("not length(f) > 1", "{}", true), Case("length(f) > null", #"{"f": "a"}"#, false),
        Case("length(f) not in (1, 2)", "{}", true), Case(#"not concat(f) : "a""#, "{}", true),
        Case("-f == -5", #"{"f": 5}"#, true), Case("f / 0 == null", #"{"f": 5}"#, true),
        Case("f / 0.0 == null", #"{"f": 5}"#, false),
    ]

    @Test(arguments: threeValued) func nullStaysInside(_ sample: Case) throws { try expect(sample) }

    static let arrays: [Case] = [
        Case("f + g == 7", #"{"f": [1, 2, 3], "g": [9, 5]}"#, true), Case("f + g == 6", #"{"f": [1, 2], "g": [9, 3]}"#, false),
        Case("f + f == 3", #"{"f": [1, 2]}"#, false), Case("f + 1 == g", #"{"f": [1, 4], "g": [2, 9]}"#, true),
        Case("startsWith(f, g)", #"{"f": ["x", "abc"], "g": ["q", "ab"]}"#, true),
        Case("concat(f, g, h) == \"bdf\"", #"{"f": ["a", "b"], "g": ["c", "d"], "h": ["e", "f"]}"#, true),
        Case("f + g == 7", #"{"f": [1, 2, 3], "g": []}"#, false),
        Case("length(f) > 2 and not length(f) > 4", #"{"f": ["abc", "abcde"]}"#, false),
        Case("length(process.args) == 3", #"{"process": [{"args": "a"}, {"args": ["abc"]}]}"#, true),
    ]

    @Test(arguments: arrays) func anyCombination(_ sample: Case) throws { try expect(sample) }

    static let types: [Case] = [
        Case("length(f) == null", #"{"f": 123}"#, true), Case("length(string(f)) == 3", #"{"f": 123}"#, true),
        Case(#"concat(process.pid, ":", process.name) == "7:sh""#, #"{"process": {"pid": 7, "name": "sh"}}"#, true),
        Case("process.pid + 1 == 8", #"{"process.pid": "7"}"#, true), Case("f + 1 == 8", #"{"f": "7"}"#, false),
        Case("(source.ip == \"10.0.0.0/8\") == true", #"{"source.ip": "10.1.2.3"}"#, true),
        Case("(source.ip > \"10.0.0.9\") == true", #"{"source.ip": "10.0.0.10"}"#, true),
        Case("(event.start > \"2026-01-01\") == true", #"{"event.start": "2026-02-01T00:00:00Z"}"#, true),
        Case("(event.start > \"2026-01-01\") == true", #"{"event.start": 0}"#, false),
        Case(#"startsWith~(f, "é")"#, #"{"f": "Éa"}"#, false), Case(#"startsWith~(concat(f), "é")"#, #"{"f": "Éa"}"#, true),
        Case("process.code_signature.valid == (f > 1)", #"{"process.code_signature.valid": true, "f": 2}"#, true),
    ]

    @Test(arguments: types) func valuesKeepTheirTypes(_ sample: Case) throws { try expect(sample) }

    private func expect(_ sample: Case) throws {
        #expect(try !Bench(sample.condition).matches(sample.record).isEmpty == sample.isMatch)
    }

    /// Ascending.
    private static let versions = [
        "1.2", "1.2.0-alpha", "1.2.0-alpha.1", "1.2.0-alpha.beta", "1.2.0-beta.2", "1.2.0-beta.11", "1.2.0-rc.1", "1.2.0",
        "1.2.0+build", "1.2.3", "1.10.0", "02.0", "18446744073709551616.0", "", "1.x", "abc",
    ]

    @Test(arguments: versions.indices) func versionsAreOrdered(_ place: Int) throws {
        let versions = Self.versions
        // ECS has no field of this type.
        let schema = Schema(table: FieldTable(parsing: "root: build=version"))
        let (below, above) = try (
            Bench([condition("build < \"\(versions[place])\"", schema: schema)]),
            Bench([condition("\"\(versions[place])\" <= build", schema: schema)])
        )
        for (other, version) in versions.enumerated() {
            let record = "{\"build\": \"\(version)\"}"
            #expect(try below.matches(record).isEmpty == (other >= place), "\(version) < \(versions[place])")
            #expect(try above.matches(record).isEmpty == (other < place), "\(version) >= \(versions[place])")
        }
    }

    @Test func equalExpressionsAreAnsweredOnce() throws {
        let bench = try Bench("length(f) == 1 and g == 1 or length(f) == 1 and h == 1")
        #expect(try bench.matches(#"{"f": "a", "h": 1}"#) == [0])
        #expect(try bench.matches(#"{"f": "ab", "h": 1}"#).isEmpty)
        #expect(try bench.matches(#"{"f": "b", "g": 1}"#) == [0])
    }

    @Test func explanationShowsTheValuesThatMatched() throws {
        let bench = try Bench(#"process.name : "a*" and concat(f, ":", g) == "b:2""#)
        let found = try bench.explain(#"{"process.name": "ab", "f": ["a", "b"], "g": [1, 2]}"#)
        #expect(found.map(\.field) == ["process.name", "f", "g"])
        #expect(found.map(\.operation) == ["like~", #"concat(f, ":", g) == "b:2""#, #"concat(f, ":", g) == "b:2""#])
        #expect(found.map { String(decoding: $0.value, as: UTF8.self) } == ["ab", "b", "2"])
        #expect(try bench.explain("{}").isEmpty)
        let absent = try Bench("length(f) == null").explain("{}")
        #expect(absent.map(\.field) == ["f"])
        #expect(absent.map(\.value) == [[]])
    }

    /// A search that starts anew behind every match would need minutes for these.
    @Test(arguments: [
        "stringContains(f, g)", "between(f, \"a\", g, true) == \"x\"", "indexOf(f, g) == -1", "indexOf~(f, g, 1) == -1",
    ])
    func longValuesTakeLinearTime(condition: String) throws {
        let text = String(repeating: "a", count: 400_000)
        let wanted = String(repeating: "a", count: 200_000)
        let compiled = try Bench(condition)
        #expect(try compiled.matches("{\"f\": \"\(text)\", \"g\": \"\(wanted)b\"}").isEmpty)
        _ = try compiled.matches("{\"f\": \"\(text)\", \"g\": \"\(wanted)\"}")
    }

    /// 4,000 values of each of three fields are more combinations than anybody waits for.
    @Test func combinationsAreBounded() throws {
        let values = (0..<4_000).map(String.init).joined(separator: ",")
        let record = "{\"f\": [\(values)], \"g\": [\(values)], \"h\": [\(values)]}"
        #expect(try Bench("f + g + h == -1").matches(record).isEmpty)
        #expect(try !Bench("f + g + h == 3999").matches(record).isEmpty)
    }

    @Test func scratchGrowsAndShrinksWithItsUse() throws {
        let bench = try Bench("endsWith(concat(f, f, f, f), \"ab\")")
        for length in [1, 5_000, 3, 300_000, 10, 1_000_000 / 4] {
            let text = String(repeating: "x", count: length)
            #expect(try bench.matches("{\"f\": \"\(text)ab\"}") == [0])
            #expect(try bench.matches("{\"f\": \"\(text)ba\"}").isEmpty)
        }
    }
}
