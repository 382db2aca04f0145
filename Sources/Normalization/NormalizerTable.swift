public import EventSchema

/// How the records of one source become ECS: which records these are, and where each field takes its values from.
///
/// A table is data. It is read from `config/normalizers`, and compiled together with the rules by
/// ``CompiledNormalizers``.
public struct NormalizerTable: Hashable, Sendable {
    public var name: String
    /// A record is of this source when all conditions of one alternative hold…
    public var alternatives: [[Condition]]
    /// …and it has none of these fields: what has them is ECS already.
    public var without: [FieldPath]
    /// The first of these that has a value tells the kinds of records of one source apart.
    public var code: [FieldPath]
    /// Values that mean that there is none.
    public var missing: Set<ExactString>
    /// For records of any code; a section's come first.
    public var entries: [Entry]
    public var sections: [Section]

    public init(
        name: String, alternatives: [[Condition]], without: [FieldPath] = [], code: [FieldPath] = [],
        missing: Set<ExactString> = [], entries: [Entry] = [], sections: [Section] = []
    ) {
        self.name = name
        self.alternatives = alternatives
        self.without = without
        self.code = code
        self.missing = missing
        self.entries = entries
        self.sections = sections
    }

    /// That a field has one of some values, compared exactly; without any values, that it is there.
    public struct Condition: Hashable, Sendable {
        public var field: FieldPath
        public var values: [ExactString]

        public init(_ field: FieldPath, values: [ExactString] = []) {
            self.field = field
            self.values = values
        }
    }

    /// What applies to records with one of these codes only.
    public struct Section: Hashable, Sendable {
        public var codes: [ExactString]
        public var entries: [Entry]

        public init(codes: [ExactString], entries: [Entry]) {
            self.codes = codes
            self.entries = entries
        }
    }

    /// Where one field takes its values from.
    public struct Entry: Hashable, Sendable {
        /// The field; with `.*` at its end, every field below it, for which a `*` in the origin's paths stands for
        /// the rest of the name.
        public var target: FieldPath
        public var origin: Origin
        /// What is done to every value, in order.
        public var steps: [Transformation]
        /// Fields that must all be present.
        public var condition: [FieldPath]
        /// Whether values of the record itself give way. Otherwise they stay, and the entry has nothing to do.
        public var replaces: Bool

        public init(
            target: FieldPath, origin: Origin, steps: [Transformation] = [], condition: [FieldPath] = [],
            replaces: Bool = false
        ) {
            self.target = target
            self.origin = origin
            self.steps = steps
            self.condition = condition
            self.replaces = replaces
        }

        /// Whether it is about every field of some form: with `*` at the end of its name, for what there is below it, or
        /// as one segment of it.
        public var isSubtree: Bool { star != nil }

        /// What stands before the `*` of the target and behind it, periods included.
        var star: (prefix: Substring, suffix: Substring)? {
            let text = target.dotted
            if text.hasSuffix(".*") { return (text.dropLast(), "") }
            guard let range = text.firstRange(of: ".*.") else { return nil }
            return (text[..<text.index(after: range.lowerBound)], text[text.index(before: range.upperBound)...])
        }
    }

    public enum Origin: Hashable, Sendable {
        /// These values.
        case values([ExactString])
        /// All values of the first of these fields that has one which counts.
        case first([FieldPath])
        /// The first values of all these fields, none of which may be missing, with a separator between them.
        case joined([FieldPath], separator: ExactString)
        /// Of two parallel lists, as an array of objects with a name and a value each gives them: the value whose name
        /// is what `*` stands for, or which is picked. Where `*` is one segment of the target, blanks and periods of the
        /// name count as `_`. Fields of both are taken in turn: the first names belong to the first values.
        case pairs(names: [FieldPath], values: [FieldPath])
    }
}

extension NormalizerTable {
    /// Every entry, those of sections included.
    public var allEntries: [Entry] { entries + sections.flatMap(\.entries) }

    /// The entries that apply to `code`, the most specific first: of two for one field, the later has nothing to do
    /// unless the first found nothing.
    func entries(of code: ExactString?) -> [Entry] {
        let own = sections.filter { section in code.map { section.codes.contains($0) } ?? false }.flatMap(\.entries)
        let targets = Set(own.map(\.target))
        return own
            + entries.map { entry in
                var entry = entry
                if targets.contains(entry.target) { entry.replaces = false }
                return entry
            }
    }
}

extension NormalizerTable.Entry {
    /// The entry for one field: itself, or of a subtree the part that `path` names; nil when it is about other fields.
    func entry(for path: FieldPath) -> NormalizerTable.Entry? {
        guard let (prefix, suffix) = star else { return target == path ? self : nil }
        guard path.dotted.hasPrefix(prefix), path.dotted.hasSuffix(suffix),
            path.dotted.utf8.count > prefix.utf8.count + suffix.utf8.count
        else { return nil }
        let rest = String(path.dotted.dropFirst(prefix.count).dropLast(suffix.count))
        if !suffix.isEmpty, rest.contains(".") { return nil }
        func expand(_ path: FieldPath) -> FieldPath { FieldPath(path.dotted.replacing("*", with: rest)) }
        var entry = self
        entry.target = path
        switch origin {
        case .values: break
        case .first(let fields): entry.origin = .first(fields.map(expand))
        case .joined(let fields, let separator): entry.origin = .joined(fields.map(expand), separator: separator)
        case .pairs: entry.steps = [.pair(ExactString(rest), isSegment: !suffix.isEmpty)] + steps
        }
        return entry
    }
}
