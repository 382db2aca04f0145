/// The wildcards of `:` and `like`: `*` is any run, line breaks included, and `?` exactly one code point.
/// The whole value must match, and there is no escape: a backslash is an ordinary character.
///
/// Source: the EQL syntax reference of Elasticsearch, and its treatment of `"C:\\*"`.
enum Wildcard {
    static func hasWildcards(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
    }

    /// With `caseInsensitive`, ASCII letters match in either case; other letters keep theirs.
    static func language(of pattern: String, caseInsensitive: Bool) -> PatternLanguage {
        let parts = pattern.unicodeScalars.map { scalar -> PatternTree in
            switch scalar {
            case "*": .anything
            case "?": .one(.all)
            default: .text(CollectionOfOne(scalar), folded: caseInsensitive)
            }
        }
        return PatternTree.sequencing(parts).language
    }
}
