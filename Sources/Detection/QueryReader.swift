public import EQL
import EventSchema
public import Rules

/// From the text of a query to something that can be evaluated: parse, check, lint, and try every pattern.
public struct QueryReader: Sendable {
    /// What the query is for.
    public enum Input: Sendable {
        /// A rule on input without an end.
        case stream
        /// A rule on a file.
        case boundedRule
        /// A query on a file: anything goes.
        case bounded
    }

    public let input: Input
    public let options: CheckOptions

    public init(_ input: Input, options: CheckOptions = CheckOptions()) {
        self.input = input
        self.options = options
    }

    /// All problems at once, in the order of their places; the query is nil exactly when one of them is an error.
    public func read(_ source: SourceText) -> CheckResult {
        let parsed = parse(source)
        guard let query = parsed.query else {
            let more = checkConditions(of: parsed, source: source, options: options)
            return CheckResult(query: nil, diagnostics: Self.ordered(parsed.diagnostics + more))
        }
        let checked = check(query, source: source, options: options)
        var diagnostics = parsed.diagnostics + checked.diagnostics
        if let checked = checked.query {
            diagnostics += lint(query, checked: checked, options: options)
            diagnostics += CompiledRules.problems(in: checked)
            if input != .bounded { diagnostics += CompiledRules.ruleProblems(in: checked) }
            if input == .stream { diagnostics += CompiledRules.streamProblems(in: checked, at: query.span) }
        }
        diagnostics = Self.ordered(diagnostics)
        let isValid = !diagnostics.contains { $0.severity == .error }
        return CheckResult(query: isValid ? checked.query : nil, diagnostics: diagnostics)
    }

    /// By place.
    private static func ordered(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        diagnostics.enumerated()
            .sorted { ($0.element.span.lower, $0.offset) < ($1.element.span.lower, $1.offset) }
            .map(\.element)
    }
}

extension QueryChecker {
    /// For rules that run on streams.
    public static let streaming = checker(for: .stream)

    /// For rules that run on files.
    public static let bounded = checker(for: .boundedRule)

    private static func checker(for input: QueryReader.Input) -> QueryChecker {
        QueryChecker { source, rule in
            var options = CheckOptions()
            options.regexMode = rule.regexMode
            if let field = rule.eventCategoryField { options.eventCategoryField = field }
            return QueryReader(input, options: options).read(source)
        }
    }
}
