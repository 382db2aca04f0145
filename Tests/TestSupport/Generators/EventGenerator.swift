import EventSchema

/// Random events over a ``FieldPool``: nested and dotted, with arrays, nulls and missing fields.
public struct EventGenerator: Sendable {
    public var pool: FieldPool
    public var random: SeededRandom
    /// Milliseconds between two events are below this; 0 comes up, so equal timestamps do too.
    public var step = 3_000
    private var time: Int64 = 1_700_000_000_000

    public init(seed: UInt64, pool: FieldPool = .standard) {
        self.pool = pool
        random = SeededRandom(seed: seed)
    }

    /// `count` events in order of time, one JSON object each.
    public mutating func events(_ count: Int) -> [String] {
        (0..<count).map { _ in next() }
    }

    public mutating func next() -> String {
        time += random.oneIn(4) ? 0 : Int64(random.below(step))
        var members: [JSONValue.Member] = [.init("@timestamp", .number(String(time)))]
        var fields = pool.fields.compactMap { field in
            random.oneIn(3) ? nil : (field.path, value { random in random.pick(field.values) })
        }
        let categories = pool.categories
        fields.append((.eventCategory, value { random in .string(random.pick(categories)) }))
        if !random.oneIn(5) {
            fields.append(("host.id", value { random in .string(random.pick(["h1", "h2", "h3"])) }))
        }
        for (path, value) in fields {
            insert(value, at: path.segments.map(String.init), into: &members)
        }
        return JSONValue.object(members).text
    }

    /// A value, an array of values, or one of the spellings of nothing.
    private mutating func value(_ one: (inout SeededRandom) -> JSONValue) -> JSONValue {
        switch random.below(12) {
        case 0: .null
        case 1: .array([])
        case 2: .array([one(&random), .null, .array([one(&random)])])
        case 3, 4: .array([one(&random), one(&random)])
        default: one(&random)
        }
    }

    /// Sets the value at a path, now as nested objects, now as dotted keys. What is there already stays:
    /// an object may hold both `a` and `a.b`, as records on the wire do.
    private mutating func insert(_ value: JSONValue, at path: [String], into members: inout [JSONValue.Member]) {
        let depth = path.count == 1 || random.oneIn(4) ? path.count : 1
        let key = path[..<depth].joined(separator: ".")
        if depth == path.count {
            members.append(.init(key, value))
        } else if let place = members.firstIndex(where: { $0.key == key }),
            case .object(var inner) = members[place].value
        {
            insert(value, at: Array(path[depth...]), into: &inner)
            members[place].value = .object(inner)
        } else {
            var inner: [JSONValue.Member] = []
            insert(value, at: Array(path[depth...]), into: &inner)
            members.append(.init(key, .object(inner)))
        }
    }
}
