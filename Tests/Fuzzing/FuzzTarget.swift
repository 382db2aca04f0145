import TestSupport

/// Something that takes bytes from strangers.
public enum FuzzTarget: String, Sendable, CaseIterable {
    /// The text of a query: parse, check, lint, compile, evaluate.
    case query
    /// The value of a record: decode, match, correlate, explain.
    case event
    /// The records of the state topic: restore, write, restore again, go on.
    case state

    /// Reads one input after another.
    public func makeSubject() throws -> any FuzzSubject {
        switch self {
        case .query: QuerySubject()
        case .event: try EventSubject()
        case .state: try StateSubject()
        }
    }

    public func mutator(seed: UInt64) throws -> Mutator {
        func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }
        return switch self {
        case .query: Mutator(seeds: bytes(QuerySubject.seeds), words: bytes(QuerySubject.words), seed: seed)
        case .event: Mutator(seeds: bytes(EventSubject.seeds), words: bytes(EventSubject.words), seed: seed)
        case .state: Mutator(seeds: try StateSubject.seeds(), words: StateSubject.words, seed: seed)
        }
    }
}

public protocol FuzzSubject: AnyObject {
    /// Takes one input; a crash is the other way to fail.
    ///
    /// - Returns: which promise was broken; nil when all were kept.
    func run(_ input: [UInt8]) -> String?
}
