public import EQL
public import EventSchema

/// The conditions of a whole rule set, compiled together: equal predicates are one, all predicates of
/// a field are answered in one pass, and a condition is only visited when its gate opens.
///
/// Immutable; any number of ``Matcher``s on any threads may share one.
// `@unchecked`: every stored table is written in `init` and only read afterwards; the arena and the
// pattern sets are kept alive by this object and never changed.
public final class MatchProgram: @unchecked Sendable {
    /// The conditions as given; their indices are the ids that ``Matcher/match(_:)`` reports. Behind them stand those
    /// that are only asked for by ``Matcher/alsoHolds(_:for:)``.
    public let conditions: [Condition]

    let groups: Table<FieldGroup>
    let nodes: Table<Node>
    /// Per condition the node to start at, or ``Node/accept`` or ``Node/reject``.
    let entries: Table<Int32>
    /// Conditions without a gate.
    let ungated: Table<Int32>
    let gatePlan: GatePlan
    /// By estimate; matchers choose for themselves when they have measured.
    let gates: GateIndex
    let wordCount: Int
    /// The length of the longest key of any case-folding table.
    let longestFolded: Int
    /// The literals in the largest table of globs.
    let longestGlobTable: Int
    let predicates: [FieldTest: Predicate]
    let scalars: ScalarProgram
    let expressions: [ScalarTest: Predicate]
    let patternSets: [PatternSet]
    /// For explanations.
    let spans = SpanPatterns()
    private let arena: Arena

    /// Where a predicate's answer stands. Behind the groups of the fields, every expression is a group of its own.
    struct Predicate {
        var group: Int32
        var bit: Int32
    }

    /// One step of a decision: look at a predicate and go where its answer leads.
    struct Node: BitwiseCopyable {
        static let accept: Int32 = -1
        static let reject: Int32 = -2

        var mask: UInt64
        var word: Int32
        var group: Int32
        var onTrue: Int32
        var onFalse: Int32
    }

    /// Compiles `conditions` and adds the fields they read to `layout`.
    ///
    /// - Parameter asked: conditions that no event is compared with unless somebody asks; they cost events that nobody
    ///   asks about nothing, and share their predicates with the others.
    /// - Throws: the first pattern that Vectorscan refuses to take into a set. ``PatternProblem/check(_:)``
    ///   finds all that are wrong by themselves beforehand.
    public init(
        conditions watched: [Condition], asked: [Condition] = [], layout: inout FieldLayout
    ) throws(PatternProblem) {
        let conditions = watched + asked
        var collector = PredicateCollector()
        for condition in conditions { collector.collect(condition, into: &layout) }

        let arena = Arena()
        var groups: [FieldGroup] = []
        var sets: [PatternSet] = []
        var predicates: [FieldTest: Predicate] = [:]
        var word = 0
        for (index, builder) in collector.builders.enumerated() {
            let (group, ownSets) = try builder.freeze(word: word, in: arena)
            for (offset, test) in builder.tests.enumerated() {
                let field = layout.paths[builder.field.index]
                predicates[FieldTest(field: field, type: builder.type, test: test)] =
                    Predicate(group: Int32(index), bit: Int32(word * 64 + offset))
            }
            groups.append(group)
            sets += ownSets
            word += builder.wordCount
        }

        let firstBit = word * 64
        let scalars = try collector.scalars.freeze(firstBit: Int32(firstBit), layout: layout, in: arena)
        sets += collector.scalars.patternSets
        var expressions: [ScalarTest: Predicate] = [:]
        for (index, test) in collector.scalars.tests.enumerated() {
            expressions[test] = Predicate(group: Int32(groups.count + index), bit: Int32(firstBit + index))
        }
        word += (expressions.count + 63) / 64

        var planner = Planner(predicates: predicates, expressions: expressions)
        let entries = conditions.map { planner.plan($0) }

        var ungated: [Int32] = []
        var gated: [(condition: Int32, gate: Gate)] = []
        for (index, condition) in watched.enumerated() {
            if let gate = Gate(condition) {
                gated.append((Int32(index), gate))
            } else {
                ungated.append(Int32(index))
            }
        }
        gatePlan = GatePlan(
            gated, predicates: predicates, wordCount: word, costs: groups.map(\.costOfLooking), in: arena)
        var gates = GateIndex(gatePlan, wordCount: word)
        let unmeasured = Selectivity(gatePlan)
        gates.fill(GateChooser(gatePlan), unmeasured)
        unmeasured.deallocate()
        self.gates = gates

        self.conditions = conditions
        self.groups = arena.freeze(groups)
        nodes = arena.freeze(planner.nodes)
        self.entries = arena.freeze(entries)
        self.ungated = arena.freeze(ungated)
        wordCount = word
        longestGlobTable = groups.map(\.globs.literalCount).max() ?? 0
        longestFolded = groups.map(\.folded.longest).max() ?? 0
        self.predicates = predicates
        self.scalars = scalars
        self.expressions = expressions
        patternSets = sets
        self.arena = arena
    }

    deinit {
        gates.deallocate()
    }
}

/// Gathers the tests of all conditions, by field.
private struct PredicateCollector {
    private(set) var builders: [FieldGroupBuilder] = []
    var scalars = ScalarProgramBuilder()
    private var index: [FieldID: Int] = [:]

    mutating func collect(_ condition: Condition, into layout: inout FieldLayout) {
        switch condition {
        case .constant: break
        case .expression(let test): scalars.insert(test, into: &layout)
        case .not(let inner): collect(inner, into: &layout)
        case .all(let parts), .any(let parts):
            for part in parts { collect(part, into: &layout) }
        case .test(let test):
            let field = layout.insert(test.field)
            let place = index[field] ?? builders.count
            if place == builders.count {
                index[field] = place
                builders.append(FieldGroupBuilder(field: field, type: test.type))
            }
            _ = builders[place].insert(test.test)
        }
    }
}

/// Turns a condition into jumps: every node tests one predicate and names the next node for either
/// answer, so `and`, `or` and `not` cost nothing and need no stack when events are evaluated.
private struct Planner {
    let predicates: [FieldTest: MatchProgram.Predicate]
    let expressions: [ScalarTest: MatchProgram.Predicate]
    private(set) var nodes: [MatchProgram.Node] = []

    init(
        predicates: [FieldTest: MatchProgram.Predicate], expressions: [ScalarTest: MatchProgram.Predicate]
    ) {
        self.predicates = predicates
        self.expressions = expressions
    }

    mutating func plan(_ condition: Condition) -> Int32 {
        plan(condition, MatchProgram.Node.accept, MatchProgram.Node.reject)
    }

    private mutating func plan(_ condition: Condition, _ onTrue: Int32, _ onFalse: Int32) -> Int32 {
        switch condition {
        case .constant(let value): return value ? onTrue : onFalse
        case .not(let inner): return plan(inner, onFalse, onTrue)
        case .all(let parts):
            return cheapestFirst(parts).reversed().reduce(onTrue) { plan($1, $0, onFalse) }
        case .any(let parts):
            return cheapestFirst(parts).reversed().reduce(onFalse) { plan($1, onTrue, $0) }
        case .test(let test): return ask(predicates[test], onTrue, onFalse)
        case .expression(let test): return ask(expressions[test], onTrue, onFalse)
        }
    }

    private mutating func ask(_ predicate: MatchProgram.Predicate?, _ onTrue: Int32, _ onFalse: Int32) -> Int32 {
        guard let predicate else { return onFalse }
        nodes.append(
            MatchProgram.Node(
                mask: 1 << UInt64(predicate.bit % 64), word: predicate.bit / 64, group: predicate.group,
                onTrue: onTrue, onFalse: onFalse))
        return Int32(nodes.count - 1)
    }

    /// Lookups before scans, a field that is only asked for patterns is often never scanned at all; and
    /// expressions, which cost most, at the end.
    private func cheapestFirst(_ parts: [Condition]) -> [Condition] {
        let costs = parts.map(cost)
        return parts.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }.map { parts[$0] }
    }

    private func cost(_ condition: Condition) -> Int {
        switch condition {
        case .constant: 0
        case .test(let test): if case .matches = test.test { 1 } else { 0 }
        case .expression: 2
        case .not(let inner): cost(inner)
        case .all(let parts), .any(let parts): parts.map(cost).max() ?? 0
        }
    }
}
