import EventSchema
public import Events

/// Whole records in ECS: what a record holds, and every field its table gives it.
///
/// The tables and the moves are those of ``CompiledNormalizers``, compiled for every field there can be, so that what it
/// shows is what rules see. For people and alerts: it allocates as it needs.
public final class RecordNormalizer {
    private let limits: DecodeLimits
    private let recognizer: (decoder: EventDecoder, compiled: CompiledNormalizers)
    /// By table and fields: records of one source mostly have the same ones.
    private var plans: [PlanKey: Plan] = [:]

    private struct PlanKey: Hashable {
        var table: Int
        var fields: [FieldPath]
    }

    private struct Plan {
        var decoder: EventDecoder
        var compiled: CompiledNormalizers
        var layout: FieldLayout
        var targets: [(path: FieldPath, field: FieldID, replaces: Bool, isList: Bool)]
    }

    public init(_ tables: [NormalizerTable], limits: DecodeLimits = DecodeLimits()) {
        self.limits = limits
        var layout = FieldLayout()
        let compiled = CompiledNormalizers(tables, layout: &layout)
        recognizer = (EventDecoder(layout: layout, limits: limits), compiled)
    }

    /// The record in ECS, on one line, and the name of the table that was applied; nil for a record no table is about.
    public func normalize(_ record: [UInt8]) throws(DecodeFailure) -> (bytes: [UInt8], table: String)? {
        if let failure = record.withUnsafeBytes({ recognizer.decoder.read($0) }) { throw failure }
        guard let index = recognizer.compiled.apply(to: recognizer.decoder) else { return nil }
        let table = recognizer.compiled.tables[index]
        var tree = JSONTree(wellFormed: record)
        let plan = plan(for: index, table, fields(of: table, in: tree))
        if let failure = record.withUnsafeBytes({ plan.decoder.read($0) }) { throw failure }
        let before = plan.targets.map { plan.decoder.isPresent($0.field) }
        plan.compiled.apply(to: plan.decoder)
        for (target, wasPresent) in zip(plan.targets, before)
        where plan.decoder.isPresent(target.field) && (!wasPresent || target.replaces) {
            if wasPresent { tree.remove(target.path.dotted) }
            tree.set(target.path.dotted, to: value(of: target.field, isList: target.isList, plan))
        }
        return (tree.bytes, table.name)
    }

    /// Every field the table may give this record a value.
    private func fields(of table: NormalizerTable, in tree: JSONTree) -> [FieldPath] {
        var fields: Set<FieldPath> = []
        lazy var leaves = tree.leaves
        for entry in table.allEntries {
            guard let (prefix, suffix) = entry.star else {
                fields.insert(entry.target)
                continue
            }
            switch entry.origin {
            case .first(let patterns), .joined(let patterns, _):
                for pattern in patterns.map(\.dotted) where pattern.hasSuffix("*") {
                    for leaf in leaves where leaf.hasPrefix(String(pattern.dropLast())) {
                        fields.insert(FieldPath("\(prefix)\(leaf.dropFirst(pattern.count - 1))\(suffix)"))
                    }
                }
            case .pairs(let names, _):
                for name in names.flatMap({ tree.texts(of: $0.dotted) }) where !name.isEmpty {
                    let part = suffix.isEmpty ? name : name.replacing(" ", with: "_").replacing(".", with: "_")
                    fields.insert(FieldPath("\(prefix)\(part)\(suffix)"))
                }
            case .values: break
            }
        }
        return fields.sorted()
    }

    private func plan(for index: Int, _ table: NormalizerTable, _ fields: [FieldPath]) -> Plan {
        let key = PlanKey(table: index, fields: fields)
        if let plan = plans[key] { return plan }
        // Hostile records have new names each time.
        if plans.count >= 64 { plans.removeAll() }
        var layout = FieldLayout()
        // A layout has room for more fields than a sane record.
        for field in fields.prefix(30_000) { _ = layout.insert(field) }
        let targets = layout.paths.map { path in
            let entries = table.allEntries.filter { $0.entry(for: path) != nil }
            return (
                path: path, field: layout.id(of: path).unsafelyUnwrapped,
                replaces: entries.contains(where: \.replaces),
                isList: path.isList || entries.contains { $0.steps.contains(where: \.makesLists) }
            )
        }
        let compiled = CompiledNormalizers([table], layout: &layout)
        let plan = Plan(
            decoder: EventDecoder(layout: layout, limits: limits), compiled: compiled, layout: layout, targets: targets)
        plans[key] = plan
        return plan
    }

    private func value(of field: FieldID, isList: Bool, _ plan: Plan) -> JSONTree {
        var values: [JSONTree] = []
        var cursor = plan.decoder.cursor(field)
        while let value = plan.decoder.next(&cursor) {
            switch value.kind {
            case .string: values.append(.string(value.bytes))
            case .integer, .double, .boolean: values.append(.scalar(Array(value.description.utf8)[...]))
            }
        }
        return values.count == 1 && !isList ? values[0] : .array(values)
    }
}

extension JSONTree {
    /// The strings of a field, whatever mixture of nesting, dotted keys and arrays holds it.
    func texts(of path: String) -> [String] {
        switch self {
        case .scalar(let bytes):
            return path.isEmpty && bytes.first == UInt8(ascii: "\"") ? [Self.text(of: bytes)] : []
        case .array(let elements): return elements.flatMap { $0.texts(of: path) }
        case .object(let members):
            return members.flatMap { member -> [String] in
                if member.name == path { return member.value.texts(of: "") }
                guard path.hasPrefix(member.name + ".") else { return [] }
                return member.value.texts(of: String(path.dropFirst(member.name.count + 1)))
            }
        }
    }
}

extension FieldPath {
    /// Fields that ECS wants as an array even of one value.
    fileprivate var isList: Bool {
        dotted.hasPrefix("related.")
            || ["event.category", "event.type", "process.args", "process.parent.args", "dns.resolved_ip"]
                .contains(dotted)
    }
}

extension Transformation {
    /// Whether it can make several values of one.
    fileprivate var makesLists: Bool {
        switch self {
        case .arguments, .bits, .dnsAddresses, .dnsNames, .hashes, .split, .words: true
        default: false
        }
    }
}
