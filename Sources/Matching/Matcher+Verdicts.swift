import EQL
public import EventSchema
public import Events

/// What a matcher finds of a condition for one event, part by part. Owned.
public indirect enum VerdictTree: Hashable, Sendable {
    case constant(Bool)
    case leaf(LeafVerdict)
    case not(VerdictTree)
    case all([VerdictTree])
    case any([VerdictTree])

    public var holds: Bool {
        switch self {
        case .constant(let value): value
        case .leaf(let leaf): leaf.holds
        case .not(let inner): !inner.holds
        case .all(let parts): parts.allSatisfy(\.holds)
        case .any(let parts): parts.contains(where: \.holds)
        }
    }
}

/// What a leaf of a condition says about one event.
public struct LeafVerdict: Hashable, Sendable {
    /// The leaf as EQL spells it.
    public var text: String
    public var holds: Bool
    /// Each field the leaf reads, with the values the event has in it.
    public var fields: [Field]

    public struct Field: Hashable, Sendable {
        public var path: FieldPath
        /// Empty when the field is missing.
        public var values: [Value]
    }

    public struct Value: Hashable, Sendable {
        /// UTF-8; numbers and booleans as JSON writes them.
        public var text: [UInt8]
        /// Whether the value is a string, and not a number or Boolean.
        public var isString: Bool
        /// Whether the value passes; nil where only several fields together can.
        public var holds: Bool?
        /// UTF-8 offsets in `text` of what a pattern matched; nil when the whole value is meant, or none.
        public var span: Range<Int>?
    }
}

extension Matcher {
    /// Condition `id` for `event`, part by part. Each leaf is answered by the bits that ``holds(_:for:)`` and
    /// ``match(_:)`` look at.
    ///
    /// Not for the hot path.
    public func verdicts(_ id: Int, for event: Event) -> VerdictTree {
        eventNumber &+= 1
        return verdicts(program.conditions[id], event)
    }

    private func verdicts(_ condition: Condition, _ event: Event) -> VerdictTree {
        switch condition {
        case .constant(let value): .constant(value)
        case .not(let inner): .not(verdicts(inner, event))
        case .all(let parts): .all(parts.map { verdicts($0, event) })
        case .any(let parts): .any(parts.map { verdicts($0, event) })
        case .test(let test): .leaf(verdict(test, event))
        case .expression(let test): .leaf(verdict(test, event))
        }
    }

    private func verdict(_ test: FieldTest, _ event: Event) -> LeafVerdict {
        var leaf = LeafVerdict(text: test.description, holds: false, fields: [])
        guard let predicate = program.predicates[test] else { return leaf }
        leaf.holds = answer(predicate, event)
        let group = program.groups.base + Int(predicate.group)
        // The group's bits will hold the answers of single values: forget them for the whole event.
        defer { evaluatedFor[Int(predicate.group)] = 0 }
        let values = event.values(group.pointee.field).map { value in
            bits.clear(group.pointee.words)
            answer(value, group)
            let passes = predicate.bit == group.pointee.existsBit || bits.isSet(predicate.bit)
            return LeafVerdict.Value(
                text: value.text, isString: value.kind == .string, holds: passes,
                span: passes && value.kind == .string ? span(of: test.test, in: value.bytes) : nil)
        }
        leaf.fields = [LeafVerdict.Field(path: test.field, values: values)]
        return leaf
    }

    private func verdict(_ test: ScalarTest, _ event: Event) -> LeafVerdict {
        guard let predicate = program.expressions[test] else {
            return LeafVerdict(text: test.text, holds: false, fields: [])
        }
        let slots = program.scalars.leaves[Int(predicate.group) - program.groups.count].fields
        let fields = zip(test.fields, Int(slots.lower)..<Int(slots.upper)).map { field, slot in
            LeafVerdict.Field(
                path: field.path,
                values: event.values(program.scalars.fields[slot]).map {
                    LeafVerdict.Value(text: $0.text, isString: $0.kind == .string, holds: nil, span: nil)
                })
        }
        return LeafVerdict(text: test.text, holds: answer(predicate, event), fields: fields)
    }

    /// The answer for the event as a whole.
    private func answer(_ predicate: MatchProgram.Predicate, _ event: Event) -> Bool {
        evaluate(predicate.group, event)
        return bits.isSet(predicate.bit)
    }
}
