import Detection
import EQL
public import EventSchema
public import Events
public import Normalization
public import Rules

/// Counts, over a sample of records, which fields they carry and how many could take part in each rule.
///
/// Fields count as the engine sees them: after normalisation, with derived fields.
public final class FieldCensus {
    public let coverage: Coverage
    public private(set) var records = 0
    /// Records that are no events.
    public private(set) var unreadable = 0

    private let reader: EventReader
    private let fields: [FieldPath: FieldID]
    private var present: [FieldPath: Int] = [:]
    /// Per rule and stage: records whose fields could satisfy it, judged by what is present alone.
    private var possible: [[Int]]
    private var combinations: [Set<FieldPath>: Int] = [:]

    /// - Parameter normalizers: how records that are not ECS become it.
    public init(_ set: RuleSet, normalizers: [NormalizerTable] = [], limits: DecodeLimits = DecodeLimits()) throws {
        let coverage = Coverage(set)
        let queries = try CompiledQueries(
            set.rules.map(\.checked), further: DecodedField.all.map(\.source), normalizers: normalizers)
        self.coverage = coverage
        reader = queries.makeDecoder(limits: limits)
        fields = Dictionary(
            (coverage.fields.map(\.field) + DecodedField.all.map(\.source))
                .compactMap { field in queries.layout.id(of: field).map { (field, $0) } },
            uniquingKeysWith: { first, _ in first })
        possible = coverage.rules.map { $0.stages.map { _ in 0 } }
    }

    /// Takes one record, borrowed for the call.
    public func add(_ payload: UnsafeRawBufferPointer) {
        records += 1
        guard reader.decode(payload) == nil else {
            unreadable += 1
            return
        }
        let event = reader.event
        let carried = Set(fields.filter { event.isPresent($0.value) }.keys)
        // Records of one kind carry the same fields: each combination is judged once, at the end.
        combinations[carried, default: 0] += 1
    }

    public func report() -> CensusReport {
        for (carried, count) in combinations {
            let isPresent = { (field: FieldPath) in carried.contains(field) || Self.isDerived(field, from: carried) }
            for field in carried { present[field, default: 0] += count }
            for (rule, covered) in coverage.rules.enumerated() {
                for (stage, condition) in covered.stages.enumerated() where condition.canHold(isPresent) {
                    possible[rule][stage] += count
                }
            }
        }
        combinations = [:]
        return CensusReport(
            coverage: coverage, records: records, unreadable: unreadable, present: present, possible: possible)
    }

    /// Whether Apus could derive the field: that it has nothing to decode in a sample does not make a rule blind.
    static func isDerived(_ field: FieldPath, from carried: Set<FieldPath>) -> Bool {
        DecodedField.named(field).map { carried.contains($0.source) } ?? false
    }
}

/// What a sample of records lets the rules see.
public struct CensusReport: Sendable {
    public let coverage: Coverage
    public let records: Int
    public let unreadable: Int
    let present: [FieldPath: Int]
    let possible: [[Int]]

    /// How many records carry a field.
    public func records(with field: FieldPath) -> Int { present[field] ?? 0 }

    /// Of each stage of a rule, how many records could take part.
    public func candidates(ofRule index: Int) -> [Int] { possible[index] }

    /// A rule that no record of the sample could satisfy, or complete.
    public func isBlind(_ index: Int) -> Bool { possible[index].contains(0) }

    public var blind: [Rule] { coverage.rules.indices.filter(isBlind).map { coverage.rules[$0].rule } }

    private func isCarried(_ field: FieldPath) -> Bool {
        records(with: field) > 0 || FieldCensus.isDerived(field, from: Set(present.keys))
    }

    /// Fields of a rule that no record carries.
    public func missing(ofRule index: Int) -> [FieldPath] { coverage.rules[index].fields.filter { !isCarried($0) } }

    /// Why a stage has no candidates, as one sentence without a full stop.
    public func reason(ofRule rule: Int, stage: Int) -> String? {
        guard possible[rule][stage] == 0 else { return nil }
        let wanted = coverage.rules[rule].stages[stage]
        let missing = wanted.fields.filter { !isCarried($0) }
        let name = wanted.number == 0 ? "the rule" : "stage \(wanted.number)"
        return missing.isEmpty
            ? "no record carries together what \(name) asks for"
            : "no record carries \(missing.map(\.dotted).joined(separator: ", "))"
    }

    /// Alternatives of a rule that can see that the sample keeps from it: the rule is blind in one eye.
    public func deadAlternatives(ofRule index: Int) -> [String] {
        guard !isBlind(index) else { return [] }
        return coverage.rules[index].stages.flatMap { stage in
            stage.deadAlternatives(isCarried).map { alternative in
                let missing = alternative.fields.filter { !isCarried($0) }
                return (stage.number == 0 ? "" : "stage \(stage.number): ")
                    + "an alternative needs \(missing.map(\.dotted).joined(separator: ", "))"
            }
        }
    }
}
