import EventSchema
public import Normalization

extension NormalizerTable {
    /// The tables that are part of this program: those of `config/normalizers`.
    public static let builtIn: [NormalizerTable] = {
        var problems = Problems()
        let tables = builtInFiles.flatMap { TableReader.read($0.text, file: $0.name, problems: &problems) }
        precondition(problems.all.isEmpty, "\(SettingsErrors(problems: problems.all))")
        return tables
    }()

    /// The tables of every `*.yaml` file of a folder, in the order of their names; nil for the built-in ones.
    ///
    /// - Returns: the tables, or every problem of every file at once.
    public static func load(
        folder: String?, readFile: (String) throws -> String = Settings.contents(ofFile:)
    ) -> Result<[NormalizerTable], SettingsErrors> {
        guard let folder else { return .success(builtIn) }
        var problems = Problems()
        var tables: [NormalizerTable] = []
        do throws(FileProblem) {
            let files = try Settings.names(inFolder: folder).filter { $0.hasSuffix(".yaml") }.sorted()
            if files.isEmpty {
                problems.report(
                    "holds no *.yaml file; leave input.normalizers empty for the tables that come with Apus",
                    at: .file(folder, line: nil, column: nil))
            }
            for name in files {
                let path = "\(folder)/\(name)"
                do {
                    tables += TableReader.read(try readFile(path), file: path, problems: &problems)
                } catch {
                    problems.report("cannot be read: \(error)", at: .file(path, line: nil, column: nil))
                }
            }
        } catch {
            problems.report("cannot be read: \(error)", at: .file(folder, line: nil, column: nil))
        }
        return problems.all.isEmpty ? .success(tables) : .failure(SettingsErrors(problems: problems.all))
    }

    /// The tables in one text, as ``load(folder:readFile:)`` reads each file.
    public static func parse(_ text: String, file: String) -> Result<[NormalizerTable], SettingsErrors> {
        var problems = Problems()
        let tables = TableReader.read(text, file: file, problems: &problems)
        return problems.all.isEmpty ? .success(tables) : .failure(SettingsErrors(problems: problems.all))
    }
}

/// Reads one file: a table for each place its records can stand at.
private struct TableReader {
    var problems: Problems
    /// What every path of the record begins with.
    var prefix = ""

    static func read(_ text: String, file: String, problems: inout Problems) -> [NormalizerTable] {
        guard let document = RawValue.document(text, file: file, problems: &problems) else { return [] }
        guard case .map(let entries) = document.content else {
            problems.report("\(document.kind) where a table belongs: name, when and fields", at: document.place)
            return []
        }
        var reader = TableReader(problems: problems)
        defer { problems = reader.problems }
        let roots = entries.first { $0.key == "under" }.map { reader.texts($0.value) } ?? [""]
        return roots.enumerated().compactMap { index, root in
            // The same text again: its problems are known.
            let before = reader.problems
            reader.prefix = root.isEmpty ? "" : root + "."
            let table = reader.table(entries, at: document.place)
            if index > 0 { reader.problems = before }
            return table
        }
    }

    private static let keys = ["name", "under", "when", "without", "code", "missing", "set", "fields", "codes"]

    private mutating func table(_ entries: [RawValue.Entry], at place: Place) -> NormalizerTable? {
        refuseUnknown(entries, Self.keys, "a table")
        func value(_ key: String) -> RawValue? { entries.first { $0.key == key }?.value }
        let name = value("name").flatMap { text($0) }
        if value("name") == nil { problems.report("this table has no name; add name: NAME", at: place) }
        let alternatives = value("when").map { conditions($0) } ?? []
        if alternatives.isEmpty {
            problems.report(
                "this table is about no record; add when: with a list of fields and their values",
                at: value("when")?.place ?? place)
        }
        var table = NormalizerTable(
            name: name ?? "", alternatives: alternatives,
            without: value("without").map { texts($0).map { FieldPath($0) } } ?? [],
            code: value("code").map { paths($0) } ?? [],
            missing: Set((value("missing").map { texts($0) } ?? []).map { ExactString($0) }),
            entries: moves(set: value("set"), fields: value("fields")))
        if let codes = value("codes") {
            if table.code.isEmpty { problems.report("codes need code: the field that holds the code", at: codes.place) }
            for entry in map(codes, "sections by code") {
                let section = map(entry.value, "set and fields")
                refuseUnknown(section, ["set", "fields"], "a section")
                table.sections.append(
                    NormalizerTable.Section(
                        codes: [ExactString(entry.key)],
                        entries: moves(
                            set: section.first { $0.key == "set" }?.value,
                            fields: section.first { $0.key == "fields" }?.value)))
            }
        }
        return name == nil || alternatives.isEmpty ? nil : table
    }

    private mutating func conditions(_ raw: RawValue) -> [[NormalizerTable.Condition]] {
        guard case .list(let items) = raw.content else {
            problems.report("\(raw.kind) where a list of conditions belongs, like - {FIELD: VALUE}", at: raw.place)
            return []
        }
        return items.compactMap { item in
            let conditions = map(item, "fields and their values").map { entry in
                let values = texts(entry.value)
                return NormalizerTable.Condition(
                    FieldPath(prefix + entry.key), values: values == ["*"] ? [] : values.map { ExactString($0) })
            }
            return conditions.isEmpty ? nil : conditions
        }
    }

    // MARK: Entries

    private mutating func moves(set: RawValue?, fields: RawValue?) -> [NormalizerTable.Entry] {
        var entries: [NormalizerTable.Entry] = []
        for entry in set.map({ map($0, "fields and their values") }) ?? [] {
            entries.append(
                NormalizerTable.Entry(
                    target: FieldPath(entry.key), origin: .values(texts(entry.value).map { ExactString($0) }),
                    replaces: true))
        }
        for entry in fields.map({ map($0, "fields and where they come from") }) ?? [] {
            let target = FieldPath(entry.key)
            checkTarget(target, at: entry.place)
            guard case .list(let items) = entry.value.content, items.contains(where: \.isMap) else {
                if let move = move(target, entry.value) { entries.append(move) }
                continue
            }
            for item in items {
                if let move = move(target, item) { entries.append(move) }
            }
        }
        return entries
    }

    private mutating func checkTarget(_ target: FieldPath, at place: Place) {
        let isClean = target.segments.allSatisfy { !$0.isEmpty && !$0.contains(where: \.isWhitespace) }
        if !isClean { problems.report("\"\(target)\" is not a field name, like host.id", at: place) }
        if target.dotted.hasPrefix("apus.") {
            problems.report("\(target) is derived by Apus; a table cannot give it a value", at: place)
        }
    }

    private static let moveKeys = [
        "from", "join", "with", "values", "names", "named", "pick", "apply", "map", "when", "replace",
    ]

    private mutating func move(_ target: FieldPath, _ raw: RawValue) -> NormalizerTable.Entry? {
        guard case .map(let entries) = raw.content else {
            let sources = paths(raw)
            return sources.isEmpty ? nil : NormalizerTable.Entry(target: target, origin: .first(sources))
        }
        refuseUnknown(entries, Self.moveKeys, "a field")
        func value(_ key: String) -> RawValue? { entries.first { $0.key == key }?.value }
        let given = ["from", "join", "values", "names"].filter { value($0) != nil }
        guard given.count == 1, let kind = given.first, let source = value(kind) else {
            problems.report("a field takes its values from one of from, join, values, names", at: raw.place)
            return nil
        }
        let origin: NormalizerTable.Origin
        switch kind {
        case "join": origin = .joined(paths(source), separator: ExactString(value("with").flatMap { text($0) } ?? ""))
        case "values": origin = .values(texts(source).map { ExactString($0) })
        case "names":
            let names = paths(source)
            let values = value("named").map { paths($0) } ?? []
            guard names.count == values.count else {
                problems.report("names needs named: the field with the values, one for each", at: raw.place)
                return nil
            }
            let hasStar = target.dotted.hasSuffix(".*") || target.dotted.contains(".*.")
            guard hasStar != (value("pick") != nil) else {
                problems.report(
                    "names is for fields with a segment *, which stands for the name, or needs pick: NAME",
                    at: raw.place)
                return nil
            }
            origin = .pairs(names: names, values: values)
        default: origin = .first(paths(source))
        }
        var steps = value("apply").map { self.steps($0) } ?? []
        if let pick = value("pick") {
            if kind != "names" { problems.report("pick is for names", at: pick.place) }
            if let name = text(pick) { steps.insert(.pair(ExactString(name), isSegment: false), at: 0) }
        }
        if let table = value("map") {
            let pairs = map(table, "values and what they become").compactMap { entry in
                text(entry.value).map { (ExactString(entry.key), ExactString($0)) }
            }
            steps.append(.map(Dictionary(pairs) { $1 }))
        }
        return NormalizerTable.Entry(
            target: target, origin: origin, steps: steps, condition: value("when").map { paths($0) } ?? [],
            replaces: value("replace").map { flag($0) } ?? false)
    }

    private mutating func steps(_ raw: RawValue) -> [Transformation] {
        texts(raw).compactMap { text in
            if let step = Transformation(text) { return step }
            let near = nearestName(to: text, among: Transformation.names).map { "; did you mean \($0)?" }
            problems.report(
                "\"\(text)\" is no transformation\(near ?? "; there are \(Transformation.names.joined(separator: ", "))")",
                at: raw.place)
            return nil
        }
    }

    // MARK: Values

    private mutating func refuseUnknown(_ entries: [RawValue.Entry], _ known: [String], _ what: String) {
        for entry in entries where !known.contains(entry.key) {
            problems.report(
                "unknown key \"\(entry.key)\"; \(what) has \(known.joined(separator: ", "))", at: entry.place)
        }
    }

    private mutating func map(_ raw: RawValue, _ what: String) -> [RawValue.Entry] {
        switch raw.content {
        case .map(let entries): return entries
        case .null: return []
        case .text, .list:
            problems.report("\(raw.kind) where a map of \(what) belongs", at: raw.place)
            return []
        }
    }

    private mutating func paths(_ raw: RawValue) -> [FieldPath] {
        texts(raw).flatMap { numbered($0, at: raw.place) }.map { FieldPath(prefix + $0) }
    }

    /// More numbers than that would make more fields than a record has.
    private static let mostNumbers = 64

    /// `a.{0..2}.b` as `a.0.b`, `a.1.b` and `a.2.b`, for objects whose members are numbered.
    private mutating func numbered(_ path: String, at place: Place) -> [String] {
        guard path.contains("{") || path.contains("}") else { return [path] }
        guard let match = path.firstMatch(of: /\{(\d{1,3})\.\.(\d{1,3})\}/), let first = Int(match.1),
            let last = Int(match.2), first <= last, last - first < Self.mostNumbers
        else {
            problems.report(
                "\"\(path)\": a range is written {0..15}, its smaller number first, and has at most \(Self.mostNumbers)",
                at: place)
            return []
        }
        return (first...last).flatMap { number in
            numbered("\(path[..<match.range.lowerBound])\(number)\(path[match.range.upperBound...])", at: place)
        }
    }

    private mutating func texts(_ raw: RawValue) -> [String] {
        guard case .list(let items) = raw.content else { return text(raw).map { [$0] } ?? [] }
        return items.compactMap { text($0) }
    }

    private mutating func text(_ raw: RawValue) -> String? {
        if case .text(let text) = raw.content { return text }
        problems.report("\(raw.kind) where one text belongs", at: raw.place)
        return nil
    }

    private mutating func flag(_ raw: RawValue) -> Bool {
        guard let text = text(raw) else { return false }
        if !["true", "false"].contains(text) {
            problems.report("\"\(text)\" is neither true nor false", at: raw.place)
        }
        return text == "true"
    }
}

extension RawValue {
    fileprivate var isMap: Bool { if case .map = content { true } else { false } }
}
