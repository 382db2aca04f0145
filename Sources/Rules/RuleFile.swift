import EQL
import EventSchema

/// What came out of one file.
enum RuleFileOutcome {
    case rule(Rule, idPlace: RuleProblem.Place)
    case unsupported(UnsupportedRule)
    /// The problems say why.
    case broken
}

/// Reads one rule, going on after each problem so that one reading shows them all.
///
/// Unknown keys in Elastic's tables are passed over: the format grows. In `[apus]` they are errors.
struct RuleFile {
    /// How the text of a rule stands in its file.
    enum Layout {
        /// One TOML document per file.
        case document
        /// One line of a rule export, in which the lines of the query are escapes.
        case exportLine(number: Int)
    }

    let path: String
    let source: SourceText
    let checker: QueryChecker
    let layout: Layout
    private(set) var problems: [RuleProblem] = []

    init(path: String, text: String, checker: QueryChecker, layout: Layout = .document) {
        self.path = path
        source = SourceText(text)
        self.checker = checker
        self.layout = layout
    }

    mutating func add(_ problem: RuleProblem) {
        problems.append(problem)
    }

    mutating func read() -> RuleFileOutcome {
        let root: TOMLTable
        do {
            root = try TOMLReader.read(source.utf8)
        } catch {
            report(.error, error.message, at: error.span, hint: error.hint)
            return .broken
        }
        warnOfMisspeltTables(root)
        guard let fields = table("rule", in: root) else {
            // A hunting query of Elastic's repository: for a person to run, not for an engine.
            if root["rule"] == nil, root["hunt"] != nil, let hunt = table("hunt", in: root) {
                return .unsupported(
                    UnsupportedRule(
                        path: path, id: string("uuid", in: hunt), name: string("name", in: hunt), type: "hunt"))
            }
            if root["rule"] == nil {
                report(
                    .error, "there is no [rule] table", at: Span(0, 1),
                    hint: "a rule file begins with [metadata] and [rule]")
            }
            return .broken
        }
        return readFields(fields, apus: table("apus", in: root))
    }

    /// The rule that `fields` describe, whichever format they were written in.
    mutating func readFields(_ fields: TOMLTable, apus: TOMLTable?) -> RuleFileOutcome {
        let type = string("type", in: fields, required: true)
        if let type, type != "eql" {
            return .unsupported(
                UnsupportedRule(
                    path: path, id: string("rule_id", in: fields), name: string("name", in: fields), type: type))
        }
        return readRule(fields, apus: apus)
    }

    private mutating func readRule(_ fields: TOMLTable, apus: TOMLTable?) -> RuleFileOutcome {
        let id = string("rule_id", in: fields, required: true)
        let name = string("name", in: fields, required: true)
        let description = string("description", in: fields, required: true)
        let severity = choice("severity", of: Rule.Severity.self, in: fields, required: true)
        let riskScore = riskScore(in: fields)
        let language = string("language", in: fields) ?? "eql"
        if language != "eql" {
            report(
                .error, "the language of an eql rule is \"eql\", not \"\(language)\"", at: span("language", in: fields))
        }
        var options = QueryOptions(
            eventCategoryField: field("event_category_override", in: fields),
            timestampField: field("timestamp_field", in: fields),
            tiebreakerField: field("tiebreaker_field", in: fields))
        let stage = readExtensions(apus, options: &options)
        let checked = check(fields, options: options)
        let lookback = lookback(in: fields)
        if let checked { warnOfShortLookback(lookback, checked.query, in: fields) }
        let signalCap = signalCap(in: fields)
        warnOfNarrowing(fields)
        // All keys are read before it is decided whether they make a rule, so that all problems are found.
        let rest = (
            version: integer("version", in: fields), author: strings("author", in: fields),
            license: string("license", in: fields), tags: strings("tags", in: fields),
            references: strings("references", in: fields),
            falsePositives: strings("false_positives", in: fields), note: string("note", in: fields),
            setup: string("setup", in: fields), threats: threats(in: fields),
            isBuildingBlock: string("building_block_type", in: fields) != nil,
            timestampOverride: field("timestamp_override", in: fields),
            investigationFields: investigationFields(in: fields),
            suppression: suppression(in: fields, apus: apus, of: checked?.query)
        )
        guard let id, let name, let description, let severity, let riskScore, let checked,
            !problems.contains(where: { $0.severity == .error })
        else { return .broken }
        let rule = Rule(
            id: id, name: name, description: description, severity: severity, riskScore: riskScore,
            version: rest.version.map(Int.init), author: rest.author, license: rest.license, tags: rest.tags,
            references: rest.references, falsePositives: rest.falsePositives, note: rest.note, setup: rest.setup,
            threats: rest.threats, isBuildingBlock: rest.isBuildingBlock, timestampOverride: rest.timestampOverride,
            investigationFields: rest.investigationFields, query: checked.text, checked: checked.query,
            options: options, lookback: lookback, signalCap: signalCap, stage: stage, suppression: rest.suppression,
            contentHash: ContentHash.hexadecimal(
                id: id, language: language, query: checked.text, options: options,
                lookback: checked.query.isUnbounded ? lookback : nil),
            path: path)
        return .rule(rule, idPlace: place(span("rule_id", in: fields)))
    }

    // MARK: The parts of a rule

    /// The checked query. Diagnostics are moved from the query's text to the file's.
    private mutating func check(
        _ fields: TOMLTable, options: QueryOptions
    ) -> (text: String, query: CheckedQuery)? {
        guard let entry = required("query", in: fields) else { return nil }
        guard case .string(let query) = entry.value.kind else {
            reportType(entry, expected: "a string")
            return nil
        }
        let text = SourceText(query.text)
        let result = checker.check(text, options)
        for diagnostic in result.diagnostics {
            let place = place(of: diagnostic.span, in: text, written: query)
            add(
                RuleProblem(
                    severity: diagnostic.severity, place: place, message: diagnostic.message, hint: diagnostic.hint,
                    refused: diagnostic.refused))
        }
        return result.query.map { (query.text, $0) }
    }

    /// What makes a rule find less in Kibana than its query says, and is not evaluated here.
    private mutating func warnOfNarrowing(_ fields: TOMLTable) {
        let hint = "move it into the query or into an exception of Apus"
        for (key, what) in [("filters", "filters are"), ("exceptions_list", "exception lists are")] {
            guard let entry = fields[key], !entry.value.isEmptyList else { continue }
            report(
                .warning, "\(what) not evaluated: the rule finds more here than in Elasticsearch", at: entry.keySpan,
                hint: hint)
        }
    }

    private mutating func readExtensions(_ apus: TOMLTable?, options: inout QueryOptions) -> Rule.Stage {
        guard let apus else { return .active }
        refuseUnknownKeys(in: apus, named: "[apus]", known: ["regex", "stage", "suppression"])
        options.regexMode = choice("regex", of: RegexMode.self, in: apus) ?? .elastic
        return choice("stage", of: Rule.Stage.self, in: apus) ?? .active
    }

    private mutating func riskScore(in fields: TOMLTable) -> Double? {
        guard let entry = required("risk_score", in: fields) else { return nil }
        let score: Double
        switch entry.value.kind {
        case .integer(let value): score = Double(value)
        case .float(let value): score = value
        default:
            reportType(entry, expected: "a number")
            return nil
        }
        guard (0...100).contains(score) else {
            report(.error, "risk_score is from 0 to 100", at: entry.value.span)
            return nil
        }
        return score
    }

    private mutating func threats(in fields: TOMLTable) -> [Threat] {
        tables("threat", in: fields).compactMap { threat in
            let framework = string("framework", in: threat, required: true)
            let techniques = tables("technique", in: threat).compactMap { technique in
                let subtechniques = tables("subtechnique", in: technique).compactMap { threatEntry($0) }
                return threatEntry(technique).map { Threat.Technique(entry: $0, subtechniques: subtechniques) }
            }
            guard required("tactic", in: threat) != nil, let tactic = table("tactic", in: threat),
                let entry = threatEntry(tactic), let framework
            else { return nil }
            return Threat(framework: framework, tactic: entry, techniques: techniques)
        }
    }

    private mutating func threatEntry(_ table: TOMLTable) -> Threat.Entry? {
        let id = string("id", in: table, required: true)
        let name = string("name", in: table, required: true)
        let reference = string("reference", in: table)
        guard let id, let name else { return nil }
        return Threat.Entry(id: id, name: name, reference: reference)
    }

    private mutating func investigationFields(in fields: TOMLTable) -> [FieldPath] {
        // Rules of Kibana 8.10 and earlier hold the bare list.
        if case .array? = fields["investigation_fields"]?.value.kind {
            return strings("investigation_fields", in: fields).map { FieldPath($0) }
        }
        guard let table = table("investigation_fields", in: fields) else { return [] }
        return strings("field_names", in: table).map { FieldPath($0) }
    }

    private mutating func warnOfMisspeltTables(_ root: TOMLTable) {
        let known = ["metadata", "rule", "transform", "apus"]
        for entry in root.entries where !known.contains(entry.key) {
            guard let meant = Spelling.suggestion(for: entry.key, among: known) else { continue }
            report(.warning, "[\(entry.key)] is not read", at: entry.keySpan, hint: "did you mean [\(meant)]?")
        }
    }
}
