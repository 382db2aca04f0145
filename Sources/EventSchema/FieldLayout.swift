/// Dense index of a field inside one ``FieldLayout``.
public struct FieldID: Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public var index: Int { Int(rawValue) }
}

/// The fields one compiled rule set reads, numbered densely; everything else in a record is skipped.
///
/// Ids are assigned in order of first insertion and never change.
public struct FieldLayout: Sendable {
    public private(set) var paths: [FieldPath] = []
    public private(set) var types: [FieldType] = []
    private var ids: [FieldPath: FieldID] = [:]

    public init() {}

    public var count: Int { paths.count }

    /// The id of `path`, inserting it with the type `schema` gives it when it is new.
    public mutating func insert(_ path: FieldPath, schema: Schema = .ecs) -> FieldID {
        insert(path, type: schema.type(of: path))
    }

    /// The id of `path`, inserting it with `type` when it is new.
    public mutating func insert(_ path: FieldPath, type: @autoclosure () -> FieldType) -> FieldID {
        if let known = ids[path] { return known }
        precondition(paths.count < Int(UInt16.max), "a layout holds at most 65,534 fields")
        let id = FieldID(rawValue: UInt16(paths.count))
        ids[path] = id
        paths.append(path)
        types.append(type())
        return id
    }

    public func id(of path: FieldPath) -> FieldID? { ids[path] }
}
