import EQL
import FoundationEssentials

/// One rule, as in a rule file, that lies elsewhere, filed under its id.
public struct RuleDocument: Hashable, Sendable {
    /// What it is filed under; the rule must have this id.
    public let id: String
    /// TOML in UTF-8.
    public let content: [UInt8]
    /// Where it lies, in place of a file's path.
    public let path: String

    public init(id: String, content: [UInt8], path: String) {
        self.id = id
        self.content = content
        self.path = path
    }

    /// What is wrong with a rule that was read from here, if it is not the one that is expected.
    func misfiled(_ rule: Rule, at place: RuleProblem.Place) -> RuleProblem? {
        guard rule.id != id else { return nil }
        return RuleProblem(
            severity: .error, place: place, message: "the rule has the id \(rule.id), but is filed under \"\(id)\"",
            hint: "file it under its own id, as apus rules publish does")
    }
}
