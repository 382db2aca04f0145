import EQL
import EventSchema

/// Reads the values of a list from text, one on each line.
///
/// Blank lines and lines that begin with `#` are passed over. Behind a hash or an address, `#` after a blank begins
/// a remark; a name is the whole line without the blanks around it.
struct ValueListReader {
    /// Bounds on one list, so that a wrong path cannot eat the memory.
    static let maximumValues = 100_000
    static let maximumLength = 1_024
    /// In bytes, of the file.
    static let maximumSize = 16 << 20

    let name: String
    let kind: ValueList.Kind
    let path: String
    private(set) var problems: [RuleProblem] = []

    init(name: String, kind: ValueList.Kind, path: String) {
        self.name = name
        self.kind = kind
        self.path = path
    }

    /// Nil when a line is wrong; the problems name every one, up to a hundred.
    mutating func read(_ text: String) -> ValueList? {
        var values: [String] = []
        var seen: Set<String> = []
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let value = Self.trimmed(line)
            guard let first = value.first, first != UInt8(ascii: "#") else { continue }
            guard let value = checked(value, line: index + 1, text: line) else {
                if problems.count >= 100 { break }
                continue
            }
            guard seen.insert(ASCII.lowercased(value)).inserted else { continue }
            values.append(value)
            guard values.count <= Self.maximumValues else {
                report("a list holds at most \(Self.maximumValues) values", line: index + 1, text: line)
                break
            }
        }
        guard problems.isEmpty else { return nil }
        if values.isEmpty {
            problems.append(
                RuleProblem(
                    severity: .warning, place: RuleProblem.Place(path: path), message: "list \"\(name)\" is empty",
                    hint: "exceptions that ask it hold for nothing"))
        }
        return ValueList(name: name, kind: kind, values: values)
    }

    private mutating func checked(_ value: Substring.UTF8View, line: Int, text: Substring.UTF8View) -> String? {
        guard value.count <= Self.maximumLength else {
            report("the value is longer than \(Self.maximumLength) bytes", line: line, text: text)
            return nil
        }
        let name = String(Substring(value))
        guard kind != .names else {
            if name.utf8.contains(UInt8(ascii: "*")) {
                report(
                    "a list compares whole names and knows no wildcards", line: line, text: text,
                    hint: "write patterns into the condition: user.name : \"svc-*\"")
                return nil
            }
            return name
        }
        let parts = name.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
        let item = parts.first.map(String.init) ?? ""
        if parts.count == 2, parts[1].drop(while: { $0 == " " || $0 == "\t" }).first != "#" {
            report("a line holds one value; a remark behind it begins with #", line: line, text: text)
            return nil
        }
        switch kind {
        case .names: return name
        case .hashes:
            // MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
            guard [32, 40, 56, 64, 96, 128].contains(item.utf8.count),
                item.utf8.allSatisfy({ ASCII.hexadecimalDigit($0) != nil })
            else {
                report(
                    "this is no hash", line: line, text: text,
                    hint: "a hash is the hexadecimal digits of MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512")
                return nil
            }
        case .cidr:
            guard IPBlock(parsing: item) != nil else {
                report(
                    "this is no address and no block of addresses", line: line, text: text,
                    hint: "write it like 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32")
                return nil
            }
        }
        return item
    }

    private mutating func report(_ message: String, line: Int, text: Substring.UTF8View, hint: String? = nil) {
        let text = String(decoding: text.prefix(200), as: UTF8.self)
        let column = text.unicodeScalars.prefix { $0 == " " || $0 == "\t" }.count
        problems.append(
            RuleProblem(
                severity: .error,
                place: RuleProblem.Place(
                    path: path, line: line, column: column + 1, excerpt: text, excerptColumn: column + 1,
                    width: max(1, Substring(Self.trimmed(text[...].utf8)).unicodeScalars.count), inQuery: nil),
                message: message, hint: hint))
    }

    private static func trimmed(_ line: Substring.UTF8View) -> Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line.removeLast() }
        return line
    }
}
