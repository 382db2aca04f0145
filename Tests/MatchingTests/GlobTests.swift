import EQL
import EventSchema
import TestSupport
import Testing

@testable import Matching

/// Wildcards are found by a literal and compared piece by piece; they must mean what their expressions mean.
@Suite struct GlobTests {
    private func pattern(_ source: String, folded: Bool = true) throws -> StringPattern {
        let test = try condition("user_agent.original \(folded ? "like~" : "like") \"\(source)\"")
        guard case .test(let field) = test, case .matches(let patterns) = field.test else {
            throw NoPattern(condition: test)
        }
        return try #require(patterns.first)
    }

    private struct NoPattern: Error { let condition: Condition }

    @Test(
        arguments: [
            ("*a*", "a"), ("?:/users/*/b/c*.exe", ":/users/"), ("*ab?", "ab"), ("a??b*c", "a"),
            ("*.ab.example", ".ab.example"), ("hk*/run/*", "/run/"),
        ])
    func theLongestTextIsLookedFor(source: String, literal: String) throws {
        let glob = try #require(Glob(try pattern(source)))
        #expect(String(decoding: glob.literal, as: UTF8.self) == literal)
    }

    /// Between two stars `?` would take more than linear time; without a literal there is nothing to look for.
    @Test(arguments: ["*a?b*", "*?*", "???", "?*?", "a*?*b"]) func othersStayExpressions(source: String) throws {
        #expect(Glob(try pattern(source)) == nil)
    }

    @Test func longLiteralsAreFoundByTheirEnd() throws {
        let text = String(repeating: "ab", count: 100)
        let bench = try Bench("user_agent.original like \"*\(text)*\"")
        #expect(try bench.matches(#"{"user_agent.original": "x\#(text)y"}"#) == [0])
        #expect(try bench.matches(#"{"user_agent.original": "x\#(text.dropFirst(2))y"}"#).isEmpty)
    }

    /// Against the obvious matcher, with an alphabet small enough that pieces overlap, touch and repeat.
    @Test(arguments: 0..<60) func meansWhatTheWildcardMeans(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let sources = (0..<40).map { _ in
            (0..<1 + random.below(7)).map { _ in random.pick(["a", "b", "B", "é", "K", "*", "*", "?"]) }.joined()
        }
        let bench = try Bench(
            sources.flatMap { ["user_agent.original like \"\($0)\"", "user_agent.original like~ \"\($0)\""] })
        for _ in 0..<60 {
            // The last one is a Kelvin sign, which is no `k`.
            let scalars = ["a", "b", "A", "é", "É", "k", "\u{212A}"]
            let value = (0..<random.below(9)).map { _ in random.pick(scalars) }.joined()
            let expected = sources.indices.flatMap { index in
                [false, true].filter { matches(sources[index], value, folded: $0) }.map { index * 2 + ($0 ? 1 : 0) }
            }
            #expect(try bench.holding(#"{"user_agent.original": "\#(value)"}"#) == expected, "\(sources) \(value)")
        }
    }

    private func matches(_ pattern: String, _ value: String, folded: Bool) -> Bool {
        func fold(_ text: String) -> [Unicode.Scalar] {
            text.unicodeScalars.map { folded && ("A"..."Z").contains($0) ? Unicode.Scalar($0.value + 32) ?? $0 : $0 }
        }
        return NaiveWildcard.matches(fold(pattern), fold(value))
    }
}
