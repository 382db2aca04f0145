/// The value of a client property. It shows itself only as far as that gives no secret away: not in a description, not
/// in `dump`, not by string interpolation.
public struct PropertyValue: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The text for the client. Do not log it.
    public let revealed: String
    /// What may be shown: the text itself, or the reference that led to it, or ``mask``.
    public let description: String

    /// What stands for a secret that was written down in the settings themselves.
    public static let mask = "********"

    /// A value written in the settings. `name` decides whether it is a secret.
    init(literal: String, of name: String) {
        revealed = literal
        description = Self.isSecret(name) ? Self.mask : SecretReference.escaped(literal)
    }

    /// A value that stood elsewhere. The reference may be shown: it tells where to look and says nothing.
    init(resolved: String, from reference: String) {
        revealed = resolved
        description = reference
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Whether a property of librdkafka carries a secret. By parts of the name, so that a property of a later
    /// librdkafka is rather masked than shown.
    static func isSecret(_ name: String) -> Bool {
        // Carry a token in a URL's neighbourhood, but are none.
        guard !name.hasSuffix(".url"), !name.hasSuffix(".location") else { return false }
        return ["password", "secret", "token", "pem", "key", "assertion", "oauthbearer.config", "extensions"]
            .contains { name.contains($0) }
    }
}

/// How a value is taken from elsewhere: `file:/run/secrets/kafka` or `env:KAFKA_PASSWORD`. `literal:` before a text
/// that begins like one of these keeps it as it is.
enum SecretReference: Equatable {
    case file(String)
    case environment(String)
    case literal(String)

    init(_ text: String) {
        if text.hasPrefix("file:") {
            self = .file(String(text.dropFirst("file:".count)))
        } else if text.hasPrefix("env:") {
            self = .environment(String(text.dropFirst("env:".count)))
        } else if text.hasPrefix("literal:") {
            self = .literal(String(text.dropFirst("literal:".count)))
        } else {
            self = .literal(text)
        }
    }

    /// The text that reads back as the literal `text`.
    static func escaped(_ text: String) -> String {
        ["file:", "env:", "literal:"].contains { text.hasPrefix($0) } ? "literal:" + text : text
    }
}
