import Testing

@testable import EQL

@Suite("Diagnostics as text")
struct DiagnosticRenderingTests {
    private func rendered(_ text: String, file: String? = nil, lines: Int = 0, columns: Int = 0) throws -> String {
        let source = SourceText(text)
        let diagnostic = try #require(parse(source).diagnostics.first)
        return render(diagnostic, in: source, file: file, lineOffset: lines, columnOffset: columns)
    }

    @Test("place, line, caret and hint")
    func whole() throws {
        #expect(
            try rendered("process where\n  process.name = \"cmd.exe\"\n", file: "rules/x.toml", lines: 11) == """
                rules/x.toml:13:16: error: '=' does not compare
                    process.name = "cmd.exe"
                                 ^
                  hint: use == to compare, or : to ignore case and use wildcards
                """)
    }

    @Test("the column offset holds for the first line only")
    func columnOffset() throws {
        #expect(try rendered("any where a b", file: "f", lines: 4, columns: 9).hasPrefix("f:5:22: error"))
        #expect(try rendered("any where\na b", file: "f", lines: 4, columns: 9).hasPrefix("f:6:3: error"))
        #expect(try rendered("any where a b").hasPrefix("1:13: error"))
    }

    /// The line and the caret's line, from a text whose mistake is a name too many.
    @Test(
        "the caret stands under its character",
        arguments: [
            ("any where a bad", "            ^^^"),
            ("any\twhere\ta b", "   \t     \t  ^"),
            ("any where \"é\" b", "              ^"),
            ("any where \"e\u{301}\" b", "              ^"),
            ("any where \"漢字\" b", "                 ^"),
            ("any where \"\u{1F600}\" b", "               ^"),
            ("any where a", "          ^"),
            ("any where a and\r\n", "               ^"),
        ])
    func caret(text: String, caret: String) throws {
        let source = SourceText(text)
        let diagnostic = parse(source).diagnostics.first ?? .error("none", at: Span(10, 11))
        let lines = render(diagnostic, in: source).split(separator: "\n")
        #expect(lines[1] == "  " + text.prefix { !$0.isNewline })
        #expect(lines[2] == "  " + caret)
    }

    @Test("a span over several lines is marked to the end of its first line")
    func manyLines() {
        let source = SourceText("any where (a or\n b)")
        let text = render(.warning("odd", at: Span(10, 19)), in: source)
        #expect(text == "1:11: warning: odd\n  any where (a or\n            ^^^^^")
    }

    @Test("a long line is cut around the place")
    func longLine() throws {
        let filler = String(repeating: "a or ", count: 1_000)
        let lines = try rendered("any where \(filler)b = 1 or \(filler)c").split(separator: "\n")
        #expect(lines[0].hasPrefix("1:5013: error"))
        #expect(lines[1].hasPrefix("  …") && lines[1].hasSuffix("…"))
        #expect(lines[1].count == 2 + 1 + 160 + 1)
        let caret = try #require(lines[2].firstIndex(of: "^"))
        #expect(Array(lines[1])[lines[2].distance(from: lines[2].startIndex, to: caret)] == "=")
    }

    @Test("control characters do not reach the terminal")
    func controls() throws {
        #expect(try !rendered("any where \"\u{1B}[2J\" b").contains("\u{1B}"))
    }

    @Test("spans outside the text are drawn at its end", arguments: [Span(99, 120), Span(-4, -2), Span(3, 1)])
    func outside(span: Span) {
        let lines = render(.error("odd", at: span), in: SourceText("any")).split(separator: "\n")
        #expect(lines.count == 3 && lines[2].contains("^"))
    }
}
