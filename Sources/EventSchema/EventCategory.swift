/// What ECS says about `event.category` and `event.type`.
///
/// Source: "ECS categorization field: event.category" and ": event.type" of the ECS reference, 8.17
/// (github.com/elastic/ecs, Apache-2.0).
public enum EventCategory {
    /// Per category, the types its events are expected to have.
    public static let types: [String: Set<String>] = {
        var table: [String: Set<String>] = [:]
        for line in rows.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            table[words[0]] = Set(words.dropFirst())
        }
        return table
    }()

    /// Every value of `event.type`, those that stand beside another type included.
    public static let allTypes: Set<String> = types.values.reduce(["device", "error", "installation"]) {
        $0.union($1)
    }

    private static let rows = """
        api access admin allowed change creation deletion denied end info start user
        authentication start end info
        configuration access change creation deletion info
        database access change info error
        driver change end info start
        email info
        file access change creation deletion info
        host access change end info start
        iam admin change creation deletion group info user
        intrusion_detection allowed denied info
        library start
        malware info
        network access allowed connection denied end info protocol start
        package access change deletion info installation start
        process access change end info start
        registry access change creation deletion
        session start end info
        threat indicator
        vulnerability info
        web access error info
        """
}
