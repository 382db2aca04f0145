import EQL
import Rules

extension RuleProblem {
    /// Place, message, the line with a caret, and the hint.
    var rendered: String {
        let head = "\(place): \(severity.rawValue): \(message)"
        guard !place.excerpt.isEmpty else { return hint.map { "\(head)\n  hint: \($0)" } ?? head }
        return "\(head)\n" + renderExcerpt(place.excerpt, column: place.column, width: place.width, hint: hint)
    }
}
