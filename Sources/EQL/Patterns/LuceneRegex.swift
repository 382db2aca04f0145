/// Lucene's regular expressions with every optional operator on, as `regex` uses them: the whole value
/// must match, `.` is any code point, and `^` and `$` are ordinary characters.
///
/// Source: the grammar in the documentation of Lucene's `RegExp`. Its quirks are kept where rules can
/// see them: a character that has no meaning where it stands is ordinary, so `(?i)a` asks for the
/// text `?ia`. Two differences: `&` and `~` are refused, because the matcher cannot evaluate them, and
/// case-insensitivity reaches into the ranges of a class, where Lucene folds single characters only.
enum LuceneRegex {
    struct Translation: Hashable, Sendable {
        var language: PatternLanguage
        /// What is legal but hardly meant.
        var warnings: [PatternNote]
    }

    static func translate(_ pattern: String, caseInsensitive: Bool) throws(PatternNote) -> Translation {
        var parser = LuceneParser(pattern, folded: caseInsensitive)
        let tree = try parser.parse()
        return Translation(language: tree.language, warnings: parser.warnings)
    }
}
