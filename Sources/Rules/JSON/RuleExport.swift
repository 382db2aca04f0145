import EQL

/// A rule export of Kibana: one JSON object per line, in the spelling of the detection-engine API.
///
/// Lines that hold no rule are passed over: exception lists and their items, connectors, and the last line
/// with the counts of the export, which is compared with what was read.
struct RuleExport {
    let path: String
    let checker: QueryChecker
    private(set) var problems: [RuleProblem] = []
    private var ruleLines = 0

    init(path: String, checker: QueryChecker) {
        self.path = path
        self.checker = checker
    }

    /// Reads every line of `text`.
    mutating func read(_ text: String) -> [RuleFileOutcome] {
        var outcomes: [RuleFileOutcome] = []
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            var file = RuleFile(
                path: path, text: String(decoding: line, as: UTF8.self), checker: checker,
                layout: .exportLine(number: index + 1))
            if let outcome = readLine(&file) { outcomes.append(outcome) }
            problems += file.problems
        }
        return outcomes
    }

    private mutating func readLine(_ file: inout RuleFile) -> RuleFileOutcome? {
        let object: TOMLTable
        do {
            object = try JSONRuleReader.read(file.source.utf8)
        } catch {
            file.report(.error, error.message, at: error.span, hint: error.hint)
            return .broken
        }
        switch Line(object) {
        case .rule:
            ruleLines += 1
            return file.readFields(object, apus: file.table("apus", in: object))
        case .summary:
            checkCount(object, in: &file)
            return nil
        case .other: return nil
        }
    }

    /// An export that was cut or edited should not look complete.
    private func checkCount(_ summary: TOMLTable, in file: inout RuleFile) {
        // Kibana 7.9 and earlier wrote `exported_count` alone; later it also counts exceptions and connectors.
        let key = summary["exported_rules_count"] == nil ? "exported_count" : "exported_rules_count"
        guard let count = file.integer(key, in: summary), count != Int64(ruleLines) else { return }
        file.report(
            .warning, "the export counts \(count) rules, and the file holds \(ruleLines)",
            at: file.span(key, in: summary), hint: "export the rules again if none was removed on purpose")
    }

    private enum Line {
        case rule
        case summary
        case other

        init(_ object: TOMLTable) {
            let isSummary = object["exported_count"] != nil || object["exported_rules_count"] != nil
            let isException = object["list_id"] != nil
            // Connectors are saved objects: their content stands under `attributes`.
            let isConnector = object["attributes"] != nil
            self = isSummary ? .summary : isException || isConnector ? .other : .rule
        }
    }
}
