import EQL
import EventSchema
import Events
import Matching
import Testing

/// Conditions compiled together, and events as JSON to try them on.
struct Bench {
    let conditions: [Condition]
    let decoder: EventDecoder
    let matcher: Matcher

    init(_ conditions: [Condition], sampling: GateSampling = GateSampling()) throws {
        var layout = FieldLayout()
        let program = try MatchProgram(conditions: conditions, layout: &layout)
        self.conditions = conditions
        decoder = EventDecoder(layout: layout)
        matcher = Matcher(program, sampling: sampling)
    }

    /// - Parameter texts: what stands after `any where`.
    init(
        _ texts: [String], regexMode: RegexMode = .elastic, sampling: GateSampling = GateSampling()
    ) throws {
        try self.init(texts.map { try condition($0, regexMode: regexMode) }, sampling: sampling)
    }

    init(_ text: String, regexMode: RegexMode = .elastic) throws {
        try self.init([text], regexMode: regexMode)
    }

    /// The ids of the conditions that hold.
    func matches(_ json: String) throws -> [Int] {
        try decode(json)
        return matcher.match(decoder.event).map { Int($0) }.sorted()
    }

    /// The same without gates.
    func holding(_ json: String) throws -> [Int] {
        try decode(json)
        return conditions.indices.filter { matcher.holds($0, for: decoder.event) }
    }

    func explain(_ json: String, _ id: Int = 0) throws -> [MatchedTest] {
        try decode(json)
        return matcher.explain(id, for: decoder.event)
    }

    private func decode(_ json: String) throws {
        let failure = Array(json.utf8).withUnsafeBytes { decoder.decode($0) }
        try #require(failure == nil, "\(json)")
    }
}

func condition(_ text: String, regexMode: RegexMode = .elastic, schema: Schema = .ecs) throws -> Condition {
    let source = SourceText("any where " + text)
    let parsed = parse(source)
    let query = try #require(parsed.query, "\(text): \(parsed.diagnostics.map(\.message))")
    let checked = check(query, source: source, options: CheckOptions(schema: schema, regexMode: regexMode))
    return try #require(checked.query, "\(text): \(checked.diagnostics.map(\.message))").conditions[0]
}
