import Settings

/// Settings read from text, without a file system. `text` nil is no file.
func load(
    _ text: String?, environment: [String: String] = [:], flags: [(String, String)] = [],
    files: [String: String] = [:]
) -> Result<Settings, SettingsErrors> {
    var contents = files
    contents["apus.yaml"] = text
    return Settings.load(
        file: text == nil ? nil : "apus.yaml", environment: environment, flags: flags,
        readFile: { path in
            guard let content = contents[path] else { throw NoSuchFile() }
            return content
        })
}

struct NoSuchFile: Error, CustomStringConvertible {
    var description: String { "no such file" }
}

/// The smallest settings that are complete.
let minimal = """
    kafka:
      brokers: [kafka:9092]
    input:
      topics: [events]
    rules:
      paths: [rules]

    """

/// The problems that `minimal` with `text` after it has, one line each; empty when it has none.
func problems(
    _ text: String, environment: [String: String] = [:], flags: [(String, String)] = [], files: [String: String] = [:]
) -> [String] {
    switch load(minimal + text, environment: environment, flags: flags, files: files) {
    case .success: []
    case .failure(let errors): errors.problems.map(\.description)
    }
}
