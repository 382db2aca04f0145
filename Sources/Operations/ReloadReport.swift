/// What came of loading rules, exceptions and lists anew.
public struct ReloadReport: Sendable, Hashable, Encodable {
    /// Otherwise the set before stays.
    public var hasTakenEffect: Bool
    /// How many rules are evaluated now.
    public var rules: Int
    /// Of the set that is evaluated now.
    public var hash: String
    /// Why nothing took effect; each with place and remedy.
    public var errors: [String]
    /// Partitions whose lanes were still busy with their last records when the answer was due; they change over by
    /// themselves.
    public var pending: [Int32]

    public init(hasTakenEffect: Bool, rules: Int, hash: String, errors: [String] = [], pending: [Int32] = []) {
        self.pending = pending
        self.hasTakenEffect = hasTakenEffect
        self.rules = rules
        self.hash = hash
        self.errors = errors
    }
}
