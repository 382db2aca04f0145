import CVectorscan
import EQL
import EventSchema
import Events
import Glibc

/// Computes the expressions of a program for one event after another. Allocates nothing per event once its
/// scratch has grown, but for the text of a long fraction.
///
/// *Ownership:* one matcher's. The program outlives it.
final class ScalarEvaluator {
    /// With several fields, combinations are tried until they have cost this many bytes of values; more could
    /// only come from records made to be slow.
    static let combinationBudget = 1 << 22

    let scratch = ScratchText()
    private let program: ScalarProgram
    private let patternScratch: PatternScratch
    private let stack: UnsafeMutablePointer<ScalarValue>
    /// Per slot the values still to be chosen, and the chosen one.
    private let rest: UnsafeMutablePointer<Event.Values>
    private let chosen: UnsafeMutablePointer<ScalarValue>

    init(_ program: ScalarProgram, patternScratch: PatternScratch) {
        self.program = program
        self.patternScratch = patternScratch
        stack = .allocate(capacity: program.stackSize)
        stack.initialize(repeating: .null, count: program.stackSize)
        rest = .allocate(capacity: max(program.slotCount, 1))
        chosen = .allocate(capacity: max(program.slotCount, 1))
        chosen.initialize(repeating: .null, count: max(program.slotCount, 1))
    }

    deinit {
        stack.deallocate()
        rest.deallocate()
        chosen.deallocate()
    }

    /// Whether some choice of one value per field makes the expression true. The choice stays readable by
    /// ``chosenValue(_:)`` until the next call.
    func holds(_ index: Int32, for event: Event) -> Bool {
        let leaf = program.leaves[Int(index)]
        let fields = program.fields[leaf.fields]
        for slot in 0..<fields.count { start(slot, fields[slot], event) }
        var spent = 0
        while true {
            scratch.reset()
            if case .boolean(true) = run(leaf.code) { return true }
            if fields.count > 1 {
                spent += cost(fields.count)
                guard spent < Self.combinationBudget else { return false }
            }
            guard advance(fields, event) else { return false }
        }
    }

    /// The value chosen last for a slot.
    func chosenValue(_ slot: Int) -> ScalarValue { chosen[slot] }

    // MARK: Combinations

    private func start(_ slot: Int, _ field: FieldID, _ event: Event) {
        (rest + slot).initialize(to: event.values(field))
        chosen[slot] = rest[slot].next().map { ScalarValue($0) } ?? .null
    }

    /// The next combination, the first slot turning fastest; false after the last one.
    private func advance(_ fields: UnsafeBufferPointer<FieldID>, _ event: Event) -> Bool {
        for slot in 0..<fields.count {
            if let value = rest[slot].next() {
                chosen[slot] = ScalarValue(value)
                return true
            }
            start(slot, fields[slot], event)
        }
        return false
    }

    private func cost(_ slots: Int) -> Int {
        var cost = 0
        for slot in 0..<slots {
            if case .text(let text) = chosen[slot] { cost += text.count }
            cost += 16
        }
        return cost
    }

    // MARK: Code

    private func run(_ range: IndexRange) -> ScalarValue {
        var top = 0
        for instruction in program.code[range] {
            switch instruction {
            case .constant(let index):
                stack[top] = program.constants[Int(index)]
                top += 1
            case .field(let slot):
                stack[top] = chosen[Int(slot)]
                top += 1
            case .arithmetic(let operation):
                top -= 1
                stack[top - 1] = Self.arithmetic(operation, stack[top - 1], stack[top])
            case .compare(let operation, let order):
                top -= 1
                stack[top - 1] = compare(operation, order, stack[top - 1], stack[top])
            case .isNull:
                stack[top - 1] = .boolean(stack[top - 1].isNull)
            case .not:
                stack[top - 1] = ScalarValue(stack[top - 1].truth.map { !$0 })
            case .all(let count):
                top -= Int(count)
                stack[top] = ScalarValue(decide(from: top, Int(count), by: false))
                top += 1
            case .any(let count):
                top -= Int(count)
                stack[top] = ScalarValue(decide(from: top, Int(count), by: true))
                top += 1
            case .member(let range, let folded):
                stack[top - 1] = member(stack[top - 1], range, folded: folded)
            case .matches(let database):
                stack[top - 1] = matches(stack[top - 1], database)
            case .within(let range):
                stack[top - 1] = within(stack[top - 1], range)
            case .call(let function, let count, let folded):
                top -= Int(count)
                stack[top] = call(function, UnsafeBufferPointer(start: stack + top, count: Int(count)), folded: folded)
                top += 1
            }
        }
        return stack[0]
    }

    /// What decides wins, then null.
    private func decide(from start: Int, _ count: Int, by deciding: Bool) -> Bool? {
        var hasNull = false
        for index in start..<(start + count) {
            switch stack[index].truth {
            case deciding: return deciding
            case nil: hasNull = true
            default: break
            }
        }
        return hasNull ? nil : !deciding
    }

    private static func arithmetic(
        _ operation: ArithmeticOperator, _ left: ScalarValue, _ right: ScalarValue
    ) -> ScalarValue {
        if case .integer(let left) = left, case .integer(let right) = right {
            return operation.result(left, right).map(ScalarValue.integer) ?? .null
        }
        guard let left = left.number, let right = right.number else { return .null }
        return .double(operation.result(left, right))
    }

    // MARK: Comparison

    private func compare(
        _ operation: ComparisonOperator, _ order: ScalarExpression.Order, _ left: ScalarValue, _ right: ScalarValue
    ) -> ScalarValue {
        if left.isNull || right.isNull { return .null }
        switch order {
        case .plain:
            return .boolean(comparePlain(operation, left, right))
        case .time:
            guard let left = left.time, let right = right.time else { return .boolean(false) }
            return .boolean(operation.holds(left, right))
        case .address:
            guard case .text(let left) = left, case .text(let right) = right, let one = IPAddress(parsing: left),
                let other = IPAddress(parsing: right)
            else { return .boolean(false) }
            return .boolean(operation.holds(one, other))
        case .version:
            let (left, right) = (text(of: left), text(of: right))
            return .boolean(operation.holds(VersionOrder(left).order(VersionOrder(right)), 0))
        }
    }

    private func comparePlain(_ operation: ComparisonOperator, _ left: ScalarValue, _ right: ScalarValue) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)):
            return operation.holds(left, right)
        case (.integer, .double), (.double, .integer), (.double, .double):
            guard let left = left.number, let right = right.number else { return false }
            return operation.holds(left, right)
        case (.text(let left), .text(let right)):
            return operation.holds(left.order(right), 0)
        default:
            return operation == .equal && areEqual(left, right, folded: false)
        }
    }

    private func areEqual(_ left: ScalarValue, _ right: ScalarValue, folded: Bool) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): return left == right
        case (.integer, .double), (.double, .integer), (.double, .double): return left.number == right.number
        case (.boolean(let left), .boolean(let right)): return left == right
        case (.text, _), (_, .text):
            let (left, right) = (text(of: left), text(of: right))
            return folded ? ASCII.equalIgnoringCase(left, right) : left.isEqual(to: right)
        default: return false
        }
    }

    private func member(_ value: ScalarValue, _ range: IndexRange, folded: Bool) -> ScalarValue {
        if value.isNull { return .null }
        return .boolean(program.constants[range].contains { areEqual(value, $0, folded: folded) })
    }

    private func matches(_ value: ScalarValue, _ database: OpaquePointer) -> ScalarValue {
        if value.isNull { return .null }
        var found = false
        withUnsafeMutablePointer(to: &found) { found in
            _ = scan(database, text(of: value), patternScratch, context: found) { _, _, _, _, found in
                found?.assumingMemoryBound(to: Bool.self).pointee = true
                return 1
            }
        }
        return .boolean(found)
    }

    private func within(_ value: ScalarValue, _ range: IndexRange) -> ScalarValue {
        if value.isNull { return .null }
        guard case .text(let text) = value, let address = IPAddress(parsing: text) else { return .boolean(false) }
        return .boolean(program.blocks[range].contains { $0.contains(address) })
    }

    // MARK: Text of values

    /// As `string()` gives it: `5`, `5.0`, `true`.
    func text(of value: ScalarValue) -> UnsafeRawBufferPointer {
        switch value {
        case .null: return UnsafeRawBufferPointer(start: nil, count: 0)
        case .text(let text): return text
        case .integer(let value): return scratch.take(20).writeDecimal(value)
        // Swift keeps a string of up to 15 bytes in place.
        case .boolean(let value): return text(of: value ? "true" : "false")
        case .double(let value): return text(of: value.description)
        }
    }

    private func text(of value: String) -> UnsafeRawBufferPointer {
        var value = value
        return value.withUTF8 { utf8 in
            let copy = scratch.take(utf8.count)
            copy.copyMemory(from: UnsafeRawBufferPointer(utf8))
            return UnsafeRawBufferPointer(copy)
        }
    }
}

extension ScalarValue {
    init(_ value: EventValue) {
        self =
            switch value.kind {
            case .string: .text(value.bytes)
            case .integer: .integer(value.integer)
            case .double: .double(value.double)
            case .boolean: .boolean(value.boolean)
            }
    }

    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .null, .boolean, .text: nil
        }
    }

    /// The instant a value of a date field, or what is compared with one, means.
    fileprivate var time: EventTime? {
        switch self {
        case .text(let text): EventTime(parsing: text) ?? EventTime(parsingMilliseconds: text)
        case .integer(let value): EventTime(milliseconds: value)
        case .double(let value): EventTime(milliseconds: value)
        case .null, .boolean: nil
        }
    }
}
