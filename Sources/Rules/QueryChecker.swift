public import EQL

/// Turns the text of a query into a checked one, or says what is wrong with it.
public struct QueryChecker: Sendable {
    let check: @Sendable (SourceText, QueryOptions) -> CheckResult

    public init(_ check: @escaping @Sendable (SourceText, QueryOptions) -> CheckResult) {
        self.check = check
    }
}
