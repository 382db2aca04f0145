// The tree of a query as it was written. It holds no types and no resolved names: the checker gives
// those, so that the printer and the reference evaluator of the tests need only this file.

public import EventSchema

/// A whole query: one form and the pipes behind it.
public struct Query: Hashable, Sendable {
    public var form: Form
    public var pipes: [Pipe]
    public var span: Span

    public enum Form: Hashable, Sendable {
        case event(EventQuery)
        case sequence(SequenceQuery)
        case sample(SampleQuery)
    }

    public init(form: Form, pipes: [Pipe] = [], span: Span) {
        self.form = form
        self.pipes = pipes
        self.span = span
    }
}

/// `category where condition`.
public struct EventQuery: Hashable, Sendable {
    public var category: Category
    public var condition: Expression
    public var span: Span

    public enum Category: Hashable, Sendable {
        case any
        case named(String, Span)
    }

    public init(category: Category, condition: Expression, span: Span) {
        self.category = category
        self.condition = condition
        self.span = span
    }
}

/// `sequence [by keys] [with maxspan=…] term term+ [until term]`.
public struct SequenceQuery: Hashable, Sendable {
    public var keys: [FieldReference]
    public var maxspan: Timespan?
    public var terms: [Term]
    public var until: Term?

    public init(keys: [FieldReference], maxspan: Timespan?, terms: [Term], until: Term?) {
        self.keys = keys
        self.maxspan = maxspan
        self.terms = terms
        self.until = until
    }
}

/// `sample by keys [with maxspan=…] term term+`. The `maxspan` is an extension of Apus.
public struct SampleQuery: Hashable, Sendable {
    public var keys: [FieldReference]
    public var maxspan: Timespan?
    public var terms: [Term]

    public init(keys: [FieldReference], maxspan: Timespan?, terms: [Term]) {
        self.keys = keys
        self.maxspan = maxspan
        self.terms = terms
    }
}

/// One bracketed term: `[query] by keys with runs=n`, or `![query]` for an event that must be missing.
public struct Term: Hashable, Sendable {
    public var query: EventQuery
    public var keys: [FieldReference]
    public var runs: Int
    public var isMissing: Bool
    public var span: Span

    public init(query: EventQuery, keys: [FieldReference], runs: Int = 1, isMissing: Bool = false, span: Span) {
        self.query = query
        self.keys = keys
        self.runs = runs
        self.isMissing = isMissing
        self.span = span
    }
}

/// A positive length of time: `5m`.
public struct Timespan: Hashable, Sendable {
    public enum Unit: String, Hashable, Sendable, CaseIterable {
        case milliseconds = "ms"
        case seconds = "s"
        case minutes = "m"
        case hours = "h"
        case days = "d"

        public var nanoseconds: Int64 {
            switch self {
            case .milliseconds: 1_000_000
            case .seconds: 1_000_000_000
            case .minutes: 60_000_000_000
            case .hours: 3_600_000_000_000
            case .days: 86_400_000_000_000
            }
        }
    }

    public var count: Int64
    public var unit: Unit
    public var span: Span

    public init(count: Int64, unit: Unit, span: Span) {
        self.count = count
        self.unit = unit
        self.span = span
    }

    /// The parser refuses lengths that overflow.
    public var nanoseconds: Int64 { count * unit.nanoseconds }
}

/// `| head 5`.
public struct Pipe: Hashable, Sendable {
    public enum Name: String, Hashable, Sendable {
        case head
        case tail
    }

    public var name: Name
    public var count: Int
    public var span: Span

    public init(name: Name, count: Int, span: Span) {
        self.name = name
        self.count = count
        self.span = span
    }
}

/// A field, perhaps marked optional by `?`.
public struct FieldReference: Hashable, Sendable {
    public var path: FieldPath
    public var isOptional: Bool
    public var span: Span

    public init(path: FieldPath, isOptional: Bool = false, span: Span) {
        self.path = path
        self.isOptional = isOptional
        self.span = span
    }
}

public struct Expression: Hashable, Sendable {
    public var kind: Kind
    public var span: Span

    public init(_ kind: Kind, at span: Span) {
        self.kind = kind
        self.span = span
    }

    public indirect enum Kind: Hashable, Sendable {
        case literal(Literal)
        case field(FieldReference)
        case negative(Expression)
        case arithmetic(ArithmeticOperator, Expression, Expression)
        case comparison(ComparisonOperator, Expression, Expression)
        case not(Expression)
        case and(Expression, Expression)
        case or(Expression, Expression)
        /// `subject in (…)`, `in~`, `not in`.
        case membership(Expression, [Expression], caseInsensitive: Bool, negated: Bool)
        /// `subject : "a*"`, `like`, `regex` and their lists; the patterns are string literals, behind `:` numbers
        /// and Booleans as well.
        case pattern(Expression, PatternOperator, [Expression])
        case call(Call)
    }

    public struct Call: Hashable, Sendable {
        /// As written, without `~`. Names are case-insensitive.
        public var name: String
        public var caseInsensitive: Bool
        public var arguments: [Expression]
        public var nameSpan: Span

        public init(name: String, caseInsensitive: Bool, arguments: [Expression], nameSpan: Span) {
            self.name = name
            self.caseInsensitive = caseInsensitive
            self.arguments = arguments
            self.nameSpan = nameSpan
        }
    }
}

public enum Literal: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
}

public enum ArithmeticOperator: String, Hashable, Sendable, BitwiseCopyable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
}

public enum ComparisonOperator: String, Hashable, Sendable, BitwiseCopyable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
}

public enum PatternOperator: String, Hashable, Sendable {
    /// Case-insensitive wildcards.
    case colon = ":"
    case like
    case likeInsensitive = "like~"
    case regex
    case regexInsensitive = "regex~"
}
