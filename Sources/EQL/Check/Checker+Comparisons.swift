import EventSchema

extension Checker {
    /// One side of a comparison.
    private enum Operand {
        case constant(Literal)
        case field(FieldReference)
        /// A Boolean expression over fields.
        case predicate(Expression)
    }

    private mutating func operand(_ expression: Expression) -> Operand? {
        if let constant = expression.constant { return .constant(constant) }
        switch expression.kind {
        case .literal(let literal):
            return .constant(literal)
        case .field(let field):
            return .field(field)
        case .comparison, .not, .and, .or, .membership, .pattern:
            return .predicate(expression)
        case .call(let call):
            if isPredicate(call) { return .predicate(expression) }
            refuseCall(call)
            return nil
        case .negative, .arithmetic:
            refuseArithmetic(expression)
            return nil
        }
    }

    private mutating func refuseArithmetic(_ expression: Expression) {
        switch expression.kind {
        case .negative(let inner) where inner.constant != nil:
            error("arithmetic needs numbers", at: expression.span)
        case .arithmetic(_, let left, let right) where left.constant != nil && right.constant != nil:
            error("arithmetic needs numbers", at: expression.span)
        default:
            refuse(
                "arithmetic on fields is", at: expression.span, hint: "Move the constants to one side of the comparison"
            )
        }
    }

    mutating func lowerComparison(
        _ operation: ComparisonOperator, _ left: Expression, _ right: Expression, at span: Span
    ) -> Verdict? {
        let (first, second) = (operand(left), operand(right))
        guard let first, let second else { return nil }
        switch (first, second) {
        case (.constant(let left), .constant(let right)):
            guard let verdict = Literal.compare(operation, left, right) else {
                error("these values have no order", at: span)
                return nil
            }
            return verdict
        case (.field(let field), .constant(let literal)):
            return lower(field, operation, literal, at: right.span)
        case (.constant(let literal), .field(let field)):
            return lower(field, operation.flipped, literal, at: left.span)
        case (.predicate(let predicate), .constant(let literal)):
            return lower(predicate, operation, literal, at: span)
        case (.constant(let literal), .predicate(let predicate)):
            return lower(predicate, operation.flipped, literal, at: span)
        case (.field(let left), .field(let right)):
            return lower(left, operation, right, at: span)
        case (.field, .predicate), (.predicate, .field), (.predicate, .predicate):
            error(
                "one side of a comparison must be a constant", at: span,
                hint: "Join the conditions with `and`, `or` and `not`")
            return nil
        }
    }

    /// `(condition) == null` asks for null, `(condition) == true` for the truth value.
    private mutating func lower(
        _ predicate: Expression, _ operation: ComparisonOperator, _ literal: Literal, at span: Span
    ) -> Verdict? {
        guard let verdict = lower(predicate) else { return nil }
        let equality: Verdict
        switch literal {
        case _ where !operation.isEquality:
            error("a condition has no order", at: span)
            return nil
        case .null: equality = .condition(nullness(of: predicate))
        case .boolean(true): equality = verdict
        // False, and not null: null equals neither truth value.
        case .boolean(false): equality = .condition(.all([.not(verdict.condition), .not(nullness(of: predicate))]))
        case .integer, .double, .string:
            error("a condition can only be compared with true, false or null", at: span)
            return nil
        }
        return operation == .equal ? equality : !equality
    }

    /// Two fields. Elasticsearch refuses to compare them; of `?f == ?g` the case of two absent fields is kept.
    private mutating func lower(
        _ left: FieldReference, _ operation: ComparisonOperator, _ right: FieldReference, at span: Span
    ) -> Verdict? {
        guard operation == .equal, left.isOptional, right.isOptional else {
            error(
                "two fields cannot be compared, as in Elasticsearch", at: span,
                hint: "Compare each field with a constant, or join events by the fields")
            return nil
        }
        (_, _) = (type(of: left), type(of: right))
        warn("this is true only when both fields are absent: the values of two fields are not compared", at: span)
        return .condition(.all([.not(exists(left.path)), .not(exists(right.path))]))
    }

    /// A field against a constant.
    private mutating func lower(
        _ field: FieldReference, _ operation: ComparisonOperator, _ literal: Literal, at span: Span
    ) -> Verdict? {
        let type = type(of: field)
        guard operation.isEquality else { return lowerOrder(field, type, operation, literal, at: span) }
        if literal == .null {
            let present = exists(field.path)
            return .condition(operation == .equal ? .not(present) : present)
        }
        warnOfWildcards(in: literal, at: span)
        let equality = equality(of: field, type, with: [(literal, span)])
        return operation == .equal ? equality : !equality
    }

    private mutating func lowerOrder(
        _ field: FieldReference, _ type: FieldType, _ operation: ComparisonOperator, _ literal: Literal, at span: Span
    ) -> Verdict? {
        switch (type, literal) {
        case (_, .null):
            return .constant(nil)
        case (.boolean, _), (.dynamic, .boolean):
            error("Boolean values have no order", at: span)
            return nil
        case (.version, _):
            refuse("the order of version fields is", at: span)
            return nil
        default:
            guard let bound = FieldTest.Bound(literal, as: type) else {
                warnOfMismatch(literal, field, type, at: span)
                return .constant(false)
            }
            if type.isText, type != .ip, literal.number != nil {
                warn(
                    "`\(field.path)` is a \(type.name) field and is ordered as text: \"10\" comes before \"9\"",
                    at: span)
            }
            return .test(FieldTest(field: field.path, type: type, test: .ordered(operation, bound)))
        }
    }

    /// One test for all literals; those no value can equal are reported and left out.
    mutating func equality(
        of field: FieldReference, _ type: FieldType, with literals: [(Literal, Span)]
    ) -> Verdict {
        var values = FieldTest.ValueSet()
        for (literal, span) in literals where !values.insert(literal, as: type) {
            warnOfMismatch(literal, field, type, at: span)
        }
        return .test(FieldTest(field: field.path, type: type, test: .equals(values)))
    }

    mutating func lowerMembership(_ subject: Expression, _ items: [Expression], caseInsensitive: Bool) -> Verdict? {
        var literals: [(Literal, Span)] = []
        var isComplete = true
        for item in items {
            guard let literal = item.constant else {
                error("`in` takes constants", at: item.span)
                isComplete = false
                continue
            }
            if literal == .null {
                warn("no value equals null", at: item.span, hint: "Write `or … == null`")
            } else {
                warnOfWildcards(in: literal, at: item.span)
                literals.append((literal, item.span))
            }
        }
        guard let operand = operand(subject), isComplete else { return nil }
        switch operand {
        case .constant(let literal):
            if literal == .null { return .constant(nil) }
            return .constant(literals.contains { Literal.areEqual(literal, $0.0, folded: caseInsensitive) })
        case .field(let field):
            let type = type(of: field)
            return caseInsensitive
                ? foldedEquality(of: field, type, with: literals) : equality(of: field, type, with: literals)
        case .predicate:
            error("the left side of `in` must be a field", at: subject.span)
            return nil
        }
    }

    /// Equality but for the case of ASCII letters, for fields that hold text; no wildcards.
    mutating func foldedEquality(
        of field: FieldReference, _ type: FieldType, with literals: [(Literal, Span)]
    ) -> Verdict {
        guard type.takesPatterns, type != .ip else { return equality(of: field, type, with: literals) }
        let texts = Set(literals.map { ExactString(ASCII.lowercased($0.0.text)) })
        let folded = FieldTest(field: field.path, type: type, test: .equalsFolded(texts))
        guard type == .dynamic else { return .test(folded) }
        // A value that is a JSON number or Boolean equals the text that spells it.
        var values = FieldTest.ValueSet()
        for (literal, _) in literals { _ = values.insert(literal, as: type) }
        values.strings = []
        return .condition(
            .any([.test(folded), .test(FieldTest(field: field.path, type: type, test: .equals(values)))]))
    }

    private mutating func warnOfMismatch(_ literal: Literal, _ field: FieldReference, _ type: FieldType, at span: Span)
    {
        let shown = if case .string = literal { "\"\(literal.text)\"" } else { literal.text }
        warn("no value of `\(field.path)`, a \(type.name) field, can be compared with \(shown)", at: span)
    }

    private mutating func warnOfWildcards(in literal: Literal, at span: Span) {
        guard case .string(let text) = literal, Wildcard.hasWildcards(text) else { return }
        warn(
            "`*` and `?` are ordinary characters here", at: span,
            hint: "Use `:` or `like` for wildcards; if the characters are meant, this is right as it is")
    }
}
