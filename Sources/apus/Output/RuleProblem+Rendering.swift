import EQL
import Rules

extension RuleProblem {
    /// Place, message, the line with a caret, and the hint.
    var rendered: String {
        guard !place.excerpt.isEmpty else { return hint.map { "\(headline)\n  hint: \($0)" } ?? headline }
        return "\(headline)\n"
            + renderExcerpt(place.excerpt, column: place.excerptColumn, width: place.width, hint: hint)
    }
}
