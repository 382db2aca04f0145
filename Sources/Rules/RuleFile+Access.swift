import EQL
import EventSchema

/// A file of tables that is read to its end, whatever is wrong with it.
protocol TableFile {
    mutating func add(_ problem: RuleProblem)

    func place(_ span: Span) -> RuleProblem.Place

    /// The place in the file of a part of a query or condition.
    func place(of span: Span, in query: SourceText, written: TOMLString) -> RuleProblem.Place
}

// Typed access to the keys of a table: what is missing or of the wrong type is reported and read as absent.

extension TableFile {
    mutating func required(_ key: String, in table: TOMLTable) -> TOMLTable.Entry? {
        if let entry = table[key] { return entry }
        report(.error, "the required key \"\(key)\" is missing", at: table.span)
        return nil
    }

    mutating func value<Value>(
        _ key: String, in table: TOMLTable, required isRequired: Bool, expected: String,
        _ convert: (TOMLValue.Kind) -> Value?
    ) -> Value? {
        guard let entry = isRequired ? required(key, in: table) : table[key] else { return nil }
        guard let value = convert(entry.value.kind) else {
            reportType(entry, expected: expected)
            return nil
        }
        return value
    }

    mutating func string(_ key: String, in table: TOMLTable, required isRequired: Bool = false) -> String? {
        let text: String? = value(key, in: table, required: isRequired, expected: "a string") {
            if case .string(let string) = $0 { string.text } else { nil }
        }
        if isRequired, text?.isEmpty == true {
            report(.error, "\"\(key)\" is empty", at: span(key, in: table))
            return nil
        }
        return text
    }

    mutating func integer(_ key: String, in table: TOMLTable, required isRequired: Bool = false) -> Int64? {
        value(key, in: table, required: isRequired, expected: "an integer") {
            if case .integer(let integer) = $0 { integer } else { nil }
        }
    }

    mutating func field(_ key: String, in table: TOMLTable) -> FieldPath? {
        string(key, in: table).map { FieldPath($0) }
    }

    /// An array of strings; a single string counts as an array of one.
    mutating func strings(_ key: String, in table: TOMLTable) -> [String] {
        let texts: [String]? = value(key, in: table, required: false, expected: "an array of strings") { kind in
            switch kind {
            case .string(let string): return [string.text]
            case .array(let elements):
                let texts = elements.compactMap { element -> String? in
                    if case .string(let string) = element.kind { string.text } else { nil }
                }
                return texts.count == elements.count ? texts : nil
            default: return nil
            }
        }
        return texts ?? []
    }

    mutating func table(_ key: String, in table: TOMLTable) -> TOMLTable? {
        value(key, in: table, required: false, expected: "a table") {
            if case .table(let table) = $0 { table } else { nil }
        }
    }

    /// `[[key]]` or an array of inline tables.
    mutating func tables(_ key: String, in table: TOMLTable) -> [TOMLTable] {
        let tables: [TOMLTable]? = value(key, in: table, required: false, expected: "an array of tables") { kind in
            switch kind {
            case .tables(let tables): return tables
            case .array(let elements):
                let tables = elements.compactMap { element -> TOMLTable? in
                    if case .table(let table) = element.kind { table } else { nil }
                }
                return tables.count == elements.count ? tables : nil
            default: return nil
            }
        }
        return tables ?? []
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type, in table: TOMLTable, required isRequired: Bool = false
    ) -> Choice? where Choice.RawValue == String {
        guard let text = string(key, in: table, required: isRequired) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        let meant = Spelling.suggestion(for: text, among: known)
        report(
            .error, "\"\(text)\" is not a value of \"\(key)\"", at: span(key, in: table),
            hint: meant.map { "did you mean \"\($0)\"?" } ?? "use one of \(known.joined(separator: ", "))")
        return nil
    }

    /// Reports the keys of a table of ours that have no meaning: there, a misspelt key would change what is found.
    mutating func refuseUnknownKeys(in table: TOMLTable, named name: String, known: [String]) {
        for entry in table.entries where !known.contains(entry.key) {
            let meant = Spelling.suggestion(for: entry.key, among: known)
            report(
                .error, "\(name) has no key \"\(entry.key)\"", at: entry.keySpan,
                hint: meant.map { "did you mean \"\($0)\"?" } ?? "the keys are \(known.joined(separator: ", "))")
        }
    }

    // MARK: Reporting

    /// Where the value of `key` stands.
    func span(_ key: String, in table: TOMLTable) -> Span { table[key]?.value.span ?? table.span }

    mutating func reportType(_ entry: TOMLTable.Entry, expected: String) {
        report(
            .error, "\"\(entry.key)\" has to be \(expected), and is \(entry.value.typeName)", at: entry.value.span)
    }

    mutating func report(
        _ severity: Diagnostic.Severity, _ message: String, at span: Span, hint: String? = nil
    ) {
        add(RuleProblem(severity: severity, place: place(span), message: message, hint: hint))
    }
}

extension RuleFile: TableFile {
    func place(_ span: Span) -> RuleProblem.Place {
        switch layout {
        case .document: RuleProblem.Place(path: path, source: source, span: span)
        case .exportLine(let number): RuleProblem.Place(path: path, line: number, source: source, span: span)
        }
    }

    func place(of span: Span, in query: SourceText, written: TOMLString) -> RuleProblem.Place {
        let place = place(
            Span(
                written.documentOffset(of: span.lower), written.documentOffset(of: max(span.lower, span.upper))))
        switch layout {
        case .document: return place
        case .exportLine: return place.showing(span, of: query)
        }
    }
}
