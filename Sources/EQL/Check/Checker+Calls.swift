import EventSchema

// Four functions of a bare field and constants are tests of that field and are lowered to them. The others
// need values computed per event, which this version does not do.

extension Checker {
    /// Source: the EQL function reference of Elasticsearch.
    private static let functions: Set<String> = [
        "add", "between", "cidrmatch", "concat", "divide", "endswith", "indexof", "length", "modulo", "multiply",
        "number", "startswith", "string", "stringcontains", "substring", "subtract",
    ]

    private static let predicates: Set<String> = ["cidrmatch", "endswith", "startswith", "stringcontains"]

    func isPredicate(_ call: Expression.Call) -> Bool { Self.predicates.contains(ASCII.lowercased(call.name)) }

    mutating func refuseCall(_ call: Expression.Call) {
        if Self.functions.contains(ASCII.lowercased(call.name)) {
            refuse("the function `\(call.name)` is", at: call.nameSpan)
        } else {
            error("there is no function `\(call.name)`", at: call.nameSpan)
        }
    }

    /// A call as a condition.
    mutating func lower(_ call: Expression.Call, at span: Span) -> Verdict? {
        guard isPredicate(call) else {
            refuseCall(call)
            return nil
        }
        guard let subject = call.arguments.first, call.arguments.count >= 2 else {
            error("`\(call.name)` needs a field and a constant", at: span)
            return nil
        }
        guard case .field(let field) = subject.kind else {
            refuse("`\(call.name)` of anything but a field is", at: subject.span)
            return nil
        }
        let name = ASCII.lowercased(call.name)
        if name == "cidrmatch" { return lowerBlocks(Array(call.arguments.dropFirst()), against: field) }
        guard call.arguments.count == 2 else {
            error("`\(call.name)` takes two arguments", at: span)
            return nil
        }
        return lowerText(name, call, call.arguments[1], against: field)
    }

    private mutating func lowerBlocks(_ arguments: [Expression], against field: FieldReference) -> Verdict? {
        let type = type(of: field)
        var values = FieldTest.ValueSet()
        var isComplete = type == .ip || type == .dynamic
        if !isComplete {
            error("`cidrMatch` needs an ip field, and `\(field.path)` is a \(type.name) field", at: field.span)
        }
        for argument in arguments {
            guard case .string(let text) = argument.constant, let block = IPBlock(parsing: text) else {
                error("this is no address block such as \"10.0.0.0/8\"", at: argument.span)
                isComplete = false
                continue
            }
            values.addresses.insert(block)
        }
        return isComplete ? .test(FieldTest(field: field.path, type: type, test: .equals(values))) : nil
    }

    /// Elasticsearch turns these into prefix and wildcard queries, and so are their quirks: `*` and `?`
    /// act in `endsWith` and `stringContains`, where a backslash takes their meaning away.
    private mutating func lowerText(
        _ name: String, _ call: Expression.Call, _ argument: Expression, against field: FieldReference
    ) -> Verdict? {
        if argument.constant == .null { return .constant(nil) }
        guard case .string(let text) = argument.constant else {
            refuse("`\(call.name)` with anything but a constant string is", at: argument.span)
            return nil
        }
        let type = type(of: field)
        guard type.takesPatterns else {
            error("`\(call.name)` needs a text field, and `\(field.path)` is a \(type.name) field", at: field.span)
            return nil
        }
        let folded = call.caseInsensitive
        let tree =
            switch name {
            case "startswith": PatternTree.sequencing([.text(text.unicodeScalars, folded: folded), .anything])
            case "endswith": PatternTree.sequencing([.anything, Wildcard.escapableTree(text, folded: folded)])
            default:
                PatternTree.sequencing([.anything, Wildcard.escapableTree(text, folded: folded), .anything])
            }
        return test(field, type, tree.language, source: text, .wildcard(caseInsensitive: folded), argument.span)
    }
}

extension Wildcard {
    /// Lucene's wildcard query: a backslash makes the next character ordinary.
    fileprivate static func escapableTree(_ text: String, folded: Bool) -> PatternTree {
        var parts: [PatternTree] = []
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            switch scalar {
            case "*": parts.append(.anything)
            case "?": parts.append(.one(.all))
            case "\\": parts.append(.text(CollectionOfOne(scalars.next() ?? scalar), folded: folded))
            default: parts.append(.text(CollectionOfOne(scalar), folded: folded))
            }
        }
        return .sequencing(parts)
    }
}
