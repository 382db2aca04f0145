import EventSchema
import FoundationEssentials

/// Ways to write a text so that ``DecodedField``s are derived from it: what decoding undoes, done.
enum HiddenTextSample {
    /// A PowerShell command line with the text in Base64 of UTF-16LE.
    case encodedCommand
    /// The text as a string that is put together from two halves.
    case concatenation

    /// How such a field is usually hidden, first.
    static func forms(for field: DecodedField) -> [HiddenTextSample] {
        field.isScript ? [.concatenation, .encodedCommand] : [.encodedCommand, .concatenation]
    }

    /// A value of the field's source that hides `text`.
    func value(of field: DecodedField, hiding text: String) -> String {
        switch self {
        case .encodedCommand:
            let bytes = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            return "powershell.exe -EncodedCommand \(Data(bytes).base64EncodedString())"
        case .concatenation:
            let middle = text.index(text.startIndex, offsetBy: text.count / 2)
            let halves = "('\(Self.escaped(text[..<middle]))'+'\(Self.escaped(text[middle...]))')"
            return field.isScript ? halves : "powershell.exe -Command &\(halves)"
        }
    }

    private static func escaped(_ text: Substring) -> String { String(text.replacing("'", with: "''")) }
}
