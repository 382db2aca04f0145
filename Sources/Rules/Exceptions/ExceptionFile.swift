import EQL
import EventSchema

/// Reads the lists and exceptions of one file, going on after each problem so that one reading shows them all.
///
///     [[list]]
///     name = "ediscovery_admins"
///     kind = "names"                   # names, hashes or cidr
///     path = "lists/admins.txt"        # beside this file; or values = ["…"]
///
///     [[exception]]
///     id = "ediscovery"
///     rules = ["5f0c8a36-…"]           # or global = true
///     condition = 'inList(user.name, "ediscovery_admins")'
///     owner = "compliance@example.org"
///     reason = "They search mailboxes by order of the legal department."
///     expires = 2027-06-30             # or "never"
///
/// Unknown keys are errors: a misspelt one would except more than was meant.
struct ExceptionFile: TableFile {
    let path: String
    let source: SourceText
    private(set) var problems: [RuleProblem] = []

    struct ListDeclaration {
        let name: String
        let kind: ValueList.Kind
        /// The values, written here; nil when they stand in a file.
        let values: [String]?
        /// As written, relative to the folder of the file.
        let path: String?
        let place: RuleProblem.Place
        let pathPlace: RuleProblem.Place
    }

    init(path: String, text: String) {
        self.path = path
        source = SourceText(text)
    }

    mutating func add(_ problem: RuleProblem) {
        problems.append(problem)
    }

    func place(_ span: Span) -> RuleProblem.Place { RuleProblem.Place(path: path, source: source, span: span) }

    func place(of span: Span, in query: SourceText, written: TOMLString) -> RuleProblem.Place {
        place(
            Span(written.documentOffset(of: span.lower), written.documentOffset(of: max(span.lower, span.upper))))
    }

    /// The root of the file; nil when it is no TOML.
    mutating func readRoot() -> TOMLTable? {
        do {
            let root = try TOMLReader.read(source.utf8)
            refuseUnknownKeys(in: root, named: "a file of exceptions", known: ["metadata", "list", "exception"])
            if root["list"] == nil, root["exception"] == nil {
                report(.warning, "there is neither an [[exception]] nor a [[list]]", at: Span(0, 1))
            }
            return root
        } catch {
            report(.error, error.message, at: error.span, hint: error.hint)
            return nil
        }
    }

    // MARK: Lists

    mutating func lists(in root: TOMLTable) -> [ListDeclaration] {
        tables("list", in: root).compactMap { list(in: $0) }
    }

    private mutating func list(in table: TOMLTable) -> ListDeclaration? {
        refuseUnknownKeys(in: table, named: "[[list]]", known: ["name", "kind", "path", "values"])
        let name = string("name", in: table, required: true)
        let kind = choice("kind", of: ValueList.Kind.self, in: table, required: true)
        let path = string("path", in: table)
        let values = table["values"] == nil ? nil : strings("values", in: table)
        guard (path == nil) != (values == nil) else {
            report(
                .error, "a list has either a path or values", at: table.span,
                hint: "write path = \"lists/names.txt\" or values = [\"…\"]")
            return nil
        }
        guard let name, let kind else { return nil }
        return ListDeclaration(
            name: name, kind: kind, values: values, path: path, place: place(span("name", in: table)),
            pathPlace: place(span(path == nil ? "values" : "path", in: table)))
    }

    // MARK: Exceptions

    private static let keys = [
        "id", "rules", "global", "stage", "condition", "regex", "owner", "reason", "expires", "enabled",
    ]

    /// The exceptions that are valid, those that are switched off among them.
    mutating func exceptions(
        in root: TOMLTable, lists: [String: ValueList], checker: ConditionChecker
    ) -> [(exception: RuleException, isEnabled: Bool)] {
        tables("exception", in: root).compactMap { exception(in: $0, lists: lists, checker: checker) }
    }

    private mutating func exception(
        in table: TOMLTable, lists: [String: ValueList], checker: ConditionChecker
    ) -> (exception: RuleException, isEnabled: Bool)? {
        let errors = problems.count { $0.severity == .error }
        refuseUnknownKeys(in: table, named: "[[exception]]", known: Self.keys)
        let id = string("id", in: table, required: true)
        let scope = scope(in: table)
        let stage = stage(in: table)
        let regexMode = choice("regex", of: RegexMode.self, in: table) ?? .elastic
        let condition = condition(in: table, regexMode: regexMode, lists: lists, checker: checker)
        let owner = string("owner", in: table, required: true)
        let reason = string("reason", in: table, required: true)
        let expiry = expiry(in: table)
        let isEnabled = boolean("enabled", in: table) ?? true
        guard let id, let scope, let condition, let owner, let reason, let expiry,
            problems.count(where: { $0.severity == .error }) == errors
        else { return nil }
        let used = lists.values.filter { condition.text.contains("\"\($0.name)\"") }.sorted { $0.name < $1.name }
        let exception = RuleException(
            id: id, scope: scope, stage: stage, text: condition.text, condition: condition.checked, owner: owner,
            reason: reason, expiry: expiry.time, lists: used.map(\.name),
            contentHash: Self.contentHash(
                id: id, scope: scope, stage: stage, text: condition.text, regexMode: regexMode, expiry: expiry.time,
                lists: used),
            place: place(span("id", in: table)),
            scopePlace: place(span("rules", in: table)))
        return (exception, isEnabled)
    }

    private mutating func scope(in table: TOMLTable) -> RuleException.Scope? {
        let isGlobal = boolean("global", in: table) ?? false
        let rules = strings("rules", in: table)
        guard isGlobal != (table["rules"] != nil) else {
            report(
                .error, "an exception is either for rules or global", at: table.span,
                hint: "name the rules by their ids, rules = [\"…\"], or write global = true")
            return nil
        }
        if !isGlobal, rules.isEmpty {
            report(.error, "\"rules\" names no rule", at: span("rules", in: table))
            return nil
        }
        return isGlobal ? .all : .rules(rules)
    }

    private mutating func stage(in table: TOMLTable) -> Int? {
        guard let stage = integer("stage", in: table) else { return nil }
        if stage < 1 || stage > 1_000 {
            report(.error, "stages count from 1", at: span("stage", in: table))
            return nil
        }
        return Int(stage)
    }

    private mutating func condition(
        in table: TOMLTable, regexMode: RegexMode, lists: [String: ValueList], checker: ConditionChecker
    ) -> (text: String, checked: Condition)? {
        guard let entry = required("condition", in: table) else { return nil }
        guard case .string(let written) = entry.value.kind else {
            reportType(entry, expected: "a string")
            return nil
        }
        let text = SourceText(written.text)
        let result = checker.check(text, regexMode, lists)
        for diagnostic in result.diagnostics {
            add(
                RuleProblem(
                    severity: diagnostic.severity, place: place(of: diagnostic.span, in: text, written: written),
                    message: diagnostic.message, hint: diagnostic.hint))
        }
        return result.condition.map { (written.text, $0) }
    }

    /// A day without a time counts to its end, in UTC: until then the exception holds.
    private mutating func expiry(in table: TOMLTable) -> (time: EventTime?, Void)? {
        guard let entry = required("expires", in: table) else { return nil }
        let text: String
        switch entry.value.kind {
        case .date(let date): text = date
        case .string(let string) where string.text == "never": return (nil, ())
        case .string(let string): text = string.text
        default:
            reportType(entry, expected: "a date or \"never\"")
            return nil
        }
        guard let time = EventTime(parsing: text) else {
            report(
                .error, "\"\(text)\" is not a date", at: entry.value.span,
                hint: "write expires = 2027-06-30, or \"never\" if somebody has decided so")
            return nil
        }
        let isDay = text.utf8.count == 10
        return (isDay ? EventTime(nanoseconds: time.nanoseconds + 86_400_000_000_000) : time, ())
    }

    private mutating func boolean(_ key: String, in table: TOMLTable) -> Bool? {
        value(key, in: table, required: false, expected: "true or false") {
            if case .boolean(let value) = $0 { value } else { nil }
        }
    }

    private static func contentHash(
        id: String, scope: RuleException.Scope, stage: Int?, text: String, regexMode: RegexMode, expiry: EventTime?,
        lists: [ValueList]
    ) -> String {
        var digest = PartDigest()
        digest.add("apus-exception-1")
        digest.add(id)
        switch scope {
        case .all: digest.add(nil)
        case .rules(let ids): for id in ids.sorted() { digest.add(id) }
        }
        digest.add(stage.map { String($0) })
        digest.add(text)
        digest.add(regexMode.rawValue)
        digest.add(expiry?.description)
        for list in lists {
            digest.add(list.name)
            digest.add(list.kind.rawValue)
            for value in list.values { digest.add(value) }
        }
        return digest.finish()
    }
}
