// Two queries that say the same may stand in different places of their texts: without spans they are equal.

private let nowhere = Span(0, 0)

extension Query {
    /// The same tree with every span zero.
    public var withoutSpans: Query {
        let form: Form =
            switch form {
            case .event(let query): .event(query.withoutSpans)
            case .sequence(let query):
                .sequence(
                    SequenceQuery(
                        keys: query.keys.map(\.withoutSpans), maxspan: query.maxspan?.withoutSpans,
                        terms: query.terms.map(\.withoutSpans), until: query.until?.withoutSpans))
            case .sample(let query):
                .sample(
                    SampleQuery(
                        keys: query.keys.map(\.withoutSpans), maxspan: query.maxspan?.withoutSpans,
                        terms: query.terms.map(\.withoutSpans)))
            }
        let pipes = pipes.map { Pipe(name: $0.name, count: $0.count, span: nowhere) }
        return Query(form: form, pipes: pipes, span: nowhere)
    }
}

extension EventQuery {
    var withoutSpans: EventQuery {
        let category: Category =
            switch category {
            case .any: .any
            case .named(let name, _): .named(name, nowhere)
            }
        return EventQuery(category: category, condition: condition.withoutSpans, span: nowhere)
    }
}

extension Term {
    var withoutSpans: Term {
        Term(
            query: query.withoutSpans, keys: keys.map(\.withoutSpans), runs: runs, isMissing: isMissing, span: nowhere)
    }
}

extension Timespan {
    var withoutSpans: Timespan { Timespan(count: count, unit: unit, span: nowhere) }
}

extension FieldReference {
    var withoutSpans: FieldReference { FieldReference(path: path, isOptional: isOptional, span: nowhere) }
}

extension Expression {
    /// The same tree with every span zero.
    public var withoutSpans: Expression {
        let kind: Kind =
            switch kind {
            case .literal: kind
            case .field(let field): .field(field.withoutSpans)
            case .negative(let operand): .negative(operand.withoutSpans)
            case .arithmetic(let operation, let left, let right):
                .arithmetic(operation, left.withoutSpans, right.withoutSpans)
            case .comparison(let operation, let left, let right):
                .comparison(operation, left.withoutSpans, right.withoutSpans)
            case .not(let operand): .not(operand.withoutSpans)
            case .and(let left, let right): .and(left.withoutSpans, right.withoutSpans)
            case .or(let left, let right): .or(left.withoutSpans, right.withoutSpans)
            case .membership(let subject, let values, let caseInsensitive, let negated):
                .membership(
                    subject.withoutSpans, values.map(\.withoutSpans), caseInsensitive: caseInsensitive,
                    negated: negated)
            case .pattern(let subject, let operation, let patterns):
                .pattern(subject.withoutSpans, operation, patterns.map(\.withoutSpans))
            case .call(let call):
                .call(
                    Call(
                        name: call.name, caseInsensitive: call.caseInsensitive,
                        arguments: call.arguments.map(\.withoutSpans), nameSpan: nowhere))
            }
        return Expression(kind, at: nowhere)
    }
}
