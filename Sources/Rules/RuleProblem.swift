public import EQL

/// What is wrong with a rule file, where, and what to do about it.
public struct RuleProblem: Hashable, Sendable, CustomStringConvertible {
    public let severity: Diagnostic.Severity
    public let place: Place
    /// One sentence without a full stop.
    public let message: String
    /// What to do, as one sentence without a full stop.
    public let hint: String?
    /// A construct of EQL or of its patterns that Apus does not have; nil for all other problems.
    public let refused: String?

    /// A place in a file that a person can go to; both numbers count from 1, columns count code points.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        public let path: String
        public let line: Int
        public let column: Int
        /// The text of the line, without its line break; empty when the file could not be read.
        public let excerpt: String
        /// Where the caret goes below the excerpt; counts code points from 1.
        public let excerptColumn: Int
        /// How many code points of the excerpt are meant; at least 1.
        public let width: Int
        /// Of a problem in the query of a rule export: its place in the query's own text, which the excerpt is of.
        public let inQuery: SourceText.Position?

        /// `file:line:column`, as editors and CI systems read it.
        public var description: String { "\(path):\(line):\(column)" }
    }

    public init(
        severity: Diagnostic.Severity, place: Place, message: String, hint: String?, refused: String? = nil
    ) {
        self.severity = severity
        self.place = place
        self.message = message
        self.hint = hint
        self.refused = refused
    }

    /// Place, severity and message on one line.
    public var headline: String {
        let query = place.inQuery.map { "in the query, line \($0.line), column \($0.column): " } ?? ""
        return "\(place): \(severity.rawValue): \(query)\(message)"
    }

    public var description: String { headline + (hint.map { "; \($0)" } ?? "") }
}

extension RuleProblem.Place {
    /// The place of a span of UTF-8 offsets; of a span over several lines, the first line.
    init(path: String, source: SourceText, span: Span) {
        let start = source.position(of: span.lower)
        let line = source.line(start.line)
        let excerpt = line.hasSuffix("\r") ? String(line.dropLast()) : line
        self.init(
            path: path, line: start.line, column: start.column, excerpt: excerpt, excerptColumn: start.column,
            width: Self.width(of: span, in: source, from: start.column, excerpt: excerpt), inQuery: nil)
    }

    /// A place in line `line` of a file whose lines are long; the excerpt is the neighbourhood of `span`.
    ///
    /// - Parameter source: that line alone.
    init(path: String, line: Int, source: SourceText, span: Span) {
        let start = source.position(of: span.lower)
        let scalars = source.line(1).unicodeScalars
        let skipped = max(0, start.column - 1 - 40)
        let excerpt = String(String.UnicodeScalarView(scalars.dropFirst(skipped).prefix(100)))
        let column = start.column - skipped
        self.init(
            path: path, line: line, column: start.column, excerpt: excerpt, excerptColumn: column,
            width: Self.width(of: span, in: source, from: column, excerpt: excerpt), inQuery: nil)
    }

    /// A place in a file of another format.
    ///
    /// - Parameter excerpt: the text of the line.
    public init(path: String, line: Int, column: Int, excerpt: String) {
        self.init(
            path: path, line: line, column: column, excerpt: excerpt, excerptColumn: column, width: 1, inQuery: nil)
    }

    /// The file as a whole.
    init(path: String) {
        self.init(path: path, line: 1, column: 1, excerpt: "", excerptColumn: 1, width: 1, inQuery: nil)
    }

    /// The same place with the line of the query as its excerpt.
    func showing(_ span: Span, of query: SourceText) -> RuleProblem.Place {
        let inner = RuleProblem.Place(path: path, source: query, span: span)
        return RuleProblem.Place(
            path: path, line: line, column: column, excerpt: inner.excerpt, excerptColumn: inner.column,
            width: inner.width, inQuery: query.position(of: span.lower))
    }

    /// The code points of `span` on its first line, none of them past the end of the excerpt.
    private static func width(of span: Span, in source: SourceText, from column: Int, excerpt: String) -> Int {
        let rest = excerpt.unicodeScalars.count - column + 1
        let text = source[Span(span.lower, max(span.lower, span.upper))].unicodeScalars.prefix {
            $0 != "\n" && $0 != "\r"
        }
        return max(1, min(rest, text.count))
    }
}
