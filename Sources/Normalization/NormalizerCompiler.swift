import EventSchema

/// Makes the lists of ``CompiledNormalizers`` out of tables.
struct NormalizerCompiler {
    let needed: Set<FieldPath>
    let literals = Literals()
    private(set) var sources: [CompiledNormalizers.Source] = []
    private(set) var alternatives: [Range<Int>] = []
    private(set) var conditions: [CompiledNormalizers.Condition] = []
    private(set) var sections: [CompiledNormalizers.Section] = []
    private(set) var moves: [CompiledNormalizers.Move] = []
    private(set) var fields: [FieldID] = []
    private(set) var values: [CompiledNormalizers.Literal] = []
    private(set) var steps: [Step] = []

    init(needed: Set<FieldPath>) {
        self.needed = needed
    }

    mutating func compile(_ table: NormalizerTable, _ layout: inout FieldLayout) {
        let firstAlternative = alternatives.count
        for alternative in table.alternatives {
            let start = conditions.count
            for condition in alternative {
                conditions.append(
                    CompiledNormalizers.Condition(field: layout.source(condition.field), values: hold(condition.values))
                )
            }
            alternatives.append(start..<conditions.count)
        }
        let missing = hold(table.missing.sorted())
        let firstSection = sections.count
        for code in Set(table.sections.flatMap(\.codes)).sorted() {
            let range = compile(table.entries(of: code), missing, &layout)
            sections.append(CompiledNormalizers.Section(code: literals.hold(code), moves: range))
        }
        sources.append(
            CompiledNormalizers.Source(
                alternatives: firstAlternative..<alternatives.count, without: hold(table.without, &layout),
                code: hold(table.code, &layout), sections: firstSection..<sections.count,
                others: compile(table.entries, missing, &layout)))
    }

    private mutating func compile(
        _ entries: [NormalizerTable.Entry], _ missing: Range<Int>, _ layout: inout FieldLayout
    ) -> Range<Int> {
        let start = moves.count
        // A field named by itself is none of its subtree's; of two subtrees the longer name is the nearer.
        var nearest: [FieldPath: Int] = [:]
        let paths = entries.map { $0.targets(among: needed) }
        for (entry, paths) in zip(entries, paths) {
            for path in paths { nearest[path] = max(nearest[path] ?? 0, entry.nearness) }
        }
        for (entry, paths) in zip(entries, paths) {
            for path in paths where nearest[path] == entry.nearness {
                guard let part = entry.entry(for: path), let target = layout.id(of: path) else { continue }
                moves.append(compile(part, target, missing, &layout))
            }
        }
        return start..<moves.count
    }

    private mutating func compile(
        _ entry: NormalizerTable.Entry, _ target: FieldID, _ missing: Range<Int>, _ layout: inout FieldLayout
    ) -> CompiledNormalizers.Move {
        let stepStart = steps.count
        for step in entry.steps { steps.append(Step(step, hold: literals.hold) { hold($0) }) }
        var move = CompiledNormalizers.Move(
            target: target, kind: .values, fields: 0..<0, values: 0..<0, steps: stepStart..<steps.count,
            condition: hold(entry.condition, &layout), missing: missing, replaces: entry.replaces)
        switch entry.origin {
        case .values(let literals): move.values = hold(literals)
        case .first(let paths):
            move.kind = .first
            move.fields = hold(paths, &layout)
        case .joined(let paths, let separator):
            move.kind = .joined
            move.fields = hold(paths, &layout)
            move.values = hold([separator])
        case .pairs(let names, let values):
            move.kind = .pairs
            move.fields = hold(zip(names, values).flatMap { [$0, $1] }, &layout)
        }
        return move
    }

    private mutating func hold(_ paths: [FieldPath], _ layout: inout FieldLayout) -> Range<Int> {
        let start = fields.count
        fields += paths.map { layout.source($0) }
        return start..<fields.count
    }

    private mutating func hold(_ strings: [ExactString]) -> Range<Int> {
        let start = values.count
        values += strings.map { literals.hold($0) }
        return start..<values.count
    }

    /// Keys and values in turn.
    private mutating func hold(_ map: [ExactString: ExactString]) -> Range<Int> {
        hold(map.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
    }
}

extension NormalizerTable.Entry {
    fileprivate func targets(among needed: Set<FieldPath>) -> [FieldPath] {
        guard isSubtree else { return needed.contains(target) ? [target] : [] }
        return needed.filter { entry(for: $0) != nil }.sorted()
    }

    fileprivate var nearness: Int { isSubtree ? target.dotted.utf8.count : .max }
}

extension FieldLayout {
    /// A field that tables read: as text, unless its type says otherwise.
    fileprivate mutating func source(_ path: FieldPath) -> FieldID {
        let type = Schema.ecs.type(of: path)
        return insert(path, type: type == .dynamic ? .keyword : type)
    }
}

/// Bytes that stay in one place for as long as this object.
final class Literals {
    private var held: [UnsafeMutableRawBufferPointer] = []

    deinit {
        for bytes in held { bytes.deallocate() }
    }

    func hold(_ string: ExactString) -> UnsafeRawBufferPointer {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: string.utf8.count + 1, alignment: 1)
        bytes.copyBytes(from: string.utf8)
        bytes[bytes.count - 1] = 0
        held.append(bytes)
        return UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 1)])
    }
}
