import Foundation

/// What a `regex` pattern means: Elasticsearch's way, or Apus's extension.
public enum NaiveRegexMode: Sendable {
    /// Lucene syntax, the whole value.
    case lucene
    /// PCRE-like syntax, anywhere in the value.
    case search
    /// Java's expressions, the whole value.
    case java

    /// How the results of functions are matched.
    var ofResults: NaiveRegexMode {
        switch self {
        case .lucene, .java: .java
        case .search: .search
        }
    }

    /// A pattern that cannot be read matches nothing.
    func matches(_ pattern: [Unicode.Scalar], _ value: [Unicode.Scalar], caseInsensitive: Bool) -> Bool {
        switch self {
        case .lucene:
            return NaiveLuceneRegex(string(pattern), caseInsensitive: caseInsensitive)?.matches(value) ?? false
        case .search:
            return Self.finds(string(pattern), in: string(value), [.dotMatchesLineSeparators], caseInsensitive)
        case .java:
            return Self.finds(#"\A(?:"# + string(pattern) + #")\z"#, in: string(value), [], caseInsensitive)
        }
    }

    private static func finds(
        _ pattern: String, in text: String, _ options: NSRegularExpression.Options, _ caseInsensitive: Bool
    ) -> Bool {
        let options = caseInsensitive ? options.union(.caseInsensitive) : options
        guard let regex = try? NSRegularExpression(pattern: pattern, options: options) else { return false }
        return regex.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
    }
}
