/// What a setting takes: how its value is read, written back, and described to a person.
struct ValueType<Value: Sendable>: Sendable {
    /// For the reference: `duration, 0s to 1h`.
    let description: String
    /// The value, or nil after reporting every problem.
    let read: @Sendable (RawValue, inout Reading) -> Value?
    let write: @Sendable (Value) -> WrittenValue
    /// What a later source's value makes of an earlier one's.
    var combine: @Sendable (_ earlier: Value, _ later: Value) -> Value = { _, later in later }
    /// Whether single entries can be set, by `--set path.entry=` and by environment variables.
    var isMap = false
}

/// What reading values needs beside the values, and what it finds.
struct Reading {
    var problems = Problems()
    let environment: [String: String]
    let readFile: (String) throws -> String
    /// The variables that `env:` references named.
    var referencedVariables: Set<String> = []
}

/// Why a text is no value of its type, and what to write instead.
struct Refusal: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

extension ValueType {
    /// A type whose values are one piece of text each.
    static func scalar(
        _ description: String, parse: @escaping @Sendable (String) throws(Refusal) -> Value,
        write: @escaping @Sendable (Value) -> String
    ) -> ValueType {
        scalar(description, parse: parse, writeValue: { .scalar(write($0)) })
    }

    /// The same for values that JSON has a type for.
    static func scalar(
        _ description: String, parse: @escaping @Sendable (String) throws(Refusal) -> Value,
        writeValue: @escaping @Sendable (Value) -> WrittenValue
    ) -> ValueType {
        ValueType(
            description: description,
            read: { raw, reading in
                guard case .text(let text) = raw.content else {
                    reading.problems.report("\(raw.kind) where one value belongs: \(description)", at: raw.place)
                    return nil
                }
                do throws(Refusal) {
                    return try parse(text)
                } catch {
                    reading.problems.report(error.message, at: raw.place)
                    return nil
                }
            },
            write: writeValue)
    }
}

extension ValueType where Value == Bool {
    static let boolean = scalar(
        "true or false",
        parse: { (text) throws(Refusal) in
            switch text {
            case "true": true
            case "false": false
            default: throw Refusal("\"\(text)\" is neither true nor false")
            }
        }, writeValue: { .boolean($0) })
}

extension ValueType where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ValueType {
        let description = "number, \(range.lowerBound) to \(range.upperBound)"
        return scalar(
            description,
            parse: { (text) throws(Refusal) in
                guard let number = Int(text), range.contains(number) else {
                    throw Refusal("\"\(text)\" is not a whole number from \(range.lowerBound) to \(range.upperBound)")
                }
                return number
            }, writeValue: { .number($0) })
    }
}

extension ValueType where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ValueType {
        let bounds = "\(range.lowerBound.settingText) to \(range.upperBound.settingText)"
        return scalar(
            "duration, \(bounds)",
            parse: { (text) throws(Refusal) in
                guard let amount = Duration.units.amount(of: text) else {
                    throw Refusal(
                        "\"\(text)\" is not a duration; write a whole number and ms, s, m, h or d, like 500ms")
                }
                let duration = Duration.milliseconds(amount)
                guard range.contains(duration) else { throw Refusal("\(text) is out of range; \(bounds) is possible") }
                return duration
            }, write: \.settingText)
    }
}

extension ValueType where Value == ByteCount {
    static func byteCount(_ range: ClosedRange<ByteCount>) -> ValueType {
        let bounds = "\(range.lowerBound) to \(range.upperBound)"
        return scalar(
            "size, \(bounds)",
            parse: { (text) throws(Refusal) in
                guard let bytes = ByteCount.units.amount(of: text) else {
                    throw Refusal("\"\(text)\" is not a size; write a whole number and B, KiB, MiB or GiB, like 512KiB")
                }
                let size = ByteCount(bytes: bytes)
                guard range.contains(size) else { throw Refusal("\(text) is out of range; \(bounds) is possible") }
                return size
            }, write: \.description)
    }
}

extension ValueType where Value: RawRepresentable<String> & CaseIterable {
    /// One of the raw values. `refused` are names a user may know that are no choice here, with what to say then.
    static func choice(refused: [String: String] = [:]) -> ValueType {
        let names = Value.allCases.map(\.rawValue)
        let description = names.count == 1 ? names[0] : "one of \(names.joined(separator: ", "))"
        return scalar(
            description,
            parse: { (text) throws(Refusal) in
                if let value = Value(rawValue: text) { return value }
                throw Refusal(refused[text] ?? "\"\(text)\" is not possible here; choose \(description)")
            }, write: \.rawValue)
    }
}

extension ValueType where Value == String {
    /// Text of which `check` says what is wrong, if anything; never empty.
    static func text(
        _ description: String, check: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> ValueType {
        scalar(
            description,
            parse: { (text) throws(Refusal) in
                guard !text.isEmpty else { throw Refusal("is empty; give a \(description)") }
                if let message = check(text) { throw Refusal(message) }
                return text
            }, write: { $0 })
    }
}

extension ValueType where Value == String? {
    /// Text that may be missing: empty, or nothing at all, is nil.
    static func optionalText(_ description: String) -> ValueType {
        ValueType(
            description: "\(description), or empty for none",
            read: { raw, reading in
                switch raw.content {
                case .null: return .some(nil)
                case .text(let text): return .some(text.isEmpty ? nil : text)
                case .list, .map:
                    reading.problems.report("\(raw.kind) where one value belongs: \(description)", at: raw.place)
                    return nil
                }
            }, write: { .scalar($0 ?? "") })
    }
}

extension ValueType {
    /// At least one different values of one type: a YAML list, or one text with commas.
    static func list<Element: Hashable>(
        of element: ValueType<Element>, _ description: String, mayBeEmpty: Bool = false
    ) -> ValueType
    where Value == [Element] {
        ValueType(
            description: description,
            read: { raw, reading in
                let items: [RawValue]
                switch raw.content {
                case .list(let list): items = list
                case .text(let text): items = RawValue.commaSeparated(text, at: raw.place)
                case .null: items = []
                case .map: items = [raw]
                }
                guard mayBeEmpty || !items.isEmpty else {
                    reading.problems.report("is empty; give \(description)", at: raw.place)
                    return nil
                }
                var seen: Set<Element> = []
                var values: [Element] = []
                for item in items {
                    guard let value = element.read(item, &reading) else { continue }
                    if seen.insert(value).inserted {
                        values.append(value)
                    } else {
                        let text = element.write(value).flow
                        reading.problems.report("\(text) is listed more than once; keep one", at: item.place)
                    }
                }
                return values.count == items.count ? values : nil
            },
            write: { .list($0.map { element.write($0) }) })
    }
}

extension RawValue {
    static func commaSeparated(_ text: String, at place: Place) -> [RawValue] {
        guard text.contains(where: { !$0.isWhitespace }) else { return [] }
        return text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let trimmed = part.drop { $0.isWhitespace }
            let end = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
            return RawValue(content: .text(String(trimmed[..<end])), place: place)
        }
    }
}
