import EQL
import EventSchema

// The functions of EQL. What they do is written at ``ScalarFunction``; here is how.

extension ScalarEvaluator {
    func call(_ function: ScalarFunction, _ arguments: UnsafeBufferPointer<ScalarValue>, folded: Bool) -> ScalarValue {
        switch function {
        // Three functions give null arguments a meaning.
        case .substring: return substring(arguments)
        case .indexOf: return indexOf(arguments, folded: folded)
        case .number: return number(arguments)
        case .between, .concat, .endsWith, .length, .startsWith, .string, .stringContains: break
        }
        for argument in arguments where argument.isNull { return .null }
        switch function {
        case .concat: return concat(arguments)
        case .string: return .text(text(of: arguments[0]))
        case .length: return arguments[0].text.map { .integer(Int64($0.utf16Count)) } ?? .null
        case .between: return between(arguments, folded: folded)
        case .startsWith, .endsWith, .stringContains:
            guard var text = arguments[0].text, var wanted = arguments[1].text else { return .null }
            if folded { (text, wanted) = (text.lowercased(scratch), wanted.lowercased(scratch)) }
            return .boolean(
                function == .startsWith
                    ? text.hasPrefix(wanted)
                    : function == .endsWith
                        ? text.hasSuffix(wanted)
                        : !wanted.isEmpty && text.firstOffset(of: wanted, from: 0, scratch) != nil)
        case .indexOf, .number, .substring: return .null
        }
    }

    private func concat(_ arguments: UnsafeBufferPointer<ScalarValue>) -> ScalarValue {
        var length = 0
        for argument in arguments { length += argument.textCapacity }
        let joined = scratch.take(length)
        var end = 0
        for argument in arguments {
            let part = text(of: argument)
            UnsafeMutableRawBufferPointer(rebasing: joined[end...]).copyMemory(from: part)
            end += part.count
        }
        return .text(UnsafeRawBufferPointer(rebasing: joined[..<end]))
    }

    private func indexOf(_ arguments: UnsafeBufferPointer<ScalarValue>, folded: Bool) -> ScalarValue {
        guard var text = arguments[0].text, var wanted = arguments[1].text else { return .null }
        if folded { (text, wanted) = (text.lowercased(scratch), wanted.lowercased(scratch)) }
        let start = arguments.count > 2 ? max(0, arguments[2].whole ?? 0) : 0
        guard start > 0 else {
            return text.firstOffset(of: wanted, from: 0, scratch).map { units(text, before: $0) } ?? .null
        }
        guard start <= text.utf16Count else { return .null }
        if wanted.isEmpty { return .integer(Int64(start)) }
        let (offset, isInside) = text.place(ofUnit: start)
        // No text starts with half a code point, so nothing is found where the place splits one.
        return text.firstOffset(of: wanted, from: isInside ? offset + 1 : offset, scratch).map {
            units(text, before: $0)
        } ?? .null
    }

    private func units(_ text: UnsafeRawBufferPointer, before offset: Int) -> ScalarValue {
        .integer(Int64(text.prefix(upTo: offset).utf16Count))
    }

    private func substring(_ arguments: UnsafeBufferPointer<ScalarValue>) -> ScalarValue {
        guard let text = arguments[0].text else { return .null }
        let length = text.utf16Count
        func place(_ index: Int, default: Int) -> Int {
            guard arguments.count > index, let given = arguments[index].whole else { return `default` }
            return max(0, min(length, given < 0 ? length + given : given))
        }
        let (start, end) = (place(1, default: 0), place(2, default: length))
        guard start < end else { return .text(UnsafeRawBufferPointer(start: nil, count: 0)) }
        let (lower, splitsFirst) = text.place(ofUnit: start)
        let (upper, splitsLast) = text.place(ofUnit: end)
        guard splitsFirst || splitsLast else { return .text(UnsafeRawBufferPointer(rebasing: text[lower..<upper])) }
        return .text(mended(text, splitsFirst ? lower + 4 : lower, upper, splitsFirst, splitsLast))
    }

    /// UTF-8 has no halves of code points: a replacement character stands for each, and counts as one unit too.
    private func mended(
        _ text: UnsafeRawBufferPointer, _ lower: Int, _ upper: Int, _ first: Bool, _ last: Bool
    ) -> UnsafeRawBufferPointer {
        let whole = lower < upper ? UnsafeRawBufferPointer(rebasing: text[lower..<upper]) : text.prefix(upTo: 0)
        let copy = scratch.take(whole.count + (first ? 3 : 0) + (last ? 3 : 0))
        var end = 0
        func append(_ bytes: some Sequence<UInt8>) {
            for byte in bytes {
                copy[end] = byte
                end += 1
            }
        }
        if first { append("\u{FFFD}".utf8) }
        append(whole)
        if last { append("\u{FFFD}".utf8) }
        return UnsafeRawBufferPointer(copy)
    }

    /// With `folded` the text is searched in lower case and returned in its own; the places are carried over by
    /// code points, of which a few have lower cases of another number.
    private func between(_ arguments: UnsafeBufferPointer<ScalarValue>, folded: Bool) -> ScalarValue {
        guard let text = arguments[0].text, var left = arguments[1].text, var right = arguments[2].text else {
            return .null
        }
        var isGreedy = false
        if arguments.count > 3, case .boolean(true) = arguments[3] { isGreedy = true }
        var searched = text
        if folded {
            (searched, left, right) = (text.lowercased(scratch), left.lowercased(scratch), right.lowercased(scratch))
        }
        guard let found = searched.firstOffset(of: left, from: 0, scratch) else { return .text(text.prefix(upTo: 0)) }
        let start = found + left.count
        let end =
            isGreedy
            ? searched.lastOffset(of: right, from: start, scratch)
            : searched.firstOffset(of: right, from: start, scratch)
        guard let end else { return .text(text.prefix(upTo: 0)) }
        guard folded else { return .text(UnsafeRawBufferPointer(rebasing: text[start..<end])) }
        let lower = text.offset(ofScalar: searched.prefix(upTo: start).scalarCount)
        let upper = text.offset(ofScalar: searched.prefix(upTo: end).scalarCount)
        return .text(UnsafeRawBufferPointer(rebasing: text[lower..<upper]))
    }

    // MARK: Numbers

    private func number(_ arguments: UnsafeBufferPointer<ScalarValue>) -> ScalarValue {
        guard let text = arguments[0].text else { return .null }
        var digits = text.trimmingBlanks
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.suffix(from: 1) }
        let isHexadecimal = digits.count > 2 && digits[0] == UInt8(ascii: "0") && digits[1] == UInt8(ascii: "x")
        var base = isHexadecimal ? 16 : 10
        if arguments.count > 1, !arguments[1].isNull {
            guard let given = arguments[1].whole, (2...36).contains(given) else { return .null }
            base = given
        }
        if isHexadecimal, base == 16 { digits = digits.suffix(from: 2) }
        if let value = Int64(digits, base: base, isNegative: isNegative) { return .integer(value) }
        guard base == 10, digits.isDecimal, let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite
        else { return .null }
        return .double(isNegative ? -value : value)
    }
}

extension ScalarValue {
    fileprivate var text: UnsafeRawBufferPointer? {
        if case .text(let text) = self { text } else { nil }
    }

    /// A place in text: beyond any length when it does not fit.
    fileprivate var whole: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .double(let value): Int(exactly: value)
        case .null, .boolean, .text: nil
        }
    }

    /// No fewer bytes than the value has as text.
    fileprivate var textCapacity: Int {
        switch self {
        case .text(let text): text.count
        case .null, .boolean: 5
        case .integer: 20
        case .double: 32
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Without the control characters and blanks at both ends, as Java's `trim`.
    fileprivate var trimmingBlanks: UnsafeRawBufferPointer {
        let start = firstIndex { $0 > 0x20 } ?? count
        let end = lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? start
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    /// Digits with perhaps a fraction and an exponent; at least one digit.
    fileprivate var isDecimal: Bool {
        var place = 0
        func skipDigits() -> Bool {
            let start = place
            while place < count, ASCII.isDigit(self[place]) { place += 1 }
            return place > start
        }
        var hasDigits = skipDigits()
        if place < count, self[place] == UInt8(ascii: ".") {
            place += 1
            hasDigits = skipDigits() || hasDigits
        }
        guard hasDigits else { return false }
        if place < count, self[place] | 0x20 == UInt8(ascii: "e") {
            place += 1
            if place < count, self[place] == UInt8(ascii: "-") || self[place] == UInt8(ascii: "+") { place += 1 }
            guard skipDigits() else { return false }
        }
        return place == count
    }
}

extension Int64 {
    /// Nil for anything but digits of the base, and for what does not fit.
    fileprivate init?(_ digits: UnsafeRawBufferPointer, base: Int, isNegative: Bool) {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            let letter = (byte | 0x20) &- 0x61
            let digit = ASCII.isDigit(byte) ? byte &- 0x30 : letter < 26 ? letter + 10 : .max
            guard digit < base else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: Int64(base))
            let (sum, sumOverflow) =
                isNegative
                ? product.subtractingReportingOverflow(Int64(digit)) : product.addingReportingOverflow(Int64(digit))
            guard !overflow, !sumOverflow else { return nil }
            value = sum
        }
        self = value
    }
}
