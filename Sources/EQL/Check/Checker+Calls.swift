import EventSchema

// Four functions of a bare field and constants are tests of that field and are lowered to them, so that they
// are answered together with its other tests; the others are computed per event.

extension Checker {
    /// A call as a condition.
    mutating func lower(_ call: Expression.Call, in expression: Expression) -> Verdict? {
        if case .field(let field)? = call.arguments.first?.kind, let signature = FunctionSignature.named(call.name) {
            switch signature.meaning {
            case .blocks:
                guard let blocks = blocks(of: call, signature, at: expression.span) else { return nil }
                var values = FieldTest.ValueSet()
                values.addresses = blocks
                return .test(FieldTest(field: field.path, type: type(of: field), test: .equals(values)))
            case .function(let function):
                guard call.arguments.count == 2, let tree = affix(function, call), type(of: field).takesPatterns,
                    case .string(let text) = call.arguments[1].constant
                else { break }
                return test(
                    field, type(of: field), tree.language, source: text,
                    .affix(function, caseInsensitive: call.caseInsensitive), call.arguments[1].span)
            case .arithmetic: break
            }
        }
        return leaf(expression)
    }

    /// A call as part of a leaf.
    mutating func scalar(_ call: Expression.Call, at span: Span) -> ScalarExpression? {
        guard let signature = FunctionSignature.named(call.name) else {
            error(
                "there is no function `\(call.name)`", at: call.nameSpan,
                hint: FunctionSignature.instead(of: call.name)
                    ?? FunctionSignature.nearest(to: call.name).map { "Did you mean `\($0)`?" })
            return nil
        }
        if call.caseInsensitive, !signature.canFold {
            error(
                "there is no `\(signature.name)~`: case means nothing to `\(signature.name)`", at: call.nameSpan,
                hint: "Leave out the `~`")
            return nil
        }
        guard signature.meaning != .blocks else {
            guard let blocks = blocks(of: call, signature, at: span), let subject = scalar(call.arguments[0])
            else { return nil }
            return .within(subject, blocks)
        }
        guard let arguments = arguments(of: call, signature, at: span) else { return nil }
        switch signature.meaning {
        case .arithmetic(let operation): return .arithmetic(operation, arguments[0], arguments[1])
        case .function(let function):
            if case .field = arguments[0], let tree = affix(function, call),
                case .constant(.string(let text)) = arguments[1]
            {
                let origin = StringPattern.Origin.affix(function, caseInsensitive: call.caseInsensitive)
                let pattern = StringPattern(
                    expression: tree.language.expression, source: text, origin: origin, span: call.arguments[1].span)
                return .pattern(arguments[0], [pattern])
            }
            return .call(function, arguments, folded: call.caseInsensitive)
        case .blocks: return nil
        }
    }

    private mutating func checkCount(_ call: Expression.Call, _ signature: FunctionSignature, at span: Span) -> Bool {
        if signature.count.contains(call.arguments.count) { return true }
        error("`\(signature.name)` takes \(signature.countText), not \(call.arguments.count)", at: span)
        return false
    }

    private mutating func arguments(
        of call: Expression.Call, _ signature: FunctionSignature, at span: Span
    ) -> [ScalarExpression]? {
        guard checkCount(call, signature, at: span) else { return nil }
        var arguments: [ScalarExpression] = []
        for (index, written) in call.arguments.enumerated() {
            guard let argument = scalar(written) else { continue }
            if expect(signature.parameter(index), argument, for: "`\(signature.name)`", at: written.span) {
                arguments.append(argument)
            }
        }
        guard arguments.count == call.arguments.count else { return nil }
        if signature.meaning == .function(.number), arguments.count == 2,
            case .constant(.integer(let base)) = arguments[1],
            !(2...36).contains(base)
        {
            error("a base is 2 to 36", at: call.arguments[1].span)
            return nil
        }
        return arguments
    }

    /// Reports a value that does not fit where it stands.
    mutating func expect(
        _ wanted: ScalarType, _ value: ScalarExpression, for user: String, at span: Span
    ) -> Bool {
        guard !value.type.suits(wanted) else { return true }
        let found =
            if case .field(let field) = value {
                "`\(field.path)` is a \(field.type.name) field"
            } else {
                "this is \(value.type.name)"
            }
        error("\(user) needs \(wanted.name) here, and \(found)", at: span)
        return false
    }

    private mutating func blocks(
        of call: Expression.Call, _ signature: FunctionSignature, at span: Span
    ) -> Set<IPBlock>? {
        guard checkCount(call, signature, at: span) else { return nil }
        var isComplete = true
        if case .field(let field) = call.arguments[0].kind {
            let type = type(of: field)
            if type != .ip, type != .dynamic {
                error("`cidrMatch` needs an ip field, and `\(field.path)` is a \(type.name) field", at: field.span)
                isComplete = false
            }
        } else if let subject = scalar(call.arguments[0]) {
            isComplete = expect(.text, subject, for: "`cidrMatch`", at: call.arguments[0].span)
        } else {
            isComplete = false
        }
        var blocks: Set<IPBlock> = []
        for argument in call.arguments.dropFirst() {
            guard let literal = argument.constant else {
                error("the blocks of `cidrMatch` are constants", at: argument.span)
                isComplete = false
                continue
            }
            guard case .string(let text) = literal, let block = IPBlock(parsing: text) else {
                error("this is no address block such as \"10.0.0.0/8\"", at: argument.span)
                isComplete = false
                continue
            }
            blocks.insert(block)
        }
        return isComplete ? blocks : nil
    }

    /// What `startsWith`, `endsWith` and `stringContains` of a bare field and a constant look for; nil for
    /// other calls.
    ///
    /// Elasticsearch turns these into prefix and wildcard queries, and so are their quirks: case folds in ASCII
    /// only, and `*` and `?` act in `endsWith` and `stringContains`, where a backslash takes their meaning away.
    private func affix(_ function: ScalarFunction, _ call: Expression.Call) -> PatternTree? {
        guard call.arguments.count == 2, case .string(let text) = call.arguments[1].constant else { return nil }
        let folded = call.caseInsensitive
        return switch function {
        case .startsWith: .sequencing([.text(text.unicodeScalars, folded: folded), .anything])
        case .endsWith: .sequencing([.anything, Wildcard.escapableTree(text, folded: folded)])
        case .stringContains: .sequencing([.anything, Wildcard.escapableTree(text, folded: folded), .anything])
        case .between, .concat, .indexOf, .length, .number, .string, .substring: nil
        }
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

extension PatternLanguage {
    /// As an expression whatever it accepts.
    var expression: String {
        switch self {
        case .everything: #"\A"#
        case .nothing: #"[^\x{0}-\x{10FFFF}]"#
        case .expression(let expression): expression
        }
    }
}
