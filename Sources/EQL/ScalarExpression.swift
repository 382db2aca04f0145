public import EventSchema

/// One leaf that is more than a test of a field: functions, arithmetic, comparisons of their results.
///
/// True when some choice of one value per field makes the expression true; a field without a value is null.
/// Null at the root is false.
public struct ScalarTest: Hashable, Sendable {
    public var root: ScalarExpression
    /// The leaf as EQL spells it, for alerts.
    public var text: String

    public init(root: ScalarExpression, text: String) {
        self.root = root
        self.text = text
    }

    /// The fields it reads, each once, in the order of their first use.
    public var fields: [ScalarExpression.Field] {
        var fields: [ScalarExpression.Field] = []
        root.visitFields { if !fields.contains($0) { fields.append($0) } }
        return fields
    }

    /// Strings that are equal but for their normal form are different constants, and only the text tells.
    public static func == (left: ScalarTest, right: ScalarTest) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8) && left.root == right.root
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(root)
    }
}

/// A typed, three-valued expression over the values of one event. Null spreads from operand to result unless
/// said otherwise, and an operand of another type than an operation takes makes it null as well.
public indirect enum ScalarExpression: Hashable, Sendable {
    case constant(Literal)
    case field(Field)
    /// On 64-bit integers or doubles. Overflow of integers, and their division by zero, give null.
    case arithmetic(ArithmeticOperator, ScalarExpression, ScalarExpression)
    /// Values that have no order, or cannot be equal, compare as false.
    case comparison(ComparisonOperator, ScalarExpression, ScalarExpression, Order)
    /// Never null.
    case isNull(ScalarExpression)
    case not(ScalarExpression)
    /// A false part decides, then a null one.
    case all([ScalarExpression])
    /// A true part decides, then a null one.
    case any([ScalarExpression])
    /// The value equals one of the constants, with `folded` but for the case of ASCII letters.
    case membership(ScalarExpression, [Literal], folded: Bool)
    /// The value, as text, matches one of the patterns.
    case pattern(ScalarExpression, [StringPattern])
    /// The value is an address in one of the blocks; false for what is no address.
    case within(ScalarExpression, Set<IPBlock>)
    /// With `folded`, text arguments are compared in lower case, by the rules of Unicode.
    case call(ScalarFunction, [ScalarExpression], folded: Bool)

    public struct Field: Hashable, Sendable {
        public var path: FieldPath
        public var type: FieldType

        public init(path: FieldPath, type: FieldType) {
            self.path = path
            self.type = type
        }
    }

    /// By what two values are compared.
    public enum Order: UInt8, Hashable, Sendable, BitwiseCopyable {
        /// Numbers by value; text by code point; a number or Boolean equals the text that spells it.
        case plain
        /// Instants: dates, and what reads as one.
        case time
        /// Addresses.
        case address
        /// Semantic versions; what is none comes last.
        case version
    }

    fileprivate func visitFields(_ visit: (Field) -> Void) {
        switch self {
        case .constant: break
        case .field(let field): visit(field)
        case .isNull(let inner), .not(let inner), .membership(let inner, _, _), .pattern(let inner, _),
            .within(let inner, _):
            inner.visitFields(visit)
        case .arithmetic(_, let left, let right), .comparison(_, let left, let right, _):
            left.visitFields(visit)
            right.visitFields(visit)
        case .all(let parts), .any(let parts), .call(_, let parts, _):
            for part in parts { part.visitFields(visit) }
        }
    }

    /// Every pattern in the expression.
    public var patterns: [StringPattern] {
        switch self {
        case .constant, .field: []
        case .pattern(let inner, let patterns): inner.patterns + patterns
        case .isNull(let inner), .not(let inner), .membership(let inner, _, _), .within(let inner, _): inner.patterns
        case .arithmetic(_, let left, let right), .comparison(_, let left, let right, _):
            left.patterns + right.patterns
        case .all(let parts), .any(let parts), .call(_, let parts, _): parts.flatMap(\.patterns)
        }
    }
}

/// The functions that are computed per event. The others are spelled otherwise before: `add` and its like as
/// arithmetic, `cidrMatch` as ``ScalarExpression/within(_:_:)``.
///
/// Places and lengths in text count UTF-16 units, as Java's do.
/// Source: the EQL function reference of Elasticsearch.
public enum ScalarFunction: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// The text after the first `left` up to the next `right`, or up to the last with a true fourth argument;
    /// empty when one of them is missing.
    case between
    /// The text of all arguments, joined.
    case concat
    case endsWith
    /// The place of the second text in the first, from the third argument on; null when there is none.
    case indexOf
    case length
    /// The number a text spells, in the base of the second argument; `0x` means 16. Null for other text.
    case number
    case startsWith
    /// The value as text: `5`, `5.0`, `true`.
    case string
    /// False for an empty second text.
    case stringContains
    /// A slice as Python takes it: negative places count from the end. Null places are the start and the end.
    case substring
}

extension ArithmeticOperator {
    /// Nil for overflow and division by zero. `/` truncates, `%` has the sign of the dividend.
    public func result(_ left: Int64, _ right: Int64) -> Int64? {
        let (value, overflow) =
            switch self {
            case .add: left.addingReportingOverflow(right)
            case .subtract: left.subtractingReportingOverflow(right)
            case .multiply: left.multipliedReportingOverflow(by: right)
            case .divide: left.dividedReportingOverflow(by: right)
            case .modulo: left.remainderReportingOverflow(dividingBy: right)
            }
        return overflow ? nil : value
    }

    public func result(_ left: Double, _ right: Double) -> Double {
        switch self {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .modulo: left.truncatingRemainder(dividingBy: right)
        }
    }
}
