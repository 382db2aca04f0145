public import EQL
public import EventSchema

/// The few fields and values that generated queries and events draw from, so that they meet often.
public struct FieldPool: Sendable {
    public struct Field: Sendable {
        public let path: FieldPath
        public let type: FieldType
        /// What queries compare it with. All of them make sense for the type.
        public let literals: [Literal]
        /// What events hold in it, mix-ups of type included.
        public let values: [JSONValue]
    }

    public let fields: [Field]
    public let categories: [String]
    /// Fields whose values may join events.
    public let keys: [FieldPath]

    public var textFields: [Field] {
        fields.filter { field in
            field.literals.allSatisfy { if case .string = $0 { true } else { false } } && field.type != .ip
                && field.type != .date && field.type != .version
        }
    }

    public static let standard = FieldPool(
        fields: [
            Field(
                path: "process.name", type: .keyword,
                literals: ["cmd.exe", "CMD.exe", "pwsh.exe", "a*"].map(Literal.string),
                values: ["cmd.exe", "CMD.exe", "Cmd.EXE", "pwsh.exe", "a*", "ab", ""].map(JSONValue.string)),
            Field(
                path: "process.args", type: .keyword,
                literals: ["-c", "/c", "whoami", "C:\\a"].map(Literal.string),
                values: ["-c", "-C", "/c", "whoami", "C:\\a", "c:\\A\\b", "é", "É"].map(JSONValue.string)),
            Field(
                path: "user.name", type: .keyword, literals: ["ada", "7", "true"].map(Literal.string),
                values: [.string("ada"), .string("Ada"), .number("7"), .boolean(true), .string("7")]),
            Field(
                path: "destination.port", type: .long, literals: [22, 80, 443].map(Literal.integer),
                values: [.number("22"), .number("80"), .number("443"), .string("443"), .number("80.9")]),
            Field(
                path: "process.pid", type: .long, literals: [1, 2, 3].map(Literal.integer),
                values: [.number("1"), .number("2"), .string("3"), .number("4")]),
            Field(
                path: "event.risk_score", type: .float, literals: [.double(0.5), .integer(1), .double(-2.25)],
                values: [.number("0.5"), .number("1"), .string("1.0"), .number("-2.25"), .number("1e1")]),
            Field(
                path: "process.code_signature.valid", type: .boolean, literals: [true, false].map(Literal.boolean),
                values: [.boolean(true), .boolean(false), .string("true")]),
            Field(
                path: "source.ip", type: .ip,
                literals: ["10.0.0.1", "10.0.0.2", "2001:db8::1"].map(Literal.string),
                values: ["10.0.0.1", "10.0.0.2", "2001:db8:0::1", "::ffff:10.0.0.1"].map(JSONValue.string)),
            Field(
                path: "event.created", type: .date,
                literals: [.string("2024-01-01T00:00:00Z"), .string("2024-01-01T00:00:00.000000001Z")],
                values: [
                    .string("2024-01-01T00:00:00Z"), .string("2024-01-01T01:00:00+01:00"),
                    .number("1704067200000"), .string("2024-01-01T00:00:00.000000001Z"),
                ]),
            Field(
                path: "custom.word", type: .dynamic, literals: ["x", "y", "1"].map(Literal.string),
                values: [.string("x"), .string("X"), .string("y"), .string("1")]),
            Field(
                path: "custom.count", type: .dynamic, literals: [.integer(1), .integer(2), .double(1.5)],
                values: [.number("1"), .number("2"), .number("1.5"), .number("2.0")]),
        ],
        categories: ["process", "network", "file"],
        keys: ["host.id", "user.name", "process.pid"])
}
