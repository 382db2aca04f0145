import EQL
import EventSchema
public import Rules
import Yams

/// Reads a fixture, going on after each problem so that one reading shows them all.
///
///     rule: 5f0c8a36-9d1e-4b77-8e43-2a6d1f9b7c10   # only where the file beside it holds several rules
///     records:                                     # what several tests begin with
///       start:
///         event: {category: [process], type: [start]}
///         process.name: powershell.exe
///     tests:
///       - match: A self search                     # or near_miss: …
///         events:
///           - record: start                        # a record from above, and
///             fields: {process.pid: 42}            # what is different
///             without: [process.name]              # and what is not there
///             at: +5s                              # else one second after the event before it
///           - json: '{"event":{"category":"network"}}'   # or a record as it stands
///         findings: 1                              # one unless said otherwise
///         steps: [1, 2]                            # which events, in the order of the stages
///         evidence: {process.name: powershell}     # what the alert must name
///       - excepted: The eDiscovery team            # a match that an exception leaves out
///         by: ediscovery                           # this one, or a list of them; any, when it is not said
public struct FixtureReader {
    private let path: String
    private let lines: [Substring]
    private var problems: [RuleProblem] = []
    private var records: [String: RecordObject] = [:]

    private init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// - Returns: nil, with at least one problem, when the text is no fixture.
    public static func read(_ text: String, path: String) -> (fixture: Fixture?, problems: [RuleProblem]) {
        var reader = FixtureReader(path: path, text: text)
        let fixture = reader.read(text)
        return (reader.problems.isEmpty ? fixture : nil, reader.problems)
    }

    private mutating func read(_ text: String) -> Fixture? {
        guard let root = compose(text) else { return nil }
        let top = members(of: root, known: ["rule", "records", "tests"])
        if let node = top["records"] {
            for (name, value) in entries(of: node) { records[name] = object(value) }
        }
        guard let list = top["tests"] else {
            report("a fixture has a list of tests", at: root.mark, hint: "write tests: and below it - match: …")
            return nil
        }
        let tests = items(of: list).compactMap { test($0) }
        if tests.isEmpty, problems.isEmpty { report("there is no test in the list", at: list.mark) }
        return Fixture(
            path: path, ruleID: top["rule"].flatMap { string($0) }, tests: tests,
            rulePlace: place(top["rule"]?.mark ?? root.mark))
    }

    private mutating func compose(_ text: String) -> Node? {
        do {
            if let root = try Yams.compose(yaml: text) { return root }
            report("the file is empty", at: nil)
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                report("not YAML: \(problem)", at: mark)
            case .duplicatedKeysInMapping(let keys, let context):
                let names = keys.map { "\"\($0)\"" }.joined(separator: ", ")
                report("\(names) is given more than once here", at: context.mark, hint: "keep one")
            default: report("not YAML: \(error)", at: nil)
            }
        } catch {
            report("not YAML: \(error)", at: nil)
        }
        return nil
    }

    // MARK: Tests

    private mutating func test(_ node: Node) -> RuleTest? {
        let known = RuleTest.Kind.allCases.map(\.rawValue) + ["by", "events", "findings", "steps", "evidence"]
        let parts = members(of: node, known: known)
        let titles = RuleTest.Kind.allCases.compactMap { kind in parts[kind.rawValue].map { (kind, $0) } }
        guard let (kind, title) = titles.first, titles.count == 1 else {
            report(
                "a test is either a match, a near miss or an excepted match", at: node.mark,
                hint: "begin it with match:, near_miss: or excepted: and what it is about")
            return nil
        }
        let name = string(title) ?? ""
        var exceptions: [String] = []
        if let by = parts["by"] {
            if kind == .excepted {
                exceptions = by.sequence == nil ? [string(by) ?? ""] : items(of: by).compactMap { string($0) }
            } else {
                report("only an excepted match is left out by something", at: by.mark)
            }
        }
        guard let list = parts["events"] else {
            report("the test has no events", at: node.mark)
            return nil
        }
        var clock = Fixture.start
        var events: [TestEvent] = []
        for (index, item) in items(of: list).enumerated() {
            if index > 0 { clock.nanoseconds += 1_000_000_000 }
            if let event = event(item, clock: &clock) { events.append(event) }
        }
        if events.isEmpty, problems.isEmpty { report("the test has no events", at: list.mark) }
        return RuleTest(
            name: name, kind: kind, place: place(node.mark), events: events,
            expected: expectation(parts, kind: kind, events: events.count), exceptions: exceptions)
    }

    private mutating func expectation(_ parts: [String: Node], kind: RuleTest.Kind, events: Int) -> RuleTest.Expectation
    {
        var expected = RuleTest.Expectation(findings: kind == .nearMiss ? 0 : 1)
        if kind == .nearMiss {
            for key in ["findings", "steps", "evidence"] {
                if let node = parts[key] { report("a near miss has no findings, and so no \(key)", at: node.mark) }
            }
            return expected
        }
        if let node = parts["steps"] {
            let lists = items(of: node)
            let isNested = lists.contains { $0.sequence != nil }
            let steps = isNested ? lists.map { numbers(in: $0) } : [numbers(in: node)]
            for number in steps.joined() where !(1...max(events, 1)).contains(number) {
                report("there is no event \(number); the test has \(events)", at: node.mark)
            }
            expected.steps = steps
            expected.findings = steps.count
        }
        if let node = parts["findings"] {
            let count = string(node).flatMap { Int($0) } ?? 0
            if count < 1 { report("findings is a number from 1", at: node.mark) }
            if let steps = expected.steps, steps.count != count {
                report("steps are of \(steps.count) findings, and findings is \(count)", at: node.mark)
            }
            expected.findings = count
        }
        if let node = parts["evidence"] {
            for (field, value) in entries(of: node) {
                expected.evidence.append(.init(field: FieldPath(field), text: string(value) ?? ""))
            }
        }
        return expected
    }

    private mutating func numbers(in node: Node) -> [Int] {
        items(of: node).compactMap { item in
            if let number = item.scalar.flatMap({ Int($0.string) }) { return number }
            report("steps are numbers of events, from 1", at: item.mark)
            return nil
        }
    }

    // MARK: Events

    private mutating func event(_ node: Node, clock: inout EventTime) -> TestEvent? {
        let parts = members(of: node, known: ["at", "record", "fields", "without", "json"])
        if let at = parts["at"] {
            let text = string(at) ?? ""
            if let offset = Self.nanoseconds(text) {
                clock.nanoseconds = Fixture.start.nanoseconds + offset
            } else {
                report("\"\(text)\" is no time", at: at.mark, hint: "write it like +5s, +1m30s, -200ms")
            }
        }
        if let json = parts["json"] {
            for key in ["record", "fields", "without"] {
                if let other = parts[key] {
                    report("json is the whole record: there is no \(key) with it", at: other.mark)
                }
            }
            return string(json).map { TestEvent(bytes: Self.stamped(Array($0.utf8), clock), place: place(node.mark)) }
        }
        var record = RecordObject()
        if let base = parts["record"] {
            let name = string(base) ?? ""
            if let known = records[name] {
                record = known
            } else {
                let names = records.keys.sorted().joined(separator: ", ")
                report(
                    "there is no record \"\(name)\"", at: base.mark,
                    hint: records.isEmpty ? "write it below records:" : "the records are \(names)")
            }
        }
        if let fields = parts["fields"] { record.merge(object(fields)) }
        if let list = parts["without"] {
            for item in items(of: list) {
                let path = string(item) ?? ""
                if record[FieldPath(path)] == nil { report("the record has no \(path)", at: item.mark) }
                record.remove(FieldPath(path))
            }
        }
        if record.members.isEmpty, problems.isEmpty { report("the event is empty", at: node.mark) }
        if record[.timestamp] == nil { record.merge(.string(clock.description), at: .timestamp) }
        var bytes: [UInt8] = []
        record.write(to: &bytes)
        return TestEvent(bytes: bytes, place: place(node.mark))
    }

    /// A record as it stands, with a timestamp where it has none at all.
    private static func stamped(_ bytes: [UInt8], _ clock: EventTime) -> [UInt8] {
        let member = Array(#""@timestamp""#.utf8)
        let hasTimestamp = bytes.indices.contains { bytes[$0...].starts(with: member) }
        guard !hasTimestamp, let brace = bytes.firstIndex(of: UInt8(ascii: "{")) else { return bytes }
        let isEmpty = bytes[(brace + 1)...].first { $0 != 0x20 } == UInt8(ascii: "}")
        let stamp = Array(#""@timestamp":"\#(clock)"\#(isEmpty ? "" : ",")"#.utf8)
        return bytes[...brace] + stamp + bytes[(brace + 1)...]
    }

    /// `+1m30s`, `-200ms`, `0s`.
    static func nanoseconds(_ text: String) -> Int64? {
        let units: [Substring: Int64] = [
            "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000, "d": 86_400_000_000_000,
        ]
        var rest = text[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        var sum: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard digits.count <= 9, let number = Int64(digits), let factor = units[unit] else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: factor)
            guard !overflow, product < .max / 4, sum < .max / 4 else { return nil }
            sum += product
        }
        return isNegative ? -sum : sum
    }

    // MARK: Nodes

    private mutating func object(_ node: Node) -> RecordObject {
        var object = RecordObject()
        for (name, value) in entries(of: node) { object.merge(self.value(value), at: FieldPath(name)) }
        return object
    }

    private mutating func value(_ node: Node) -> RecordValue {
        switch node {
        case .scalar(let scalar): return Self.value(scalar)
        case .sequence(let items): return .list(items.map { value($0) })
        case .mapping, .alias: return .object(object(node))
        }
    }

    /// Plain scalars are what JSON makes of them; anything quoted is a string.
    private static func value(_ scalar: Node.Scalar) -> RecordValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null": return .null
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case let text: return text.wholeMatch(of: number) != nil ? .number(text) : .string(text)
        }
    }

    private static var number: Regex<Substring> { /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/ }

    private mutating func entries(of node: Node) -> [(String, Node)] {
        guard let mapping = node.mapping else {
            report("a map of names and values is expected here", at: node.mark)
            return []
        }
        return mapping.map { ($0.key.scalar?.string ?? "", $0.value) }
    }

    private mutating func members(of node: Node, known: [String]) -> [String: Node] {
        var members: [String: Node] = [:]
        guard let mapping = node.mapping else {
            report("a map is expected here, with \(known.joined(separator: ", "))", at: node.mark)
            return [:]
        }
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            if known.contains(name) {
                members[name] = value
            } else {
                report(
                    "\"\(name)\" is not read here", at: key.mark, hint: "the keys are \(known.joined(separator: ", "))")
            }
        }
        return members
    }

    private mutating func items(of node: Node) -> [Node] {
        if let sequence = node.sequence { return Array(sequence) }
        report("a list is expected here", at: node.mark)
        return []
    }

    private mutating func string(_ node: Node) -> String? {
        if let scalar = node.scalar, !scalar.string.isEmpty { return scalar.string }
        report("a text is expected here", at: node.mark)
        return nil
    }

    // MARK: Problems

    private func place(_ mark: Mark?) -> RuleProblem.Place {
        guard let mark else { return RuleProblem.Place(path: path, line: 1, column: 1, excerpt: "") }
        let line = lines.indices.contains(mark.line - 1) ? String(lines[mark.line - 1]) : ""
        return RuleProblem.Place(path: path, line: mark.line, column: mark.column, excerpt: line)
    }

    private mutating func report(_ message: String, at mark: Mark?, hint: String? = nil) {
        problems.append(RuleProblem(severity: .error, place: place(mark), message: message, hint: hint))
    }
}
