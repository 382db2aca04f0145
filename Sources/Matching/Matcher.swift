import CVectorscan
import EQL
public import EventSchema
public import Events

/// Evaluates one event after another against a ``MatchProgram``. Allocates nothing per event, but for the
/// text of a long fraction where a field outside ECS is asked for a pattern.
///
/// *Ownership:* one lane; the working memory is its own. *Cost:* the gates of the event's present
/// fields, then the plans behind the gates that opened; every field is looked at once at most.
public final class Matcher {
    public let program: MatchProgram

    let bits: PredicateBits
    /// Per group, expressions last, the event its bits were last computed for; saves clearing them between events.
    let evaluatedFor: UnsafeMutablePointer<UInt64>
    /// Per condition, the event it was last decided for: several gates may lead to one condition.
    private let decidedFor: UnsafeMutablePointer<UInt64>
    private let hits: UnsafeMutablePointer<Int32>
    private let foldBuffer: UnsafeMutableRawBufferPointer
    private let globs: GlobScanner
    private let scratch = PatternScratch()
    private let scalars: ScalarEvaluator
    var eventNumber: UInt64 = 0
    private let spans: SpanFinder
    /// The program's, or those of `tuning`.
    private(set) var gates: GateIndex
    private var tuning: GateTuning?
    private let sampling: GateSampling
    /// The number of the event whose answers are to be counted next.
    private var nextSample: UInt64

    /// - Parameter sampling: how often it is measured which predicates hold; shows in the cost and nowhere else.
    public init(_ program: MatchProgram, sampling: GateSampling = GateSampling()) {
        self.program = program
        self.sampling = sampling
        gates = program.gates
        nextSample = program.gatePlan.hasChoices ? 1 : .max
        bits = PredicateBits(wordCount: program.wordCount)
        let groupCount = program.groups.count + program.scalars.leaves.count
        evaluatedFor = .allocate(capacity: max(groupCount, 1))
        evaluatedFor.initialize(repeating: 0, count: max(groupCount, 1))
        decidedFor = .allocate(capacity: max(program.entries.count, 1))
        decidedFor.initialize(repeating: 0, count: max(program.entries.count, 1))
        hits = .allocate(capacity: max(program.entries.count, 1))
        foldBuffer = .allocate(byteCount: max(program.longestFolded, 1), alignment: 1)
        spans = SpanFinder(program.spans)
        globs = GlobScanner(literals: program.longestGlobTable)
        scalars = ScalarEvaluator(program.scalars, patternScratch: scratch)
        for set in program.patternSets { scratch.reserve(for: set.database) }
    }

    deinit {
        bits.deallocate()
        evaluatedFor.deallocate()
        decidedFor.deallocate()
        hits.deallocate()
        foldBuffer.deallocate()
    }

    /// The ids of the conditions that hold for `event`: indices into ``MatchProgram/conditions``, in no
    /// particular order, valid until the next call.
    public func match(_ event: Event) -> UnsafeBufferPointer<Int32> {
        eventNumber &+= 1
        var count = 0
        let program = program
        for index in 0..<program.ungated.count {
            decide(program.ungated[index], event, &count)
        }
        for group in gates.groups {
            let field = program.groups.base[Int(group)].field
            guard event.isPresent(field) else { continue }
            evaluate(group, event)
            bits.forEachTouched(program.groups.base[Int(group)].words) { word, held in
                var open = held & gates.mask(ofWord: word)
                while open != 0 {
                    let bit = word << 6 + open.trailingZeroBitCount
                    open &= open &- 1
                    for condition in gates.conditions(behind: bit) where decidedFor[Int(condition)] != eventNumber {
                        decide(condition, event, &count)
                    }
                }
            }
        }
        if eventNumber >= nextSample { sample(event) }
        return UnsafeBufferPointer(start: hits, count: count)
    }

    /// Counts which predicates hold for the event that was matched last, and chooses gates anew when enough were counted.
    private func sample(_ event: Event) {
        let tuning = self.tuning ?? GateTuning(program, sampling)
        self.tuning = tuning
        tuning.beginSample()
        let plan = program.gatePlan
        for index in 0..<plan.groups.count {
            let group = plan.groups[index]
            let field = program.groups.base[Int(group)].field
            guard event.isPresent(field) else { continue }
            evaluate(group, event)
            tuning.notePresent(group)
            bits.forEachTouched(program.groups.base[Int(group)].words) { tuning.noteHeld($0, $1) }
        }
        if let chosen = tuning.endSample() { gates = chosen }
        nextSample = eventNumber &+ tuning.interval
    }

    /// Whether condition `id` holds for `event`, whatever its gate says. For explanations and tests.
    public func holds(_ id: Int, for event: Event) -> Bool {
        eventNumber &+= 1
        return run(from: program.entries[id], event)
    }

    /// Whether condition `id` holds for the event that was matched last: what is known of its fields already is not
    /// looked at again.
    public func alsoHolds(_ id: Int, for event: Event) -> Bool {
        run(from: program.entries[id], event)
    }

    @inline(__always)
    private func decide(_ condition: Int32, _ event: Event, _ count: inout Int) {
        decidedFor[Int(condition)] = eventNumber
        if run(from: program.entries[Int(condition)], event) {
            hits[count] = condition
            count += 1
        }
    }

    @inline(__always)
    private func run(from entry: Int32, _ event: Event) -> Bool {
        var next = entry
        while next >= 0 {
            let node = program.nodes[Int(next)]
            evaluate(node.group, event)
            next = bits.holds(node.word, node.mask) ? node.onTrue : node.onFalse
        }
        return next == MatchProgram.Node.accept
    }

    /// Answers every predicate of a group for this event, unless that is done already.
    @inline(__always)
    func evaluate(_ index: Int32, _ event: Event) {
        guard evaluatedFor[Int(index)] != eventNumber else { return }
        evaluatedFor[Int(index)] = eventNumber
        guard Int(index) < program.groups.count else { return compute(index, event) }
        let group = program.groups.base + Int(index)
        bits.clear(group.pointee.words)
        var isPresent = false
        for value in event.values(group.pointee.field) {
            isPresent = true
            answer(value, group)
        }
        if isPresent, group.pointee.existsBit >= 0 { bits.set(group.pointee.existsBit) }
    }

    /// Answers one expression.
    private func compute(_ index: Int32, _ event: Event) {
        let index = index - Int32(program.groups.count)
        let bit = program.scalars.leaves[Int(index)].bit
        if scalars.holds(index, for: event) {
            bits.set(bit)
        } else {
            bits.clear(bit)
        }
    }

    /// Adds the answers one value gives: any value of a field may make a predicate true.
    func answer(_ value: EventValue, _ group: UnsafePointer<FieldGroup>) {
        if group.pointee.readsDates, let time = EventTime(value) { answer(date: time, group) }
        switch value.kind {
        case .string: answer(text: value.bytes, group)
        case .integer:
            let integer = value.integer
            if let row = search(group.pointee.integers, integer) { bits.set(group.pointee.integerBits[row]) }
            compare(group) { $0.numericHolds(integer) }
        case .double:
            let double = value.double
            if let whole = Int64(exactly: double) {
                if let row = search(group.pointee.integers, whole) { bits.set(group.pointee.integerBits[row]) }
            } else {
                for row in 0..<group.pointee.doubles.count where group.pointee.doubles[row] == double {
                    bits.set(group.pointee.doubleBits[row])
                }
            }
            compare(group) { $0.numericHolds(double) }
        case .boolean: bits.set(group.pointee.booleanBits[value.boolean ? 1 : 0])
        }
        if group.pointee.readsAllAsText, value.kind != .string { answer(textOf: value, group) }
    }

    /// Answers for the canonical text of a number or Boolean.
    private func answer(textOf value: EventValue, _ group: UnsafePointer<FieldGroup>) {
        if value.kind == .integer {
            withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { buffer in
                answer(text: buffer.writeDecimal(value.integer), group)
            }
        } else {
            // Swift keeps a string of up to 15 bytes in place.
            var text = value.description
            text.withUTF8 { answer(text: UnsafeRawBufferPointer($0), group) }
        }
    }

    private func answer(text: UnsafeRawBufferPointer, _ group: UnsafePointer<FieldGroup>) {
        if !group.pointee.exact.isEmpty, let row = group.pointee.exact.row(of: text) {
            bits.set(group.pointee.exactBits[row])
        }
        if !group.pointee.folded.isEmpty, text.count <= group.pointee.folded.longest {
            for index in 0..<text.count {
                let byte = text[index]
                foldBuffer[index] = ASCII.lowercased(byte)
            }
            if let row = group.pointee.folded.row(of: UnsafeRawBufferPointer(rebasing: foldBuffer[..<text.count])) {
                bits.set(group.pointee.foldedBits[row])
            }
        }
        if let literals = group.pointee.globs.literals {
            globs.answer(group, literals, text, scratch: scratch, bits: bits)
        }
        if let database = group.pointee.patterns { scanPatterns(text, database, group.pointee.patternBits) }
        if group.pointee.readsAddresses, let address = IPAddress(parsing: text) {
            if let row = search(group.pointee.blocks, address) { bits.set(group.pointee.blockBits[row]) }
            compare(group) { test in
                test.kind == .address && test.holds(address, IPAddress(high: test.high, low: test.low))
            }
        }
        compare(group) { test in
            guard test.kind == .string else { return false }
            return test.holds(Self.order(text, group.pointee.boundText[test.text]), 0)
        }
    }

    private func answer(date: EventTime, _ group: UnsafePointer<FieldGroup>) {
        if let row = search(group.pointee.dates, date.nanoseconds) { bits.set(group.pointee.dateBits[row]) }
        compare(group) { test in
            test.kind == .date && test.holds(date.nanoseconds, Int64(bitPattern: test.low))
        }
    }

    @inline(__always)
    private func compare(_ group: UnsafePointer<FieldGroup>, _ holds: (BoundTest) -> Bool) {
        for index in 0..<group.pointee.bounds.count where holds(group.pointee.bounds[index]) {
            bits.set(group.pointee.bounds[index].bit)
        }
    }

    /// Bytewise, which for UTF-8 is code-point order: below, equal to or above zero.
    private static func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index] ? -1 : 1
        }
        return left.count - right.count
    }

    private func search(_ table: Table<Int64>, _ value: Int64) -> Int? {
        var lower = 0
        var upper = table.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if table[middle] < value { lower = middle + 1 } else { upper = middle }
        }
        return lower < table.count && table[lower] == value ? lower : nil
    }

    /// The range that holds `address`; at most one does.
    private func search(_ table: Table<AddressRange>, _ address: IPAddress) -> Int? {
        var lower = 0
        var upper = table.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if table[middle].begins(after: address) { upper = middle } else { lower = middle + 1 }
        }
        return lower > 0 && table[lower - 1].contains(address) ? lower - 1 : nil
    }

    private struct ScanContext {
        var bits: PredicateBits
        var masks: MaskTable
    }

    private func scanPatterns(_ text: UnsafeRawBufferPointer, _ database: OpaquePointer, _ masks: MaskTable) {
        var context = ScanContext(bits: bits, masks: masks)
        withUnsafeMutablePointer(to: &context) { context in
            _ = scan(database, text, scratch, context: context) { id, _, _, _, context in
                guard let context = context?.assumingMemoryBound(to: ScanContext.self) else { return 1 }
                context.pointee.bits.set(context.pointee.masks[Int(id)])
                return 0
            }
        }
    }
}

extension BoundTest {
    @inline(__always)
    fileprivate func numericHolds(_ value: Int64) -> Bool {
        switch kind {
        case .integer: holds(value, Int64(bitPattern: low))
        case .double: holds(Double(value), Double(bitPattern: low))
        case .string, .date, .address: false
        }
    }

    @inline(__always)
    fileprivate func numericHolds(_ value: Double) -> Bool {
        switch kind {
        case .integer: holds(value, Double(Int64(bitPattern: low)))
        case .double: holds(value, Double(bitPattern: low))
        case .string, .date, .address: false
        }
    }
}

// MARK: - Explanation

/// A test of a condition that an event passed, and the value that passed it. Owned; for alerts.
public struct MatchedTest: Hashable, Sendable {
    public var field: FieldPath
    /// As EQL would spell the operator: `==`, `in~`, `like`, `regex`, `!= null`, …; a whole expression where
    /// the value went through functions or arithmetic.
    public var operation: String
    /// The first value that passed, as UTF-8; numbers and booleans as JSON writes them.
    public var value: [UInt8]
    /// UTF-8 offsets in `value` of what a pattern matched; nil when the whole value is meant.
    public var span: Range<Int>?
}

extension Matcher {
    /// The tests that made condition `id` hold for `event`, in the order they are written. Tests below a
    /// `not` are left out: nothing matched there.
    ///
    /// Not for the hot path: runs once per contributing event of an alert.
    public func explain(_ id: Int, for event: Event) -> [MatchedTest] {
        eventNumber &+= 1
        var found: [MatchedTest] = []
        explain(program.conditions[id], event, &found)
        return found
    }

    @discardableResult
    private func explain(_ condition: Condition, _ event: Event, _ found: inout [MatchedTest]) -> Bool {
        switch condition {
        case .constant(let value): return value
        case .not(let inner):
            var ignored: [MatchedTest] = []
            return !explain(inner, event, &ignored)
        case .all(let parts):
            let start = found.count
            for part in parts where !explain(part, event, &found) {
                found.removeSubrange(start...)
                return false
            }
            return true
        case .any(let parts):
            return parts.reduce(false) { explain($1, event, &found) || $0 }
        case .test(let test):
            guard let matched = firstMatch(test, event) else { return false }
            found.append(matched)
            return true
        case .expression(let test):
            guard let matched = firstMatch(test, event) else { return false }
            found += matched
            return true
        }
    }

    private func firstMatch(_ test: FieldTest, _ event: Event) -> MatchedTest? {
        guard let predicate = program.predicates[test] else { return nil }
        let group = program.groups.base + Int(predicate.group)
        // The group's bits now hold the answers of single values: forget them for the whole event.
        defer { evaluatedFor[Int(predicate.group)] = 0 }
        for value in event.values(group.pointee.field) {
            bits.clear(group.pointee.words)
            answer(value, group)
            let passes =
                predicate.bit == group.pointee.existsBit
                || bits.isSet(predicate.bit)
            if passes {
                return MatchedTest(
                    field: test.field, operation: test.test.operation, value: value.text,
                    span: value.kind == .string ? span(of: test.test, in: value.bytes) : nil)
            }
        }
        return nil
    }

    /// One entry per field with a value in the combination that made the expression true; one without a value
    /// where it is true of missing fields alone.
    func firstMatch(_ test: ScalarTest, _ event: Event) -> [MatchedTest]? {
        guard let predicate = program.expressions[test],
            scalars.holds(predicate.group - Int32(program.groups.count), for: event)
        else { return nil }
        let fields = test.fields
        let matched = fields.indices.compactMap { slot -> MatchedTest? in
            let value = scalars.chosenValue(slot)
            if value.isNull { return nil }
            let text = Array(scalars.text(of: value))
            return MatchedTest(field: fields[slot].path, operation: test.text, value: text, span: nil)
        }
        guard matched.isEmpty, let field = fields.first else { return matched }
        return [MatchedTest(field: field.path, operation: test.text, value: [], span: nil)]
    }

    func span(of test: FieldTest.Test, in value: UnsafeRawBufferPointer) -> Range<Int>? {
        guard case .matches(let patterns) = test else { return nil }
        for pattern in patterns {
            if let span = spans.find(pattern, in: value) { return span == 0..<value.count ? nil : span }
        }
        return nil
    }
}

extension EventValue {
    /// The value as text: strings as they are, numbers and booleans as JSON writes them.
    public var text: [UInt8] {
        switch kind {
        case .string: Array(bytes)
        case .integer: Array(String(integer).utf8)
        case .double: Array(String(double).utf8)
        case .boolean: Array(String(boolean).utf8)
        }
    }
}

extension FieldTest.Test {
    /// As EQL spells the operator.
    var operation: String {
        switch self {
        case .exists: "!= null"
        case .equals(let set):
            set.strings.count + set.addresses.count + set.dates.count > 1 || set.integers.count > 1 ? "in" : "=="
        case .equalsFolded(let set): set.count == 1 ? ":" : "in~"
        case .ordered(let comparison, _): comparison.rawValue
        case .matches(let patterns):
            switch patterns.first?.origin {
            case .wildcard(true): "like~"
            case .wildcard(false), nil: "like"
            case .affix(let function, let insensitive): "\(function)\(insensitive ? "~" : "")"
            case .lucene(let insensitive), .search(let insensitive): insensitive ? "regex~" : "regex"
            }
        }
    }
}
