/// Where a setting was written.
public enum Place: Sendable, Hashable, CustomStringConvertible {
    /// Line and column count from 1; the column counts code points. Both are nil when the file as a whole is meant.
    case file(String, line: Int?, column: Int?)
    case environment(variable: String)
    case flag(path: String)
    /// Nowhere: the setting with this path was not given, or its default is at fault.
    case setting(path: String)

    public var description: String {
        switch self {
        case .file(let name, let line?, let column?): "\(name):\(line):\(column)"
        case .file(let name, _, _): name
        case .environment(let variable): "environment variable \(variable)"
        case .flag(let path): "--set \(path)"
        case .setting(let path): path
        }
    }
}
