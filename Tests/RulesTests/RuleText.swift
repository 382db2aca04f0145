import EQL
import Foundation

@testable import Rules

/// Accepts any query but for each `BAD` in it, so that the loader is tested apart from the language.
let lenientChecker = QueryChecker { source, _ in
    let diagnostics = source.text.ranges(of: "BAD").map { range in
        let lower = source.text.utf8.distance(from: source.text.startIndex, to: range.lowerBound)
        return Diagnostic.error("BAD is bad", at: Span(lower, lower + 3), hint: "leave it out")
    }
    return (diagnostics.isEmpty ? CheckedQuery(form: .event(.constant(true))) : nil, diagnostics)
}

/// A complete rule file; `replacing` swaps one line or adds keys in place of it.
func ruleText(_ changes: [String: String] = [:], query: String = "query = 'any where true'", apus: String = "") -> String {
    let lines = [
        "name": "name = \"Test rule\"",
        "rule_id": "rule_id = \"8a4b1c52-0d0e-4c58-9d0b-000000000001\"",
        "description": "description = \"Finds a test.\"",
        "severity": "severity = \"high\"",
        "risk_score": "risk_score = 73",
        "type": "type = \"eql\"",
    ].merging(changes) { $1 }
    let keys = ["name", "rule_id", "description", "severity", "risk_score", "type", "more"]
    return "[rule]\n" + keys.compactMap { lines[$0] }.joined(separator: "\n") + "\n" + query + "\n" + apus
}

func load(_ toml: String) -> RuleLoadReport {
    RuleLoader(checker: lenientChecker).load(toml: toml, path: "pack/rule.toml")
}

let packageRoot = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// A folder of its own that is removed with the value.
final class TemporaryFolder {
    let url = URL.temporaryDirectory.appending(path: "apus-rules-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    var path: String { url.path }

    func write(_ text: String, to name: String) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}
