extension Expression {
    /// The operands of a chain of `and`, in order, however its tree is shaped.
    var conjuncts: [Expression] {
        chain { if case .and(let left, let right) = $0.kind { (left, right) } else { nil } }
    }

    /// The operands of a chain of `or`.
    var disjuncts: [Expression] {
        chain { if case .or(let left, let right) = $0.kind { (left, right) } else { nil } }
    }

    /// With a stack of its own instead of recursion: rules chain thousands of operands.
    private func chain(_ split: (Expression) -> (Expression, Expression)?) -> [Expression] {
        var operands: [Expression] = []
        var rest = [self]
        while let expression = rest.popLast() {
            if let (left, right) = split(expression) {
                rest.append(right)
                rest.append(left)
            } else {
                operands.append(expression)
            }
        }
        return operands
    }
}
