/// What a pattern of a query accepts, in the syntax of the matcher.
enum PatternLanguage: Hashable, Sendable {
    /// Every value, the empty one included.
    case everything
    /// No value at all.
    case nothing
    /// The values in which this expression is found; `\A` and `\z` stand where the whole value counts.
    case expression(String)
}

/// Something to say about a pattern, at UTF-8 offsets of the unescaped pattern text.
struct PatternNote: Error, Hashable, Sendable {
    var message: String
    var range: Range<Int>
    var hint: String?
    /// As in ``Diagnostic``.
    var refused: String?

    init(_ message: String, at range: Range<Int>, hint: String? = nil, refused: String? = nil) {
        self.message = message
        self.range = range
        self.hint = hint
        self.refused = refused
    }
}
