import EventSchema

/// One event as the naive engine sees it: every leaf of the JSON object under its dotted path.
struct NaiveEvent {
    /// Its place among the events given.
    let index: Int
    let timestamp: EventTime
    let tiebreaker: NaiveValue?
    private let leaves: [String: [JSONValue]]
    private let schema: Schema

    /// Nil when `line` is not a JSON object. Without a timestamp the event gets `fallback`.
    init?(_ line: String, index: Int, schema: Schema, tiebreaker: FieldPath?, fallback: EventTime) {
        guard let json = JSONValue(parsing: line), case .object = json else { return nil }
        var leaves: [String: [JSONValue]] = [:]
        Self.flatten(json, path: "", into: &leaves)
        self.index = index
        self.leaves = leaves
        self.schema = schema
        let time = (leaves[FieldPath.timestamp.dotted] ?? []).lazy.compactMap { NaiveValue($0, in: .date) }.first
        if case .date(let time) = time { timestamp = time } else { timestamp = fallback }
        self.tiebreaker = tiebreaker.flatMap { path in
            (leaves[path.dotted] ?? []).lazy.compactMap { NaiveValue($0, in: schema.type(of: path)) }.first
        }
    }

    private static func flatten(_ json: JSONValue, path: String, into leaves: inout [String: [JSONValue]]) {
        switch json {
        case .object(let members):
            for member in members {
                flatten(member.value, path: path.isEmpty ? member.key : path + "." + member.key, into: &leaves)
            }
        case .array(let values):
            for value in values { flatten(value, path: path, into: &leaves) }
        case .null:
            break
        case .boolean, .number, .string:
            leaves[path, default: []].append(json)
        }
    }

    /// The values of a field; none when it is missing.
    func values(_ path: FieldPath) -> [NaiveValue] {
        if path == .hostKey { return hostKey }
        let type = schema.type(of: path)
        return (leaves[path.dotted] ?? []).compactMap { NaiveValue($0, in: type) }
    }

    private var hostKey: [NaiveValue] {
        for path in ["host.id", "agent.id", "winlog.computer_name", "host.name"] {
            let named = (leaves[path] ?? []).compactMap { NaiveValue($0, in: .keyword) }
            if let first = named.first(where: { $0 != .text([]) }) { return [first] }
        }
        return []
    }
}
