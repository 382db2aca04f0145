extension Settings {
    /// Reads the settings: a flag wins over the environment, that over the file, that over the default. Maps add up
    /// entry by entry.
    ///
    /// - Parameters:
    ///   - file: The YAML file; nil for none.
    ///   - environment: All variables of the process. `APUS_KAFKA_BROKERS` sets `kafka.brokers`; in a map,
    ///     `APUS_KAFKA_PROPERTIES_SECURITY_PROTOCOL` sets `security.protocol`. An `APUS_` variable that sets nothing
    ///     is an error, but for those of ``foreignVariables``.
    ///   - flags: Paths and values of `--set`, in order; the last of several with one path wins.
    ///   - readFile: Gives the content of the settings file and of files that `file:` references name.
    /// - Returns: The settings, or every problem of every source at once, overridden values included.
    public static func load(
        file: String?, environment: [String: String], flags: [(String, String)],
        readFile: (String) throws -> String = contents(ofFile:)
    ) -> Result<Settings, SettingsErrors> {
        withoutActuallyEscaping(readFile) { readFile in
            var loader = Loader(reading: Reading(environment: environment, readFile: readFile))
            if let file { loader.read(file: file) }
            loader.readEnvironment()
            for (path, value) in flags { loader.read(flag: path, value: value) }
            return loader.finish()
        }
    }

    /// The variables that begin with `APUS_` and are no settings: `APUS_CONFIG` names the file, `APUS_TEST_…` serve
    /// the tests, and the others are what Kubernetes and Docker links set for a service named `apus`.
    public static let foreignVariables = ["APUS_CONFIG", "APUS_TEST_*", "APUS_SERVICE_*", "APUS_PORT", "APUS_PORT_*"]
}

/// Puts the sources together, in rising precedence.
private struct Loader {
    var settings = Settings()
    var reading: Reading

    init(reading: Reading) {
        self.reading = reading
    }

    mutating func read(file: String) {
        let text: String
        do {
            text = try reading.readFile(file)
        } catch {
            let place = Place.file(file, line: nil, column: nil)
            reading.problems.report("cannot be read: \(error); name another file with --config", at: place)
            return
        }
        guard let document = RawValue.document(text, file: file, problems: &reading.problems) else { return }
        readSection(document, path: "")
    }

    /// The keys of one level of the file; `path` is the section's, empty at the top.
    private mutating func readSection(_ section: RawValue, path: String) {
        let entries: [RawValue.Entry]
        switch section.content {
        case .null: entries = []
        case .map(let map): entries = map
        case .text, .list:
            let what = path.isEmpty ? "the settings" : path
            reading.problems.report("\(section.kind) where \(what) should be a map of settings", at: section.place)
            return
        }
        for entry in entries {
            let entryPath = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            if let declaration = Settings.declarations.first(where: { $0.path == entryPath }) {
                assign(entry.value, to: declaration, at: entry.value.place)
            } else if Settings.sections.keys.contains(entryPath) {
                readSection(entry.value, path: entryPath)
            } else {
                let remedy = suggestion(
                    nearestName(
                        to: entryPath, among: Settings.declarations.map(\.path) + Settings.sections.keys.sorted()))
                reading.problems.report("unknown setting \"\(entryPath)\"\(remedy)", at: entry.place)
            }
        }
    }

    mutating func readEnvironment() {
        for (variable, value) in reading.environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix(Declaration.variablePrefix) && !isForeign(variable) {
            let place = Place.environment(variable: variable)
            let raw = RawValue(content: .text(value), place: place)
            if let declaration = Settings.declarations.first(where: { $0.variable == variable && !$0.isMap }) {
                assign(raw, to: declaration, at: place)
            } else if let map = Settings.declarations.first(where: {
                $0.isMap && variable.hasPrefix($0.variable + "_")
            }) {
                let name = variable.dropFirst(map.variable.count + 1).lowercased().replacing("_", with: ".")
                assign(raw, toEntry: name, of: map, at: place)
            } else if let map = Settings.declarations.first(where: { $0.variable == variable }) {
                reading.problems.report("\(map.path) is a map; set one entry: \(variable)_NAME", at: place)
            }
        }
    }

    mutating func read(flag path: String, value: String) {
        let place = Place.flag(path: path)
        let raw = RawValue(content: .text(value), place: place)
        if let declaration = Settings.declarations.first(where: { $0.path == path && !$0.isMap }) {
            assign(raw, to: declaration, at: place)
        } else if let map = Settings.declarations.first(where: { $0.isMap && path.hasPrefix($0.path + ".") }) {
            assign(raw, toEntry: String(path.dropFirst(map.path.count + 1)), of: map, at: place)
        } else if Settings.declarations.contains(where: { $0.path == path }) {
            reading.problems.report("\(path) is a map; set one entry: --set \(path).NAME=VALUE", at: place)
        } else if Settings.sections.keys.contains(path) {
            reading.problems.report("\(path) is a section; name one of its settings", at: place)
        } else {
            let remedy = suggestion(nearestName(to: path, among: Settings.declarations.map(\.path)))
            reading.problems.report("unknown setting\(remedy)", at: place)
        }
    }

    private mutating func assign(_ raw: RawValue, to declaration: Declaration, at place: Place) {
        if case .file = place, case .file? = settings.origins[declaration.path] {
            reading.problems.report("\(declaration.path) is given twice in this file; keep one", at: place)
            return
        }
        // A bad value counts as given: it has its own message, "missing" would be a second one.
        settings.origins[declaration.path] = place
        _ = declaration.assign(raw, &settings, &reading)
    }

    private mutating func assign(_ raw: RawValue, toEntry name: String, of map: Declaration, at place: Place) {
        guard !name.isEmpty else {
            reading.problems.report("names no entry of \(map.path)", at: place)
            return
        }
        let entry = RawValue.Entry(key: name, place: place, value: raw)
        assign(RawValue(content: .map([entry]), place: place), to: map, at: place)
    }

    /// The settings, if nothing is wrong with them.
    mutating func finish() -> Result<Settings, SettingsErrors> {
        reportUnknownVariables()
        for declaration in Settings.declarations
        where declaration.isRequired && settings.origins[declaration.path] == nil && !isDispensable(declaration) {
            reading.problems.report(
                "is not set; add it to the file, set \(declaration.variable), or pass --set "
                    + "\(declaration.path)=VALUE (\(declaration.type))",
                at: .setting(path: declaration.path))
        }
        reportSharedTopics()
        for (path, message) in settings.http.problems {
            reading.problems.report(message, at: settings.origins[path] ?? .setting(path: path))
        }
        let problems = reading.problems.all
        return problems.isEmpty ? .success(settings) : .failure(SettingsErrors(problems: problems))
    }

    /// Whether another setting serves in place of a required one.
    private func isDispensable(_ declaration: Declaration) -> Bool {
        declaration.path == "rules.paths" && settings.rules.topic != nil
    }

    /// Variables that look like ours and set nothing: a misspelt one would otherwise be lost without a word.
    private mutating func reportUnknownVariables() {
        let known = Settings.declarations.map(\.variable)
        let maps = Settings.declarations.filter(\.isMap).map { $0.variable + "_" }
        for variable in reading.environment.keys.sorted()
        where variable.hasPrefix(Declaration.variablePrefix) && !isForeign(variable)
            && !reading.referencedVariables.contains(variable)
            && !known.contains(variable) && !maps.contains(where: { variable.hasPrefix($0) })
        {
            let remedy = suggestion(nearestName(to: variable, among: known))
            reading.problems.report(
                "sets nothing\(remedy.isEmpty ? "; unset it, names with APUS_ are reserved" : remedy)",
                at: .environment(variable: variable))
        }
    }

    /// One topic in two roles would feed Apus its own output.
    private mutating func reportSharedTopics() {
        var roles = settings.input.topics.map { ($0.name, "input.topics") }
        roles.append(("\(settings.application).state", "the internal state topic"))
        roles.append(("\(settings.application).correlate", "the internal topic for correlation"))
        for (path, topic) in [
            ("output.alerts", settings.output.alerts), ("output.shadow", settings.output.shadow),
            ("output.dead_letters", settings.output.deadLetters), ("rules.topic", settings.rules.topic),
        ] {
            guard let topic else { continue }
            if let (_, role) = roles.first(where: { $0.0 == topic }) {
                reading.problems.report(
                    "\(path) is the topic \(topic), which is also \(role); give each its own topic",
                    at: settings.origins[path] ?? .setting(path: path))
            }
            roles.append((topic, path))
        }
        for topic in settings.input.topics.map(\.name) {
            guard let (_, role) = roles.first(where: { $0.0 == topic && $0.1.hasPrefix("the internal") }) else {
                continue
            }
            reading.problems.report(
                "the topic \(topic) is \(role); give the input another name",
                at: settings.origins["input.topics"] ?? .setting(path: "input.topics"))
        }
    }

    private func isForeign(_ variable: String) -> Bool {
        Settings.foreignVariables.contains { pattern in
            pattern.hasSuffix("*") ? variable.hasPrefix(pattern.dropLast()) : variable == pattern
        }
    }

    private func suggestion(_ name: String?) -> String {
        name.map { "; did you mean \($0)?" } ?? ""
    }
}
