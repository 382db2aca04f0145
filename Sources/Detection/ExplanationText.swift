import EventSchema
public import Matching

/// A verdict tree as indented lines.
///
///     false  and
///       true   event.category == "process"
///                event.category = "process"
///       false  process.name : "cmd*"
///                process.name is missing
public struct ExplanationText {
    /// Dresses a verdict, so that a terminal can show it in colour.
    public var paint: (_ text: String, _ holds: Bool) -> String
    /// Longer values are cut around what matched, in code points.
    public var longestValue: Int

    public init(longestValue: Int = 160, paint: @escaping (String, Bool) -> String = { text, _ in text }) {
        self.paint = paint
        self.longestValue = longestValue
    }

    public func lines(_ tree: VerdictTree) -> [String] {
        switch tree {
        case .constant(let value): return [line(value, value ? "always" : "never")]
        case .leaf(let leaf): return [line(leaf.holds, leaf.text)] + leaf.fields.flatMap { indented(lines($0), by: 9) }
        case .not(let inner): return [line(tree.holds, "not")] + indented(lines(inner))
        case .all(let parts): return [line(tree.holds, "and")] + indented(parts.flatMap(lines))
        case .any(let parts): return [line(tree.holds, "or")] + indented(parts.flatMap(lines))
        }
    }

    private func lines(_ field: LeafVerdict.Field) -> [String] {
        if field.values.isEmpty { return ["\(field.path) is missing"] }
        return field.values.flatMap { value -> [String] in
            let mark = field.values.count > 1 && value.holds == true ? "   <- passes" : ""
            let (text, span) = shown(value)
            let head = "\(field.path) = "
            guard let span, !span.isEmpty else { return [head + text + mark] }
            let blanks = String(repeating: " ", count: head.unicodeScalars.count + span.lowerBound)
            return [head + text + mark, blanks + String(repeating: "^", count: span.count)]
        }
    }

    /// The value without control characters, strings in quotes, and in it the code points that a pattern matched.
    private func shown(_ value: LeafVerdict.Value) -> (text: String, span: Range<Int>?) {
        let span = value.span.map { span in
            let before = Self.scalars(value.text[..<span.lowerBound]).count
            return before..<(before + Self.scalars(value.text[span]).count)
        }
        var scalars = Self.scalars(value.text[...]).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
        var shift = 1
        if scalars.count > longestValue {
            let start = max(0, min((span?.lowerBound ?? 0) - 20, scalars.count - longestValue))
            scalars = Array(scalars[start...].prefix(longestValue))
            if start > 0 { scalars.insert("…", at: 0) }
            scalars.append("…")
            shift += (start > 0 ? 1 : 0) - start
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        let visible = span.map { range in
            let end = scalars.count + 1
            return min(range.lowerBound + shift, end)..<min(range.upperBound + shift, end)
        }
        return (value.isString ? "\"\(String(text))\"" : String(text), visible)
    }

    private static func scalars(_ bytes: ArraySlice<UInt8>) -> [Unicode.Scalar] {
        Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    }

    private func line(_ holds: Bool, _ text: String) -> String {
        paint(holds ? "true" : "false", holds) + (holds ? "   " : "  ") + text
    }

    private func indented(_ lines: [String], by width: Int = 2) -> [String] {
        lines.map { String(repeating: " ", count: width) + $0 }
    }
}
