import EQL
public import Rules

extension ConditionChecker {
    /// For the conditions of exceptions: what would stand behind `where`, with `inList` for value lists.
    public static let standard = ConditionChecker { text, regexMode, lists in
        ConditionReader(options: CheckOptions(regexMode: regexMode), lists: lists).read(text)
    }
}

/// From the text of a condition to something that can be evaluated, as ``QueryReader`` does it for whole queries.
struct ConditionReader {
    /// Makes a query of a condition.
    private static let prefix = "any where "

    let options: CheckOptions
    let lists: [String: ValueList]

    /// All problems at once, in the order of their places; the condition is nil exactly when one of them is an error.
    func read(_ text: SourceText) -> ConditionChecker.Result {
        guard text.utf8.contains(where: { $0 > 0x20 }) else {
            return (
                nil, [.error("the condition is empty", at: Span(0, 0), hint: "write what would stand behind where")]
            )
        }
        let source = SourceText(Self.prefix + text.text)
        let parsed = parse(source)
        guard let query = parsed.query else { return (nil, moved(parsed.diagnostics)) }
        let expanded = expandLists(in: query, lists, schema: options.schema)
        let checked = check(expanded.query, source: source, options: options)
        var diagnostics = parsed.diagnostics + expanded.diagnostics + checked.diagnostics
        if let checked = checked.query {
            // The query as it was written: a list has too many values to be looked at one by one.
            diagnostics += lint(query, checked: checked, options: options)
            diagnostics += CompiledRules.problems(in: checked)
            diagnostics += query.pipes.map { .error("a condition takes no pipe", at: $0.span) }
        }
        let isValid = !diagnostics.contains { $0.severity == .error }
        diagnostics = diagnostics.enumerated()
            .sorted { ($0.element.span.lower, $0.offset) < ($1.element.span.lower, $1.offset) }
            .map(\.element)
        guard isValid, case .event(let condition)? = checked.query?.form else { return (nil, moved(diagnostics)) }
        return (condition, moved(diagnostics))
    }

    private func moved(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        let length = Self.prefix.utf8.count
        return diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.span = Span(max(0, diagnostic.span.lower - length), max(0, diagnostic.span.upper - length))
            return diagnostic
        }
    }
}
