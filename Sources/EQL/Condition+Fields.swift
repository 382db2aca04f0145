public import EventSchema

extension Condition {
    /// The fields it reads, each once, in the order of their first use.
    public var fields: [FieldPath] {
        var fields: [FieldPath] = []
        visitFields { if !fields.contains($0) { fields.append($0) } }
        return fields
    }

    private func visitFields(_ visit: (FieldPath) -> Void) {
        switch self {
        case .constant: break
        case .test(let test): visit(test.field)
        case .expression(let test): for field in test.fields { visit(field.path) }
        case .not(let inner): inner.visitFields(visit)
        case .all(let parts), .any(let parts): for part in parts { part.visitFields(visit) }
        }
    }

    /// Whether some event that has a value in exactly the fields that `isPresent` says could satisfy it: false means
    /// that no value of those fields can.
    public func canHold(_ isPresent: (FieldPath) -> Bool) -> Bool { outcomes(isPresent).canHold }

    /// What a condition may come to where only the presence of fields is known. A test of a missing field is false.
    private func outcomes(_ isPresent: (FieldPath) -> Bool) -> (canHold: Bool, canFail: Bool) {
        switch self {
        case .constant(let value): return (value, !value)
        case .test(let test):
            guard isPresent(test.field) else { return (false, true) }
            return (true, test.test != .exists)
        case .expression(let test):
            // Only what asks for null itself can hold without its fields.
            let isComplete = test.fields.allSatisfy { isPresent($0.path) }
            return (isComplete || test.root.asksForNull, true)
        case .not(let inner):
            let (canHold, canFail) = inner.outcomes(isPresent)
            return (canFail, canHold)
        case .all(let parts):
            let outcomes = parts.map { $0.outcomes(isPresent) }
            return (outcomes.allSatisfy(\.canHold), outcomes.contains(where: \.canFail))
        case .any(let parts):
            let outcomes = parts.map { $0.outcomes(isPresent) }
            return (outcomes.contains(where: \.canHold), outcomes.allSatisfy(\.canFail))
        }
    }
}

extension ScalarExpression {
    fileprivate var asksForNull: Bool {
        switch self {
        case .isNull: true
        case .constant, .field: false
        // A true part decides whatever the others are.
        case .any: true
        case .not(let inner), .membership(let inner, _, _), .pattern(let inner, _), .within(let inner, _):
            inner.asksForNull
        case .arithmetic(_, let left, let right), .comparison(_, let left, let right, _):
            left.asksForNull || right.asksForNull
        case .all(let parts), .call(_, let parts, _): parts.contains(where: \.asksForNull)
        }
    }
}
