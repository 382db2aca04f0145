import Events
import EventSchema
import Foundation
import Testing

/// Random records, read by Apus and flattened by a naive reader over Foundation's parser.
@Suite struct DifferentialTests {
    static let fields: [FieldPath] = ["a", "a.b", "a.b.c", "b", "b.a", "c.c.c", "c.a\u{e9}", "process.pid", "process.name"]

    @Test(arguments: 0..<40)
    func randomRecordsFlattenAsTheNaiveReaderSays(seed: UInt64) throws {
        var generator = Generator(random: SplitMix(state: seed &* 7919 &+ 1))
        let reader = Reader(Self.fields)
        var compared = 0
        for _ in 0..<250 {
            let json = generator.object(depth: 4)
            #expect(reader.decode(json) == nil, "\(json)")
            let parsed = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
            for field in Self.fields {
                var expected: [Plain] = []
                flatten(parsed, at: "", field: field.dotted, type: Schema.ecs.type(of: field), into: &expected)
                compared += expected.count
                // Foundation keeps no order of members; the values are compared as a multiset.
                let found = Dictionary(grouping: reader.values(field), by: \.self).mapValues(\.count)
                #expect(found == Dictionary(grouping: expected, by: \.self).mapValues(\.count), "\(field) of \(json)")
            }
        }
        #expect(compared > 100)
    }

    private func flatten(_ value: Any, at path: String, field: String, type: FieldType, into values: inout [Plain]) {
        if let object = value as? [String: Any] {
            for (key, member) in object {
                flatten(member, at: path.isEmpty ? key : "\(path).\(key)", field: field, type: type, into: &values)
            }
        } else if let array = value as? [Any] {
            for element in array { flatten(element, at: path, field: field, type: type, into: &values) }
        } else if path == field, let plain = plain(value, type: type) {
            values.append(plain)
        }
    }

    /// Only the forms the generator writes.
    private func plain(_ value: Any, type: FieldType) -> Plain? {
        if let text = value as? String {
            return type == .long ? Int64(text).map { .integer($0) } : .string(text)
        }
        guard let number = value as? NSNumber else { return nil }
        let isBoolean = String(cString: number.objCType) == "c"
        switch type {
        case .long: return isBoolean ? nil : .integer(number.int64Value)
        case .dynamic where isBoolean: return .boolean(number.boolValue)
        case .dynamic: return .integer(number.int64Value)
        default: return .string(isBoolean ? String(number.boolValue) : String(number.int64Value))
        }
    }
}

/// Writes random objects: dotted and escaped keys, nested arrays, blanks; no key twice in one object, since
/// Foundation would keep only one of them.
private struct Generator {
    var random: SplitMix

    mutating func object(depth: Int) -> String {
        var keys: Set<String> = []
        var members: [String] = []
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let segments = ["a", "b", "c", "d", "a\u{e9}", "process", "pid", "name"]
            let key = (0..<Int.random(in: 1...3, using: &random))
                .map { _ in segments.randomElement(using: &random) ?? "" }.joined(separator: ".")
            guard keys.insert(key).inserted else { continue }
            members.append(string(key) + blank() + ":" + blank() + value(depth: depth - 1))
        }
        return "{" + blank() + members.joined(separator: blank() + "," + blank()) + blank() + "}"
    }

    private mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 10 : 5), using: &random) {
        case 0: return ["null", "true", "false"].randomElement(using: &random) ?? ""
        case 1: return String(Int32.random(in: Int32.min...Int32.max, using: &random))
        case 2: return string(String(Int.random(in: 0...9999, using: &random)))
        case 3, 4: return string(["", "x", "é€😀", "C:\\dir\\", "\"", "line\nline", "\u{1}"].randomElement(using: &random) ?? "")
        case 5, 6, 7: return object(depth: depth)
        default:
            let count = Int.random(in: 0...3, using: &random)
            return "[" + (0..<count).map { _ in value(depth: depth - 1) }.joined(separator: "," + blank()) + "]"
        }
    }

    /// Each character as itself, where JSON allows it, or as an escape.
    private mutating func string(_ text: String) -> String {
        var json = "\""
        for unit in text.unicodeScalars {
            let mustEscape = unit == "\"" || unit == "\\" || unit.value < 0x20
            if mustEscape || Int.random(in: 0..<8, using: &random) == 0 {
                for half in String(unit).utf16 { json += String(format: "\\u%04x", Int(half)) }
            } else {
                json.unicodeScalars.append(unit)
            }
        }
        return json + "\""
    }

    private mutating func blank() -> String {
        ["", "", "", " ", "\n\t ", "\r"].randomElement(using: &random) ?? ""
    }
}
