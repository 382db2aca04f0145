/// A named set of values that `inList(field, "name")` compares a field with. An extension of Apus, for exceptions.
public struct ValueList: Hashable, Sendable {
    /// What the values are, and so how they are compared.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Whole values, whatever the case of their ASCII letters.
        case names
        /// Hexadecimal digests, whatever the case of their digits.
        case hashes
        /// Addresses and blocks of addresses.
        case cidr
    }

    public let name: String
    public let kind: Kind
    /// In the order of the file, all different.
    public let values: [String]

    public init(name: String, kind: Kind, values: [String]) {
        self.name = name
        self.kind = kind
        self.values = values
    }
}
