import EventSchema

@testable import EQL

/// Queries of every shape the parser can give, from a seed: the same seed gives the same queries.
struct RandomQueries {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func number(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }

    mutating func chance(_ percent: Int) -> Bool { number(below: 100) < percent }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[number(below: choices.count)] }

    mutating func list<Element>(_ counts: ClosedRange<Int>, _ make: (inout RandomQueries) -> Element) -> [Element] {
        let count = counts.lowerBound + number(below: counts.count)
        return (0..<count).map { _ in make(&self) }
    }

    mutating func query() -> Query {
        let form: Query.Form
        switch number(below: 4) {
        case 0:
            form = .sequence(
                SequenceQuery(
                    keys: list(0...2) { $0.field() }, maxspan: chance(50) ? timespan() : nil,
                    terms: list(1...3) { $0.term(isMissing: $0.chance(20)) },
                    until: chance(30) ? term(isMissing: false) : nil))
        case 1:
            form = .sample(
                SampleQuery(
                    keys: list(0...2) { $0.field() }, maxspan: chance(50) ? timespan() : nil,
                    terms: list(1...3) { $0.term(isMissing: false) }))
        default: form = .event(eventQuery())
        }
        let pipes = list(0...2) {
            Pipe(name: $0.pick([.head, .tail]), count: $0.number(below: 50), span: Span(0, 0))
        }
        return Query(form: form, pipes: pipes, span: Span(0, 0))
    }

    private mutating func eventQuery() -> EventQuery {
        let names = ["process", "Network_2", "@x", "any", "where", "two words", "", "q\"\\", "Größe"]
        return EventQuery(
            category: chance(30) ? .any : .named(pick(names), Span(0, 0)), condition: condition(4), span: Span(0, 0))
    }

    private mutating func term(isMissing: Bool) -> Term {
        Term(
            query: eventQuery(), keys: list(0...2) { $0.field() },
            runs: isMissing || chance(70) ? 1 : 1 + number(below: 100), isMissing: isMissing, span: Span(0, 0))
    }

    private mutating func timespan() -> Timespan {
        Timespan(count: Int64(1 + number(below: 999)), unit: pick(Timespan.Unit.allCases), span: Span(0, 0))
    }

    private mutating func field() -> FieldReference {
        let paths = [
            "process.name", "@timestamp", "runs", "a.sequence.b", "in", "x-y.z", "with`tick", "1st.2nd", "a..b", ".",
            "größe.ß", "a b", "_", "A1.B2", "[0]",
        ]
        return FieldReference(path: FieldPath(pick(paths)), isOptional: chance(20), span: Span(0, 0))
    }

    private func node(_ kind: Expression.Kind) -> Expression { Expression(kind, at: Span(0, 0)) }

    /// Chains are balanced and flat, as the parser makes them; everything else may stand anywhere.
    private mutating func condition(_ depth: Int) -> Expression {
        guard depth > 0, chance(65) else { return leaf() }
        switch number(below: 12) {
        case 0, 1:
            let parts = list(2...5) { $0.condition(depth - 1) }.flatMap(\.conjuncts)
            return Parser.balanced(parts[...]) { .and($0, $1) }
        case 2, 3:
            let parts = list(2...5) { $0.condition(depth - 1) }.flatMap(\.disjuncts)
            return Parser.balanced(parts[...]) { .or($0, $1) }
        case 4: return node(.not(condition(depth - 1)))
        case 5, 6:
            let operators: [ComparisonOperator] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
            return node(.comparison(pick(operators), condition(depth - 1), condition(depth - 1)))
        case 7:
            let operators: [ArithmeticOperator] = [.add, .subtract, .multiply, .divide, .modulo]
            return node(.arithmetic(pick(operators), condition(depth - 1), condition(depth - 1)))
        case 8:
            let operand = condition(depth - 1)
            switch operand.kind {
            // A sign before a number is part of the number.
            case .literal(.integer), .literal(.double): return operand
            default: return node(.negative(operand))
            }
        case 9:
            return node(
                .membership(
                    condition(depth - 1), list(1...3) { $0.condition(depth - 1) }, caseInsensitive: chance(50),
                    negated: chance(50)))
        case 10:
            let operators: [PatternOperator] = [.colon, .like, .likeInsensitive, .regex, .regexInsensitive]
            return node(
                .pattern(condition(depth - 1), pick(operators), list(1...3) { $0.node(.literal(.string($0.text()))) }))
        default:
            return node(
                .call(
                    Expression.Call(
                        name: pick(["length", "cidrMatch", "concat", "runs"]), caseInsensitive: chance(50),
                        arguments: list(0...3) { $0.condition(depth - 1) }, nameSpan: Span(0, 0))))
        }
    }

    private mutating func leaf() -> Expression {
        switch number(below: 6) {
        case 0: node(.literal(pick([.null, .boolean(true), .boolean(false)])))
        case 1: node(.literal(.integer(pick([0, 1, -1, 443, .max, .min]))))
        case 2: node(.literal(.double(pick([0.5, -2.5, 1e300, 2.5e-308, 1e19, 3, -0.125]))))
        case 3: node(.literal(.string(text())))
        default: node(.field(field()))
        }
    }

    private mutating func text() -> String {
        let pieces = [
            "cmd.exe", "*", "?", "\\", "\"", "'", "\n", "\r", "\t", "\u{0}", "\u{7F}", "é", "e\u{301}", "\u{1F600}",
            "//",
            "/*", "`", "\u{2028}", "\u{10FFFF}",
        ]
        return list(0...4) { $0.pick(pieces) }.joined()
    }
}
