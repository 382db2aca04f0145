import Crypto
import FoundationEssentials

/// What came of reading one text of rules by itself, whatever else is loaded with it.
struct RuleReading: Sendable {
    var outcomes: [RuleFileOutcome]
    /// Warnings, too: they are said at every load.
    var problems: [RuleProblem]

    init(_ text: String, path: String, isExport: Bool, checker: QueryChecker) {
        if isExport {
            self.init(export: text, path: path, checker: checker)
        } else {
            self.init(toml: text, path: path, checker: checker)
        }
    }

    init(export text: String, path: String, checker: QueryChecker) {
        var export = RuleExport(path: path, checker: checker)
        outcomes = export.read(text)
        problems = export.problems
    }

    init(toml text: String, path: String, checker: QueryChecker) {
        var file = RuleFile(path: path, text: text, checker: checker)
        outcomes = [file.read()]
        problems = file.problems
    }
}

/// Reads texts of rules, those that were read before only once: what comes of a text depends on it, its path and the
/// checker alone.
struct RuleReadings {
    /// By what was read.
    typealias Known = [Source: RuleReading]

    struct Source: Hashable {
        let path: String
        let isExport: Bool
        let digest: SHA256.Digest
    }

    private let checker: QueryChecker
    private let known: Known
    /// What was asked for so far, and nothing else: what has gone is forgotten.
    private(set) var current: Known = [:]

    /// - Parameter known: read with the same checker.
    init(_ checker: QueryChecker, known: Known) {
        self.checker = checker
        self.known = known
    }

    /// - Throws: why the content is no text.
    mutating func reading(
        of content: some DataProtocol, path: String, isExport: Bool
    ) throws(RuleProblem) -> RuleReading {
        let source = Source(path: path, isExport: isExport, digest: SHA256.hash(data: content))
        let reading =
            if let same = known[source] {
                same
            } else {
                RuleReading(
                    try RuleFileWalk.text(of: content, path: path), path: path, isExport: isExport, checker: checker)
            }
        current[source] = reading
        return reading
    }
}
