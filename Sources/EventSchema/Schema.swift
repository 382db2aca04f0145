/// The field types rules are checked and events decoded against.
public struct Schema: Sendable {
    public static let ecs = Schema()

    /// The type of `path`; `dynamic` where the schema does not know it.
    public func type(of path: FieldPath) -> FieldType { .dynamic }

    /// Whether ECS (or Apus, for `apus.*`) defines `path`.
    public func defines(_ path: FieldPath) -> Bool { false }
}
