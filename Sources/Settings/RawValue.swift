/// A value as it was written, before its type is known. The same in YAML, in the environment and in a flag, so that
/// each type is read by one function.
struct RawValue {
    enum Content {
        case null
        case text(String)
        case list([RawValue])
        case map([Entry])
    }

    struct Entry {
        let key: String
        /// Where the key stands.
        let place: Place
        let value: RawValue
    }

    let content: Content
    let place: Place

    /// What stands here, for a message that wants something else.
    var kind: String {
        switch content {
        case .null: "nothing"
        case .text: "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }
}
