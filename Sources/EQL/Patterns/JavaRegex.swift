/// Patterns of `regex` on the result of a function, where Elasticsearch uses Java's expressions: the whole
/// value must match, and `.` stands for anything but a line feed.
///
/// The syntax of the matcher is that of Java in what both can do. Differences: look-around, back-references
/// and possessive quantifiers are refused; of Java's line terminators `.` knows only the line feed; `\p{…}`
/// takes the names of PCRE; and classes know no `&&`.
enum JavaRegex {
    static func language(of pattern: String, caseInsensitive: Bool) throws(PatternNote) -> PatternLanguage {
        guard !pattern.isEmpty else { return .expression(#"\A\z"#) }
        // For what it refuses.
        _ = try SearchRegex.language(of: pattern, caseInsensitive: caseInsensitive)
        return .expression(#"\A(?\#(caseInsensitive ? "i" : "")-s:"# + pattern + #")\z"#)
    }
}
