import Detection
import EQL
import EventSchema
import Events
import Foundation
import Matching
import Rules
import Testing

@testable import RuleTesting

/// What is generated passes on the engine, and says something about every condition.
@Suite struct FixtureGeneratorTests {
    @Test(
        arguments: [
            (#"process where process.name == "cmd.exe""#, 2, 2),
            (#"process where process.name : ("a*.exe", "b?") and not user.name == "root""#, 2, 3),
            (#"any where event.code in ("1", "3") or process.pid > 4"#, 2, 2),
            (#"network where destination.port == 443 and cidrMatch(source.ip, "10.0.0.0/8")"#, 2, 3),
            (#"any where length(process.command_line) > 20"#, 2, 2),
            (#"any where startsWith(file.path, "C:\\Temp") and file.size >= 10"#, 2, 2),
            (#"any where user.name != null and @timestamp > "2026-01-01""#, 2, 2),
            (#"any where process.name regex "(ab|c)[0-9]{2}x+.*y?""#, 2, 2),
            (#"any where stringContains(process.command_line, " -enc ") and process.args_count < 9"#, 2, 2),
            (#"any where event.type == "start" and event.type == "connection""#, 2, 2),
            (#"any where x.y == true and x.z == 1.5"#, 2, 2),
            (#"any where not (a == "x" and b == "y")"#, 2, 2),
            (#"any where user.name != null"#, 2, 2),
            (
                #"sequence by host.id with maxspan=1m [process where process.pid == 4] [network where true]"#, 2, 6
            ),
            (#"sequence by user.id with maxspan=30s [any where a == 1] ![any where b == 2] [any where c == 3]"#, 2, 6),
            (#"sample by apus.host_key with maxspan=60s [any where a == 1] [any where b == 2]"#, 2, 4),
            (#"sequence by host.id [any where a == 1] [any where b == 2]"#, 2, 4),
            (#"sequence with maxspan=5m [any where a == 1] by host.ip [any where b == 2] by source.ip"#, 2, 5),
        ] as [(String, Int, Int)])
    func generatedFixturesPass(query: String, matches: Int, nearMisses: Int) throws {
        let rule = try rule(query)
        let generated = try #require(try FixtureGenerator(rule).generate())
        #expect(generated.unsolved.isEmpty, "\(generated.unsolved)")
        #expect(generated.matches == matches && generated.nearMisses == nearMisses, "\(generated.text)")
        let tests = try results(rule, generated.text)
        #expect(tests.count == matches + nearMisses)
        for test in tests { #expect(test.passed, "\(test.test.name): \(test.failures)\n\(generated.text)") }
    }

    /// What is derived cannot be written into a record: what hides it is, and of each condition's near misses, too.
    @Test(
        arguments: [
            (#"process where apus.decoded.command_line : "*invoke-selfsearch*""#, "process.command_line", 2, 2),
            (
                #"any where apus.decoded.command_line : "*mailsniper*" and not process.command_line : "*mailsniper*""#,
                "process.command_line", 2, 2
            ),
            (
                #"any where apus.decoded.command_line : "*copy*" and apus.decoded.command_line : "*.ost*""#,
                "process.command_line", 2, 2
            ),
            (
                #"any where apus.decoded.script : "*it's*" and powershell.`sequence` == 1"#,
                "powershell.file.script_block_text", 2, 2
            ),
            (
                #"any where stringContains(apus.decoded.script, "get-inbox") and event.code == "4104""#,
                "powershell.file.script_block_text", 2, 2
            ),
            (
                #"any where not apus.decoded.command_line : "*a*" and process.command_line : "*b*""#,
                "process.command_line", 2, 2
            ),
            (
                #"sequence by host.id with maxspan=1m [any where apus.decoded.script : "*iex*"] [network where true]"#,
                "powershell.file.script_block_text", 2, 5
            ),
        ] as [(String, FieldPath, Int, Int)])
    func derivedFieldsAreHidden(query: String, source: FieldPath, matches: Int, nearMisses: Int) throws {
        let rule = try rule(query)
        let generated = try #require(try FixtureGenerator(rule).generate())
        #expect(generated.unsolved.isEmpty, "\(generated.unsolved)")
        #expect(generated.matches == matches && generated.nearMisses == nearMisses, "\(generated.text)")
        #expect(generated.text.contains("          \(source): "), "\(generated.text)")
        #expect(!generated.text.contains("          apus."), "\(generated.text)")
        for test in try results(rule, generated.text) {
            #expect(test.passed, "\(test.test.name): \(test.failures)\n\(generated.text)")
        }
    }

    /// Each form hides any text from its source, and gives it to the field.
    @Test(
        arguments: DecodedField.all.map(\.path), ["new-mailboxexportrequest -mailbox ceo", "a'b+c \"d\"", "grüße 日本"])
    func hiddenTextsAreDerived(field: FieldPath, text: String) throws {
        let decoded = try #require(DecodedField.named(field))
        let quoted = text.replacing("\"", with: "\\\"")
        let runner = try RuleTestRunner(try rule("any where stringContains(`\(field.dotted)`, \"\(quoted)\")"))
        for form in HiddenTextSample.forms(for: decoded) {
            let hiding = form.value(of: decoded, hiding: text)
            #expect(!hiding.contains(text))
            var bytes: [UInt8] = []
            RecordObject([decoded.source: [.string(hiding)]]).write(to: &bytes)
            #expect(runner.findings(for: [bytes]).count == 1, "\(hiding)")
        }
    }

    /// The second match differs by what the query leaves open: another value, a letter case, or more fields.
    @Test(
        arguments: [
            (#"any where process.name in ("a.exe", "b.exe")"#, "the same with another process.name"),
            (#"any where process.name : "a*.exe""#, "the same with another process.name"),
            (#"any where file.size > 100"#, "the same with another file.size"),
            (#"any where event.code == "1" and not user.name : "root""#, "the same with another user.name"),
            (#"any where process.name : "cmd.exe""#, "the same with process.name in other letters"),
            (#"any where process.name == "cmd.exe""#, "the same with more fields"),
        ])
    func theSecondMatchDiffers(query: String, name: String) throws {
        let rule = try rule(query)
        let tests = try results(rule, try #require(try FixtureGenerator(rule).generate()).text)
        let matches = tests.filter { $0.test.kind == .match }
        #expect(matches.count == 2 && matches.last?.test.name == name, "\(matches.map(\.test.name))")
        #expect(matches.first?.test.events[0].bytes != matches.last?.test.events[0].bytes)
    }

    @Test func everyRuleOfThePackGetsEnough() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let suite = RuleTestSuite(paths: [root.appending(path: "config/rules").path], checker: .bounded)
        #expect(!suite.entries.isEmpty)
        for entry in suite.entries {
            let generated = try #require(try FixtureGenerator(entry.rule).generate(), "\(entry.rule.path)")
            #expect(min(generated.matches, generated.nearMisses) >= RuleTestReport.fewestOfAKind, "\(entry.rule.path)")
        }
    }

    @Test func whatNeverMatchesHasNoFixture() throws {
        let rule = try rule("any where process.pid == 1 and not process.pid > 0")
        let generated = try FixtureGenerator(rule).generate()
        #expect(generated?.text == nil)
    }

    @Test(arguments: [
        #"abc"#, #"(?i)New-Mailbox(Export|Search)Request"#, #"\bcurl/[0-9]+\.[0-9]"#, #"\Aa\x{41}[Bb].*\z"#,
        #"[^a-z]x"#,
        #"a{3}b{0,2}c+?"#, #"(?:one|two)\s+three"#, #"\\\\[^\\]+\\[A-Z]\$"#, #"(?P<name>x)y"#, #"[]a]"#, #"\Qa.b\E"#,
        #"[[:digit:]]{4}"#, #"x|"#, #"^start.+end$"#, #"[\d_]-[\w.]"#,
    ])
    func samplesMatchTheirPattern(pattern: String) throws {
        let text = "any where process.command_line regex \"\"\"\(pattern)\"\"\""
        let runner = try RuleTestRunner(try rule(text, apus: "regex = \"search\""))
        for sample in [PatternSample.text(of: pattern), PatternSample.otherText(of: pattern)] {
            var bytes: [UInt8] = []
            RecordObject(["process.command_line": [.string(sample)]]).write(to: &bytes)
            #expect(runner.findings(for: [bytes]).count == 1, "\(pattern): \(sample)")
        }
    }

    @Test(arguments: [("a|bc|d", "d"), ("x*y+", "xyy"), ("a(b|c)?", "ac"), ("abc", "abc")])
    func theOtherSampleTakesTheOtherWay(pattern: String, sample: String) {
        #expect(PatternSample.otherText(of: pattern) == sample)
    }

    @Test(arguments: ["it's", "a\tb", "#", "a: b", "- x", "", "\u{7}", "é\u{301}", "'", "\"\\"])
    func quotedTextReadsBack(text: String) throws {
        let yaml = "tests:\n  - match: x\n    events:\n      - fields: {a: \(YAMLText.quoted(text))}\n"
        let event = try #require(FixtureReader.read(yaml, path: "x").fixture).tests[0].events[0]
        var bytes: [UInt8] = []
        RecordObject(["a": [.string(text)], .timestamp: [.string(Fixture.start.description)]]).write(to: &bytes)
        var sorted = RecordObject()
        sorted.merge(.string(text), at: "a")
        sorted.merge(.string(Fixture.start.description), at: .timestamp)
        bytes = []
        sorted.write(to: &bytes)
        #expect(event.bytes == bytes)
    }
}
