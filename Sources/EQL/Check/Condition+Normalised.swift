extension Condition {
    /// The same condition in the plainest form: nested `all` and `any` flattened, constants gone, double
    /// negation gone, equal parts once, and tests of one field in an `any` merged into one.
    ///
    /// Merging is right for `any` alone: a field with two values may pass `f == "a" and f == "b"`.
    var normalised: Condition {
        switch self {
        case .constant, .expression:
            return self
        case .test(let test):
            return test.canPass ? self : .constant(false)
        case .not(let inner):
            switch inner.normalised {
            case .constant(let value): return .constant(!value)
            case .not(let condition): return condition
            case let condition: return .not(condition)
            }
        case .all(let parts):
            var flat: [Condition] = []
            for part in parts {
                switch part.normalised {
                case .constant(true): continue
                case .constant(false): return .constant(false)
                case .all(let inner): flat += inner
                case let condition: flat.append(condition)
                }
            }
            flat = flat.uniqued
            return flat.isEmpty ? .constant(true) : flat.count == 1 ? flat[0] : .all(flat)
        case .any(let parts):
            var flat: [Condition] = []
            for part in parts {
                switch part.normalised {
                case .constant(false): continue
                case .constant(true): return .constant(true)
                case .any(let inner): flat += inner
                case let condition: flat.append(condition)
                }
            }
            flat = Condition.merged(flat.uniqued)
            return flat.isEmpty ? .constant(false) : flat.count == 1 ? flat[0] : .any(flat)
        }
    }

    /// Each test joins the first one it can be merged with.
    private static func merged(_ parts: [Condition]) -> [Condition] {
        struct Slot: Hashable {
            var field: FieldTest
            var kind: Int
        }
        var result: [Condition] = []
        var places: [Slot: Int] = [:]
        for part in parts {
            guard case .test(let test) = part, let kind = test.mergeKind else {
                result.append(part)
                continue
            }
            let slot = Slot(field: FieldTest(field: test.field, type: test.type, test: .exists), kind: kind)
            if let place = places[slot], case .test(let first) = result[place], let both = first.merged(with: test) {
                result[place] = .test(both)
            } else {
                places[slot] = result.count
                result.append(part)
            }
        }
        return result
    }
}

extension FieldTest {
    fileprivate var canPass: Bool {
        switch test {
        case .exists, .ordered: true
        case .equals(let values): !values.isEmpty
        case .equalsFolded(let texts): !texts.isEmpty
        case .matches(let patterns): !patterns.isEmpty
        }
    }

    fileprivate var mergeKind: Int? {
        switch test {
        case .equals: 0
        case .equalsFolded: 1
        case .matches: 2
        case .exists, .ordered: nil
        }
    }

    fileprivate func merged(with other: FieldTest) -> FieldTest? {
        var merged = self
        switch (test, other.test) {
        case (.equals(let left), .equals(let right)): merged.test = .equals(left.union(right))
        case (.equalsFolded(let left), .equalsFolded(let right)): merged.test = .equalsFolded(left.union(right))
        case (.matches(let left), .matches(let right)): merged.test = .matches((left + right).uniqued)
        default: return nil
        }
        return merged
    }
}

extension FieldTest.ValueSet {
    fileprivate func union(_ other: Self) -> Self {
        var union = self
        union.strings.formUnion(other.strings)
        union.integers.formUnion(other.integers)
        union.doubles.formUnion(other.doubles)
        union.booleans.formUnion(other.booleans)
        union.dates.formUnion(other.dates)
        union.addresses.formUnion(other.addresses)
        return union
    }
}

extension Array where Element: Hashable {
    /// The first of equal elements, in order.
    fileprivate var uniqued: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
