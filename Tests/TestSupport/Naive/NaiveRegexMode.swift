import Foundation

/// What a `regex` pattern means: Elasticsearch's way, or Apus's extension.
public enum NaiveRegexMode: Sendable {
    /// Lucene syntax, the whole value.
    case lucene
    /// PCRE-like syntax, anywhere in the value.
    case search

    /// A pattern that cannot be read matches nothing.
    func matches(_ pattern: [Unicode.Scalar], _ value: [Unicode.Scalar], caseInsensitive: Bool) -> Bool {
        switch self {
        case .lucene:
            return NaiveLuceneRegex(string(pattern), caseInsensitive: caseInsensitive)?.matches(value) ?? false
        case .search:
            var options: NSRegularExpression.Options = [.dotMatchesLineSeparators]
            if caseInsensitive { options.insert(.caseInsensitive) }
            guard let regex = try? NSRegularExpression(pattern: string(pattern), options: options) else {
                return false
            }
            let text = string(value)
            return regex.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
        }
    }
}
