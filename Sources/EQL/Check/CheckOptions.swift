public import EventSchema

/// What a query is checked against.
public struct CheckOptions: Sendable {
    public var schema: Schema
    public var regexMode: RegexMode
    /// The field `category where …` tests; rules set it with `event_category_override`.
    public var eventCategoryField: FieldPath

    public init(
        schema: Schema = .ecs, regexMode: RegexMode = .elastic, eventCategoryField: FieldPath = .eventCategory
    ) {
        self.schema = schema
        self.regexMode = regexMode
        self.eventCategoryField = eventCategoryField
    }
}

/// How the patterns of `regex` and `regex~` are read.
public enum RegexMode: String, Hashable, Sendable, CaseIterable {
    /// As in Elasticsearch: Lucene syntax, and the whole value must match.
    case elastic
    /// Perl-like syntax found anywhere in the value; inline flags are allowed. An extension of Apus.
    case search
}

/// What the checker found: a query exactly when no diagnostic is an error.
public struct CheckResult: Sendable {
    public var query: CheckedQuery?
    /// In the order of their places in the text.
    public var diagnostics: [Diagnostic]

    public init(query: CheckedQuery?, diagnostics: [Diagnostic]) {
        self.query = query
        self.diagnostics = diagnostics
    }
}
