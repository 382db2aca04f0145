/// A diagnostic as people read it: the place in a form that editors jump to, the line, a caret, and what to do.
///
///     rules/x.toml:12:14: error: '=' does not compare
///       process.name = "cmd.exe"
///                    ^
///       hint: compare with ==
///
/// - Parameters:
///   - file: named before the place; nil for a query that stands in no file.
///   - lineOffset: lines of the file before the query's first one.
public func render(
    _ diagnostic: Diagnostic, in source: SourceText, file: String? = nil, lineOffset: Int = 0
) -> String {
    let start = source.position(of: diagnostic.span.lower)
    let place = "\(file.map { "\($0):" } ?? "")\(start.line + lineOffset):\(start.column)"
    let width = source[diagnostic.span].unicodeScalars.prefix { $0 != "\n" }.count
    let lines = renderExcerpt(
        source.line(start.line), column: start.column, width: width, hint: diagnostic.hint)
    return "\(place): \(diagnostic.severity.rawValue): \(diagnostic.message)\n\(lines)"
}

/// A line with a caret below the place that is meant, and a hint below that.
///
/// - Parameters:
///   - column: counts code points from 1.
///   - width: code points; one caret at least, and none beyond the end of the line.
public func renderExcerpt(_ line: String, column: Int, width: Int, hint: String?) -> String {
    let scalars = line.unicodeScalars.filter { $0 != "\r" }
    // Tabs are kept in the caret's line, so that both lines are as wide wherever tabs stop.
    let padding = String(String.UnicodeScalarView(scalars.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }))
    let carets = String(repeating: "^", count: max(1, min(width, scalars.count - column + 1)))
    var lines = ["  \(String(String.UnicodeScalarView(scalars)))", "  \(padding)\(carets)"]
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
}
