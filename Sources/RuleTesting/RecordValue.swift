import EventSchema

/// A value of a record as a fixture spells it, on its way to JSON.
indirect enum RecordValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// As written: no digit is lost on the way.
    case number(String)
    case string(String)
    case list([RecordValue])
    case object(RecordObject)

    func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .boolean(let value): bytes += (value ? "true" : "false").utf8
        case .number(let text): bytes += text.utf8
        case .string(let text): Self.write(text, to: &bytes)
        case .list(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object): object.write(to: &bytes)
        }
    }

    fileprivate static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20: bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// The members of a JSON object in the order written. Dotted names are paths: `process.name` is the member `name`
/// of the member `process`, so that what a case changes meets what its record holds, however the two are spelled.
struct RecordObject: Hashable, Sendable {
    private(set) var members: [(name: String, value: RecordValue)] = []

    subscript(path: FieldPath) -> RecordValue? {
        var value = RecordValue.object(self)
        for segment in path.segments {
            guard case .object(let object) = value,
                let next = object.members.first(where: { $0.name == String(segment) })?.value
            else { return nil }
            value = next
        }
        return value
    }

    /// Puts `value` at `path`. Objects are merged member by member; anything else is replaced.
    mutating func merge(_ value: RecordValue, at path: FieldPath) {
        merge(value, at: path.segments[...])
    }

    mutating func merge(_ other: RecordObject) {
        for (name, value) in other.members { merge(value, at: FieldPath(name)) }
    }

    mutating func remove(_ path: FieldPath) {
        remove(path.segments[...])
    }

    private mutating func merge(_ value: RecordValue, at path: ArraySlice<Substring>) {
        guard let first = path.first.map(String.init) else { return }
        let rest = path.dropFirst()
        let index = members.firstIndex { $0.name == first }
        var child = RecordObject()
        if let index, case .object(let present) = members[index].value { child = present }
        let merged: RecordValue
        if !rest.isEmpty {
            child.merge(value, at: rest)
            merged = .object(child)
        } else if case .object(let object) = value {
            child.merge(object)
            merged = .object(child)
        } else {
            merged = value
        }
        if let index { members[index].value = merged } else { members.append((first, merged)) }
    }

    private mutating func remove(_ path: ArraySlice<Substring>) {
        guard let first = path.first, let index = members.firstIndex(where: { $0.name == String(first) }) else {
            return
        }
        if path.count == 1 {
            members.remove(at: index)
        } else if case .object(var child) = members[index].value {
            child.remove(path.dropFirst())
            members[index].value = .object(child)
        }
    }

    func write(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            RecordValue.write(member.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            member.value.write(to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    static func == (left: RecordObject, right: RecordObject) -> Bool {
        left.members.elementsEqual(right.members) { $0.name == $1.name && $0.value == $1.value }
    }

    func hash(into hasher: inout Hasher) {
        for member in members {
            hasher.combine(member.name)
            hasher.combine(member.value)
        }
    }
}
