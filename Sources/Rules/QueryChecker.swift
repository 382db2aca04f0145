public import EQL
public import EventSchema

/// Turns the text of a query into a checked one, or says what is wrong with it.
public struct QueryChecker: Sendable {
    let check: @Sendable (SourceText, QueryOptions) -> CheckResult

    public init(_ check: @escaping @Sendable (SourceText, QueryOptions) -> CheckResult) {
        self.check = check
    }

    /// Parses with `parse`, then checks against `schema`. A query that does not parse is not checked.
    public init(
        schema: Schema = .ecs, parse: @escaping @Sendable (SourceText) -> (query: Query?, diagnostics: [Diagnostic])
    ) {
        self.init { source, options in
            let parsed = parse(source)
            guard let query = parsed.query else { return CheckResult(query: nil, diagnostics: parsed.diagnostics) }
            let checkOptions = CheckOptions(
                schema: schema, regexMode: options.regexMode,
                eventCategoryField: options.eventCategoryField ?? .eventCategory)
            var result = EQL.check(query, source: source, options: checkOptions)
            result.diagnostics.insert(contentsOf: parsed.diagnostics, at: 0)
            return result
        }
    }
}
