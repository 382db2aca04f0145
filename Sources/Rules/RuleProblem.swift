public import EQL

/// What is wrong with a rule file, where, and what to do about it.
public struct RuleProblem: Hashable, Sendable, CustomStringConvertible {
    public let severity: Diagnostic.Severity
    public let place: Place
    /// One sentence without a full stop.
    public let message: String
    /// What to do, as one sentence without a full stop.
    public let hint: String?

    /// A place in a file that a person can go to; both numbers count from 1, columns count code points.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        public let path: String
        public let line: Int
        public let column: Int
        /// The text of the line, without its line break; empty when the file could not be read.
        public let excerpt: String
        /// How many code points of the excerpt are meant, from `column` on; at least 1.
        public let width: Int

        /// `file:line:column`, as editors and CI systems read it.
        public var description: String { "\(path):\(line):\(column)" }
    }

    public var description: String {
        "\(place): \(severity.rawValue): \(message)" + (hint.map { "; \($0)" } ?? "")
    }
}

extension RuleProblem.Place {
    /// The place of a span of UTF-8 offsets; of a span over several lines, the first line.
    init(path: String, source: SourceText, span: Span) {
        let start = source.position(of: span.lower)
        let excerpt = source.line(start.line)
        let rest = excerpt.unicodeScalars.count - start.column + 1
        let text = source[Span(span.lower, max(span.lower, span.upper))].unicodeScalars.prefix { $0 != "\n" }
        self.init(
            path: path, line: start.line, column: start.column, excerpt: excerpt,
            width: max(1, min(rest, text.count)))
    }

    /// The file as a whole.
    init(path: String) {
        self.init(path: path, line: 1, column: 1, excerpt: "", width: 1)
    }
}
