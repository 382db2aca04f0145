import Alerts
import Correlation
import Detection
import EQL
import EventSchema
import Events
import Foundation
import Matching

/// Writes explanations, for people or as JSON.
struct ExplanationWriter {
    let query: CheckedQuery
    let files: [String]
    let output: OutputFormat

    private var isCorrelation: Bool { if case .event = query.form { false } else { true } }

    func write(_ explanation: EventExplanation) {
        switch output {
        case .json: Console.print(EventRecord(explanation, name: name).jsonLine)
        case .text: Console.print(text(explanation))
        }
    }

    /// - Parameter judged: what the rule's suppression makes of each match; nil when it has none.
    func write(_ steps: [TraceStep], _ matches: [QueryMatch], judged: [Suppressor.Judgement]?) {
        guard isCorrelation || judged != nil else { return }
        switch output {
        case .json:
            for step in steps { Console.print(StepRecord(step, name: name).jsonLine) }
            for (index, match) in matches.enumerated() {
                Console.print(MatchRecord(match, judged?[index], name: name).jsonLine)
            }
        case .text:
            if isCorrelation { writeTrace(steps, matches) }
            guard let judged else { return }
            Console.print("What suppression leaves of the matches")
            for (match, judgement) in zip(matches, judged) {
                let events = match.events.map { name($0.origin) }.joined(separator: ", ")
                Console.print("  \(events)  \(judgement.sentence)")
            }
        }
    }

    private func writeTrace(_ steps: [TraceStep], _ matches: [QueryMatch]) {
        Console.print("What became of partial matches, in the order of their events")
        for step in steps {
            let cause = step.cause.map { "\($0.timestamp)  \(name($0.origin))" } ?? "the end"
            let key = step.key.values.isEmpty ? "" : "  [\(step.key.text)]"
            Console.print("  \(cause)\(key)  \(step.sentence { name($0.origin) })")
        }
        Console.print("\(matches.count) \(matches.count == 1 ? "match" : "matches")")
        for match in matches {
            let events = match.steps.map { $0.map { name($0.origin) } ?? "none" }.joined(separator: ", ")
            Console.print("  [\(match.key.text)]  \(events)")
        }
    }

    /// "line 3", with the file where there are several.
    private func name(_ origin: RecordOrigin) -> String {
        let line = "line \(origin.offset)"
        let file = Int(origin.topic.rawValue)
        return files.count > 1 && file < files.count ? "\(files[file]) \(line)" : line
    }

    // MARK: Text

    private func text(_ explanation: EventExplanation) -> String {
        let head = [name(explanation.origin), explanation.timestamp.map(\.description) ?? ""]
            .filter { !$0.isEmpty }.joined(separator: "  ")
        switch explanation.outcome {
        case .unreadable(let failure): return "\(head)\n  not evaluated: \(failure.reason)\n"
        case .part(let sequence, let total):
            return "\(head)\n  part \(sequence) of \(total) of a script block, which takes part as one event\n"
        case .read(let parts):
            let block = explanation.block.map { ["  \(text($0))"] } ?? []
            return ([head] + block + parts.flatMap(lines)).joined(separator: "\n") + "\n"
        }
    }

    private func text(_ block: ScriptBlockMakeup) -> String {
        let parts = block.parts.map { "\($0.sequence): \(name($0.origin))" }.joined(separator: ", ")
        let count = block.isComplete ? "all \(block.total) parts" : "\(block.parts.count) of \(block.total) parts"
        return "script block of \(count) (\(parts))\(block.isCut ? ", its text cut" : "")"
    }

    private func lines(_ part: PartExplanation) -> [String] {
        let tree = Self.text.lines(part.verdicts).map { "  " + $0 }
        let excepted =
            part.exceptions.isEmpty ? [] : ["  left out by exception \(part.exceptions.joined(separator: ", "))"]
        guard part.part != .event else { return tree + excepted }
        var head = "  \(part.part.name): \(part.holds ? "matches" : "does not match")"
        if part.holds, let keys = part.keys {
            let isJoined = keys.contains { !$0.values.isEmpty }
            if keys.isEmpty {
                head += ", but a join key is missing: the event is not seen here"
            } else if isJoined {
                head += ", key \(keys.map(\.text).joined(separator: " and "))"
            }
        }
        return [head] + (tree + excepted).map { "  " + $0 }
    }

    private static var text: ExplanationText {
        guard Console.outputIsTerminal, ProcessInfo.processInfo.environment["NO_COLOR"] == nil else {
            return ExplanationText()
        }
        return ExplanationText { "\u{1B}[\($1 ? 32 : 31)m\($0)\u{1B}[0m" }
    }
}

extension Suppressor.Judgement {
    fileprivate var sentence: String {
        switch self {
        case .suppressed(let window): return "held back: repeats the alert of \(window.start)"
        case .alert(let suppression):
            guard let count = suppression?.count, count > 0 else { return "raises an alert" }
            return "raises an alert, which tells of \(count) held back before"
        }
    }
}

extension QueryPart {
    fileprivate var name: String {
        switch self {
        case .event: "event"
        case .stage(let number): "stage \(number)"
        case .missing(let number): "missing event \(number)"
        case .until: "until"
        }
    }
}

extension CorrelationKey {
    fileprivate var text: String { values.map { $0.text ?? "(missing)" }.joined(separator: ", ") }
}

// MARK: - JSON

/// One line of `apus explain --output json` about an event.
private struct EventRecord: Encodable {
    var event: String
    var timestamp: String?
    var failure: String?
    /// Of a part of a script block, which part it is.
    var scriptBlockPart: Int64?
    var scriptBlock: ScriptBlock?
    var parts: [Part]?

    /// What a script block that came in parts was made of.
    struct ScriptBlock: Encodable {
        var total: Int64
        var complete: Bool
        var cut: Bool
        var parts: [Piece]

        struct Piece: Encodable {
            var part: Int64
            var event: String
        }
    }

    struct Part: Encodable {
        var part: String
        var matches: Bool
        var keys: [[String?]]?
        /// The exceptions that keep the event from the rule here.
        var exceptions: [String]?
        var verdict: Node
    }

    init(_ explanation: EventExplanation, name: (RecordOrigin) -> String) {
        event = name(explanation.origin)
        timestamp = explanation.timestamp?.description
        scriptBlock = explanation.block.map { block in
            ScriptBlock(
                total: block.total, complete: block.isComplete, cut: block.isCut,
                parts: block.parts.map { ScriptBlock.Piece(part: $0.sequence, event: name($0.origin)) })
        }
        switch explanation.outcome {
        case .unreadable(let failure): self.failure = failure.reason
        case .part(let sequence, _): scriptBlockPart = sequence
        case .read(let parts):
            self.parts = parts.map { part in
                Part(
                    part: part.part.name, matches: part.holds, keys: part.keys?.map { $0.values.map(\.text) },
                    exceptions: part.exceptions.isEmpty ? nil : part.exceptions,
                    verdict: Node(part.verdicts))
            }
        }
    }
}

/// A part of a verdict tree; `operator` is `and`, `or`, `not`, `test` or `constant`.
private struct Node: Encodable {
    var `operator`: String
    var matches: Bool
    var test: String?
    var fields: [Field]?
    var parts: [Node]?

    struct Field: Encodable {
        var field: String
        var values: [Value]
    }

    struct Value: Encodable {
        var value: String
        var matches: Bool?
        /// UTF-8 offsets in the value: where it begins, and where it is over.
        var span: [Int]?
    }

    init(_ tree: VerdictTree) {
        matches = tree.holds
        switch tree {
        case .constant: `operator` = "constant"
        case .not(let inner):
            `operator` = "not"
            parts = [Node(inner)]
        case .all(let parts):
            `operator` = "and"
            self.parts = parts.map(Node.init)
        case .any(let parts):
            `operator` = "or"
            self.parts = parts.map(Node.init)
        case .leaf(let leaf):
            `operator` = "test"
            test = leaf.text
            fields = leaf.fields.map { field in
                Field(
                    field: field.path.dotted,
                    values: field.values.map {
                        Value(
                            value: String(decoding: $0.text, as: UTF8.self), matches: $0.holds,
                            span: $0.span.map { [$0.lowerBound, $0.upperBound] })
                    })
            }
        }
    }
}

/// What happened to one partial match.
private struct StepRecord: Encodable {
    var step: String
    var stage: Int
    var key: [String?]
    var events: [String]
    var cause: String?
    var text: String

    init(_ step: TraceStep, name: (RecordOrigin) -> String) {
        self.step = step.name
        stage = step.stage + 1
        key = step.key.values.map(\.text)
        events = step.partial.map { name($0.origin) }
        cause = step.cause.map { name($0.origin) }
        text = step.sentence { name($0.origin) }
    }
}

private struct MatchRecord: Encodable {
    var match: [String?]
    var key: [String?]
    /// Whether it is held back as the repeat of an alert; absent where the rule suppresses nothing.
    var suppressed: Bool?

    init(_ found: QueryMatch, _ judgement: Suppressor.Judgement?, name: (RecordOrigin) -> String) {
        suppressed = judgement.map { if case .suppressed = $0 { true } else { false } }
        match = found.steps.map { $0.map { name($0.origin) } }
        key = found.key.values.map(\.text)
    }
}
