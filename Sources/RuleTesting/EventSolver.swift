import Detection
import EQL
import EventSchema
import Events
import Matching

/// Finds a record that meets requirements: values are read off the leaves, and the engine's own plan says which fit.
struct EventSolver {
    typealias Fields = [FieldPath: [RecordValue]]

    private let decoder: EventReader
    private let matcher: Matcher
    private let conditions: [Condition]

    /// - Parameter queries: one query, compiled by itself.
    init(_ queries: CompiledQueries) {
        decoder = queries.makeDecoder(limits: DecodeLimits())
        matcher = Matcher(queries.program)
        conditions = queries.queries[0].conditions
    }

    /// Fields that hold a value of another field of the record, with that field. Those that are derived by decoding are
    /// given by ``HiddenTextSample``.
    static let sources: [FieldPath: FieldPath] = [.hostKey: "host.id"]

    /// Complete choices of values that are tried before the search gives up.
    private static let mostTried = 256

    /// What is looked for.
    private struct Goal {
        var condition: Int
        var holds: Bool
        var miss: Requirement?
        var known: Set<Fields>
        var tries = mostTried
    }

    /// A record in which condition `index` holds, or does not, because every requirement is met.
    ///
    /// - Parameters:
    ///   - miss: one of the requirements, which is to be met by a value close to those that would not meet it
    ///     rather than by none.
    ///   - known: records that are not wanted again.
    func record(
        meeting requirements: [Requirement], condition index: Int, holds wanted: Bool, missing miss: Requirement? = nil,
        otherThan known: Set<Fields> = []
    ) -> Fields? {
        // A field's positive tests come first: what must not hold chooses among what may be there.
        let ordered = requirements.filter(\.holds) + requirements.filter { !$0.holds }
        var draft = Draft()
        var goal = Goal(condition: index, holds: wanted, miss: miss, known: Set(known.map(\.carried)))
        return settle(ordered[...], in: &draft, &goal) ? draft.record : nil
    }

    /// Chooses values until all requirements up to the one at hand are met. Depth first; the candidates are few.
    private func settle(_ rest: ArraySlice<Requirement>, in draft: inout Draft, _ goal: inout Goal) -> Bool {
        guard let requirement = rest.first else {
            goal.tries -= 1
            let record = draft.record
            return !goal.known.contains(record.carried) && holds(goal.condition, record) == goal.holds
        }
        if requirement != goal.miss, isMet(requirement, by: draft) {
            return settle(rest.dropFirst(), in: &draft, &goal)
        }
        for choice in choices(for: requirement, after: draft) where goal.tries > 0 && isMet(requirement, by: choice) {
            var next = choice
            if settle(rest.dropFirst(), in: &next, &goal) {
                draft = next
                return true
            }
        }
        return false
    }

    private func choices(for requirement: Requirement, after draft: Draft) -> [Draft] {
        var choices = [draft]
        for (path, candidates) in requirement.candidates.sorted(by: { $0.key < $1.key }) {
            choices = Array(
                choices.flatMap { choice in
                    // Other values come before other ways to write the same.
                    Self.byTurns(candidates.map { choice.variants(giving: $0, to: path, beside: requirement.holds) })
                }.prefix(64))
        }
        return choices
    }

    /// The first of each list, then the second of each, and so on.
    private static func byTurns<Element>(_ lists: [[Element]]) -> [Element] {
        (0..<(lists.map(\.count).max() ?? 0)).flatMap { turn in
            lists.compactMap { turn < $0.count ? $0[turn] : nil }
        }
    }

    private func isMet(_ requirement: Requirement, by draft: Draft) -> Bool {
        let text =
            switch requirement.leaf {
            case .test(let test): test.description
            case .expression(let test): test.text
            }
        guard decode(draft.record) else { return false }
        for index in conditions.indices {
            if let holds = matcher.verdicts(index, for: decoder.event).verdict(ofLeaf: text) {
                return holds == requirement.holds
            }
        }
        return false
    }

    private func holds(_ condition: Int, _ record: Fields) -> Bool? {
        decode(record) ? matcher.holds(condition, for: decoder.event) : nil
    }

    private func decode(_ record: Fields) -> Bool {
        var bytes: [UInt8] = []
        RecordObject(record).write(to: &bytes)
        return bytes.withUnsafeBytes { decoder.decode($0) } == nil
    }
}

/// A record in the making: fields, and texts that some of them are to hide.
private struct Draft {
    private struct Hidden {
        var texts: [String]
        var form: HiddenTextSample
    }

    private var fields: EventSolver.Fields = [:]
    /// By the field that is derived from what hides them.
    private var hidden: [FieldPath: Hidden] = [:]

    /// This draft with values for a field, in every way in which a record can give it them.
    ///
    /// - Parameter isAdded: whether values that are there stay: another positive test may have put them there.
    func variants(giving values: [RecordValue], to path: FieldPath, beside isAdded: Bool) -> [Draft] {
        guard let decoded = DecodedField.named(path) else {
            var next = self
            let field = EventSolver.sources[path] ?? path
            next.fields[field] = isAdded ? (fields[field] ?? []) + values : values
            return [next]
        }
        let texts = (isAdded ? hidden[path]?.texts ?? [] : []) + values.compactMap(\.text)
        guard !texts.isEmpty else {
            var next = self
            next.hidden[path] = nil
            return [next]
        }
        return HiddenTextSample.forms(for: decoded).map { form in
            var next = self
            next.hidden[path] = Hidden(texts: texts, form: form)
            return next
        }
    }

    /// The fields as records carry them. Only the first value of a field is decoded, so that what is hidden follows the
    /// text that stands there.
    var record: EventSolver.Fields {
        var record = fields
        for (path, hidden) in hidden {
            guard let decoded = DecodedField.named(path) else { continue }
            let field = decoded.source
            let shown = record[field]?.first?.text
            let text = hidden.form.value(of: decoded, hiding: hidden.texts.joined(separator: " "))
            record[field] =
                [.string(shown.map { "\($0) \(text)" } ?? text)]
                + (record[field] ?? []).dropFirst(shown == nil ? 0 : 1)
        }
        return record
    }
}

extension EventSolver.Fields {
    /// Without those that are missing.
    fileprivate var carried: EventSolver.Fields { filter { !$0.value.isEmpty } }
}

extension RecordValue {
    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}

extension RecordObject {
    /// Fields in the order of their names; one value stands alone, several in a list.
    init(_ fields: EventSolver.Fields) {
        self.init()
        for (path, values) in fields.sorted(by: { $0.key < $1.key }) where !values.isEmpty {
            merge(values.count == 1 ? values[0] : .list(values), at: path)
        }
    }
}

extension VerdictTree {
    fileprivate func verdict(ofLeaf text: String) -> Bool? {
        switch self {
        case .constant: nil
        case .leaf(let leaf): leaf.text == text ? leaf.holds : nil
        case .not(let inner): inner.verdict(ofLeaf: text)
        case .all(let parts), .any(let parts): parts.lazy.compactMap { $0.verdict(ofLeaf: text) }.first
        }
    }
}
