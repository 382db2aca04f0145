import EQL
import EventSchema
import Events
import Matching
import Testing

/// One compiled condition, and what it says of records.
struct CompiledCondition {
    let matcher: Matcher
    let decoder: EventDecoder

    init(_ condition: String, options: CheckOptions = CheckOptions()) throws {
        let result = understand("any where " + condition, options: options)
        let query = try #require(result.query, "\(condition): \(result.diagnostics.map(\.message))")
        var layout = FieldLayout()
        matcher = Matcher(try MatchProgram(conditions: query.conditions, layout: &layout))
        decoder = EventDecoder(layout: layout)
    }

    func matches(_ record: String) throws -> Bool {
        try decode(record)
        return !matcher.match(decoder.event).isEmpty
    }

    func explain(_ record: String) throws -> [MatchedTest] {
        try decode(record)
        return matcher.explain(0, for: decoder.event)
    }

    private func decode(_ record: String) throws {
        let failure = Array(record.utf8).withUnsafeBytes { decoder.decode($0) }
        try #require(failure == nil, "\(record)")
    }
}

/// Whether an expression without fields is true.
func isTrue(_ expression: String) throws -> Bool { try CompiledCondition(expression).matches("{}") }
