import EventSchema

@testable public import EQL

// Trees by hand, so that a failure here is never the parser's.

let nowhere = Span(0, 0)

extension Expression {
    init(_ kind: Kind) { self.init(kind, at: nowhere) }

    static func field(_ path: String, optional: Bool = false) -> Expression {
        Expression(.field(FieldReference(path: FieldPath(path), isOptional: optional, span: nowhere)))
    }

    static func not(_ operand: Expression) -> Expression { Expression(.not(operand)) }

    static func call(_ name: String, _ arguments: Expression..., folded: Bool = false) -> Expression {
        Expression(.call(Call(name: name, caseInsensitive: folded, arguments: arguments, nameSpan: nowhere)))
    }

    func isIn(_ items: Expression..., folded: Bool = false, negated: Bool = false) -> Expression {
        Expression(.membership(self, items, caseInsensitive: folded, negated: negated))
    }

    func matches(_ operation: PatternOperator, _ patterns: Expression...) -> Expression {
        Expression(.pattern(self, operation, patterns))
    }
}

extension Expression: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self.init(.literal(.string(value))) }
    public init(integerLiteral value: Int64) { self.init(.literal(.integer(value))) }
    public init(floatLiteral value: Double) { self.init(.literal(.double(value))) }
    public init(booleanLiteral value: Bool) { self.init(.literal(.boolean(value))) }
    public init(nilLiteral: ()) { self.init(.literal(.null)) }
}

infix operator .== : ComparisonPrecedence
infix operator .!= : ComparisonPrecedence
infix operator .< : ComparisonPrecedence
infix operator .> : ComparisonPrecedence
infix operator .>= : ComparisonPrecedence
infix operator .&& : LogicalConjunctionPrecedence
infix operator .|| : LogicalDisjunctionPrecedence
infix operator ./ : MultiplicationPrecedence

func .== (left: Expression, right: Expression) -> Expression { Expression(.comparison(.equal, left, right)) }
func .!= (left: Expression, right: Expression) -> Expression { Expression(.comparison(.notEqual, left, right)) }
func .< (left: Expression, right: Expression) -> Expression { Expression(.comparison(.less, left, right)) }
func .> (left: Expression, right: Expression) -> Expression { Expression(.comparison(.greater, left, right)) }
func .>= (left: Expression, right: Expression) -> Expression { Expression(.comparison(.greaterOrEqual, left, right)) }
func .&& (left: Expression, right: Expression) -> Expression { Expression(.and(left, right)) }
func .|| (left: Expression, right: Expression) -> Expression { Expression(.or(left, right)) }
func ./ (left: Expression, right: Expression) -> Expression { Expression(.arithmetic(.divide, left, right)) }

func eventQuery(_ condition: Expression, category: String? = nil) -> EventQuery {
    EventQuery(category: category.map { .named($0, nowhere) } ?? .any, condition: condition, span: nowhere)
}

func query(_ condition: Expression, category: String? = nil) -> Query {
    Query(form: .event(eventQuery(condition, category: category)), span: nowhere)
}

/// The condition of an event query, or nil with errors.
func lowered(_ expression: Expression, options: CheckOptions = CheckOptions()) -> Condition? {
    check(query(expression), options: options).query?.conditions[0]
}

/// The meaning of the text of a query.
func understand(_ text: String, options: CheckOptions = CheckOptions()) -> CheckResult {
    let source = SourceText(text)
    let parsed = parse(source)
    guard let query = parsed.query else { return CheckResult(query: nil, diagnostics: parsed.diagnostics) }
    let checked = check(query, source: source, options: options)
    return CheckResult(query: checked.query, diagnostics: parsed.diagnostics + checked.diagnostics)
}

// MARK: - A plain evaluation of conditions

typealias TestEvent = [FieldPath: [Literal]]

/// Expressions are the matcher's to compute; its tests have their semantics.
struct NotPlain: Error {
    var expression: String
}

/// Follows the words of `Condition` and `FieldTest`; a missing field is one without values.
func holds(_ condition: Condition, in event: TestEvent) throws -> Bool {
    switch condition {
    case .constant(let value): value
    case .not(let inner): try !holds(inner, in: event)
    case .all(let parts): try parts.allSatisfy { try holds($0, in: event) }
    case .any(let parts): try parts.contains { try holds($0, in: event) }
    case .expression(let test): throw NotPlain(expression: test.text)
    case .test(let test): try event[test.field, default: []].contains { try passes(test.test, $0) }
    }
}

private func passes(_ test: FieldTest.Test, _ value: Literal) throws -> Bool {
    switch test {
    case .exists: return true
    case .equals(let values):
        let block = IPAddress(parsing: value.text).map { address in values.addresses.contains { $0.contains(address) } }
        switch value {
        case .string(let text): return values.strings.contains(ExactString(text)) || block == true
        case .integer(let integer): return values.integers.contains(integer) || values.strings.contains(ExactString(value.text))
        case .double(let double): return values.doubles.contains(double) || values.strings.contains(ExactString(value.text))
        case .boolean(let boolean): return values.booleans.contains(boolean) || values.strings.contains(ExactString(value.text))
        case .null: return false
        }
    case .equalsFolded(let texts): return texts.contains(ExactString(ASCII.lowercased(value.text)))
    case .ordered(let operation, let bound):
        switch bound {
        case .integer(let integer): return Literal.compare(operation, value, .integer(integer)) == .constant(true)
        case .double(let double): return Literal.compare(operation, value, .double(double)) == .constant(true)
        case .string(let text): return Literal.compare(operation, value, .string(text.string)) == .constant(true)
        case .date(let time): return EventTime(parsing: value.text).map { operation.holds($0, time) } ?? false
        case .address(let address): return IPAddress(parsing: value.text).map { operation.holds($0, address) } ?? false
        }
    case .matches(let patterns): return try patterns.contains { try finds(.expression($0.expression), in: value.text) }
    }
}
