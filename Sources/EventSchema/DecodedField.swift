/// A field that Apus derives from a text of the record, where that text hides something.
///
/// Whatever derives these fields, asks whether they can be there, or makes up records that give them goes by this list.
public struct DecodedField: Sendable {
    /// What is derived.
    public let path: FieldPath
    /// The text it is derived from.
    public let source: FieldPath
    /// Whether that text is a script rather than a command line.
    public let isScript: Bool

    public static let all = [
        DecodedField(path: .decodedCommandLine, source: "process.command_line", isScript: false),
        DecodedField(path: .decodedScript, source: "powershell.file.script_block_text", isScript: true),
    ]

    /// The entry for `path`; nil for a field that is not derived by decoding.
    public static func named(_ path: FieldPath) -> DecodedField? { all.first { $0.path == path } }
}
