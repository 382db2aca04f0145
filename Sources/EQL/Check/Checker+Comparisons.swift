import EventSchema

extension Checker {
    mutating func lowerComparison(
        _ operation: ComparisonOperator, _ left: Expression, _ right: Expression, in whole: Expression
    ) -> Verdict? {
        switch (left.kind, left.constant, right.kind, right.constant) {
        case (_, let left?, _, let right?):
            guard let verdict = Literal.compare(operation, left, right) else {
                error("these values have no order", at: whole.span)
                return nil
            }
            return verdict
        case (.field(let field), _, _, let literal?) where hasTest(field, operation, literal):
            return lower(field, operation, literal, at: right.span)
        case (_, let literal?, .field(let field), _) where hasTest(field, operation, literal):
            return lower(field, operation.flipped, literal, at: left.span)
        case (.field(let left), _, .field(let right), _):
            return lower(left, operation, right, at: whole.span)
        case (_, .null?, _, _) where !operation.isEquality, (_, _, _, .null?) where !operation.isEquality:
            return scalar(left) != nil && scalar(right) != nil ? .constant(nil) : nil
        case (_, _, _, let literal) where operation == .notEqual && literal != .null && left.constant != .null:
            // Negation stands outside a leaf.
            return leaf(Expression(.comparison(.equal, left, right), at: whole.span)).map(!)
        default:
            return leaf(whole)
        }
    }

    /// Versions are ordered by a rule of their own, which no ``FieldTest`` has.
    private func hasTest(_ field: FieldReference, _ operation: ComparisonOperator, _ literal: Literal) -> Bool {
        operation.isEquality || literal == .null || options.schema.type(of: field.path) != .version
    }

    /// Two fields. Elasticsearch refuses to compare them; of `?f == ?g` the case of two absent fields is kept.
    private mutating func lower(
        _ left: FieldReference, _ operation: ComparisonOperator, _ right: FieldReference, at span: Span
    ) -> Verdict? {
        guard operation == .equal, left.isOptional, right.isOptional else {
            refuseTwoFields(at: span)
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

    mutating func lowerMembership(
        _ subject: Expression, _ items: [Expression], caseInsensitive: Bool, in whole: Expression
    ) -> Verdict? {
        if let constant = subject.constant {
            guard let literals = literals(of: items) else { return nil }
            if constant == .null { return .constant(nil) }
            return .constant(literals.contains { Literal.areEqual(constant, $0.0, folded: caseInsensitive) })
        }
        guard case .field(let field) = subject.kind else {
            // Without the negation of `not in`, which stands outside.
            let kind = Expression.Kind.membership(subject, items, caseInsensitive: caseInsensitive, negated: false)
            return leaf(Expression(kind, at: whole.span))
        }
        guard let literals = literals(of: items) else { return nil }
        let type = type(of: field)
        return caseInsensitive
            ? foldedEquality(of: field, type, with: literals) : equality(of: field, type, with: literals)
    }

    /// The constants of a list, without nulls.
    mutating func literals(of items: [Expression]) -> [(Literal, Span)]? {
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
        return isComplete ? literals : nil
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
