extension FieldPath {
    // The fields Apus derives. No record carries them: a value under one of these names in a record is ignored.

    /// The identity of the host: the first field of a configured list that has a value.
    public static let hostKey: FieldPath = "apus.host_key"

    /// What `process.command_line` hides, in lower case (ASCII): the text of a PowerShell `-EncodedCommand`, and the
    /// command line, and that text, with quotes, carets and back-ticks resolved and concatenated, joined and formatted
    /// strings put together. One value for each that differs from what it was made from by more than case; missing
    /// where nothing is hidden, so that a rule asks the original and this field.
    public static let decodedCommandLine: FieldPath = "apus.decoded.command_line"

    /// What `powershell.file.script_block_text` hides, in the same way. Where a script block came in parts, both fields
    /// hold the whole of it, and `apus.script_block` says of what parts it was made.
    public static let decodedScript: FieldPath = "apus.decoded.script"

    /// Whether this is one of the fields that Apus derives.
    public var isDerived: Bool { self == .hostKey || DecodedField.named(self) != nil }
}
