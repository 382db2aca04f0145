/// What is wrong with a query, where, and what to do about it.
public struct Diagnostic: Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable {
        case error
        case warning
    }

    public var severity: Severity
    /// What happened, as one sentence without a full stop.
    public var message: String
    public var span: Span
    /// What to do, as one sentence without a full stop.
    public var hint: String?
    /// The construct, where the language has it and Apus does not; nil for all other diagnostics.
    public var refused: String?

    public init(
        _ severity: Severity, _ message: String, at span: Span, hint: String? = nil, refused: String? = nil
    ) {
        self.severity = severity
        self.message = message
        self.span = span
        self.hint = hint
        self.refused = refused
    }

    public static func error(
        _ message: String, at span: Span, hint: String? = nil, refused: String? = nil
    ) -> Diagnostic {
        Diagnostic(.error, message, at: span, hint: hint, refused: refused)
    }

    public static func warning(_ message: String, at span: Span, hint: String? = nil) -> Diagnostic {
        Diagnostic(.warning, message, at: span, hint: hint)
    }
}
