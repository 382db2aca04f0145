/// Field types by name, read from a compact text of field sets.
///
/// One set per line: its name, a colon, and its entries, separated by blanks. Lines that start with a blank
/// continue the line before. An entry is
/// - `name`, a keyword, or `name=type`;
/// - `name.*=type`, every field below `name` that is not listed itself; `*=type` for those of the set;
/// - `name@set`, the fields of another set below `name`; sets may nest but not recur.
///
/// The fields of the table are those of the set `root`.
struct FieldTable: Sendable {
    private(set) var types: [String: FieldType] = [:]
    /// Types of whole subtrees, by prefix with its final dot; the longest prefix wins.
    private(set) var subtrees: [String: FieldType] = [:]

    init(parsing text: String) {
        var sets: [Substring: [Substring]] = [:]
        var name: Substring = ""
        for line in text.split(separator: "\n") {
            var entries = line.split(separator: " ")
            if !line.hasPrefix(" ") { name = entries.removeFirst().dropLast() }
            sets[name, default: []] += entries
        }
        types.reserveCapacity(4096)
        insert("root", under: "", of: sets)
    }

    private mutating func insert(_ set: Substring, under prefix: String, of sets: [Substring: [Substring]]) {
        guard let entries = sets[set] else { preconditionFailure("the field table names no set \(set)") }
        for entry in entries {
            // A reference to a set: `@` inside the entry; `@timestamp` begins with one.
            if let mark = entry.lastIndex(of: "@"), mark != entry.startIndex {
                insert(entry[entry.index(after: mark)...], under: prefix + entry[..<mark] + ".", of: sets)
                continue
            }
            let parts = entry.split(separator: "=")
            let type = parts.count > 1 ? Self.type(named: parts[1]) : .keyword
            if parts[0].last == "*" {
                subtrees[prefix + parts[0].dropLast()] = type
            } else {
                types[prefix + parts[0]] = type
                if type == .flattened { subtrees[prefix + parts[0] + "."] = type }
            }
        }
    }

    private static func type(named name: Substring) -> FieldType {
        switch name {
        case "bool": .boolean
        case "const": .constantKeyword
        case "date": .date
        case "dynamic": .dynamic
        case "flat": .flattened
        case "float": .float
        case "ip": .ip
        case "keyword": .keyword
        case "long": .long
        case "text": .text
        case "version": .version
        case "wildcard": .wildcard
        default: preconditionFailure("the field table names no type \(name)")
        }
    }

    func type(of path: FieldPath) -> FieldType? {
        if let type = types[path.dotted] { return type }
        var prefix = path.dotted[...]
        while let dot = prefix.lastIndex(of: ".") {
            if let type = subtrees[String(prefix[...dot])] { return type }
            prefix = prefix[..<dot]
        }
        return nil
    }
}
