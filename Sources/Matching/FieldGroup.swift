import EQL
import EventSchema

/// Every distinct predicate over one field, in the form that answers all of them in one pass per value.
///
/// Predicates are bits. The bits of a group fill whole words, so that clearing and testing them
/// touches no other field's. A group of an event is evaluated at most once, and only when asked for.
struct FieldGroup: BitwiseCopyable {
    var field: FieldID
    /// The words of the matcher's bit set that hold this group's predicates.
    var words: IndexRange
    /// The bit of `field != null`, or -1.
    var existsBit: Int32

    /// Equality by bytes, and by bytes after folding ASCII letters to lower case.
    var exact: StringTable
    var exactBits: MaskTable
    var folded: StringTable
    var foldedBits: MaskTable

    /// Ascending; row i of the list holds the bits of value i.
    var integers: Table<Int64>
    var integerBits: MaskTable
    var doubles: Table<Double>
    var doubleBits: MaskTable
    /// Nanoseconds, ascending.
    var dates: Table<Int64>
    var dateBits: MaskTable
    /// Ascending, none of them overlapping another.
    var blocks: Table<AddressRange>
    var blockBits: MaskTable
    /// Row 0 is `false`, row 1 is `true`.
    var booleanBits: MaskTable

    var bounds: Table<BoundTest>
    var boundText: Table<UInt8>

    var globs: GlobTable
    /// Patterns that are no globs.
    var patterns: OpaquePointer?
    var patternBits: MaskTable

    /// The field's values are instants, or addresses, and some predicate needs them as such.
    var readsDates: Bool
    var readsAddresses: Bool
    /// Values that are no strings are tested as text too: a field outside ECS may hold anything, and a
    /// pattern sees what EQL's `string()` would give.
    var readsAllAsText: Bool
}

extension FieldGroup {
    /// What looking at an event's values costs, in visits of a condition; only the proportions matter. A scan takes about
    /// ten times as long as a visit, whatever it looks for.
    var costOfLooking: Float { patterns != nil || globs.literals != nil ? 10 : 2 }
}

/// One `<`, `<=`, `>` or `>=`.
struct BoundTest: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
        case integer
        case double
        case string
        case date
        case address
    }

    enum Order: UInt8, BitwiseCopyable {
        case less
        case lessOrEqual
        case greater
        case greaterOrEqual
    }

    var kind: Kind
    var order: Order
    var bit: Int32
    /// The bound: an integer or a date here, a double's bit pattern, or an address in both halves.
    var high: UInt64
    var low: UInt64
    /// The bytes of a string bound.
    var text: IndexRange

    /// Whether `left order right` holds, given how the two compare.
    @inline(__always)
    func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
        switch order {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}

/// Collects the predicates of one field and freezes them into a ``FieldGroup``.
struct FieldGroupBuilder {
    let field: FieldID
    let type: FieldType
    /// Distinct tests in order of first use; the index is the bit inside the group.
    private(set) var tests: [FieldTest.Test] = []
    private var indices: [FieldTest.Test: Int] = [:]

    init(field: FieldID, type: FieldType) {
        self.field = field
        self.type = type
    }

    /// The index of `test` in this group; equal tests share one.
    mutating func insert(_ test: FieldTest.Test) -> Int {
        if let known = indices[test] { return known }
        indices[test] = tests.count
        tests.append(test)
        return tests.count - 1
    }

    var wordCount: Int { (tests.count + 63) / 64 }

    /// - Parameter word: the first word of the group in the bit set.
    /// - Throws: the pattern that Vectorscan refuses.
    func freeze(word: Int, in arena: Arena) throws(PatternProblem) -> (group: FieldGroup, patterns: [PatternSet]) {
        var exact = Rows<[UInt8]>()
        var folded = Rows<[UInt8]>()
        var integers = Rows<Int64>()
        var doubles = Rows<Double>()
        var dates = Rows<Int64>()
        var blocks = Rows<IPBlock>()
        var booleans: [[Int32]] = [[], []]
        var globs = Rows<Glob>()
        var patterns = Rows<StringPattern>()
        var bounds: [BoundTest] = []
        var boundText: [UInt8] = []
        var existsBit: Int32 = -1

        for (index, test) in tests.enumerated() {
            let bit = Int32(word * 64 + index)
            switch test {
            case .exists: existsBit = bit
            case .equals(let values):
                for value in values.strings { exact.add(Array(value.utf8), bit) }
                for value in values.integers { integers.add(value, bit) }
                for value in values.doubles {
                    // 3 == 3.0: integral doubles live with the integers, so each value is looked up once.
                    if let whole = Int64(exactly: value) { integers.add(whole, bit) } else { doubles.add(value, bit) }
                }
                for value in values.dates { dates.add(value.nanoseconds, bit) }
                for value in values.addresses { blocks.add(value, bit) }
                for value in values.booleans { booleans[value ? 1 : 0].append(bit) }
            case .equalsFolded(let values):
                for value in values { folded.add(Array(value.utf8), bit) }
            case .ordered(let comparison, let bound):
                bounds.append(Self.boundTest(comparison, bound, bit: bit, text: &boundText))
            case .matches(let list):
                for pattern in list {
                    if let glob = Glob(pattern) { globs.add(glob, bit) } else { patterns.add(pattern, bit) }
                }
            }
        }

        let ranges = AddressRange.disjoint(blocks.values, bits: blocks.bits)
        integers.sort(by: <)
        dates.sort(by: <)
        let set: PatternSet? = patterns.values.isEmpty ? nil : try PatternSet(patterns.values)
        globs.update(Glob.separateLiterals)
        let literals = globs.values.isEmpty ? nil : PatternSet(literals: GlobTable.literals(of: globs.values))
        let group = FieldGroup(
            field: field,
            words: IndexRange(lower: Int32(word), upper: Int32(word + wordCount)),
            existsBit: existsBit,
            exact: StringTable(keys: exact.values, in: arena), exactBits: MaskTable(exact.bits, in: arena),
            folded: StringTable(keys: folded.values, in: arena), foldedBits: MaskTable(folded.bits, in: arena),
            integers: arena.freeze(integers.values), integerBits: MaskTable(integers.bits, in: arena),
            doubles: arena.freeze(doubles.values), doubleBits: MaskTable(doubles.bits, in: arena),
            dates: arena.freeze(dates.values), dateBits: MaskTable(dates.bits, in: arena),
            blocks: arena.freeze(ranges.map(\.range)), blockBits: MaskTable(ranges.map(\.bits), in: arena),
            booleanBits: MaskTable(booleans, in: arena),
            bounds: arena.freeze(bounds), boundText: arena.freeze(boundText),
            globs: GlobTable(globs.values, bits: globs.bits, literals: literals, in: arena),
            patterns: set?.database, patternBits: MaskTable(patterns.bits, in: arena),
            readsDates: type == .date && (!dates.values.isEmpty || bounds.contains { $0.kind == .date }),
            readsAddresses: !blocks.values.isEmpty || bounds.contains { $0.kind == .address },
            readsAllAsText: type == .dynamic
                && (set != nil || literals != nil || !folded.values.isEmpty || bounds.contains { $0.kind == .string }))
        return (group, [set, literals].compactMap(\.self))
    }

    private static func boundTest(
        _ comparison: ComparisonOperator, _ bound: FieldTest.Bound, bit: Int32, text: inout [UInt8]
    ) -> BoundTest {
        let order: BoundTest.Order =
            switch comparison {
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            case .equal, .notEqual: preconditionFailure("equality is a value set, never a bound")
            }
        var test = BoundTest(
            kind: .integer, order: order, bit: bit, high: 0, low: 0, text: IndexRange(lower: 0, upper: 0))
        switch bound {
        case .integer(let value): test.low = UInt64(bitPattern: value)
        case .double(let value):
            test.kind = .double
            test.low = value.bitPattern
        case .string(let value):
            test.kind = .string
            test.text.lower = Int32(text.count)
            text += Array(value.utf8)
            test.text.upper = Int32(text.count)
        case .date(let value):
            test.kind = .date
            test.low = UInt64(bitPattern: value.nanoseconds)
        case .address(let value):
            test.kind = .address
            test.high = value.high
            test.low = value.low
        }
        return test
    }
}

/// Distinct values with the bits each of them sets.
private struct Rows<Value: Hashable> {
    private(set) var values: [Value] = []
    private(set) var bits: [[Int32]] = []
    private var index: [Value: Int] = [:]

    mutating func add(_ value: Value, _ bit: Int32) {
        if let row = index[value] {
            bits[row].append(bit)
        } else {
            index[value] = values.count
            values.append(value)
            bits.append([bit])
        }
    }

    /// Ends the adding.
    mutating func update(_ body: (inout [Value]) -> Void) {
        body(&values)
        index = [:]
    }

    /// Ends the adding.
    mutating func sort(by areInOrder: (Value, Value) -> Bool) {
        let order = values.indices.sorted { areInOrder(values[$0], values[$1]) }
        values = order.map { values[$0] }
        bits = order.map { bits[$0] }
        index = [:]
    }
}
