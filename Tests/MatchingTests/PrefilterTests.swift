import EQL
import EventSchema
import TestSupport
import Testing

@testable import Matching

/// What is passed over by its bytes can match nothing, whichever way it is spelled.
@Suite struct PrefilterTests {
    private func passes(_ conditions: [String], _ record: String, regexMode: RegexMode = .elastic) throws -> Bool {
        let filter = try Prefilter(conditions.map { try condition($0, regexMode: regexMode) })
        return PrefilterScanner(filter).passes(record)
    }

    private func passes(_ condition: String, _ record: String) throws -> Bool { try passes([condition], record) }

    // MARK: Soundness

    /// Random queries and events: nothing that holds is passed over, and much of the rest is.
    @Test func neverPassesOverWhatHolds() throws {
        var (held, passedOver) = (0, 0)
        for seed in 0..<40 as Range<UInt64> {
            var queries = QueryGenerator(seed: seed)
            var events = EventGenerator(seed: seed)
            var random = SeededRandom(seed: seed)
            let lines = events.events(40)
            for _ in 0..<25 {
                let query = queries.eventQuery()
                let condition = try #require(check(query).query, "\(query)").conditions[0]
                guard let filter = try? Prefilter([condition]) else { continue }
                let bench = try Bench([condition])
                let scanner = PrefilterScanner(filter)
                for line in lines {
                    let line = JSONSpelling.respelled(line, oneIn: random.pick([3, 40, 400]), &random)
                    let holds = try !bench.matches(line).isEmpty
                    let passes = scanner.passes(line)
                    #expect(passes || !holds, "seed \(seed): \(condition): \(line)")
                    if holds { held += 1 }
                    if !passes { passedOver += 1 }
                }
            }
        }
        #expect(held > 1_000 && passedOver > 1_000, "\(held) held, \(passedOver) passed over")
    }

    /// Random expressions with a text that each of them matches.
    @Test func textsStandInWhatExpressionsMatch() throws {
        var random = SeededRandom(seed: 7)
        var told = 0
        for _ in 0..<1_000 {
            let (expression, sample) = Self.expression(4, &random)
            guard let needed = ExpressionTexts.needed(by: expression) else { continue }
            told += 1
            let text = sample.lowercased()
            #expect(
                needed.texts.contains { text.contains(String(decoding: $0, as: UTF8.self)) }, "\(expression): \(sample)"
            )
            let literal = expression.replacing("\\", with: "\\\\")
            let bench = try Bench(#"process.name regex "(?i)\#(literal)""#, regexMode: .search)
            let isMatched = try !bench.matches(JSONValue.object([.init("process.name", .string(sample))]).text).isEmpty
            #expect(isMatched, "\(expression): \(sample)")
        }
        #expect(told > 100)
    }

    private static func expression(_ depth: Int, _ random: inout SeededRandom) -> (String, String) {
        let letters = Array("abkS.-/ xyz")
        guard depth > 0 else {
            let letter = random.pick(letters)
            let isPlain = letter.isLetter || letter == " " || letter == "-" || letter == "/"
            return (isPlain ? String(letter) : "\\\(letter)", String(letter))
        }
        switch random.below(9) {
        case 0:
            let choices = (0...random.below(3)).map { _ in expression(depth - 1, &random) }
            return ("(?:" + choices.map(\.0).joined(separator: "|") + ")", random.pick(choices).1)
        case 1:
            let part = expression(depth - 1, &random)
            let (quantifier, counts) = random.pick([
                ("?", 0...1), ("*", 0...3), ("+", 1...3), ("{2}", 2...2), ("{0,1}", 0...1),
            ])
            let count = Int.random(in: counts, using: &random)
            return ("(\(part.0))\(quantifier)", String(repeating: part.1, count: count))
        case 2:
            let letter = random.pick(Array("abk"))
            return random.oneIn(2) ? ("[\(letter)\(letter.uppercased())]", "\(letter)") : ("[^\(letter)]", "q")
        case 3: return (random.pick([".", #"\w"#, #"[0-9a]"#, #"\x{61}"#]), "a")
        default:
            let parts = (0...2 + random.below(3)).map { _ in expression(depth - 1, &random) }
            return (parts.map(\.0).joined(), parts.map(\.1).joined())
        }
    }

    // MARK: Spellings

    @Test(arguments: [
        #"{"process.name":"powershell.exe"}"#, #"{"process":{"name":"POWERSHELL.exe"}}"#,
        #"{"process.name":"p\u006fwershell.exe"}"#, #"{"process.name":"\u0070owershell.exe"}"#,
        #"{"process.name":"\\\u0070owershell.exe"}"#, #"{"process.name":["x","powershell.exe"]}"#,
    ])
    func everySpellingOfAValuePasses(record: String) throws {
        #expect(try passes(#"process.name : "powershell.exe""#, record))
    }

    @Test func anEscapedBackslashIsNoEscape() throws {
        let filter = #"process.name : "powershell.exe""#
        #expect(try !passes(filter, #"{"process.executable":"C:\\users\\u1\\cmd.exe"}"#))
        #expect(try passes(filter, #"{"process.executable":"C:\\users\\\u0075"}"#))
    }

    /// The Kelvin sign and the long s are `k` and `s` where case does not matter.
    @Test(arguments: ["tas\u{212A}-one", "ta\u{17F}k-one", "TASK-ONE"])
    func lettersThatAreAnotherInTheOtherCasePass(name: String) throws {
        let text = #"process.name regex "(?i)task-one""#
        let record = #"{"process.name":"\#(name)"}"#
        #expect(try Bench(text, regexMode: .search).matches(record) == [0])
        #expect(try passes([text], record, regexMode: .search))
        #expect(try !passes([text], #"{"process.name":"tas-kone"}"#, regexMode: .search))
    }

    @Test func slashesMayBeEscaped() throws {
        let condition = #"url.path : "/ews/exchange.asmx""#
        #expect(try passes(condition, #"{"url.path":"\/EWS\/Exchange.asmx"}"#))
        #expect(try !passes(condition, #"{"url.path":"/owa/"}"#))
    }

    /// `*` and `?` stand for any text also in what the functions look for, and a backslash may take that from them.
    @Test(arguments: [
        (#"stringContains(process.command_line, "sh=*xyz")"#, "cmd sh=12xyz"),
        (#"endsWith(process.command_line, "power?hell")"#, "powerShell"),
        (#"process.command_line : "power\\*hell""#, #"power\\ and hell"#),
    ])
    func wildcardsOfFunctionsStandForAnyText(text: String, value: String) throws {
        let record = #"{"process.command_line":"\#(value)"}"#
        #expect(try Bench(text).matches(record) == [0])
        #expect(try passes(text, record))
    }

    // MARK: What conditions need

    @Test(arguments: [
        // Compared by value, however they are written.
        "destination.port == 443", #"custom.number == "443""#, #"user.name == "1e5""#,
        "process.code_signature.valid == true",
        #"source.ip == "10.0.0.1""#, #"cidrMatch(source.ip, "10.0.0.0/8")"#, #"@timestamp > "2026-01-01""#,
        // Nothing in particular.
        "true", "process.name != null", #"process.name != "cmd.exe""#, #"not process.name == "cmd.exe""#,
        #"process.name like "*""#, #"process.name : "?s""#, #"process.name > "cmd.exe""#,
        #"process.name == "cmd.exe" or process.pid == 4"#, #"length(process.name) > 4"#,
        // In no record.
        #"apus.host_key == "workstation""#, #"apus.decoded.command_line : "*mailsniper*""#,
    ])
    func someConditionsNeedNoText(text: String) throws {
        #expect(throws: Prefilter.Untellable(condition: 1)) {
            try Prefilter([try condition(#"user.name == "mallory""#), try condition(text)])
        }
    }

    @Test(arguments: [
        (#"process.name == "cmd.exe" and process.pid == 4"#, ["cmd.exe"]),
        (#"process.name in ("cmd.exe", "pwsh.exe")"#, ["cmd.exe", "pwsh.exe"]),
        (#"process.name == "cmd.exe" or user.name : "ADA""#, ["ada", "cmd.exe"]),
        (#"event.category == "process" and process.name == "cmd.exe""#, ["cmd.exe"]),
        (
            #"process.name == "cmd.exe" and process.command_line : "*New-MailboxExportRequest*""#,
            ["new-mailboxexportrequ"]
        ),
        (#"process.executable : "C:\\Windows\\*\\rundll32.exe""#, ["rundll32.ex"]),
        (#"startsWith(process.name, "power")"#, ["power"]),
        (#"endsWith(process.name, "ower?shell")"#, ["shell"]),
        (#"stringContains(process.command_line, "-enc*payload")"#, ["payload"]),
        ("false", []),
    ])
    func theRarestTextIsLookedFor(text: String, texts: [String]) throws {
        let needed = try #require(Gate(try condition(text)).flatMap { NeededTexts($0) })
        #expect(needed.texts.map { String(decoding: $0, as: UTF8.self) }.sorted() == texts)
    }

    @Test(
        arguments: [
            ("(?i)(New-Mailbox|Search-Mailbox)", ["new-mailbox", "search-mailbox"]),
            (#"Microsoft\.Exchange\.WebServices"#, ["microsoft.exchange.web"]),
            ("python/[0-9]", ["python"]), ("(?:abc){0,1}defg", ["defg"]), ("(abc)+", ["abc"]), (#"\Aabc\z"#, ["abc"]),
            ("[Aa][Bb]c", ["abc"]), ("ab[cd]efgh", ["efgh"]), ("abc?defgh", ["defgh"]), ("abcd*efghij", ["efghij"]),
            ("abcd+", ["abcd"]), (#"abc\wdefg"#, ["defg"]), ("abc(?#note)", nil), ("a(?x)b c d e", nil),
            (#"\Qabc\E"#, nil),
            ("abc|d", nil), ("[[:alpha:]]abc", nil), (#"\p{L}abc"#, nil), ("(abc", nil), ("abc)", nil), ("ab", nil),
        ] as [(String, [String]?)])
    func expressions(expression: String, texts: [String]?) {
        let needed = ExpressionTexts.needed(by: expression)
        #expect(needed?.texts.map { String(decoding: $0, as: UTF8.self) }.sorted() == texts)
    }

    // MARK: Giving up

    /// Where most records pass, the next ones are not looked at; then it is tried again.
    @Test func looksNoMoreWhereItDoesNotPay() throws {
        let scanner = PrefilterScanner(try Prefilter([try condition(#"process.name == "powershell.exe""#)]))
        let (some, other) = (#"{"process.name":"powershell.exe"}"#, #"{"process.name":"cmd.exe"}"#)
        for _ in 0..<PrefilterScanner.trial {
            #expect(!scanner.passes(other))
        }
        for _ in 0..<PrefilterScanner.trial {
            #expect(scanner.passes(some))
        }
        for _ in 0..<PrefilterScanner.pause {
            #expect(scanner.passes(other))
        }
        #expect(!scanner.passes(other))
    }
}

extension PrefilterScanner {
    fileprivate func passes(_ record: String) -> Bool { Array(record.utf8).withUnsafeBytes { passes($0) } }
}
