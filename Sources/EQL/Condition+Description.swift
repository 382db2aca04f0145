import EventSchema

// Conditions as EQL text: what the engine evaluates, which is the query after it was checked. Tests that were
// merged stay merged, so `a == "x" or a == "y"` reads `a in ("x", "y")`.

extension Condition: CustomStringConvertible {
    public var description: String {
        switch self {
        case .constant(let value): String(value)
        case .test(let test): test.description
        case .expression(let test): test.text
        case .not(let inner): "not \(inner.nested)"
        case .all(let parts): parts.map(\.nested).joined(separator: " and ")
        case .any(let parts): parts.map(\.nested).joined(separator: " or ")
        }
    }

    private var nested: String {
        switch self {
        case .all, .any: "(\(self))"
        case .test(let test) where test.alternatives.count > 1: "(\(test))"
        case .constant, .test, .expression, .not: description
        }
    }
}

extension FieldTest: CustomStringConvertible {
    public var description: String { alternatives.joined(separator: " or ") }

    /// Several where patterns of several operators are one test.
    fileprivate var alternatives: [String] {
        let name = FieldReference(path: field, span: Span(0, 0)).description
        switch test {
        case .exists: return ["\(name) != null"]
        case .equals(let values): return [Self.choice(name, "==", "in", values.texts)]
        case .equalsFolded(let texts):
            let wildcards = texts.contains { Wildcard.hasWildcards($0.string) }
            let values = texts.sorted().map { Literal.quoted($0.string) }
            return [
                wildcards ? "\(name) in~ (\(values.joined(separator: ", ")))" : Self.choice(name, ":", "in~", values)
            ]
        case .ordered(let comparison, let bound): return ["\(name) \(comparison.rawValue) \(bound)"]
        case .matches(let patterns): return Self.patterns(name, patterns)
        }
    }

    private static func choice(_ name: String, _ one: String, _ several: String, _ values: [String]) -> String {
        values.count == 1 ? "\(name) \(one) \(values[0])" : "\(name) \(several) (\(values.joined(separator: ", ")))"
    }

    /// Patterns of one origin stand in one list, except those of functions, which take none.
    private static func patterns(_ name: String, _ patterns: [StringPattern]) -> [String] {
        var calls: [String] = []
        var lists: [(operation: String, values: [String])] = []
        for pattern in patterns {
            let value = Literal.quoted(pattern.source)
            let operation: String
            switch pattern.origin {
            case .affix(let function, let folded):
                calls.append("\(function)\(folded ? "~" : "")(\(name), \(value))")
                continue
            case .wildcard(let folded): operation = folded ? ":" : "like"
            case .lucene(let folded), .search(let folded): operation = folded ? "regex~" : "regex"
            }
            if let index = lists.firstIndex(where: { $0.operation == operation }) {
                lists[index].values.append(value)
            } else {
                lists.append((operation, [value]))
            }
        }
        return lists.map { choice(name, $0.operation, $0.operation, $0.values) } + calls
    }
}

extension FieldTest.ValueSet {
    /// Every value once, as a literal: 443 stands for the number and for the text that spells it.
    fileprivate var texts: [String] {
        let numbers =
            integers.sorted().map(Literal.integer)
            + doubles.sorted().filter { Int64(exactly: $0).map { !integers.contains($0) } ?? true }.map(Literal.double)
        let others = numbers + booleans.sorted { !$0 && $1 }.map(Literal.boolean)
        let spelt = Set(others.map { ExactString($0.text) })
        let strings = strings.filter { !spelt.contains($0) }.sorted().map { Literal.string($0.string) }
        return (strings + others).map(\.description) + dates.sorted().map { Literal.quoted($0.description) }
            + addresses.map(\.description).sorted().map(Literal.quoted)
    }
}

extension FieldTest.Bound: CustomStringConvertible {
    public var description: String {
        switch self {
        case .integer(let value): String(value)
        case .double(let value): String(value)
        case .string(let value): Literal.quoted(value.string)
        case .date(let value): Literal.quoted(value.description)
        case .address(let value): Literal.quoted(value.description)
        }
    }
}
