/// A diagnostic as people read it: the place in a form that editors jump to, the line, a caret, and what to do.
///
///     rules/x.toml:12:14: error: '=' does not compare
///       process.name = "cmd.exe"
///                    ^
///       hint: use == to compare, or : to ignore case and use wildcards
///
/// - Parameters:
///   - file: named before the place; nil for a query that stands in no file.
///   - lineOffset: lines of the file before the query's first one.
///   - columnOffset: code points of the file's line before the query's first one.
public func render(
    _ diagnostic: Diagnostic, in source: SourceText, file: String? = nil, lineOffset: Int = 0, columnOffset: Int = 0
) -> String {
    let start = source.position(of: diagnostic.span.lower)
    let column = start.line == 1 ? start.column + columnOffset : start.column
    let place = "\(file.map { "\($0):" } ?? "")\(start.line + lineOffset):\(column)"
    let width = source[diagnostic.span].unicodeScalars.prefix { $0 != "\n" }.count
    let lines = renderExcerpt(
        source.line(start.line), column: start.column, width: width, hint: diagnostic.hint)
    return "\(place): \(diagnostic.severity.rawValue): \(diagnostic.message)\n\(lines)"
}

/// A line with a caret below the place that is meant, and a hint below that. A long line is cut around the place.
///
/// - Parameters:
///   - column: counts code points from 1.
///   - width: code points; one caret at least, and none beyond the end of the line.
public func renderExcerpt(_ line: String, column: Int, width: Int, hint: String?) -> String {
    let (context, limit) = (60, 160)
    let scalars = Array(line.unicodeScalars)
    let place = min(max(column - 1, 0), scalars.count)
    let isLong = scalars.count > limit
    let start = isLong ? max(0, min(place - context, scalars.count - limit)) : 0
    let end = isLong ? min(scalars.count, start + limit) : scalars.count
    let meant = place..<max(place, min(end, place + max(1, width)))

    let text = (start > 0 ? "…" : "") + scalars[start..<end].map(visible).joined() + (end < scalars.count ? "…" : "")
    let padding = (start > 0 ? " " : "") + scalars[start..<place].map(blank).joined()
    let carets = String(repeating: "^", count: max(1, scalars[meant].reduce(0) { $0 + cells($1) }))
    var lines = ["  \(text)", "  \(padding)\(carets)"]
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
}

/// The character itself, unless it would steer the terminal.
private func visible(_ scalar: Unicode.Scalar) -> String {
    scalar.properties.generalCategory == .control && scalar != "\t" ? "\u{FFFD}" : String(scalar)
}

/// Blanks as wide as the character. A tab stays one, so that both lines are as wide wherever tabs stop.
private func blank(_ scalar: Unicode.Scalar) -> String {
    scalar == "\t" ? "\t" : String(repeating: " ", count: cells(scalar))
}

/// The cells of a terminal a character takes: none for marks on the one before, two for the wide characters of
/// Unicode Standard Annex #11, in blocks.
private func cells(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD:
        return 2
    default: return 1
    }
}
