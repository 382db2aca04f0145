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

    public init(hasTakenEffect: Bool, rules: Int, hash: String, errors: [String] = []) {
        self.hasTakenEffect = hasTakenEffect
        self.rules = rules
        self.hash = hash
        self.errors = errors
    }
}
