public import EQL
import EventSchema

/// Random queries over a ``FieldPool``, valid by construction: every literal suits its field's type, and
/// no two fields are compared.
public struct QueryGenerator: Sendable {
    public var pool: FieldPool
    public var random: SeededRandom
    /// How deep `and`, `or` and `not` may nest.
    public var depth = 3
    /// Whether leaves may call functions and do arithmetic.
    public var computes = false

    private let nowhere = Span(0, 0)

    public init(seed: UInt64, pool: FieldPool = .standard) {
        self.pool = pool
        random = SeededRandom(seed: seed)
    }

    // MARK: Forms

    public mutating func eventQuery() -> Query {
        Query(form: .event(event()), span: nowhere)
    }

    /// A sequence of two or three terms, by a key or by none, of the whole or of each stage; at times with
    /// `maxspan`, `until` and runs.
    public mutating func sequenceQuery() -> Query {
        let keys = keys()
        let terms = (0..<2 + random.below(2)).map { _ in term(keys, runs: random.oneIn(6) ? 2 : 1) }
        let sequence = SequenceQuery(
            keys: keys.header, maxspan: random.oneIn(3) ? nil : timespan(), terms: terms,
            until: random.oneIn(3) ? term(keys, runs: 1) : nil)
        return Query(form: .sequence(sequence), span: nowhere)
    }

    /// A sequence with one or two events that must be missing, anywhere.
    public mutating func gapSequenceQuery() -> Query {
        let keys = keys()
        var terms = (0...random.below(3)).map { _ in term(keys, runs: random.oneIn(8) ? 2 : 1) }
        for _ in 0...random.below(2) {
            var gap = term(keys, runs: random.oneIn(4) ? 2 : 1)
            gap.isMissing = true
            terms.insert(gap, at: random.below(terms.count + 1))
        }
        let sequence = SequenceQuery(
            keys: keys.header, maxspan: timespan(), terms: terms, until: random.oneIn(5) ? term(keys, runs: 1) : nil)
        return Query(form: .sequence(sequence), span: nowhere)
    }

    /// A sample of two or three terms, in a window or over everything.
    public mutating func sampleQuery() -> Query {
        var keys = keys()
        if keys.header.isEmpty, keys.perStage == nil { keys.perStage = .keyword }
        let terms = (0..<2 + random.below(2)).map { _ in term(keys, runs: 1) }
        let sample = SampleQuery(
            keys: keys.header, maxspan: random.oneIn(3) ? nil : timespan(), terms: terms)
        return Query(form: .sample(sample), span: nowhere)
    }

    /// What a correlation joins by.
    private struct Keys {
        var header: [FieldReference] = []
        /// The type of a key that every stage names for itself.
        var perStage: FieldType?
    }

    private mutating func keys() -> Keys {
        var keys = Keys()
        if !random.oneIn(3) { keys.header = [key(random.pick(pool.keys))] }
        if random.oneIn(4) { keys.perStage = random.pick([FieldType.keyword, .long]) }
        return keys
    }

    private mutating func key(_ path: FieldPath) -> FieldReference {
        FieldReference(path: path, isOptional: random.oneIn(3), span: nowhere)
    }

    private mutating func timespan() -> Timespan {
        Timespan(count: Int64(1 + random.below(20)), unit: .seconds, span: nowhere)
    }

    private mutating func term(_ keys: Keys, runs: Int) -> Term {
        let fields = pool.fields.filter { $0.type == keys.perStage }
        let own = fields.isEmpty ? [] : [key(random.pick(fields).path)]
        return Term(query: event(), keys: own, runs: runs, span: nowhere)
    }

    private mutating func event() -> EventQuery {
        let category: EventQuery.Category =
            random.oneIn(3) ? .any : .named(random.pick(pool.categories), nowhere)
        return EventQuery(category: category, condition: condition(depth), span: nowhere)
    }

    // MARK: Conditions

    /// A random condition, also useful on its own.
    public mutating func condition(_ depth: Int) -> Expression {
        guard depth > 0, !random.oneIn(3) else { return leaf() }
        return switch random.below(5) {
        case 0, 1: make(.and(condition(depth - 1), condition(depth - 1)))
        case 2, 3: make(.or(condition(depth - 1), condition(depth - 1)))
        default: make(.not(condition(depth - 1)))
        }
    }

    private mutating func leaf() -> Expression {
        if computes, random.oneIn(3) { return computedLeaf() }
        let field = random.pick(pool.fields)
        switch random.below(8) {
        case 0: return comparison(random.pick([.equal, .notEqual]), field, .null)
        case 1, 2: return comparison(random.pick([.equal, .notEqual]), field, random.pick(field.literals))
        case 3:
            guard field.type != .boolean else { return make(reference(field)) }
            let operation = random.pick([ComparisonOperator.less, .lessOrEqual, .greater, .greaterOrEqual])
            return comparison(operation, field, random.pick(field.literals))
        case 4:
            return membership(field, caseInsensitive: false)
        case 5:
            return membership(random.pick(pool.textFields), caseInsensitive: true)
        case 6 where random.oneIn(4):
            let list = (0...random.below(2)).map { _ in make(.literal(random.pick([.integer(4), .boolean(true)]))) }
            return make(.pattern(make(reference(random.pick(pool.textFields))), .colon, list))
        default:
            return pattern(random.pick(pool.textFields))
        }
    }

    private mutating func comparison(
        _ operation: ComparisonOperator, _ field: FieldPool.Field, _ literal: Literal
    ) -> Expression {
        make(.comparison(operation, make(reference(field)), make(.literal(literal))))
    }

    private mutating func membership(_ field: FieldPool.Field, caseInsensitive: Bool) -> Expression {
        let list = (0...random.below(3)).map { _ in make(.literal(random.pick(field.literals))) }
        return make(
            .membership(
                make(reference(field)), list, caseInsensitive: caseInsensitive, negated: random.oneIn(3)))
    }

    private mutating func pattern(_ field: FieldPool.Field) -> Expression {
        let operation = random.pick([PatternOperator.colon, .like, .likeInsensitive, .regex, .regexInsensitive])
        let isRegex = operation == .regex || operation == .regexInsensitive
        let patterns = (0...random.below(2)).map { _ in
            make(.literal(.string(isRegex ? regex(field) : wildcard(field))))
        }
        return make(.pattern(make(reference(field)), operation, patterns))
    }

    mutating func reference(_ field: FieldPool.Field) -> Expression.Kind {
        .field(FieldReference(path: field.path, isOptional: random.oneIn(8), span: nowhere))
    }

    func make(_ kind: Expression.Kind) -> Expression { Expression(kind, at: nowhere) }

    // MARK: Patterns

    private mutating func word(_ field: FieldPool.Field) -> [Unicode.Scalar] {
        guard case .string(let text) = random.pick(field.literals) else { return [] }
        return Array(text.unicodeScalars)
    }

    /// A literal with a piece replaced by a wildcard.
    mutating func wildcard(_ field: FieldPool.Field) -> String {
        var scalars = word(field)
        guard !scalars.isEmpty, !random.oneIn(5) else { return string(scalars) }
        let place = random.below(scalars.count)
        switch random.below(4) {
        case 0: scalars[place] = "?"
        case 1: scalars.insert("*", at: place)
        case 2: scalars = scalars[..<place] + ["*"]
        default: scalars = ["*"] + scalars[place...]
        }
        return string(scalars)
    }

    /// A literal, escaped, with a piece replaced by an operator.
    private mutating func regex(_ field: FieldPool.Field) -> String {
        let scalars = word(field)
        var pieces = scalars.map { scalar in
            scalar.properties.isAlphabetic ? string([scalar]) : "\\" + string([scalar])
        }
        if !pieces.isEmpty {
            let place = random.below(pieces.count)
            switch random.below(7) {
            case 0: pieces[place] = "."
            case 1: pieces[place] += "+"
            case 2: pieces[place] += "{1,2}"
            case 3: pieces[place] = "[a-z0-9]"
            case 4: pieces = Array(pieces[..<place]) + [".*"]
            case 5: pieces[place] = "(" + pieces[place] + "|x)?"
            default: break
            }
        }
        return pieces.joined()
    }
}
