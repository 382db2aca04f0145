import EQL
import EventSchema

/// A leaf of a query, and whether it has to hold.
struct Requirement: Hashable {
    enum Leaf: Hashable {
        case test(FieldTest)
        case expression(ScalarTest)
    }

    var leaf: Leaf
    var holds: Bool

    var negated: Requirement { Requirement(leaf: leaf, holds: !holds) }

    var text: String {
        let text =
            switch leaf {
            case .test(let test): test.description
            case .expression(let test): test.text
            }
        return holds ? text : "not \(text)"
    }

    /// The ways in which a condition can be as wanted, each a list of requirements; the first `limit` of them.
    static func ways(_ condition: Condition, _ wanted: Bool = true, limit: Int = 64) -> [[Requirement]] {
        switch condition {
        case .constant(let value): return value == wanted ? [[]] : []
        case .test(let test): return [[Requirement(leaf: .test(test), holds: wanted)]]
        case .expression(let test): return [[Requirement(leaf: .expression(test), holds: wanted)]]
        case .not(let inner): return ways(inner, !wanted, limit: limit)
        case .all(let parts), .any(let parts):
            var isConjunction = wanted
            if case .any = condition { isConjunction.toggle() }
            guard isConjunction else { return Array(parts.flatMap { ways($0, wanted, limit: limit) }.prefix(limit)) }
            var product: [[Requirement]] = [[]]
            for part in parts {
                let ways = ways(part, wanted, limit: limit)
                product = Array(product.lazy.flatMap { head in ways.lazy.map { head + $0 } }.prefix(limit))
            }
            return product
        }
    }

    /// Values that may do, best first; an empty list of values is a missing field. Whether one does, only the engine says.
    var candidates: [FieldPath: [[RecordValue]]] {
        switch leaf {
        case .test(let test): return [test.field: holds ? test.fitting : test.unfitting]
        case .expression(let test):
            let literals = test.root.literals.map { [$0] }
            var candidates: [FieldPath: [[RecordValue]]] = [:]
            for field in test.fields {
                let own = literals + [[field.type.sample]]
                candidates[field.path] = holds ? own : [[]] + own
            }
            return candidates
        }
    }
}

extension FieldTest {
    fileprivate var fitting: [[RecordValue]] {
        switch test {
        case .exists: [[type.sample]]
        case .equals(let values): values.samples.map { [$0] }
        case .equalsFolded(let texts): texts.sorted().map { [.string($0.string)] }
        case .ordered(_, let bound): bound.neighbours.map { [$0] }
        case .matches(let patterns): patterns.samples.map { [$0] }
        }
    }

    /// One step off what would fit, where there is such a step; else missing.
    fileprivate var unfitting: [[RecordValue]] {
        guard test != .exists else { return [[]] }
        return fitting.prefix(4).flatMap { $0.flatMap(\.neighbours) }.map { [$0] } + [[]]
    }
}

extension RecordValue {
    /// Values close to this one.
    fileprivate var neighbours: [RecordValue] {
        switch self {
        case .number(let text):
            Int64(text).map { [.number(String($0 &+ 1)), .number(String($0 &- 1))] } ?? [.number("-\(text)")]
        case .boolean(let value): [.boolean(!value)]
        case .string(let text): Self.neighbours(of: text)
        case .null, .list, .object: []
        }
    }

    /// An address beside the address; else the text with more before it, behind it, or with a letter less inside it.
    private static func neighbours(of text: String) -> [RecordValue] {
        if let time = EventTime(parsing: text) {
            return [1, -1].map { .string(EventTime(nanoseconds: time.nanoseconds + $0 * 1_000_000_000).description) }
        }
        if text.allSatisfy({ $0.isNumber || $0 == "." }), text.contains(".") {
            return ["203.0.113.77", "10.99.99.99"].map(RecordValue.string)
        }
        var shorter = text
        if let middle = text.indices.dropFirst(text.count / 2).first { shorter.remove(at: middle) }
        return ["other-\(text)", "\(text)-other", shorter, "other"].map(RecordValue.string)
    }
}

extension FieldTest.ValueSet {
    fileprivate var samples: [RecordValue] {
        let numbers =
            integers.sorted().map { RecordValue.number(String($0)) }
            + doubles.sorted().filter { Int64(exactly: $0).map { !integers.contains($0) } ?? true }
            .map { RecordValue.number(String($0)) }
        let others = numbers + booleans.map(RecordValue.boolean)
        // 443 stands for the number and for the text that spells it: the number is what a record holds.
        let texts = others.isEmpty ? strings.sorted().map { RecordValue.string($0.string) } : []
        return others + texts + dates.sorted().map { .string($0.description) }
            + addresses.map { .string(String($0.description.prefix { $0 != "/" })) }
    }
}

extension Sequence<StringPattern> {
    /// A text for each, then another for each.
    fileprivate var samples: [RecordValue] {
        let first = map { PatternSample.text(of: $0.expression) }
        let others = map { PatternSample.otherText(of: $0.expression) }.filter { !first.contains($0) }
        return (first + others).map(RecordValue.string)
    }
}

extension FieldTest.Bound {
    fileprivate var neighbours: [RecordValue] {
        switch self {
        case .integer(let value): [value, value &+ 1, value &- 1, value &* 2, value / 2].map { .number(String($0)) }
        case .double(let value): [value, value + 1, value - 1, value * 2, value / 2].map { .number(String($0)) }
        case .string(let value): [.string(value.string), .string(value.string + "a"), .string("")]
        case .date(let value):
            [0, 1, -1].map { .string(EventTime(nanoseconds: value.nanoseconds + $0 * 1_000_000_000).description) }
        case .address(let value): [.string(value.description), .string("255.255.255.254"), .string("0.0.0.1")]
        }
    }
}

extension FieldType {
    var sample: RecordValue {
        switch self {
        case .keyword, .wildcard, .constantKeyword, .text, .flattened, .dynamic: .string("example")
        case .version: .string("1.0.0")
        case .ip: .string("192.0.2.1")
        case .long: .number("1")
        case .float: .number("1.5")
        case .boolean: .boolean(true)
        case .date: .string(Fixture.start.description)
        }
    }
}

extension ScalarExpression {
    /// Values that stand in it: the constants, and samples of the patterns.
    fileprivate var literals: [RecordValue] {
        switch self {
        case .constant(let literal): literal.value.map { [$0] } ?? []
        case .field: []
        case .membership(let inner, let values, _): inner.literals + values.compactMap(\.value)
        case .pattern(let inner, let patterns):
            inner.literals + patterns.samples
        case .within(let inner, let blocks):
            inner.literals + blocks.map { .string(String($0.description.prefix { $0 != "/" })) }
        case .isNull(let inner), .not(let inner): inner.literals
        case .arithmetic(_, let left, let right): left.literals + right.literals
        case .comparison(_, let left, let right, _):
            left.literals + right.literals + (left.literals + right.literals).flatMap(\.enlarged)
        case .all(let parts), .any(let parts): parts.flatMap(\.literals)
        case .call(_, let parts, _): parts.flatMap(\.literals) + [.string(parts.flatMap(\.literals).text)]
        }
    }
}

extension RecordValue {
    /// Of a number what a length or a sum compared with it may need: its neighbours, and texts of about that length.
    fileprivate var enlarged: [RecordValue] {
        guard case .number(let text) = self, let number = Int(text), (0...4096).contains(number) else { return [] }
        return [.number(String(number + 1)), .number(String(number - 1))]
            + [number, number + 1, max(0, number - 1)].map { .string(String(repeating: "a", count: $0)) }
    }
}

extension [RecordValue] {
    /// All texts in one.
    fileprivate var text: String {
        compactMap { if case .string(let text) = $0 { text } else { nil } }.joined()
    }
}

extension Literal {
    fileprivate var value: RecordValue? {
        switch self {
        case .null: nil
        case .boolean(let value): .boolean(value)
        case .integer(let value): .number(String(value))
        case .double(let value): .number(String(value))
        case .string(let value): .string(value)
        }
    }
}
