import TestSupport

/// Something that takes bytes from strangers.
public enum FuzzTarget: String, Sendable, CaseIterable {
    /// The text of a query: parse, check, lint, compile, evaluate.
    case query
    /// The value of a record: decode, match, correlate, explain.
    case event

    /// Reads one input after another.
    public func makeSubject() throws -> any FuzzSubject {
        switch self {
        case .query: QuerySubject()
        case .event: try EventSubject()
        }
    }

    public func mutator(seed: UInt64) -> Mutator {
        Mutator(seeds: seeds.map { Array($0.utf8) }, words: words.map { Array($0.utf8) }, seed: seed)
    }

    private var seeds: [String] {
        switch self {
        case .query: QuerySubject.seeds
        case .event: EventSubject.seeds
        }
    }

    private var words: [String] {
        switch self {
        case .query: QuerySubject.words
        case .event: EventSubject.words
        }
    }
}

public protocol FuzzSubject: AnyObject {
    /// Takes one input; a crash is the other way to fail.
    ///
    /// - Returns: which promise was broken; nil when all were kept.
    func run(_ input: [UInt8]) -> String?
}
