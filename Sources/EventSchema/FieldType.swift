/// How values of a field are read and compared: the ECS field type, or `dynamic` outside ECS.
///
/// Source: the ECS field reference; coercions follow Elasticsearch's field mappers.
public enum FieldType: UInt8, Hashable, Sendable, CaseIterable {
    /// Text kept whole. JSON numbers and booleans become their source text.
    case keyword
    /// As `keyword`; Elasticsearch only indexes it differently.
    case wildcard
    /// As `keyword`.
    case constantKeyword
    /// Analysed text in Elasticsearch; EQL compares the whole value as it does for `keyword`.
    case text
    /// As `keyword`; leaves of a flattened object are keywords.
    case flattened
    /// Ordered by semantic version.
    case version
    /// Compared by address; literals may be CIDR blocks.
    case ip
    /// 64-bit integer; numeric strings are accepted and fractions are cut off.
    case long
    /// Double; numeric strings are accepted.
    case float
    /// `true`/`false`, also as strings.
    case boolean
    /// An instant: ISO 8601 text or epoch milliseconds.
    case date
    /// Not in the schema: each value has the type of its JSON token.
    case dynamic

    /// Whether values are text in every record, whatever their JSON type was.
    public var isText: Bool {
        switch self {
        case .keyword, .wildcard, .constantKeyword, .text, .flattened, .version, .ip: true
        case .long, .float, .boolean, .date, .dynamic: false
        }
    }
}
