import Detection
import EQL
import EventSchema
import Events
import Matching

/// Finds a record that meets requirements: values are read off the leaves, and the engine's own plan says which fit.
struct EventSolver {
    private let decoder: EventReader
    private let matcher: Matcher
    private let conditions: [Condition]

    /// - Parameter queries: one query, compiled by itself.
    init(_ queries: CompiledQueries) {
        decoder = queries.makeDecoder(limits: DecodeLimits())
        matcher = Matcher(queries.program)
        conditions = queries.queries[0].conditions
    }

    /// Fields that are derived, with a field of records that gives them.
    static let sources: [FieldPath: FieldPath] = [.hostKey: "host.id"]

    /// A record in which condition `index` holds, or does not, because every requirement is met.
    ///
    /// - Parameter miss: one of the requirements, which is to be met by a value close to those that would not meet it
    ///   rather than by none.
    func record(
        meeting requirements: [Requirement], condition index: Int, holds wanted: Bool, missing miss: Requirement? = nil
    ) -> [FieldPath: [RecordValue]]? {
        // A field's positive tests come first: what must not hold chooses among what may be there.
        let ordered = requirements.filter(\.holds) + requirements.filter { !$0.holds }
        var record: [FieldPath: [RecordValue]] = [:]
        guard settle(ordered[...], in: &record, missing: miss), holds(index, record) == wanted else { return nil }
        return record
    }

    /// Chooses values until all requirements up to the one at hand are met. Depth first; the candidates are few.
    private func settle(
        _ rest: ArraySlice<Requirement>, in record: inout [FieldPath: [RecordValue]], missing miss: Requirement?
    ) -> Bool {
        guard let requirement = rest.first else { return true }
        if requirement != miss, isMet(requirement, by: record) {
            return settle(rest.dropFirst(), in: &record, missing: miss)
        }
        var choices: [[FieldPath: [RecordValue]]] = [record]
        for (path, candidates) in requirement.candidates.sorted(by: { $0.key < $1.key }) {
            let field = Self.sources[path] ?? path
            choices = Array(
                choices.flatMap { choice in
                    candidates.map { values in
                        var next = choice
                        // Another positive test may have put its value there: both stay.
                        next[field] = requirement.holds ? (choice[field] ?? []) + values : values
                        return next
                    }
                }.prefix(64))
        }
        for choice in choices where isMet(requirement, by: choice) {
            var next = choice
            if settle(rest.dropFirst(), in: &next, missing: miss) {
                record = next
                return true
            }
        }
        return false
    }

    private func isMet(_ requirement: Requirement, by record: [FieldPath: [RecordValue]]) -> Bool {
        let text =
            switch requirement.leaf {
            case .test(let test): test.description
            case .expression(let test): test.text
            }
        guard decode(record) else { return false }
        for index in conditions.indices {
            if let holds = matcher.verdicts(index, for: decoder.event).verdict(ofLeaf: text) {
                return holds == requirement.holds
            }
        }
        return false
    }

    private func holds(_ condition: Int, _ record: [FieldPath: [RecordValue]]) -> Bool? {
        decode(record) ? matcher.holds(condition, for: decoder.event) : nil
    }

    private func decode(_ record: [FieldPath: [RecordValue]]) -> Bool {
        var bytes: [UInt8] = []
        RecordObject(record).write(to: &bytes)
        return bytes.withUnsafeBytes { decoder.decode($0) } == nil
    }
}

extension RecordObject {
    /// Fields in the order of their names; one value stands alone, several in a list.
    init(_ fields: [FieldPath: [RecordValue]]) {
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
