import EventSchema

/// The canonical text of a query: parsing it gives the same tree, but for the places of its parts.
extension Query: CustomStringConvertible {
    public var description: String {
        let text =
            switch form {
            case .event(let query): query.description
            case .sequence(let query): query.description
            case .sample(let query): query.description
            }
        return ([text] + pipes.map { "| \($0.name.rawValue) \($0.count)" }).joined(separator: " ")
    }
}

extension EventQuery: CustomStringConvertible {
    public var description: String {
        switch category {
        case .any: "any where \(condition)"
        case .named(let name, _):
            "\(FieldReference.isPlain(name) ? name : Literal.quoted(name)) where \(condition)"
        }
    }
}

extension SequenceQuery: CustomStringConvertible {
    public var description: String {
        (["sequence\(head(keys, maxspan))"] + terms.map(\.description)
            + (until.map { ["until \($0)"] } ?? [])).joined(separator: " ")
    }
}

extension SampleQuery: CustomStringConvertible {
    public var description: String {
        (["sample\(head(keys, maxspan))"] + terms.map(\.description)).joined(separator: " ")
    }
}

private func head(_ keys: [FieldReference], _ maxspan: Timespan?) -> String {
    by(keys) + (maxspan.map { " with maxspan=\($0.count)\($0.unit.rawValue)" } ?? "")
}

private func by(_ keys: [FieldReference]) -> String {
    keys.isEmpty ? "" : " by " + keys.map(\.description).joined(separator: ", ")
}

extension Term: CustomStringConvertible {
    public var description: String {
        "\(isMissing ? "!" : "")[\(query)]\(by(keys))\(runs > 1 ? " with runs=\(runs)" : "")"
    }
}

extension FieldReference: CustomStringConvertible {
    /// Segments that are no plain names stand in backquotes, a path with an empty segment as a whole.
    public var description: String {
        let segments = path.segments
        let text =
            segments.contains("")
            ? Self.backquoted(path.dotted)
            : segments.map { Self.isPlain(String($0)) ? String($0) : Self.backquoted(String($0)) }
                .joined(separator: ".")
        return (isOptional ? "?" : "") + text
    }

    private static func backquoted(_ name: String) -> String {
        "`\(name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``"))`"
    }

    /// Whether a segment can be written without backquotes.
    static func isPlain(_ name: String) -> Bool {
        guard Keyword(rawValue: name) == nil, let first = name.utf8.first else { return false }
        let isLetter = { (byte: UInt8) in (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") }
        return (isLetter(first) || first == UInt8(ascii: "@"))
            && name.utf8.dropFirst().allSatisfy { isLetter($0) || $0 &- 0x30 < 10 }
    }
}

extension Literal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): String(value)
        case .integer(let value): String(value)
        case .double(let value): String(value)
        case .string(let value): Self.quoted(value)
        }
    }

    /// In double quotes, with as few escapes as there can be.
    static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case let control where control.value < 0x20 || control.value == 0x7F:
                text += "\\u{\(control.value < 0x10 ? "0" : "")\(String(control.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

extension Expression: CustomStringConvertible {
    public var description: String { text(in: .or) }

    /// How tightly an expression holds together; a looser one inside a tighter place needs parentheses.
    private enum Binding: Int, Comparable {
        case or, and, not, comparison, sum, product, sign, predicate, primary

        static func < (left: Binding, right: Binding) -> Bool { left.rawValue < right.rawValue }

        var next: Binding { Binding(rawValue: rawValue + 1) ?? .primary }
    }

    private var binding: Binding {
        switch kind {
        case .or: .or
        case .and: .and
        case .not: .not
        case .comparison: .comparison
        case .arithmetic(.add, _, _), .arithmetic(.subtract, _, _): .sum
        case .arithmetic: .product
        case .negative, .literal(.integer(..<0)): .sign
        case .literal(.double(let value)) where value.sign == .minus: .sign
        case .membership, .pattern: .predicate
        case .literal, .field, .call: .primary
        }
    }

    private func text(in place: Binding) -> String {
        binding < place ? "(\(bare))" : bare
    }

    private var bare: String {
        switch kind {
        case .literal(let literal): literal.description
        case .field(let field): field.description
        case .negative(let inner): "-\(inner.text(in: inner.startsWithMinus ? .primary : .sign))"
        case .arithmetic(let operation, let left, let right):
            "\(left.text(in: binding)) \(operation.rawValue) \(right.text(in: binding.next))"
        case .comparison(let comparison, let left, let right):
            "\(left.text(in: .sum)) \(comparison.rawValue) \(right.text(in: .sum))"
        case .not(let inner): "not \(inner.text(in: .not))"
        case .and: joined(\.conjuncts, " and ", .not)
        case .or: joined(\.disjuncts, " or ", .and)
        case .membership(let subject, let values, let caseInsensitive, let negated):
            "\(subject.text(in: .primary)) \(negated ? "not " : "")in\(caseInsensitive ? "~" : "") "
                + "(\(values.map(\.description).joined(separator: ", ")))"
        case .pattern(let subject, let patternOperator, let patterns):
            "\(subject.text(in: .primary)) \(patternOperator.rawValue) "
                + (patterns.count == 1
                    ? patterns[0].description : "(\(patterns.map(\.description).joined(separator: ", ")))")
        case .call(let call):
            "\(call.name)\(call.caseInsensitive ? "~" : "")"
                + "(\(call.arguments.map(\.description).joined(separator: ", ")))"
        }
    }

    private var startsWithMinus: Bool { binding == .sign }

    private func joined(_ parts: (Expression) -> [Expression], _ separator: String, _ place: Binding) -> String {
        parts(self).map { $0.text(in: place) }.joined(separator: separator)
    }
}
