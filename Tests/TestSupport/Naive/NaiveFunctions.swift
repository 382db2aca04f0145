import EQL
import EventSchema

/// EQL's functions and arithmetic. Any null argument gives null unless said otherwise.
enum NaiveFunctions {
    /// Integers are 64-bit, `/` truncates and `%` has the sign of the dividend; overflow and division by
    /// zero give null.
    static func arithmetic(_ operation: ArithmeticOperator, _ left: NaiveValue, _ right: NaiveValue) -> NaiveValue {
        if case .integer(let one) = left, case .integer(let other) = right {
            let (result, overflow) =
                switch operation {
                case .add: one.addingReportingOverflow(other)
                case .subtract: one.subtractingReportingOverflow(other)
                case .multiply: one.multipliedReportingOverflow(by: other)
                case .divide: one.dividedReportingOverflow(by: other)
                case .modulo: one.remainderReportingOverflow(dividingBy: other)
                }
            return overflow ? .null : .integer(result)
        }
        guard let one = left.asDouble, let other = right.asDouble else { return .null }
        return switch operation {
        case .add: .double(one + other)
        case .subtract: .double(one - other)
        case .multiply: .double(one * other)
        case .divide: .double(one / other)
        case .modulo: .double(one.truncatingRemainder(dividingBy: other))
        }
    }

    static func call(_ call: Expression.Call, value: (Expression) -> NaiveValue) -> NaiveValue {
        let arguments = call.arguments.map(value)
        let name = call.name.lowercased()
        if let quirk = wildcardQuirk(call, name, arguments) { return quirk }
        switch name {
        case "add", "subtract", "multiply", "divide", "modulo":
            let operations: [String: ArithmeticOperator] = [
                "add": .add, "subtract": .subtract, "multiply": .multiply, "divide": .divide, "modulo": .modulo,
            ]
            guard arguments.count == 2, let operation = operations[name] else { return .null }
            return arithmetic(operation, arguments[0], arguments[1])
        case "substring": return substring(arguments)
        case "indexof": return indexOf(arguments, folds: call.caseInsensitive)
        case "number": return number(arguments)
        default: break
        }
        if arguments.contains(.null) { return .null }
        switch name {
        case "concat": return .text(arguments.flatMap(\.canonicalText))
        case "string": return .text(arguments[0].canonicalText)
        case "cidrmatch": return cidrMatch(arguments)
        default: break
        }
        var texts: [[Unicode.Scalar]] = []
        for case .text(let text) in arguments { texts.append(call.caseInsensitive ? NaiveCase.lowercased(text) : text) }
        guard let first = texts.first else { return .null }
        switch name {
        case "length":
            return .integer(Int64(string(first).utf16.count))
        case "startswith" where texts.count == 2:
            return .boolean(first.starts(with: texts[1]))
        case "endswith" where texts.count == 2:
            return .boolean(first.reversed().starts(with: texts[1].reversed()))
        case "stringcontains" where texts.count == 2:
            return .boolean(!texts[1].isEmpty && firstIndex(of: texts[1], in: first, from: 0) != nil)
        case "between":
            return between(arguments, folds: call.caseInsensitive)
        default:
            return .null
        }
    }

    /// `startsWith`, `endsWith` and `stringContains` of a bare field and a constant are prefix and wildcard
    /// queries: case folds in ASCII only. In the wildcard queries the constant is not escaped: its `*` and `?`
    /// act, and a backslash makes one literal.
    private static func wildcardQuirk(
        _ call: Expression.Call, _ name: String, _ arguments: [NaiveValue]
    ) -> NaiveValue? {
        guard ["startswith", "endswith", "stringcontains"].contains(name), call.arguments.count == 2,
            case .field = call.arguments[0].kind, case .literal(.string) = call.arguments[1].kind,
            case .text(let constant) = arguments[1]
        else { return nil }
        if arguments[0].isNull { return .null }
        func folded(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
            call.caseInsensitive ? NaiveCase.foldedASCII(text) : text
        }
        let (value, wanted) = (folded(arguments[0].canonicalText), folded(constant))
        if name == "startswith" { return .boolean(value.starts(with: wanted)) }
        let suffix: [Unicode.Scalar] = name == "stringcontains" ? ["*"] : []
        return .boolean(NaiveWildcard.matches(["*"] + wanted + suffix, value, escapes: true))
    }

    private static func number(_ arguments: [NaiveValue]) -> NaiveValue {
        guard case .text(let scalars) = arguments[0] else { return .null }
        var text = string(scalars).trimmingBlanks()
        var base = 10
        let givesBase = arguments.count == 2 && !arguments[1].isNull
        if givesBase, case .integer(let given) = arguments[1] { base = Int(given) }
        guard (2...36).contains(base) else { return .null }
        let isNegative = text.hasPrefix("-")
        if isNegative || text.hasPrefix("+") { text.removeFirst() }
        if text.hasPrefix("0x"), !givesBase || base == 16 {
            text.removeFirst(2)
            base = 16
        }
        if let value = Int64((isNegative ? "-" : "") + text, radix: base) { return .integer(value) }
        guard base == 10, let value = Double(text), value.isFinite else { return .null }
        return .double(isNegative ? -value : value)
    }

    private static func cidrMatch(_ arguments: [NaiveValue]) -> NaiveValue {
        let address: IPAddress? =
            switch arguments[0] {
            case .address(let address, _): address
            case .text(let text): IPAddress(parsing: string(text))
            default: nil
            }
        guard let address else { return .boolean(false) }
        return .boolean(
            arguments.dropFirst().contains { IPBlock(parsing: string($0.canonicalText))?.contains(address) ?? false })
    }

    private static func substring(_ arguments: [NaiveValue]) -> NaiveValue {
        guard case .text(let text)? = arguments.first else { return .null }
        let units = Array(string(text).utf16)
        func bound(_ place: Int, default: Int) -> Int {
            guard arguments.count > place, case .integer(let given) = arguments[place] else { return `default` }
            return max(0, min(units.count, given < 0 ? units.count + Int(given) : Int(given)))
        }
        let start = bound(1, default: 0)
        let end = bound(2, default: units.count)
        return .text(start < end ? String(decoding: units[start..<end], as: UTF16.self) : "")
    }

    private static func indexOf(_ arguments: [NaiveValue], folds: Bool) -> NaiveValue {
        guard arguments.count >= 2, case .text(let text) = arguments[0], case .text(let wanted) = arguments[1] else {
            return .null
        }
        func units(_ text: [Unicode.Scalar]) -> [UInt16] {
            Array(string(folds ? NaiveCase.lowercased(text) : text).utf16)
        }
        var start = 0
        if arguments.count > 2, case .integer(let given) = arguments[2] { start = max(0, Int(given)) }
        return firstIndex(of: units(wanted), in: units(text), from: start).map { .integer(Int64($0)) } ?? .null
    }

    private static func between(_ arguments: [NaiveValue], folds: Bool) -> NaiveValue {
        guard arguments.count >= 3, case .text(let text) = arguments[0], case .text(let left) = arguments[1],
            case .text(let right) = arguments[2]
        else { return .null }
        let isGreedy = arguments.count > 3 && arguments[3] == .boolean(true)
        func folded(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] { folds ? NaiveCase.lowercased(text) : text }
        let haystack = folded(text)
        guard let found = firstIndex(of: folded(left), in: haystack, from: 0) else { return .text("") }
        let start = found + left.count
        var ends: [Int] = []
        var from = start
        while let end = firstIndex(of: folded(right), in: haystack, from: from) {
            ends.append(end)
            from = end + 1
        }
        guard let end = isGreedy ? ends.last : ends.first else { return .text("") }
        return .text(Array(text[start..<min(end, text.count)]))
    }

    private static func firstIndex<Element: Equatable>(of wanted: [Element], in all: [Element], from: Int) -> Int? {
        guard from <= all.count, wanted.count <= all.count else { return nil }
        return (from..<all.count + 1).first { all[$0...].starts(with: wanted) }
    }
}

extension String {
    fileprivate func trimmingBlanks() -> String {
        var scalars = unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }
}
