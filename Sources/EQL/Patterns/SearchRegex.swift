/// Patterns of the regex mode `search`: Perl-like syntax, found anywhere in the value, inline flags allowed.
///
/// They are handed on as written. What linear-time matching cannot do is named here, where the place in
/// the pattern is known; all other errors are the matcher's to find.
enum SearchRegex {
    static func language(of pattern: String, caseInsensitive: Bool) throws(PatternNote) -> PatternLanguage {
        try refuseUnsupported(in: Array(pattern.utf8))
        if pattern.isEmpty || pattern == ".*" { return .everything }
        return .expression(caseInsensitive ? "(?i)" + pattern : pattern)
    }

    /// Longest prefix first.
    private static let groups: [(prefix: StaticString, name: String)] = [
        ("(?<=", "look-behind"), ("(?<!", "look-behind"), ("(?=", "look-ahead"), ("(?!", "look-ahead"),
        ("(?>", "an atomic group"), ("(?|", "a branch reset"), ("(?(", "a condition"), ("(?&", "a subroutine call"),
        ("(?R", "recursion"), ("(?P=", "a back-reference"), ("(?P>", "a subroutine call"), ("(?C", "a callout"),
    ]

    private static func refuseUnsupported(in bytes: [UInt8]) throws(PatternNote) {
        var index = 0
        var isInClass = false
        /// Where a `+` would make the quantifier before it possessive.
        var endOfQuantifier = -1
        while index < bytes.count {
            let rest = bytes[index...]
            switch bytes[index] {
            case UInt8(ascii: "\\"):
                if rest.starts(with: #"\Q"#.utf8) {
                    index = endOfQuotation(bytes, from: index + 2)
                    continue
                }
                if !isInClass, let escape = rest.dropFirst().first { try refuse(escape, at: index) }
                index += 2
                continue
            case UInt8(ascii: "["):
                if !isInClass {
                    isInClass = true
                    // A closing bracket right behind the opening one is a member.
                    if rest.dropFirst().first == UInt8(ascii: "^") { index += 1 }
                    if bytes[(index + 1)...].first == UInt8(ascii: "]") { index += 1 }
                }
            case UInt8(ascii: "]"):
                isInClass = false
            case UInt8(ascii: "(") where !isInClass:
                for (prefix, name) in groups {
                    let prefix = "\(prefix)".utf8
                    if rest.starts(with: prefix) { throw refusal(name, at: index..<(index + prefix.count)) }
                }
            case UInt8(ascii: "+") where endOfQuantifier == index && !isInClass:
                throw refusal("a possessive quantifier", at: index..<(index + 1))
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
                if !isInClass, endOfQuantifier != index, index > 0, bytes[index - 1] != UInt8(ascii: "(") {
                    endOfQuantifier = index + 1
                }
            case UInt8(ascii: "}"):
                if !isInClass { endOfQuantifier = index + 1 }
            default:
                break
            }
            index += 1
        }
    }

    /// The offset behind `\E`, or the end of the pattern.
    private static func endOfQuotation(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start
        while index < bytes.count, !bytes[index...].starts(with: #"\E"#.utf8) { index += 1 }
        return Swift.min(index + 2, bytes.count)
    }

    private static func refuse(_ escape: UInt8, at index: Int) throws(PatternNote) {
        let range = index..<(index + 2)
        switch escape {
        case UInt8(ascii: "1")...UInt8(ascii: "9"), UInt8(ascii: "g"), UInt8(ascii: "k"):
            throw refusal("a back-reference", at: range)
        case UInt8(ascii: "G"), UInt8(ascii: "K"), UInt8(ascii: "R"), UInt8(ascii: "X"), UInt8(ascii: "C"):
            throw refusal("`\\\(Character(Unicode.Scalar(escape)))`", at: range)
        default:
            return
        }
    }

    private static func refusal(_ name: String, at range: Range<Int>) -> PatternNote {
        PatternNote(
            "the pattern uses \(name), which linear-time matching cannot evaluate", at: range,
            hint: "Say it with plain alternatives, or with a second test joined by `and`", refused: "regex: \(name)")
    }
}
