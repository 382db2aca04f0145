/// The smallest parts of a query.
enum TokenKind: Hashable, Sendable {
    case keyword(Keyword)
    /// A name, or several joined by dots: each segment without its backquotes.
    case path(String)
    /// A plain name of one segment without backquotes; may be a function, a category or a field.
    case name(String)
    case integer(Int64)
    case double(Double)
    case string(String)
    case symbol(Symbol)
    case end
}

enum Keyword: String, Hashable, Sendable, CaseIterable {
    case and, any, by, `false`, `in`, join, like, maxspan, not, null, of, or, regex, sample, sequence, `true`
    case until, `where`, with
}

enum Symbol: String, Hashable, Sendable {
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBracket = "["
    case rightBracket = "]"
    case missing = "!["
    case comma = ","
    case pipe = "|"
    case question = "?"
    case tilde = "~"
    case colon = ":"
    case assign = "="
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case plus = "+"
    case minus = "-"
    case star = "*"
    case slash = "/"
    case percent = "%"
}

struct Token: Hashable, Sendable {
    var kind: TokenKind
    var span: Span
    /// No blank or comment stands between this token and the one before it.
    var isAdjacent: Bool
}
