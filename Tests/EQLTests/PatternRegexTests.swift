import Testing

@testable import EQL

@Suite struct PatternLuceneTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var pattern: String
        var matching: [String]
        var others: [String]
        var folded = false
        var testDescription: String { pattern }
    }

    static let cases = [
        Case(pattern: "abc", matching: ["abc"], others: ["xabc", "abcx", "ABC", "abc\n", ""]),
        Case(pattern: "a.c", matching: ["abc", "a\nc", "aéc"], others: ["ac", "abbc"]),
        Case(pattern: "ab?c*d+", matching: ["ad", "abccdd"], others: ["abc", "abbd"]),
        Case(pattern: "a{2}b{1,}c{0,2}", matching: ["aab", "aabbcc"], others: ["ab", "aa", "aabccc"]),
        Case(pattern: "a{3,2}|b", matching: ["b"], others: ["aaa", "aa", ""]),
        Case(pattern: "a|bc|d", matching: ["a", "bc", "d"], others: ["abc", "acd", "bcd"]),
        Case(pattern: ".*(cat|dog).*", matching: ["cat", "a dog!\n"], others: ["cow", ""]),
        Case(pattern: "a.*?b", matching: ["ab", "axxb"], others: ["abx"]),
        Case(pattern: "()", matching: [""], others: ["a"]),
        Case(pattern: "", matching: [""], others: ["a"]),
        Case(pattern: "a()b", matching: ["ab"], others: ["a()b"]),
        Case(pattern: "[a-c]x", matching: ["ax", "cx"], others: ["dx", "x", "Ax"]),
        Case(pattern: "[^a-c]", matching: ["d", "\n", "é"], others: ["a", "", "dd"]),
        Case(pattern: "[]a]", matching: ["]", "a"], others: ["[]a]"]),
        Case(pattern: "[^^]", matching: ["a"], others: ["^"]),
        Case(pattern: "[-a]", matching: ["-", "a"], others: ["b"]),
        Case(pattern: #"[\]\-x.]"#, matching: ["]", "-", "x", "."], others: [#"\"#, "a"]),
        Case(pattern: #"[\d-z]"#, matching: ["5", "-", "z"], others: ["y"]),
        Case(pattern: #"\d\s\w"#, matching: ["1 a", "1\t_"], others: ["a a", "1\u{0B}a", "1 é"]),
        Case(pattern: #"\D\S\W"#, matching: ["ax "], others: ["1x ", "a  ", "axx"]),
        Case(pattern: #"[^\w ]"#, matching: ["-", "é"], others: ["a", " "]),
        Case(pattern: #"a\.b\\c\"d"#, matching: [#"a.b\c"d"#], others: [#"axb\c"d"#]),
        Case(pattern: #"a".*b""#, matching: ["a.*b"], others: ["axxb", #"a".*b""#]),
        Case(pattern: "^abc$", matching: ["^abc$"], others: ["abc"]),
        Case(pattern: "(?i)abc", matching: ["?iabc"], others: ["abc", "ABC"]),
        Case(pattern: "*a", matching: ["*a"], others: ["a", "aa"]),
        Case(pattern: "a}]>", matching: ["a}]>"], others: ["a"]),
        Case(pattern: "a#|b", matching: ["b"], others: ["a", "a#"]),
        Case(pattern: "a@b", matching: ["ab", "axb", "a@b"], others: ["abc"]),
        Case(pattern: "<1-30>", matching: ["1", "30", "007"], others: ["0", "31", ""]),
        Case(pattern: "v<01-30>", matching: ["v01", "v30"], others: ["v1", "v001", "v00", "v31"]),
        Case(pattern: #"a\/b[/]"#, matching: ["a/b/"], others: ["a/b"]),
        Case(
            pattern: "abé[x-z]K", matching: ["ABéXk", "abéyK"], others: ["abÉxK", "abéwK", "ab\u{E9}x\u{212A}"],
            folded: true),
        Case(pattern: "[^a]", matching: ["b"], others: ["a", "A"], folded: true),
        Case(pattern: "(a|b)*c", matching: ["c", "abbac"], others: ["abd"]),
    ]

    @Test(arguments: cases) func matchesWhatLuceneMatches(_ sample: Case) throws {
        let language = try LuceneRegex.translate(sample.pattern, caseInsensitive: sample.folded).language
        for value in sample.matching {
            #expect(try finds(language, in: value), "\(value.debugDescription): \(language)")
        }
        for value in sample.others {
            #expect(try !finds(language, in: value), "\(value.debugDescription): \(language)")
        }
    }

    @Test(arguments: [
        ("a\"b", 1, "quoted"), ("a(b", 1, "never closed"), ("a)b", 1, "closes no group"), ("[ab", 0, "never closed"),
        ("a{x}", 2, "needs a number"), ("a{1", 3, "lacks its `}`"), ("a|", 2, "ends where"), ("éa&b", 3, "`&`"),
        ("~a", 0, "`~`"), (#"a\b"#, 1, #"`\b`"#), (#"a\"#, 1, "backslash"), ("<9", 0, "never closed"),
        ("<a-b>", 0, "numeric range"), ("[z-a]", 1, "before it begins"), ("(a|)", 0, "never closed"),
        ("a{99999999999}", 2, "too large"),
    ])
    func refusesWithThePlace(pattern: String, offset: Int, message: String) throws {
        let note = #expect(throws: PatternNote.self) { try LuceneRegex.translate(pattern, caseInsensitive: false) }
        #expect(note?.range.lowerBound == offset)
        #expect(note?.message.contains(message) == true)
    }

    @Test func refusesGroupsThatWouldExhaustTheStack() {
        let pattern = String(repeating: "(", count: 100_000)
        #expect(throws: PatternNote.self) { try LuceneRegex.translate(pattern, caseInsensitive: false) }
    }

    @Test(arguments: [
        ("(?i)abc", 0..<4, "(?i)"), ("^abc", 0..<1, "`^`"), ("a(^b)", 2..<3, "`^`"), ("abc$", 3..<4, "`$`"),
        ("a#b", 1..<2, "`#`"), ("a@b", 1..<2, "`@`"),
    ])
    func warnsOfWhatIsHardlyMeant(pattern: String, range: Range<Int>, message: String) throws {
        let warnings = try LuceneRegex.translate(pattern, caseInsensitive: false).warnings
        #expect(warnings.map(\.range) == [range])
        #expect(warnings.first?.message.contains(message) == true)
    }

    @Test(arguments: ["a.*?b", #"\^a\$"#, "[^a$]", "a$b", "x^y", #"user\@host"#])
    func keepsQuietOtherwise(pattern: String) throws {
        #expect(try LuceneRegex.translate(pattern, caseInsensitive: false).warnings.isEmpty)
    }

    @Test(arguments: [(0, 0), (0, 9), (5, 100), (50, 100), (7, 1234), (99, 101), (100, 999), (123, 321), (990, 1000)])
    func intervalsHoldExactlyTheirNumbers(bounds: (Int, Int)) throws {
        let (lower, upper) = bounds
        let free = try LuceneRegex.translate("<\(lower)-\(upper)>", caseInsensitive: false).language
        let width = 5
        let fixed = try LuceneRegex.translate(
            "<\(padded(upper, width))-\(padded(lower, width))>", caseInsensitive: false
        ).language
        let isFree = String(lower).count != String(upper).count
        for number in 0...1500 {
            let isInside = lower...upper ~= number
            #expect(try finds(free, in: String(number)) == isInside, "\(number)")
            #expect(try finds(free, in: "000\(number)") == (isInside && isFree), "000\(number)")
            #expect(try finds(fixed, in: padded(number, width)) == isInside, "\(number)")
            #expect(try !finds(fixed, in: String(number)))
        }
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        String(repeating: "0", count: width - String(number).count) + String(number)
    }

    @Test func leavesOutTheOpenEnds() throws {
        let language = try LuceneRegex.translate(".*(MailSniper|EWSEditor).*", caseInsensitive: false).language
        #expect(language == .expression("MailSniper|EWSEditor"))
        #expect(try LuceneRegex.translate("@", caseInsensitive: false).language == .everything)
        #expect(try LuceneRegex.translate("a#", caseInsensitive: false).language == .nothing)
    }
}

@Suite struct PatternSearchTests {
    @Test(arguments: [
        "(?i)(New-MailboxExportRequest|python/[0-9])", "^a+?$", #"(?:\\1|[\1+*?(?=]+)"#, #"\Qa++(?=\E"#, "a{2}b",
        "[]+]+x",
        "(?P<name>a)", "(?<name>a)",
    ])
    func passesOnAsWritten(pattern: String) throws {
        #expect(try SearchRegex.language(of: pattern, caseInsensitive: false) == .expression(pattern))
        #expect(try SearchRegex.language(of: pattern, caseInsensitive: true) == .expression("(?i)" + pattern))
    }

    @Test(arguments: [
        ("a(?=b)", 1, "look-ahead"), ("(?<!a)b", 0, "look-behind"), ("(?>a)", 0, "atomic"),
        (#"(a)\1"#, 3, "back-reference"),
        (#"é\K"#, 2, #"`\K`"#), ("a++", 2, "possessive"), ("a{2}+", 4, "possessive"), ("(?(1)a)", 0, "condition"),
        ("a?+", 2, "possessive"),
    ])
    func refusesWhatNeedsBacktracking(pattern: String, offset: Int, message: String) {
        let note = #expect(throws: PatternNote.self) { try SearchRegex.language(of: pattern, caseInsensitive: false) }
        #expect(note?.range.lowerBound == offset)
        #expect(note?.message.contains(message) == true)
    }
}
