/// `*` is any run of code points, `?` exactly one; the whole value must match.
public enum NaiveWildcard {
    enum Part: Hashable {
        case literal(Unicode.Scalar)
        case one
        case run
    }

    /// - Parameter escapes: whether `\*`, `\?` and `\\` are literal, as in Elasticsearch's wildcard queries
    ///   but not in EQL's patterns.
    static func parts(of pattern: [Unicode.Scalar], escapes: Bool) -> [Part] {
        var parts: [Part] = []
        var rest = pattern[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": parts.append(.run)
            case "?": parts.append(.one)
            case "\\" where escapes: parts.append(.literal(rest.popFirst() ?? "\\"))
            default: parts.append(.literal(scalar))
            }
        }
        return parts
    }

    static func matches(_ parts: ArraySlice<Part>, _ value: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = parts.first else { return value.isEmpty }
        switch first {
        case .run:
            return matches(parts.dropFirst(), value) || (!value.isEmpty && matches(parts, value.dropFirst()))
        case .one:
            return !value.isEmpty && matches(parts.dropFirst(), value.dropFirst())
        case .literal(let scalar):
            return value.first == scalar && matches(parts.dropFirst(), value.dropFirst())
        }
    }

    public static func matches(_ pattern: [Unicode.Scalar], _ value: [Unicode.Scalar], escapes: Bool = false) -> Bool {
        matches(parts(of: pattern, escapes: escapes)[...], value[...])
    }
}

enum NaiveCase {
    /// A–Z as a–z, all else as it is: how plain fields fold.
    static func foldedASCII(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        text.map(foldedASCII)
    }

    static func foldedASCII(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard ("A"..."Z").contains(scalar) else { return scalar }
        return Unicode.Scalar(UInt8(scalar.value + 32))
    }

    /// Full lower-casing: how functions fold.
    static func lowercased(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        Array(string(text).lowercased().unicodeScalars)
    }
}
