// What a query means once it is checked: names resolved, literals typed, patterns translated, categories
// and negations made plain. The matcher compiles this and never sees the syntax tree.

public import EventSchema

/// A query that is free of errors and can be compiled.
public struct CheckedQuery: Hashable, Sendable {
    public var form: Form
    /// `head` and `tail`, in order; only bounded input can honour them.
    public var pipes: [Pipe]

    public enum Form: Hashable, Sendable {
        case event(Condition)
        case sequence(SequencePlan)
        case sample(SamplePlan)
    }

    public init(form: Form, pipes: [Pipe] = []) {
        self.form = form
        self.pipes = pipes
    }

    /// The conditions to match: one for an event query, one per stage of a correlation, as in ``stages``.
    public var conditions: [Condition] {
        if case .event(let condition) = form { return [condition] }
        return stages.map(\.condition)
    }

    /// How many stages must happen: those before missing events and `until` in ``conditions``; 1 for an event query.
    public var positiveStages: Int {
        switch form {
        case .event: 1
        case .sequence(let plan): plan.stages.count
        case .sample(let plan): plan.stages.count
        }
    }

    /// Everything a correlation matches events with: its stages in their order, then, of a sequence, the
    /// events that must be missing, and last `until`. None for an event query.
    public var stages: [Stage] {
        switch form {
        case .event: []
        case .sequence(let plan): plan.stages + plan.gaps.map(\.stage) + (plan.until.map { [$0] } ?? [])
        case .sample(let plan): plan.stages
        }
    }
}

/// A sequence after its runs are expanded: at least one stage, and at least two steps.
public struct SequencePlan: Hashable, Sendable {
    /// What must happen, in order.
    public var stages: [Stage]
    /// What must not, in the order written. Only with `maxspan`.
    public var gaps: [Gap]
    public var until: Stage?
    /// From the first to the last event, inclusive, in nanoseconds; nil is unbounded.
    public var maxspan: Int64?

    /// `![…]`: an event that must be missing.
    public struct Gap: Hashable, Sendable {
        /// How many of the stages stand before it: none for a leading one, all for a trailing one.
        public var position: Int
        public var stage: Stage

        public init(position: Int, stage: Stage) {
            self.position = position
            self.stage = stage
        }
    }

    /// A place in the sequence as it was written, runs expanded.
    public enum Step: Hashable, Sendable {
        /// Index into ``stages``.
        case stage(Int)
        /// Index into ``gaps``.
        case gap(Int)
    }

    public init(stages: [Stage], gaps: [Gap] = [], until: Stage?, maxspan: Int64?) {
        self.stages = stages
        self.gaps = gaps
        self.until = until
        self.maxspan = maxspan
    }

    /// Stages and gaps in the order written.
    public var steps: [Step] {
        (0...stages.count).flatMap { position in
            gaps.indices.filter { gaps[$0].position == position }.map(Step.gap)
                + (position < stages.count ? [.stage(position)] : [])
        }
    }
}

/// An unordered correlation. Without `maxspan` it needs bounded input.
public struct SamplePlan: Hashable, Sendable {
    public var stages: [Stage]
    public var maxspan: Int64?

    public init(stages: [Stage], maxspan: Int64?) {
        self.stages = stages
        self.maxspan = maxspan
    }
}

/// One stage: its condition (category included) and the whole join key, header keys first.
public struct Stage: Hashable, Sendable {
    public var condition: Condition
    public var keys: [JoinKey]

    public init(condition: Condition, keys: [JoinKey]) {
        self.condition = condition
        self.keys = keys
    }
}

public struct JoinKey: Hashable, Sendable {
    public var path: FieldPath
    /// With `?`, a missing value is a value of its own and joins with other missing values.
    public var isOptional: Bool

    public init(path: FieldPath, isOptional: Bool) {
        self.path = path
        self.isOptional = isOptional
    }
}

/// Two-valued logic over leaves. A leaf over a missing field is false, and `not` sits outside leaves.
public indirect enum Condition: Hashable, Sendable {
    case constant(Bool)
    case test(FieldTest)
    case expression(ScalarTest)
    case not(Condition)
    case all([Condition])
    case any([Condition])
}

/// One leaf: true when any value of the field passes.
public struct FieldTest: Hashable, Sendable {
    public var field: FieldPath
    public var type: FieldType
    public var test: Test

    public init(field: FieldPath, type: FieldType, test: Test) {
        self.field = field
        self.type = type
        self.test = test
    }

    public enum Test: Hashable, Sendable {
        /// The field has a value.
        case exists
        /// Some value equals one of these.
        case equals(ValueSet)
        /// Some value equals one of these but for the case of ASCII letters. The strings are lower-case.
        case equalsFolded(Set<ExactString>)
        /// Some value is ordered so against the bound. Never `equal` or `notEqual`.
        case ordered(ComparisonOperator, Bound)
        /// Some value matches one of these patterns.
        case matches([StringPattern])
    }

    /// The right side of an equality, in every form a value of the field's type may take.
    ///
    /// A `keyword` field fills `strings` only, a `long` field `integers` and `doubles`; a `dynamic`
    /// field may fill several: the literal `443` is the integer 443 and the string "443".
    public struct ValueSet: Hashable, Sendable {
        public var strings: Set<ExactString> = []
        public var integers: Set<Int64> = []
        public var doubles: Set<Double> = []
        public var booleans: Set<Bool> = []
        public var dates: Set<EventTime> = []
        public var addresses: Set<IPBlock> = []

        public init() {}

        public var isEmpty: Bool {
            strings.isEmpty && integers.isEmpty && doubles.isEmpty && booleans.isEmpty && dates.isEmpty
                && addresses.isEmpty
        }
    }

    public enum Bound: Hashable, Sendable {
        /// Compared as 64-bit integer with integers, as double otherwise.
        case integer(Int64)
        case double(Double)
        /// Code-point order, case-sensitive.
        case string(ExactString)
        case date(EventTime)
        case address(IPAddress)
    }
}

/// A pattern in the syntax of the matcher (Vectorscan: PCRE without look-around and back-references),
/// to be compiled with DOTALL, UTF-8 and empty matches allowed, and no case flag: the translation has
/// folded the case already.
public struct StringPattern: Hashable, Sendable {
    public enum Origin: Hashable, Sendable {
        case wildcard(caseInsensitive: Bool)
        /// `startsWith`, `endsWith` or `stringContains` of a field; the source is their second argument.
        case affix(ScalarFunction, caseInsensitive: Bool)
        /// Lucene syntax, whole value.
        case lucene(caseInsensitive: Bool)
        /// PCRE-like syntax, unanchored.
        case search(caseInsensitive: Bool)
    }

    /// Anchored with `\A` and `\z` where the whole value must match; an end where any text may stand has
    /// neither anchor nor `.*`, so that a match covers the part that matters.
    public var expression: String
    /// As written in the query, for alerts and diagnostics.
    public var source: String
    public var origin: Origin
    public var span: Span

    public init(expression: String, source: String, origin: Origin, span: Span) {
        self.expression = expression
        self.source = source
        self.origin = origin
        self.span = span
    }

    /// Patterns that match the same values are one predicate wherever they stand.
    public static func == (left: StringPattern, right: StringPattern) -> Bool {
        left.expression.utf8.elementsEqual(right.expression.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ExactString(expression))
    }
}
