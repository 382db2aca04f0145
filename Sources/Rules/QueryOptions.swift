public import EQL
public import EventSchema

/// What a rule file says about how its query is to be read.
public struct QueryOptions: Hashable, Sendable {
    public var regexMode: RegexMode
    /// In place of `event.category`.
    public var eventCategoryField: FieldPath?
    /// In place of `@timestamp`.
    public var timestampField: FieldPath?
    /// Orders events of one instant.
    public var tiebreakerField: FieldPath?

    public init(
        regexMode: RegexMode = .elastic, eventCategoryField: FieldPath? = nil, timestampField: FieldPath? = nil,
        tiebreakerField: FieldPath? = nil
    ) {
        self.regexMode = regexMode
        self.eventCategoryField = eventCategoryField
        self.timestampField = timestampField
        self.tiebreakerField = tiebreakerField
    }
}

/// Turns the text of a query into a checked one, or says what is wrong with it.
public struct QueryChecker: Sendable {
    /// Nil exactly when some diagnostic is an error.
    public typealias Outcome = (query: CheckedQuery?, diagnostics: [Diagnostic])

    let check: @Sendable (SourceText, QueryOptions) -> Outcome

    public init(_ check: @escaping @Sendable (SourceText, QueryOptions) -> Outcome) {
        self.check = check
    }
}
