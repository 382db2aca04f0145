import Correlation
import Detection
import EQL
import EventSchema
import Events
import Matching
import TestSupport
import Testing

/// What `apus explain` says; and that it cannot say anything but what the engine does.
@Suite struct ExplanationTests {
    private func explainer(_ query: String) throws -> Explainer {
        let result = QueryReader(.bounded).read(SourceText(query))
        return Explainer(try CompiledQueries([try #require(result.query, "\(result.diagnostics)")]))
    }

    /// The parts of each event, and the sentences about partial matches.
    private func explain(_ query: String, _ events: [String]) throws -> (parts: [[PartExplanation]], story: [String]) {
        let explainer = try explainer(query)
        var parts: [[PartExplanation]] = []
        for (index, event) in events.enumerated() {
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(index + 1))
            let explanation = Array(event.utf8).withUnsafeBytes { explainer.explain($0, origin: origin) }
            guard case .read(let read) = explanation.outcome else { continue }
            parts.append(read)
        }
        return (parts, explainer.finish().steps.map { $0.sentence { "\($0.origin.offset)" } })
    }

    private func lines(_ query: String, _ event: String) throws -> [String] {
        let (parts, _) = try explain(query, [event])
        return ExplanationText(longestValue: 40).lines(try #require(parts.first?.first).verdicts)
    }

    @Test func everyLeafShowsWhatItLookedAt() throws {
        let lines = try lines(
            #"process where process.args : ("*b?", "x*") and not user.name == "ada" and destination.port >= 80"#,
            #"{"event":{"category":"process"},"process":{"args":["é-ab1","q"]},"destination":{"port":"443"}}"#)
        #expect(
            lines == [
                "true   and",
                "  true   event.category == \"process\"",
                "           event.category = \"process\"",
                "  true   process.args : (\"*b?\", \"x*\")",
                "           process.args = \"é-ab1\"   <- passes",
                "                              ^^",
                "           process.args = \"q\"",
                "  true   not",
                "    false  user.name == \"ada\"",
                "             user.name is missing",
                "  true   destination.port >= 80",
                "           destination.port = 443",
            ], "\(lines.joined(separator: "\n"))")
    }

    /// A block is explained as the one event that the engine makes of it, with its parts.
    @Test func aScriptBlockIsExplainedAsAWhole() throws {
        let explainer = try explainer(
            #"process where powershell.file.script_block_text like "*Invoke-SelfSearch*""#)
        func explain(_ part: Int, _ text: String, line: Int64, block: String = "b") -> EventExplanation {
            let event = """
                {"@timestamp":"2026-01-01T09:00:00Z","event":{"category":"process","code":"4104"},"powershell":{\
                "sequence":\(part),"total":2,"file":{"script_block_id":"\(block)","script_block_text":"\(text)"}}}
                """
            let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: line)
            return Array(event.utf8).withUnsafeBytes { explainer.explain($0, origin: origin) }
        }
        guard case .part(2, 2) = explain(2, "Search", line: 1).outcome else {
            Issue.record("a part is explained by itself")
            return
        }
        #expect(explainer.takeBlocks().isEmpty)
        _ = explain(1, "Invoke-Self", line: 2)
        let block = try #require(explainer.takeBlocks().first)
        #expect(block.origin.offset == 2)
        #expect(block.block?.isComplete == true && block.block?.isCut == false)
        #expect(block.block?.parts.map(\.origin.offset) == [2, 1])
        guard case .read(let parts) = block.outcome else {
            Issue.record("the block is not read")
            return
        }
        #expect(parts.map(\.holds) == [true])

        _ = explain(1, "Invoke-Self", line: 3, block: "half")
        #expect(explainer.finish().matches.count == 1)
        let half = explainer.takeBlocks()
        #expect(half.map { $0.block?.isComplete } == [false])
        #expect(half.map { $0.block?.parts.count } == [1])
    }

    @Test func longValuesAreCutAroundTheMatch() throws {
        let value = String(repeating: "é", count: 100) + "needle" + String(repeating: "-", count: 100)
        let lines = try lines(#"any where process.name : "*needle*""#, #"{"process":{"name":"\#(value)"}}"#)
        let shown = try #require(lines.dropFirst().first)
        let carets = try #require(lines.last)
        #expect(shown.contains("…éé") && shown.contains("--…") && shown.count < 80)
        let start = carets.distance(from: carets.startIndex, to: try #require(carets.firstIndex(of: "^")))
        #expect(shown.dropFirst(start).prefix(6) == "needle" && carets.hasSuffix("^^^^^^"))
    }

    @Test func functionsShowEveryFieldTheyRead() throws {
        let lines = try lines(
            #"any where length(process.name) > 3 or concat(user.name, user.id) == "ab""#,
            #"{"process":{"name":"cmd"},"user":{"name":["a","c"]}}"#)
        #expect(
            lines == [
                "false  or",
                "  false  length(process.name) > 3",
                "           process.name = \"cmd\"",
                "  false  concat(user.name, user.id) == \"ab\"",
                "           user.name = \"a\"",
                "           user.name = \"c\"",
                "           user.id is missing",
            ], "\(lines.joined(separator: "\n"))")
    }

    private func event(_ second: Int, _ category: String, host: String = "h") -> String {
        let time =
            "2026-01-01T00:\(second / 60 < 10 ? "0" : "")\(second / 60):\(second % 60 < 10 ? "0" : "")\(second % 60)Z"
        return #"{"@timestamp":"\#(time)","event":{"category":"\#(category)"},"host":{"id":"\#(host)"}}"#
    }

    @Test func aSequenceTellsItsStory() throws {
        let (parts, story) = try explain(
            "sequence by host.id with maxspan=1m [process where true] [network where true] until [file where true]",
            [
                event(0, "network"), event(1, "process"), event(2, "process"), event(3, "network"),
                event(10, "process"),
                event(77, "network"), event(80, "process"), event(81, "file"), event(82, "network", host: "i"),
            ])
        #expect(parts[0].map(\.part) == [.stage(1), .stage(2), .until])
        #expect(parts[0].map(\.holds) == [false, true, false])
        #expect(parts[0][1].keys == [CorrelationKey([.string("h")])])
        #expect(
            story == [
                "matches stage 2, but no partial match of its key stands before that stage",
                "begins at stage 1",
                "the partial match of 2 at stage 1 is lost to this newer one",
                "begins at stage 1",
                "complete: 3, 4",
                "begins at stage 1",
                "stage 2 came 7 s after maxspan: the partial match of 5 dies",
                "begins at stage 1",
                "until ends the partial match of 7 at stage 1",
                "matches stage 2, but no partial match of its key stands before that stage",
            ], "\(story.joined(separator: "\n"))")
    }

    @Test func aMissingEventIsNamed() throws {
        let (_, story) = try explain(
            "sequence by host.id with maxspan=1m [process where true] ![file where true] [network where true]",
            [event(0, "process"), event(1, "file"), event(2, "network")])
        #expect(
            story.last?.hasPrefix("an event that must be missing (![…] number 1) came at 2026-01-01T00:00:01") == true)
    }

    @Test func anUnreadableEventHasItsReason() throws {
        let explainer = try explainer("any where true")
        let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: 1)
        let explanation = Array("nonsense".utf8).withUnsafeBytes { explainer.explain($0, origin: origin) }
        guard case .unreadable(.notJSON) = explanation.outcome else {
            Issue.record("\(explanation)")
            return
        }
    }

    /// The tree of verdicts and the jumps of the plan come to one answer, whatever is asked of whatever.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func theTreeNeverContradictsThePlan(seed: UInt64) throws {
        var queries = QueryGenerator(seed: seed)
        var events = EventGenerator(seed: seed)
        var held = 0
        for _ in 0..<60 {
            let result = QueryReader(.bounded).read(SourceText(queries.eventQuery().description))
            let explainer = Explainer(try CompiledQueries([try #require(result.query)]))
            for number in 0..<20 {
                let bytes = Array(events.next().utf8)
                let origin = RecordOrigin(topic: TopicID(rawValue: 0), partition: 0, offset: Int64(number))
                let explanation = bytes.withUnsafeBytes { explainer.explain($0, origin: origin) }
                guard case .read(let parts) = explanation.outcome else { continue }
                #expect(parts[0].verdicts.holds == parts[0].holds, "\(explainer.query.conditions[0])")
                if parts[0].holds { held += 1 }
            }
        }
        #expect(held > 0)
    }

    /// Patterns of several operators on one field are one test, and still several operands of `or`.
    @Test func aTestOfSeveralOperatorsIsPrintedInParentheses() throws {
        let text = #"any where (a regex "x+" or a : "y*") and b == 1"#
        let query = try #require(QueryReader(.bounded).read(SourceText(text)).query)
        #expect(query.conditions[0].description == #"(a regex "x+" or a : "y*") and b == 1"#)
    }

    /// A leaf is printed as EQL that means the same.
    @Test func printedConditionsReadBackAsTheyWere() throws {
        var queries = QueryGenerator(seed: 7)
        for _ in 0..<300 {
            let first = try #require(QueryReader(.bounded).read(SourceText(queries.eventQuery().description)).query)
            let text = "any where \(first.conditions[0])"
            let result = QueryReader(.bounded).read(SourceText(text))
            let second = try #require(result.query, "\(text): \(result.diagnostics)")
            #expect(second.conditions[0].description == first.conditions[0].description)
        }
    }
}
