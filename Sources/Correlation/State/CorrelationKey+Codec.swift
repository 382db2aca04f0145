import EventSchema

extension CorrelationKey {
    public func write(to writer: inout StateWriter) {
        writer.append(count: values.count)
        for value in values { value.write(to: &writer) }
    }

    public init(_ reader: inout StateReader) throws(StateCorruption) {
        values = []
        for _ in 0..<(try reader.count()) { values.append(try JoinValue(&reader)) }
    }
}

extension JoinValue {
    private enum Tag: UInt8 {
        case missing, string, integer, double, boolean, address, date
    }

    fileprivate func write(to writer: inout StateWriter) {
        switch self {
        case .missing:
            writer.append(Tag.missing.rawValue)
        case .string(let value):
            writer.append(Tag.string.rawValue)
            writer.append(value.string)
        case .integer(let value):
            writer.append(Tag.integer.rawValue)
            writer.append(signed: value)
        case .double(let value):
            writer.append(Tag.double.rawValue)
            writer.append(fixed: value.bitPattern)
        case .boolean(let value):
            writer.append(Tag.boolean.rawValue)
            writer.append(value)
        case .address(let value):
            writer.append(Tag.address.rawValue)
            writer.append(fixed: value.high)
            writer.append(fixed: value.low)
        case .date(let value):
            writer.append(Tag.date.rawValue)
            writer.append(value)
        }
    }

    fileprivate init(_ reader: inout StateReader) throws(StateCorruption) {
        let tag = try reader.byte()
        switch Tag(rawValue: tag) {
        case .missing: self = .missing
        case .string: self = .string(ExactString(try reader.text()))
        case .integer: self = .integer(try reader.signed())
        case .double: self = .double(Double(bitPattern: try reader.fixed()))
        case .boolean: self = .boolean(try reader.flag())
        case .address: self = .address(IPAddress(high: try reader.fixed(), low: try reader.fixed()))
        case .date: self = .date(try reader.time())
        case nil: throw StateCorruption("\(tag) is no kind of value")
        }
    }
}
