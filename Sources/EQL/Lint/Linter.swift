import EventSchema

/// Warnings about a query that is valid and hardly means what it says; in the order of their places.
///
/// What the checker warns of by itself is not repeated here. Silence is as much the purpose as speech: a rule
/// that could do its work gets no warning.
///
/// - Parameter checked: what ``check(_:source:options:)`` made of `query`.
public func lint(_ query: Query, checked: CheckedQuery, options: CheckOptions = CheckOptions()) -> [Diagnostic] {
    var linter = Linter(options: options)
    linter.lint(query, checked)
    return linter.diagnostics.sorted { ($0.span.lower, $0.message) < ($1.span.lower, $1.message) }
}

struct Linter {
    let options: CheckOptions
    private(set) var diagnostics: [Diagnostic] = []

    init(options: CheckOptions) {
        self.options = options
    }

    mutating func warn(_ message: String, at span: Span, hint: String? = nil) {
        diagnostics.append(.warning(message, at: span, hint: hint))
    }

    fileprivate mutating func lint(_ query: Query, _ checked: CheckedQuery) {
        switch (query.form, checked.form) {
        case (.event(let event), .event):
            lint(event, named: "this")
        case (.sequence(let sequence), .sequence(let plan)):
            for term in sequence.terms { lint(term.query, named: "this stage") }
            lintUntil(of: sequence, plan)
        case (.sample(let sample), .sample):
            for term in sample.terms { lint(term.query, named: "this stage") }
        default: break
        }
    }

    private mutating func lint(_ query: EventQuery, named name: String) {
        lint(query)
        if meaning(of: query.condition)?.condition == .constant(false) {
            warn("no event can match \(name)", at: query.condition.span)
        }
    }

    /// All but whether anything can match at all.
    mutating func lint(_ query: EventQuery) {
        lint(query.condition, isWhole: true)
        lintCategories(of: query)
    }

    /// What the checker makes of a part of a query; nil when it reports anything about it by itself.
    func meaning(of expression: Expression) -> (condition: Condition, isNull: Bool)? {
        var checker = Checker(options: options, source: nil)
        guard let verdict = checker.lower(expression), checker.diagnostics.isEmpty else { return nil }
        return (verdict.condition.normalised, verdict == .constant(nil))
    }
}
