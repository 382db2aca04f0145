import EventSchema

// `event.category` and `event.type` against the pairs ECS knows. Both fields are arrays, so a pair outside the
// table is possible; no sender that follows ECS writes it, and in a rule it is a slip as good as always.

extension Linter {
    /// Values of which one must be there, and where they are asked for.
    private struct Demand {
        var values: [String]
        var span: Span
    }

    mutating func lintCategories(of query: EventQuery) {
        guard options.eventCategoryField == .eventCategory else { return }
        var categories: [Demand] = []
        if case .named(let name, let span) = query.category {
            categories.append(Demand(values: [name], span: span))
            lintValues(categories[0], known: Set(EventCategory.types.keys), kind: "category")
        }
        lintCategories(of: query.condition, within: categories)
    }

    /// - Parameter outer: the demands for a category that surround the expression.
    private mutating func lintCategories(of expression: Expression, within outer: [Demand]) {
        var categories = outer
        var types: [Demand] = []
        var rest: [Expression] = []
        for part in expression.conjuncts {
            if let demand = Self.demand(part, on: .eventCategory) {
                lintValues(demand, known: Set(EventCategory.types.keys), kind: "category")
                categories.append(demand)
            } else if let demand = Self.demand(part, on: "event.type") {
                lintValues(demand, known: EventCategory.allTypes, kind: "type")
                types.append(demand)
            } else {
                rest.append(part)
            }
        }
        for type in types {
            if let category = categories.first(where: { !Self.canMeet($0, type) }) { warn(category, type) }
        }
        for part in rest {
            guard case .or = part.kind else { continue }
            for branch in part.disjuncts { lintCategories(of: branch, within: categories) }
        }
    }

    private static func canMeet(_ categories: Demand, _ types: Demand) -> Bool {
        categories.values.contains { category in
            guard let expected = EventCategory.types[category] else { return true }
            // What ECS does not know has been reported as such.
            return types.values.contains { expected.contains($0) || !EventCategory.allTypes.contains($0) }
        }
    }

    private mutating func warn(_ category: Demand, _ type: Demand) {
        let expected = category.values.reduce(into: Set<String>()) { $0.formUnion(EventCategory.types[$1] ?? []) }
        warn(
            "ECS has no \(Self.listed(category.values)) event of type \(Self.listed(type.values))", at: type.span,
            hint: "The types of \(Self.listed(category.values)) are \(expected.sorted().joined(separator: ", "))")
    }

    /// A value beside a known one may be there for senders older than ECS; a slip of the pen is reported anyway.
    private mutating func lintValues(_ demand: Demand, known: Set<String>, kind: String) {
        let isHopeless = known.isDisjoint(with: demand.values)
        for value in demand.values where !known.contains(value) {
            let meant = known.filter { $0.isSlip(of: value) }.min()
            guard isHopeless || meant != nil else { continue }
            warn(
                "\"\(value)\" is no ECS event \(kind)", at: demand.span,
                hint: meant.map { "Did you mean \"\($0)\"?" } ?? "ECS has \(known.sorted().joined(separator: ", "))")
        }
    }

    private static func listed(_ values: [String]) -> String {
        values.map { "\"\($0)\"" }.joined(separator: " or ")
    }

    /// The values a leaf wants `field` to have one of; nil for every other expression.
    private static func demand(_ expression: Expression, on field: FieldPath) -> Demand? {
        let items: [Expression]
        switch expression.kind {
        case .comparison(.equal, let left, let right) where left.isField(field): items = [right]
        case .comparison(.equal, let left, let right) where right.isField(field): items = [left]
        case .membership(let subject, let list, _, negated: false) where subject.isField(field): items = list
        case .pattern(let subject, .colon, let list) where subject.isField(field): items = list
        case .pattern(let subject, .like, let list) where subject.isField(field): items = list
        case .pattern(let subject, .likeInsensitive, let list) where subject.isField(field): items = list
        default: return nil
        }
        var values: [String] = []
        for item in items {
            guard case .string(let text)? = item.constant, !Wildcard.hasWildcards(text) else { return nil }
            values.append(expression.foldsCase ? ASCII.lowercased(text) : text)
        }
        return Demand(values: values, span: expression.span)
    }
}

extension Expression {
    fileprivate func isField(_ path: FieldPath) -> Bool {
        if case .field(let field) = kind { field.path == path } else { false }
    }

    fileprivate var foldsCase: Bool {
        switch kind {
        case .membership(_, _, let caseInsensitive, _): caseInsensitive
        case .pattern(_, let operation, _): operation == .colon || operation == .likeInsensitive
        default: false
        }
    }
}

extension String {
    /// One letter more, less or other than `word`, two neighbours swapped, or another case.
    fileprivate func isSlip(of word: String) -> Bool {
        let (left, right) = (Array(utf8), Array(ASCII.lowercased(word).utf8))
        if left == right { return true }
        let start = zip(left, right).prefix { $0 == $1 }.count
        let (leftRest, rightRest) = (Array(left[start...]), Array(right[start...]))
        return leftRest.dropFirst() == rightRest[...] || leftRest[...] == rightRest.dropFirst()
            || leftRest.dropFirst() == rightRest.dropFirst()
            || (leftRest.count > 1 && leftRest.count == rightRest.count && leftRest[0] == rightRest[1]
                && leftRest[1] == rightRest[0] && leftRest.dropFirst(2) == rightRest.dropFirst(2))
    }
}
