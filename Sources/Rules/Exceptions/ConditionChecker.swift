public import EQL

/// Turns the text of an exception's condition into a checked one, or says what is wrong with it.
public struct ConditionChecker: Sendable {
    public typealias Result = (condition: Condition?, diagnostics: [Diagnostic])

    let check: @Sendable (SourceText, RegexMode, [String: ValueList]) -> Result

    public init(_ check: @escaping @Sendable (SourceText, RegexMode, [String: ValueList]) -> Result) {
        self.check = check
    }
}
