import EQL
import EventSchema

/// A value while an expression is computed. Text is borrowed from the event, the program or the scratch.
enum ScalarValue: BitwiseCopyable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case text(UnsafeRawBufferPointer)

    var isNull: Bool { if case .null = self { true } else { false } }

    init(_ truth: Bool?) {
        self = truth.map(ScalarValue.boolean) ?? .null
    }

    /// Nil for null; anything else that is not true is false.
    var truth: Bool? {
        switch self {
        case .null: nil
        case .boolean(let value): value
        case .integer, .double, .text: false
        }
    }
}

/// All expressions of a program as postfix code over a stack, in tables of trivial values.
///
/// Conditions are plain jumps over bits, see ``MatchProgram``; expressions need values, and get an interpreter.
/// Neither `and` nor `or` skips operands: expressions are short, and null must be told from false.
struct ScalarProgram {
    /// One expression, true or not for an event.
    struct Leaf: BitwiseCopyable {
        var code: IndexRange
        /// The fields whose values are chosen, in the order of their slots.
        var fields: IndexRange
        /// The bit of the matcher's bit set that holds the answer.
        var bit: Int32
    }

    enum Instruction: BitwiseCopyable {
        case constant(Int32)
        /// The chosen value of the field in this slot.
        case field(Int32)
        case arithmetic(ArithmeticOperator)
        case compare(ComparisonOperator, ScalarExpression.Order)
        case isNull
        case not
        /// Of the topmost values, as many as this.
        case all(Int32)
        case any(Int32)
        case member(IndexRange, folded: Bool)
        case matches(OpaquePointer)
        case within(IndexRange)
        case call(ScalarFunction, count: Int32, folded: Bool)
    }

    let leaves: Table<Leaf>
    let code: Table<Instruction>
    let fields: Table<FieldID>
    let constants: Table<ScalarValue>
    let blocks: Table<AddressRange>
    /// The most values and the most fields any expression needs at a time.
    let stackSize: Int
    let slotCount: Int
}

/// Collects the expressions of a rule set and freezes them into a ``ScalarProgram``.
struct ScalarProgramBuilder {
    /// Distinct expressions in order of first use.
    private(set) var tests: [ScalarTest] = []
    private var indices: [ScalarTest: Int] = [:]
    private var leaves: [ScalarProgram.Leaf] = []
    private var code: [ScalarProgram.Instruction] = []
    private var fields: [FieldID] = []
    private var constants: [ScalarValue] = []
    private var blocks: [AddressRange] = []
    private(set) var patternSets: [PatternSet] = []
    private var stackSize = 1
    private var slotCount = 0

    /// Equal expressions share one leaf.
    mutating func insert(_ test: ScalarTest, into layout: inout FieldLayout) {
        guard indices[test] == nil else { return }
        indices[test] = tests.count
        tests.append(test)
        for field in test.fields { _ = layout.insert(field.path) }
    }

    /// - Parameter firstBit: expression i answers in this bit plus i.
    /// - Throws: the pattern that Vectorscan refuses.
    mutating func freeze(
        firstBit: Int32, layout: FieldLayout, in arena: Arena
    ) throws(PatternProblem) -> ScalarProgram {
        for (index, test) in tests.enumerated() {
            let slots = test.fields
            let (codeStart, fieldStart) = (Int32(code.count), Int32(fields.count))
            try emit(test.root, slots, depth: 0, arena)
            fields += slots.compactMap { layout.id(of: $0.path) }
            slotCount = max(slotCount, slots.count)
            leaves.append(
                ScalarProgram.Leaf(
                    code: IndexRange(lower: codeStart, upper: Int32(code.count)),
                    fields: IndexRange(lower: fieldStart, upper: Int32(fields.count)), bit: firstBit + Int32(index)))
        }
        return ScalarProgram(
            leaves: arena.freeze(leaves), code: arena.freeze(code), fields: arena.freeze(fields),
            constants: arena.freeze(constants), blocks: arena.freeze(blocks), stackSize: stackSize,
            slotCount: slotCount)
    }

    /// - Parameter depth: values on the stack before the expression's own.
    private mutating func emit(
        _ expression: ScalarExpression, _ slots: [ScalarExpression.Field], depth: Int, _ arena: Arena
    ) throws(PatternProblem) {
        stackSize = max(stackSize, depth + 1)
        switch expression {
        case .constant(let literal):
            code.append(.constant(Int32(constants.count)))
            constants.append(ScalarValue(literal, in: arena))
        case .field(let field):
            code.append(.field(Int32(slots.firstIndex(of: field) ?? 0)))
        case .arithmetic(let operation, let left, let right):
            try emit([left, right], slots, depth, arena)
            code.append(.arithmetic(operation))
        case .comparison(let operation, let left, let right, let order):
            try emit([left, right], slots, depth, arena)
            code.append(.compare(operation, order))
        case .isNull(let inner):
            try emit(inner, slots, depth: depth, arena)
            code.append(.isNull)
        case .not(let inner):
            try emit(inner, slots, depth: depth, arena)
            code.append(.not)
        case .all(let parts):
            try emit(parts, slots, depth, arena)
            code.append(.all(Int32(parts.count)))
        case .any(let parts):
            try emit(parts, slots, depth, arena)
            code.append(.any(Int32(parts.count)))
        case .membership(let subject, let literals, let folded):
            try emit(subject, slots, depth: depth, arena)
            let start = Int32(constants.count)
            constants += literals.map { ScalarValue($0, in: arena) }
            code.append(.member(IndexRange(lower: start, upper: Int32(constants.count)), folded: folded))
        case .pattern(let subject, let patterns):
            try emit(subject, slots, depth: depth, arena)
            let set = try PatternSet(patterns)
            patternSets.append(set)
            code.append(.matches(set.database))
        case .within(let subject, let wanted):
            try emit(subject, slots, depth: depth, arena)
            let start = Int32(blocks.count)
            blocks += wanted.map(AddressRange.init)
            code.append(.within(IndexRange(lower: start, upper: Int32(blocks.count))))
        case .call(let function, let arguments, let folded):
            try emit(arguments, slots, depth, arena)
            code.append(.call(function, count: Int32(arguments.count), folded: folded))
        }
    }

    private mutating func emit(
        _ parts: [ScalarExpression], _ slots: [ScalarExpression.Field], _ depth: Int, _ arena: Arena
    ) throws(PatternProblem) {
        for (index, part) in parts.enumerated() { try emit(part, slots, depth: depth + index, arena) }
        // The result needs a place even where there are no operands.
        stackSize = max(stackSize, depth + 1)
    }
}

extension ScalarValue {
    init(_ literal: Literal, in arena: Arena) {
        switch literal {
        case .null: self = .null
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .double(let value): self = .double(value)
        case .string(let value):
            let bytes = arena.freeze(Array(value.utf8))
            self = .text(UnsafeRawBufferPointer(start: bytes.base, count: bytes.count))
        }
    }
}
