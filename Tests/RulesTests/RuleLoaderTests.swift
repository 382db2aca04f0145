import EQL
import EventSchema
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Rules

@Suite struct RuleLoaderTests {
    @Test func readsEveryKey() throws {
        let report = load(
            """
            [metadata]
            creation_date = "2026/01/01"
            integration = ["endpoint", "windows"]
            maturity = "production"
            min_stack_version = "8.14.0"

            [[transform.osquery]]
            label = "ignored"

            [rule]
            author = ["One", "Two"]
            building_block_type = "default"
            description = "Finds it."
            event_category_override = "event.type"
            false_positives = ["Backups."]
            from = "now-9m"
            index = ["logs-*"]
            invented_tomorrow = { by = "Elastic" }
            language = "eql"
            license = "Some License"
            max_signals = 100
            name = "Everything"
            note = "## Triage"
            references = ["https://example.org"]
            risk_score = 47.5
            rule_id = "id-1"
            setup = "Install it."
            severity = "medium"
            tags = ["A", "B"]
            tiebreaker_field = "event.sequence"
            timestamp_field = "event.ingested"
            timestamp_override = "event.ingested"
            type = "eql"
            version = 7
            query = '''
            any where true
            '''
            related_integrations = [{ package = "windows", version = "^2" }]

            [rule.investigation_fields]
            field_names = ["host.name", "user.name"]

            [rule.alert_suppression]
            group_by = ["host.id"]
            duration = { value = 5, unit = "m" }
            missing_fields_strategy = "doNotSuppress"

            [[rule.threat]]
            framework = "MITRE ATT&CK"
            [[rule.threat.technique]]
            id = "T1114"
            name = "Email Collection"
            reference = "https://attack.mitre.org/techniques/T1114/"
            [[rule.threat.technique.subtechnique]]
            id = "T1114.002"
            name = "Remote Email Collection"
            [rule.threat.tactic]
            id = "TA0009"
            name = "Collection"

            [apus]
            regex = "search"
            stage = "shadow"
            """)
        #expect(report.problems.isEmpty)
        let rule = try #require(report.rules.rules.first)
        #expect(rule.name == "Everything" && rule.id == "id-1" && rule.version == 7 && rule.riskScore == 47.5)
        #expect(rule.severity == .medium && rule.severity.number == 47)
        #expect(rule.author == ["One", "Two"] && rule.tags == ["A", "B"] && rule.falsePositives == ["Backups."])
        #expect(rule.license == "Some License" && rule.note == "## Triage" && rule.setup == "Install it.")
        #expect(rule.isBuildingBlock && rule.references == ["https://example.org"])
        #expect(rule.query == "any where true\n")
        #expect(rule.investigationFields == ["host.name", "user.name"])
        #expect(rule.stage == .shadow && rule.ruleset == "pack" && rule.path == "pack/rule.toml")
        let options = QueryOptions(
            regexMode: .search, eventCategoryField: "event.type", timestampField: "event.ingested",
            tiebreakerField: "event.sequence")
        #expect(rule.options == options)
        let suppression = try #require(rule.suppression)
        #expect(
            suppression.fields == ["host.id"] && suppression.window == 300_000_000_000 && !suppression.includesMissing)
        let threat = try #require(rule.threats.first)
        #expect(threat.tactic.id == "TA0009" && threat.tactic.reference == nil)
        #expect(threat.techniques.first?.entry.name == "Email Collection")
        #expect(threat.techniques.first?.subtechniques.first?.id == "T1114.002")
    }

    /// One broken thing each: the place, and a word of the message or hint.
    @Test(arguments: [
        (ruleText(["name": ""]), "1:1", "\"name\" is missing"),
        (ruleText(["name": "name = 5"]), "2:8", "has to be a string, and is an integer"),
        (ruleText(["name": "name = \"\""]), "2:8", "is empty"),
        (ruleText(["severity": "severity = \"hihg\""]), "5:12", "did you mean \"high\"?"),
        (ruleText(["severity": "severity = \"x\""]), "5:12", "use one of low, medium, high, critical"),
        (ruleText(["risk_score": "risk_score = 101"]), "6:14", "from 0 to 100"),
        (ruleText(["risk_score": "risk_score = \"high\""]), "6:14", "has to be a number"),
        (ruleText(["type": "type = [\"eql\"]"]), "7:8", "has to be a string"),
        (ruleText(["more": "tags = [1]"]), "8:8", "an array of strings"),
        (ruleText(["more": "language = \"kuery\""]), "8:12", "the language of an eql rule"),
        (ruleText(query: ""), "1:1", "\"query\" is missing"),
        (ruleText(query: "query = '''\nany where BAD'''"), "9:11", "BAD is bad; leave it out"),
        (ruleText(query: #"query = "any where \"é\" BAD""#), "8:26", "BAD is bad"),
        (ruleText(apus: "[apus]\nregx = \"search\""), "10:1", "did you mean \"regex\"?"),
        (ruleText(apus: "[apus]\nregex = \"lucene\""), "10:9", "use one of elastic, search"),
        (ruleText(apus: "[apsu]\nregex = \"search\""), "9:2", "did you mean [apus]?"),
        (ruleText(apus: "[[rule.filters]]\nquery = {}"), "9:8", "warning: filters are not evaluated"),
        (ruleText(apus: "[[rule.threat]]\nframework = \"F\""), "9:1", "\"tactic\" is missing"),
        (ruleText(apus: "[[rule.threat]]\nframework = \"F\"\ntactic = { id = \"T\" }"), "11:10", "\"name\" is missing"),
        (ruleText(apus: "[rule.alert_suppression]\nduration = { value = 5, unit = \"d\" }"), "10:32", "use s, m or h"),
        (ruleText(apus: "[rule.alert_suppression]\nduration = { value = 0, unit = \"m\" }"), "10:22", "at least one"),
        ("[rule]\nname = \"x", "2:8", "this string is not closed"),
        ("[metadata]\n", "1:1", "there is no [rule] table"),
        ("rule = 1\n", "1:8", "has to be a table"),
    ])
    func problemsHaveTheirPlace(toml: String, place: String, words: String) {
        let report = load(toml)
        #expect(report.problems.count == 1, "\(report.problems)")
        let description = report.problems.first?.description ?? ""
        #expect(description.hasPrefix("pack/rule.toml:\(place): "), "\(description)")
        #expect(description.contains(words), "\(description)")
    }

    @Test func allProblemsComeAtOnce() {
        let report = load(
            ruleText(
                ["name": "", "severity": "severity = 1", "risk_score": "risk_score = -1"],
                query: "query = 'BAD and BAD'", apus: "[apus]\nstages = \"active\"\nregexp = 1"))
        #expect(report.problems.count == 7)
        #expect(report.rules.isEmpty)
    }

    @Test func excerptAndWidthServeTheCaret() throws {
        let problem = try #require(load(ruleText(query: "query = '''\nany where BAD and true'''")).problems.first)
        #expect(problem.place.excerpt == "any where BAD and true'''")
        #expect(problem.place.column == 11 && problem.place.width == 3)
    }

    @Test func linesMayEndWithCRLF() throws {
        let text = ruleText(query: "query = '''\nany where\n  BAD'''").replacingOccurrences(of: "\n", with: "\r\n")
        let problem = try #require(load(text).problems.first)
        #expect(problem.place.description == "pack/rule.toml:10:3" && problem.place.excerpt == "  BAD'''")
        let good = ruleText(query: "query = '''\nany\n where true'''")
        let hashes = [good, good.replacingOccurrences(of: "\n", with: "\r\n")].map { load($0).rules.hash }
        #expect(hashes[0] == hashes[1])
    }

    @Test func oneTextGivesOneRuleOrAllItsProblems() throws {
        #expect(try Rule.parse(toml: ruleText(), checker: lenientChecker).path == "rule.toml")
        let error = #expect(throws: InvalidRule.self) {
            try Rule.parse(toml: ruleText(["name": "", "severity": "severity = 1"]), checker: lenientChecker)
        }
        #expect(error?.problems.count == 2)
        #expect(error?.description.contains("rule.toml:1:1: error: the required key \"name\" is missing") == true)
    }

    @Test func otherTypesAreNamedAndFailNothing() throws {
        let report = load(ruleText(["type": "type = \"threshold\""], query: ""))
        #expect(report.problems.isEmpty && report.rules.isEmpty)
        #expect(report.unsupported.map(\.description) == ["pack/rule.toml: not supported: threshold"])
        #expect(report.unsupported.first?.name == "Test rule")
    }

    @Test func huntingQueriesAreNamedAndFailNothing() {
        let report = load("[hunt]\nname = \"Look around\"\nuuid = \"h-1\"\nquery = ['any where true']")
        #expect(report.problems.isEmpty && report.rules.isEmpty)
        #expect(report.unsupported.map(\.description) == ["pack/rule.toml: not supported: hunt"])
        #expect(report.unsupported.first?.name == "Look around" && report.unsupported.first?.id == "h-1")
    }

    // MARK: Files

    @Test func walksFoldersInOrder() throws {
        let folder = try TemporaryFolder()
        for (index, name) in ["b.toml", "a/z.toml", "a/notes.md", ".git/x.toml", "c.toml.bak"].enumerated() {
            try folder.write(ruleText(["rule_id": "rule_id = \"id-\(index)\""]), to: name)
        }
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "a/loop"), withDestinationURL: folder.url)
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "d.toml"), withDestinationURL: folder.url.appending(path: "b.toml"))
        let loader = RuleLoader(checker: lenientChecker)
        let report = loader.load(paths: [folder.path, folder.path + "/b.toml"])
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(report.fileCount == 2)
        #expect(report.rules.rules.map(\.id) == ["id-0", "id-1"])
        #expect(report.rules["id-1"]?.path.hasSuffix("/a/z.toml") == true)
    }

    @Test func aBrokenFileDoesNotTakeTheOthersDown() throws {
        let folder = try TemporaryFolder()
        try folder.write("nonsense", to: "a.toml")
        try folder.write(ruleText(), to: "b.toml")
        let report = RuleLoader(checker: lenientChecker).load(paths: [folder.path, folder.path + "/none"])
        #expect(report.rules.rules.count == 1)
        #expect(report.hasErrors)
        #expect(report.problems.map { $0.place.path.split(separator: "/").last } == ["none", "a.toml"])
    }

    @Test func unreadableTextIsReported() throws {
        let folder = try TemporaryFolder()
        try Data([0x61, 0xFF]).write(to: folder.url.appending(path: "a.toml"))
        let report = RuleLoader(checker: lenientChecker).load(paths: [folder.path])
        #expect(report.problems.map(\.message) == ["it is not valid UTF-8"])
    }

    @Test func ofTwoRulesWithOneIdTheFirstStays() throws {
        let folder = try TemporaryFolder()
        try folder.write(ruleText(), to: "a.toml")
        try folder.write(ruleText(["name": "name = \"Second\""]), to: "b.toml")
        let report = RuleLoader(checker: lenientChecker).load(paths: [folder.path])
        #expect(report.rules.rules.map(\.name) == ["Test rule"])
        let problem = try #require(report.problems.first)
        #expect(problem.place.description == "\(folder.path)/b.toml:3:11")
        #expect(problem.message.contains("\(folder.path)/a.toml:3:11"))
    }

    // MARK: Loading again

    /// Counts the queries that are checked.
    private final class Checks: Sendable {
        let count = Atomic<Int>(0)
        var checker: QueryChecker {
            QueryChecker { [self] source, options in
                count.add(1, ordering: .relaxed)
                return lenientChecker.check(source, options)
            }
        }

        /// Since the last call.
        func take() -> Int { count.exchange(0, ordering: .relaxed) }
    }

    @Test func onlyWhatHasChangedIsReadAgain() throws {
        let folder = try TemporaryFolder()
        let checks = Checks()
        let loader = RuleLoader(checker: checks.checker)
        func write(_ number: Int, _ query: String = "any where true") throws {
            try folder.write(
                ruleText(["rule_id": "rule_id = \"id-\(number)\""], query: "query = '\(query)'"), to: "\(number).toml")
        }
        func load(_ document: String = "any where true") -> RuleLoadReport {
            let text = ruleText(["rule_id": "rule_id = \"id-0\""], query: "query = '\(document)'")
            return loader.load(
                paths: [folder.path],
                documents: [RuleDocument(id: "id-0", content: Array(text.utf8), path: "rules/id-0")])
        }
        for number in 1...3 { try write(number, number == 3 ? "BAD" : "any where true") }
        #expect(load().rules.rules.map(\.id) == ["id-0", "id-1", "id-2"])
        #expect(checks.take() == 4)
        #expect(load().problems.map(\.message) == ["BAD is bad"], "said again")
        #expect(checks.take() == 0)
        try write(3)
        #expect(load().rules.rules.count == 4)
        #expect(checks.take() == 1)
        #expect(load("any where false").rules["id-0"]?.query == "any where false")
        #expect(checks.take() == 1)
        try FileManager.default.removeItem(at: folder.url.appending(path: "1.toml"))
        #expect(load("any where false").rules.rules.map(\.id) == ["id-0", "id-2", "id-3"])
        #expect(checks.take() == 0)
        try write(1)
        #expect(load("any where false").rules.rules.count == 4)
        #expect(checks.take() == 1, "what has gone was forgotten")
    }

    /// Whatever becomes of the files, also with errors, equal ids, and files that give no text.
    @Test(arguments: 0..<20) func aLoadIsThatOfANewLoader(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        func text() -> String {
            let rule = ruleText(
                [
                    "rule_id": "rule_id = \"id-\(below(6))\"", "name": "name = \"Rule \(below(3))\"",
                    "type": "type = \"\(["eql", "eql", "eql", "esql"][below(4)])\"",
                    "more": ["", "max_signals = 5", "version = true"][below(3)],
                ], query: "query = 'any where \(["true", "false", "BAD"][below(3)])'")
            return below(8) == 0 ? "nonsense" : rule
        }
        let folder = try TemporaryFolder()
        let loader = RuleLoader(checker: lenientChecker)
        var documents: [RuleDocument] = []
        for _ in 0..<40 {
            let name = ["a.toml", "b.toml", "c/a.toml", "c/d.toml", "e.ndjson"][below(5)]
            switch below(5) {
            case 0: try? FileManager.default.removeItem(at: folder.url.appending(path: name))
            case 1:
                try folder.write("", to: name)
                try Data([0x61, 0xFF]).write(to: folder.url.appending(path: name))
            case 2:
                documents = (0..<below(3)).map { number in
                    RuleDocument(
                        id: "id-\(below(6))", content: Array(text().utf8), path: "topic[0]@\(below(4))/\(number)")
                }
            default:
                let export = #"{"rule_id":"id-\#(below(6))","type":"\#(["eql", "query"][below(2)])"}"#
                try folder.write(name.hasSuffix("n") ? export : text(), to: name)
            }
            let paths = below(4) == 0 ? [folder.path + "/c", folder.path] : [folder.path]
            let (again, anew) = (
                loader.load(paths: paths, documents: documents),
                RuleLoader(checker: lenientChecker).load(paths: paths, documents: documents)
            )
            #expect(again.problems == anew.problems)
            #expect(again.unsupported == anew.unsupported)
            #expect(again.fileCount == anew.fileCount)
            #expect(again.rules.hash == anew.rules.hash)
            #expect(
                again.rules.rules.map { "\($0.name) \($0.path)" } == anew.rules.rules.map { "\($0.name) \($0.path)" })
        }
    }
}
