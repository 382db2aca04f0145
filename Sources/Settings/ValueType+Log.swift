extension ValueType where Value == [Settings.Log.Module: Settings.Log.Level] {
    /// Levels by module. Each source adds to the ones before it.
    static let logLevels = ValueType(
        description: "map of \(names(of: Settings.Log.Module.self)) to levels",
        read: { raw, reading in
            let entries: [RawValue.Entry]
            switch raw.content {
            case .null: entries = []
            case .map(let map): entries = map
            case .text, .list:
                reading.problems.report(
                    "\(raw.kind) where a map of modules to levels belongs, like kafka: warning", at: raw.place)
                return nil
            }
            var levels: Value = [:]
            for entry in entries {
                guard let module = Settings.Log.Module(rawValue: entry.key) else {
                    reading.problems.report(
                        "there is no module \"\(entry.key)\"; choose one of \(names(of: Settings.Log.Module.self))",
                        at: entry.place)
                    continue
                }
                levels[module] = ValueType<Settings.Log.Level>.choice().read(entry.value, &reading)
            }
            return levels.count == entries.count ? levels : nil
        },
        write: { levels in
            .map(
                levels.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                    ($0.key.rawValue, .scalar($0.value.rawValue))
                })
        },
        combine: { $0.merging($1) { $1 } },
        isMap: true)
}

private func names<Name: RawRepresentable<String> & CaseIterable>(of type: Name.Type) -> String {
    type.allCases.map(\.rawValue).joined(separator: ", ")
}
