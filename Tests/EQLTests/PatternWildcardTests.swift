import Foundation
import Testing

@testable import EQL

/// Whether the emitted expression is found in `value`, by an engine that is not the matcher's.
func finds(_ language: PatternLanguage, in value: String) throws -> Bool {
    switch language {
    case .everything: return true
    case .nothing: return false
    case .expression(let expression):
        let regex = try NSRegularExpression(pattern: expression, options: .dotMatchesLineSeparators)
        return regex.firstMatch(in: value, range: NSRange(value.startIndex..., in: value)) != nil
    }
}

@Suite struct PatternWildcardTests {
    @Test(arguments: [
        ("cmd*", false, #"\Acmd"#),
        ("*cmd", false, #"cmd\z"#),
        ("*cmd*", false, "cmd"),
        ("**cmd***", false, "cmd"),
        ("c?d", false, #"\Ac.d\z"#),
        ("c*d", false, #"\Ac.*d\z"#),
        ("?*", false, #"\A."#),
        (#"C:\*"#, false, #"\AC\:\\"#),
        ("aé1*", true, #"\A[Aa]\x{E9}1"#),
    ])
    func isWrittenForTheMatcher(pattern: String, folded: Bool, expression: String) {
        #expect(Wildcard.language(of: pattern, caseInsensitive: folded) == .expression(expression))
    }

    @Test(arguments: ["*", "***"])
    func matchesEverything(pattern: String) {
        #expect(Wildcard.language(of: pattern, caseInsensitive: false) == .everything)
    }

    /// All patterns and values of a small alphabet against a matcher that only follows the definition.
    @Test(arguments: [false, true])
    func agreesWithTheDefinition(folded: Bool) throws {
        let patterns = words(over: ["*", "?", "a", "\\", "."], upTo: 4)
        let values = words(over: ["a", "A", "\\", "\n", "é"], upTo: 3)
        for pattern in patterns where Wildcard.hasWildcards(pattern) {
            let language = Wildcard.language(of: pattern, caseInsensitive: folded)
            for value in values {
                let expected = matches(ArraySlice(pattern.unicodeScalars), ArraySlice(value.unicodeScalars), folded)
                #expect(try finds(language, in: value) == expected, "\(pattern) on \(value.debugDescription)")
            }
        }
    }

    private func words(over alphabet: [String], upTo length: Int) -> [String] {
        var words = [""]
        var longest = [""]
        for _ in 0..<length {
            longest = longest.flatMap { word in alphabet.map { word + $0 } }
            words += longest
        }
        return words
    }

    private func matches(
        _ pattern: ArraySlice<Unicode.Scalar>, _ value: ArraySlice<Unicode.Scalar>, _ folded: Bool
    ) -> Bool {
        guard let first = pattern.first else { return value.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" {
            return matches(rest, value, folded) || !value.isEmpty && matches(pattern, value.dropFirst(), folded)
        }
        guard let scalar = value.first else { return false }
        let isEqual =
            first == scalar
            || folded && first.isASCII && scalar.isASCII
                && String(first).lowercased() == String(scalar).lowercased()
        return (first == "?" || isEqual) && matches(rest, value.dropFirst(), folded)
    }
}
