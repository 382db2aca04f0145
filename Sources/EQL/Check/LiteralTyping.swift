// How a literal reads against a field type; coercions follow Elasticsearch's field mappers.

import EventSchema

extension FieldTest.ValueSet {
    /// Adds every form in which a value of `type` equals `literal`; false when no value can.
    mutating func insert(_ literal: Literal, as type: FieldType) -> Bool {
        switch type {
        case .keyword, .wildcard, .constantKeyword, .text, .flattened, .version:
            guard literal != .null else { return false }
            strings.insert(ExactString(literal.text))
            return true
        case .long:
            // Values lose their fraction when they are read, so a literal with one equals none of them.
            guard let number = literal.asNumber, number.isWhole else { return false }
            return insert(number: number)
        case .float:
            guard let number = literal.asNumber else { return false }
            return insert(number: number)
        case .boolean:
            guard let value = literal.asBoolean else { return false }
            booleans.insert(value)
            return true
        case .date:
            guard let time = literal.asTime else { return false }
            dates.insert(time)
            return true
        case .ip:
            guard case .string(let text) = literal, let block = IPBlock(parsing: text) else { return false }
            addresses.insert(block)
            return true
        case .dynamic:
            guard literal != .null else { return false }
            strings.insert(ExactString(literal.text))
            if case .boolean(let value) = literal.asToken { booleans.insert(value) }
            _ = insert(number: literal.asToken)
            return true
        }
    }

    private mutating func insert(number: Literal) -> Bool {
        switch number {
        case .integer(let value):
            integers.insert(value)
            if let exact = Double(exactly: value) { doubles.insert(exact) }
        case .double(let value):
            doubles.insert(value)
            if let exact = Int64(exactly: value) { integers.insert(exact) }
        case .null, .boolean, .string: return false
        }
        return true
    }
}

extension FieldTest.Bound {
    /// Nil when values of `type` have no order against `literal`.
    init?(_ literal: Literal, as type: FieldType) {
        switch (type, literal) {
        case (_, .null), (.boolean, _), (.version, _), (.dynamic, .boolean): return nil
        case (.dynamic, .string(let text)): self = .string(ExactString(text))
        case (.long, _), (.float, _), (.dynamic, _):
            switch literal.asNumber {
            case .integer(let value): self = .integer(value)
            case .double(let value): self = .double(value)
            default: return nil
            }
        case (.date, _):
            guard let time = literal.asTime else { return nil }
            self = .date(time)
        case (.ip, _):
            guard let address = IPAddress(parsing: literal.text) else { return nil }
            self = .address(address)
        default: self = .string(ExactString(literal.text))
        }
    }
}

extension Literal {
    /// A number, also out of its text; nil for everything else.
    fileprivate var asNumber: Literal? {
        switch self {
        case .integer, .double: return self
        case .null, .boolean: return nil
        case .string(let text):
            if let integer = Int64(text) { return .integer(integer) }
            // `Double` also reads "nan", "inf" and hexadecimal, which are no numbers in JSON.
            let isDecimal = text.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "e"),
                    UInt8(ascii: "E"):
                    true
                default: false
                }
            }
            return isDecimal ? Double(text).flatMap { $0.isFinite ? .double($0) : nil } : nil
        }
    }

    fileprivate var asBoolean: Bool? {
        switch self {
        case .boolean(let value): value
        case .string("true"): true
        case .string("false"): false
        case .null, .integer, .double, .string: nil
        }
    }

    fileprivate var asTime: EventTime? {
        switch self {
        case .integer(let value): EventTime(milliseconds: value)
        case .double(let value): EventTime(milliseconds: value)
        case .string(var text):
            EventTime(parsing: text)
                ?? text.withUTF8 { EventTime(parsingMilliseconds: UnsafeRawBufferPointer($0)) }
        case .null, .boolean: nil
        }
    }

    /// The JSON token a string spells exactly, so that "443" equals 443 but "0443" does not.
    fileprivate var asToken: Literal {
        guard case .string(let text) = self else { return self }
        if let value = asBoolean { return .boolean(value) }
        guard let number = asNumber, number.text == text else { return self }
        return number
    }

    fileprivate var isWhole: Bool {
        if case .double(let value) = self { Int64(exactly: value) != nil } else { true }
    }
}

extension FieldType {
    /// Whether string patterns apply; `dynamic` values are text, or become it.
    var takesPatterns: Bool { isText || self == .dynamic }

    /// The kinds of join keys that can be equal; nil joins with every kind.
    var joinKind: String? {
        switch self {
        case .keyword, .wildcard, .constantKeyword, .text, .flattened, .version: "text"
        case .ip: "ip"
        case .long, .float: "number"
        case .boolean: "boolean"
        case .date: "date"
        case .dynamic: nil
        }
    }

    /// As messages name it.
    var name: String {
        switch self {
        case .constantKeyword: "constant_keyword"
        case .keyword, .wildcard, .text, .flattened, .version, .ip, .long, .float, .boolean, .date, .dynamic: "\(self)"
        }
    }
}
