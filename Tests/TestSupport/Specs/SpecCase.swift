/// One case of the conformance suite: a query, events, and what must come of them.
public struct SpecCase: Sendable, CustomStringConvertible {
    public enum Expectation: Sendable {
        /// These events match, in this order; places count from 0.
        case events([Int])
        /// These groups complete, in this order.
        case groups([Group])
        /// The query is refused, and the diagnostic holds this text.
        case refused(String)
    }

    /// A sequence or sample. Without keys in the spec, any keys will do.
    public struct Group: Hashable, Sendable {
        public var events: [Int?]
        public var keys: [String?]?
    }

    public let file: String
    /// The line of the heading, from 1.
    public let line: Int
    public let name: String
    public let query: String
    /// One JSON object each.
    public let events: [String]
    public let expectation: Expectation

    public var description: String { "\(file):\(line) \(name)" }

    /// Nil when `matches` is what the case expects, otherwise what is wrong in one line.
    public func failure(given matches: [NaiveEngine.Match]) -> String? {
        let isMet: Bool
        let expected: String
        switch expectation {
        case .events(let places):
            isMet = matches == places.map { .event($0) }
            expected = places.map(String.init).joined(separator: "; ")
        case .groups(let groups):
            isMet =
                groups.count == matches.count
                && zip(groups, matches).allSatisfy { group, match in
                    guard case .group(let keys, let events) = match else { return false }
                    return events == group.events && (group.keys ?? keys) == keys
                }
            expected = groups.map {
                NaiveEngine.Match.group(keys: $0.keys ?? [], events: $0.events).description
            }.joined(separator: "; ")
        case .refused(let text):
            return "\(self): the query must be refused: \(text)"
        }
        guard !isMet else { return nil }
        let given = matches.map(\.description).joined(separator: "; ")
        return "\(self): expected [\(expected)], got [\(given)]; events count from 0"
    }
}
