import Testing

@testable import EQL

@Suite("Parser, against hostile text")
struct ParserRobustnessTests {
    @Test("a chain of thousands of terms parses, prints, hashes", arguments: ["or", "and"])
    func longChain(word: String) throws {
        let terms = (0..<5_000).map { "process.name == \"p\($0)\"" }
        let text = "process where " + terms.joined(separator: " \(word) ")
        let query = try #require(parse(SourceText(text)).query)
        #expect(query.description == text)
        #expect(Set([query, query]).count == 1)
        #expect(query.withoutSpans == query.withoutSpans)
    }

    @Test("a chain in many parentheses is still one flat chain")
    func nestedChain() throws {
        let text = "any where " + String(repeating: "(", count: 200) + "a" + String(repeating: " or b)", count: 200)
        let query = try #require(parse(SourceText(text)).query)
        #expect(query.description == "any where a" + String(repeating: " or b", count: 200))
    }

    @Test(
        "nesting without end is one diagnostic",
        arguments: ["(", "not ", "-", "+", "length(", "a in (", "1 + (", "a == (b and ", "\"x\" == concat(a, "])
    func deepNesting(opening: String) {
        let text = "any where " + String(repeating: opening, count: 10_000) + "a"
        let diagnostics = parse(SourceText(text)).diagnostics
        #expect(diagnostics.map(\.message) == ["the query is nested too deeply"])
    }

    @Test("nesting is refused when it is closed as well")
    func closedNesting() {
        let text = "any where " + String(repeating: "(", count: 10_000) + "a" + String(repeating: ")", count: 10_000)
        #expect(parse(SourceText(text)).diagnostics.map(\.message) == ["the query is nested too deeply"])
        let shallow = "any where " + String(repeating: "(", count: 250) + "a" + String(repeating: ")", count: 250)
        #expect(parse(SourceText(shallow)).query?.description == "any where a")
    }

    @Test("the longest calculation parses, prints, hashes; a longer one is refused")
    func longCalculation() throws {
        func text(_ count: Int) -> String { "any where a == 1" + String(repeating: " + 1", count: count) }
        let query = try #require(parse(SourceText(text(Parser.maximumArithmetic))).query)
        #expect(query.description == text(Parser.maximumArithmetic))
        #expect(Set([query, query]).count == 1)
        let refused = parse(SourceText(text(10_000)))
        #expect(refused.diagnostics.map(\.message) == ["the query calculates too much"])
    }

    @Test("no more than twenty diagnostics are given")
    func cap() {
        let text = "any where " + Array(repeating: "a = 1", count: 1_000).joined(separator: " and ")
        #expect(parse(SourceText(text)).diagnostics.count == 20)
        #expect(parse(SourceText("any where " + String(repeating: "a == ; ", count: 1_000))).diagnostics.count == 20)
    }

    @Test("changed queries never crash, and a refused one says where", arguments: 0..<20 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var random = RandomQueries(seed: seed &+ 1_000)
        let pieces = [
            "", "(", ")", "[", "]", "![", "\"", "\"\"\"", "'", "`", "?", ".", ",", "|", "=", "==", "~", ":", "-", "!",
            "é",
            "\u{0}", "\n", "\\", "/*", "*/", "//", " and ", " or ", " not ", " in ", " by ", " with ", " until ",
            " of ",
            "sequence ", " where ", "9223372036854775808", "1e999", "\u{1F600}",
        ].map { Array($0.utf8) }
        for _ in 0..<500 {
            var bytes = Array(random.query().description.utf8)
            for _ in 0...random.number(below: 3) {
                let lower = random.number(below: bytes.count + 1)
                let upper = min(bytes.count, lower + random.number(below: 6))
                bytes.replaceSubrange(lower..<upper, with: random.pick(pieces))
            }
            let source = SourceText(String(decoding: bytes, as: UTF8.self))
            let result = parse(source)
            #expect((result.query == nil) == !result.diagnostics.isEmpty, "\(source.text)")
            for diagnostic in result.diagnostics {
                let span = diagnostic.span
                #expect(
                    0 <= span.lower && span.lower <= span.upper && span.upper <= source.utf8.count,
                    "\(diagnostic) in \(source.text)")
                #expect(!diagnostic.message.isEmpty && !render(diagnostic, in: source).isEmpty)
            }
            if let query = result.query {
                #expect(parse(SourceText(query.description)).query?.withoutSpans == query.withoutSpans)
            }
        }
    }

    @Test("every beginning of a query is parsed or refused with a place")
    func beginnings() {
        let text =
            "sequence by ?`a b`.c with maxspan=5m [any where f~(\"\\u{e9}\", -1.5e3) in~ (\"x\")] by d with runs=2 "
            + "![process where a not in (\"\"\"q\"\"\") /* /* */ */] until [x where b like~ \"*\"] | head 3"
        #expect(parse(SourceText(text)).diagnostics == [])
        for end in text.indices {
            let source = SourceText(String(text[..<end]))
            let result = parse(source)
            #expect((result.query == nil) == !result.diagnostics.isEmpty)
            #expect(result.diagnostics.allSatisfy { $0.span.upper <= source.utf8.count })
        }
    }
}
