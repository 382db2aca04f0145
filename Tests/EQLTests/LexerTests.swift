import Testing

@testable import EQL

@Suite("Lexer")
struct LexerTests {
    private func kinds(_ text: String) -> [TokenKind] {
        let (tokens, diagnostics) = Lexer.tokenize(SourceText(text))
        #expect(diagnostics == [])
        return tokens.dropLast().map(\.kind)
    }

    @Test(
        "strings",
        arguments: [
            (#""""#, ""),
            (#""a b""#, "a b"),
            (#""\b\t\n\f\r\"\'\\""#, "\u{8}\t\n\u{C}\r\"'\\"),
            (#""\u{e9}\u{00E9}\u{1f600}\u{0010ffff}""#, "éé\u{1F600}\u{10FFFF}"),
            (#""// no /* comment""#, "// no /* comment"),
            (#""C:\\*""#, #"C:\*"#),
            (#""größe 漢字""#, "größe 漢字"),
            ("\"\"\"C:\\Users\\*\"\"\"", "C:\\Users\\*"),
            ("\"\"\"\"\"\"", ""),
            ("\"\"\"\"\"\"\"", "\""),
            ("\"\"\"\"\"\"\"\"", "\"\""),
            ("\"\"\"say \"hello\"\"\"\"", "say \"hello\""),
            ("\"\"\"\"\"quoted\"\"\"\"\"", "\"\"quoted\"\""),
            ("\"\"\"a\"\"b\"\"\"", "a\"\"b"),
            ("\"\"\"\\u{e9}\"\"\"", "\\u{e9}"),
        ])
    func strings(text: String, value: String) {
        #expect(kinds(text) == [.string(value)])
    }

    @Test(
        "numbers",
        arguments: [
            ("0", .integer(0)),
            ("0042", .integer(42)),
            ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            ("100000000000000000000000000000", .double(1e29)),
            ("1.5", .double(1.5)),
            ("1.", .double(1)),
            (".25", .double(0.25)),
            ("1e3", .double(1_000)),
            ("1E+3", .double(1_000)),
            ("2.5e-3", .double(0.0025)),
        ] as [(String, TokenKind)])
    func numbers(text: String, kind: TokenKind) {
        #expect(kinds(text) == [kind])
    }

    @Test("a unit behind a number is a token of its own")
    func units() {
        #expect(kinds("5m 1e 30 s") == [.integer(5), .name("m"), .integer(1), .name("e"), .integer(30), .name("s")])
    }

    @Test(
        "names",
        arguments: [
            ("process", .name("process")),
            ("@timestamp", .name("@timestamp")),
            ("_x9", .name("_x9")),
            ("runs", .name("runs")),
            ("AND", .name("AND")),
            ("and", .keyword(.and)),
            ("process.name", .path("process.name")),
            ("`and`", .path("and")),
            ("a.`sequence`.b", .path("a.sequence.b")),
            ("`a.b-c.d`", .path("a.b-c.d")),
            ("`a``b`", .path("a`b")),
            ("`größe`.`1st`", .path("größe.1st")),
        ] as [(String, TokenKind)])
    func names(text: String, kind: TokenKind) {
        #expect(kinds(text) == [kind])
    }

    @Test(
        "comments and blanks",
        arguments: [
            "a//x\nb", "a // x\rb", "a /* x */ b", "a/**/b", "a /* /* */ ' \" */ b", "a\t\r\nb // end", "a /* // */ b",
            "/***/a/* \u{1F600} */b",
        ])
    func comments(text: String) {
        #expect(kinds(text) == [.name("a"), .name("b")])
    }

    @Test("offsets count UTF-8 bytes")
    func spans() {
        let (tokens, _) = Lexer.tokenize(SourceText("\"é\" /* 漢 */ == b"))
        #expect(tokens.map(\.span) == [Span(0, 4), Span(15, 17), Span(18, 19), Span(19, 19)])
        #expect(tokens.map(\.isAdjacent) == [false, false, false, true])
    }

    /// Each refused text still gives the tokens that are meant, so that it is the only error of its place.
    @Test(
        "refused text",
        arguments: [
            ("'it''s'", "single quotes", 1, 2),
            ("?\"a\"", "no longer part of EQL", 1, 1),
            ("?'a'", "no longer part of EQL", 1, 1),
            ("\"abc", "never closed", 1, 1),
            ("\"abc\ndef", "never closed", 1, 2),
            ("\"\"\"abc\n", "never closed", 1, 1),
            ("\"abc\\", "never closed", 1, 1),
            (#""C:\Windows""#, #"unknown escape '\W'"#, 4, 1),
            (#""\é""#, #"unknown escape '\é'"#, 2, 1),
            (#""\u{1}""#, "two to eight", 2, 1),
            (#""\u{123456789}""#, "two to eight", 2, 1),
            (#""\u{d800}""#, "is no character", 2, 1),
            (#""\u{110000}""#, "is no character", 2, 1),
            (#""\u{ffffffff}""#, "is no character", 2, 1),
            (#""\u{12""#, "never closed", 2, 1),
            (#""\u12""#, #"written \u{…}"#, 2, 1),
            ("`abc", "never closed", 1, 1),
            ("``", "cannot be empty", 1, 1),
            ("a.and.b", "'and' is a keyword", 3, 1),
            ("`a`.in", "'in' is a keyword", 5, 1),
            ("any.x", "'any' is a keyword", 1, 1),
            ("a.1st", "cannot begin with a digit", 3, 1),
            ("a .b", "a dot must stand between", 3, 2),
            ("1e999", "too large", 1, 1),
            ("0x1F", "hexadecimal", 1, 1),
            ("a /* b /* c */", "comment is never closed", 3, 1),
            ("a && b", "'&&' is not an operator", 3, 3),
            ("a || b", "'||' is not an operator", 3, 3),
            ("a <> b", "'<>' is not an operator", 3, 3),
            ("a =~ b", "'=~' is not an operator", 3, 3),
            ("a === b", "'===' is not an operator", 3, 3),
            ("!a", "unexpected character '!'", 1, 1),
            ("\u{201C}a", "unexpected character '\u{201C}'", 1, 1),
            ("a\u{A0}b", "unexpected character U+00A0", 2, 2),
            ("a \u{0} b", "unexpected character U+0000", 3, 2),
            ("größe", "unexpected characters 'öß'", 3, 2),
            ("#", "unexpected character '#'", 1, 0),
        ])
    func refused(text: String, message: String, column: Int, tokens count: Int) throws {
        let source = SourceText(text)
        let (tokens, diagnostics) = Lexer.tokenize(source)
        let diagnostic = try #require(diagnostics.first)
        #expect(diagnostic.message.contains(message), "\(diagnostic)")
        #expect(source.position(of: diagnostic.span.lower) == .init(line: 1, column: column))
        #expect(tokens.count - 1 == count, "\(tokens)")
    }
}
