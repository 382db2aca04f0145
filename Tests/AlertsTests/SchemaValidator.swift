import Foundation

/// Validates against the part of JSON Schema 2020-12 that the alert schemas use; a keyword it does not know is
/// a complaint too, so that a schema cannot promise what nobody checks.
struct SchemaValidator {
    private let root: [String: Any]

    init(contentsOf url: URL) throws {
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        guard let root = json as? [String: Any] else { throw CocoaError(.fileReadCorruptFile) }
        self.root = root
    }

    /// Complaints, each with the path of the value; empty when `data` is valid.
    func complaints(about data: Data) throws -> [String] {
        validate(try JSONSerialization.jsonObject(with: data), root, at: "$")
    }

    private static let annotations: Set<String> = ["$schema", "$id", "$defs", "title", "description"]

    private func validate(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
        schema.keys.sorted().flatMap { keyword in
            Self.annotations.contains(keyword)
                ? [] : check(keyword, schema[keyword] ?? NSNull(), of: schema, value, at: path)
        }
    }

    private func check(
        _ keyword: String, _ rule: Any, of schema: [String: Any], _ value: Any, at path: String
    ) -> [String] {
        func require(_ holds: Bool?) -> [String] { holds == true ? [] : ["\(path): \(keyword) \(rule)"] }
        switch keyword {
        case "$ref":
            let name = (rule as? String)?.split(separator: "/").last.map(String.init) ?? ""
            guard let target = (root["$defs"] as? [String: [String: Any]])?[name] else { return require(false) }
            return validate(value, target, at: path)
        case "type":
            let types = rule as? [String] ?? [rule as? String ?? ""]
            return require(types.contains { Self.hasType(value, $0) })
        case "const": return require((value as? NSObject)?.isEqual(rule))
        case "enum": return require((rule as? [NSObject])?.contains { $0.isEqual(value) })
        case "pattern":
            guard let text = value as? String, let pattern = rule as? String else { return [] }
            return require(text.range(of: pattern, options: .regularExpression) != nil)
        case "minLength": return require((value as? String).map { $0.count >= Self.number(rule) } ?? true)
        case "minimum": return require((value as? NSNumber).map { $0.intValue >= Self.number(rule) } ?? true)
        case "maximum": return require((value as? NSNumber).map { $0.doubleValue <= Double(Self.number(rule)) } ?? true)
        case "minItems": return require((value as? [Any]).map { $0.count >= Self.number(rule) } ?? true)
        case "maxItems": return require((value as? [Any]).map { $0.count <= Self.number(rule) } ?? true)
        case "items":
            guard let items = value as? [Any], let rule = rule as? [String: Any] else { return [] }
            return items.enumerated().flatMap { validate($1, rule, at: "\(path)[\($0)]") }
        case "required":
            guard let object = value as? [String: Any], let names = rule as? [String] else { return [] }
            return names.filter { object[$0] == nil }.map { "\(path): \($0) is missing" }
        case "oneOf":
            let passing = (rule as? [[String: Any]] ?? []).filter { validate(value, $0, at: path).isEmpty }
            return require(passing.count == 1)
        case "properties", "patternProperties": return checkMembers(schema, value, keyword: keyword, at: path)
        case "additionalProperties":
            guard let object = value as? [String: Any] else { return [] }
            return object.keys.filter { Self.rules(for: $0, in: schema).isEmpty }.map { "\(path): \($0) is not defined" }
        default: return ["\(path): the keyword \(keyword) is not known"]
        }
    }

    private func checkMembers(
        _ schema: [String: Any], _ value: Any, keyword: String, at path: String
    ) -> [String] {
        guard let object = value as? [String: Any] else { return [] }
        return object.flatMap { name, member in
            Self.rules(for: name, in: [keyword: schema[keyword] ?? [:]]).flatMap {
                validate(member, $0, at: "\(path).\(name)")
            }
        }
    }

    private static func rules(for name: String, in schema: [String: Any]) -> [[String: Any]] {
        let named = (schema["properties"] as? [String: [String: Any]])?[name].map { [$0] } ?? []
        let patterns = schema["patternProperties"] as? [String: [String: Any]] ?? [:]
        return named + patterns.filter { name.range(of: $0.key, options: .regularExpression) != nil }.map(\.value)
    }

    private static func number(_ rule: Any) -> Int { (rule as? NSNumber)?.intValue ?? .max }

    private static func hasType(_ value: Any, _ type: String) -> Bool {
        let isBoolean = (value as? NSNumber).map { Self.isBoolean($0) } ?? false
        return switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": isBoolean
        case "null": value is NSNull
        case "number": value is NSNumber && !isBoolean
        case "integer": !isBoolean && (value as? NSNumber).map { Double($0.int64Value) == $0.doubleValue } ?? false
        default: false
        }
    }

    private static func isBoolean(_ number: NSNumber) -> Bool {
        number === NSNumber(value: true) || number === NSNumber(value: false) || String(cString: number.objCType) == "c"
    }
}
