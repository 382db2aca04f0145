/// Random rule files in the style of Elastic's public repository, in wording and names of our own: lists of
/// names, wildcards, paths, ports, addresses, functions, sequences, and all the metadata around them.
///
/// Every rule is valid, and good: nothing in it deserves a warning.
public struct RuleGenerator: Sendable {
    public var random: SeededRandom
    private var number = 0

    public init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    /// A whole TOML file.
    public mutating func rule() -> String {
        number += 1
        let query = random.oneIn(4) ? sequence() : event(isStage: false)
        let threat = random.oneIn(5) ? "" : Self.threat
        return """
            [metadata]
            creation_date = "2024/03/0\(1 + random.below(9))"
            integration = ["endpoint", "windows"]
            maturity = "production"
            min_stack_version = "8.14.0"
            updated_date = "2025/01/15"

            [rule]
            author = ["Rule generator"]
            description = \"\"\"
            Finds made-up behaviour number \(number). It stands for "nothing" in particular, \\
            and has a back\\\\slash.
            \"\"\"
            \(random.oneIn(6) ? "building_block_type = \"default\"\n" : "")\
            \(random.oneIn(8) ? "event_category_override = \"event.category\"\n" : "")\
            false_positives = ["None, as nothing like it exists."]
            from = "now-\(random.pick(["9m", "119m", "60m"]))"
            index = ["logs-endpoint.events.*", "winlogbeat-*"]
            interval = "\(random.pick(["5m", "60m"]))"
            language = "eql"
            license = "Apache-2.0"
            \(random.oneIn(5) ? "max_signals = 1000\n" : "")\
            name = "Behaviour \(number)"
            note = \"\"\"## Triage

            ### What to look at
            - The `process.command_line`, and what came before it.
            \"\"\"
            references = ["https://example.org/\(number)"]
            risk_score = \(random.pick([21, 47, 73, 99]))
            rule_id = "generated-\(number)"
            severity = "\(random.pick(["low", "medium", "high", "critical"]))"
            setup = \"\"\"
            Nothing to set up.\"\"\"
            tags = ["Domain: Endpoint", "OS: Windows", "Use Case: Threat Detection"]
            timestamp_override = "event.ingested"
            type = "eql"

            query = '''
            \(query)
            '''

            \(random.oneIn(3) ? Self.investigation : "")
            \(threat)
            \(random.oneIn(6) ? Self.suppression : "")
            """
    }

    // MARK: Queries

    private mutating func sequence() -> String {
        let key = random.pick(["host.id", "user.id", "process.entity_id", "host.id, user.id"])
        let count = 2 + random.below(2)
        let terms = (0..<count).map { index in
            let term = "  [\(event(isStage: true))]"
            return index == 0 && random.oneIn(8) ? term + " with runs=3" : term
        }
        let until = random.oneIn(5) ? "\nuntil [process where event.type == \"end\"]" : ""
        let span = random.pick(["maxspan=30s", "maxspan=1m", "maxspan = 5m", "maxspan=5000ms"])
        return "sequence by \(key) with \(span)\n\(terms.joined(separator: "\n"))\(until)"
    }

    private mutating func event(isStage: Bool) -> String {
        let category = random.pick(Self.categories)
        var parts = [random.pick(category.heads)]
        let leaves = shuffled(category.leaves)
        let count = 1 + random.below(3)
        for leaf in leaves.prefix(count) { parts.append(fill(leaf)) }
        if random.oneIn(3) {
            let alternatives = leaves.dropFirst(count).prefix(2).map { fill($0) }
            if alternatives.count == 2 { parts.append("(\(alternatives.joined(separator: " or\n     ")))") }
        }
        if random.oneIn(3) { parts.append("not \(fill(random.pick(category.exceptions)))") }
        if !isStage, random.oneIn(4) { parts[parts.count - 1] += "\n  /* kept for a reason */ // and another" }
        return "\(category.name) where \(parts.joined(separator: " and\n "))"
    }

    private mutating func shuffled(_ leaves: [String]) -> [String] { leaves.shuffled(using: &random) }

    /// Puts lists in the places of a template.
    private mutating func fill(_ template: String) -> String {
        var text = ""
        var rest = Substring(template)
        while let place = rest.firstIndex(of: "$") {
            text += rest[..<place]
            let name = rest[place...].dropFirst().prefix { $0.isLetter }
            text += list(of: Self.words[String(name)] ?? [])
            rest = rest[name.endIndex...]
        }
        return text + rest
    }

    private mutating func list(of words: [String]) -> String {
        let count = 1 + random.below(words.count)
        return words.shuffled(using: &random).prefix(count).joined(separator: ", ")
    }

    private struct Category: Sendable {
        var name: String
        var heads: [String]
        var leaves: [String]
        var exceptions: [String]
    }

    private static let words: [String: [String]] = [
        "names": (0..<12).map { "\"tool\($0).exe\"" },
        "wild": ["\"tool*.exe\"", "\"*loader?.exe\"", "\"svc-?host.exe\"", "\"a*b*c\""],
        "args": ["\"-enc*\"", "\"/c\"", "\"*\\\\Temp\\\\*\"", "\"--user=?*\"", "\"*http*://*\"", "\"*.ps1\""],
        "paths": [
            "\"C:\\\\Windows\\\\Made Up\\\\*.exe\"", "\"?:\\\\Users\\\\*\\\\AppData\\\\Local\\\\*\"",
            "\"\\\\Device\\\\HarddiskVolume*\\\\x.dll\"", "\"/usr/local/bin/*\"",
            "\"\"\"C:\\ProgramData\\*\\a.exe\"\"\"",
        ],
        "ports": ["22", "80", "443", "3389", "5985", "8080"],
        "blocks": ["\"10.0.0.0/8\"", "\"192.168.0.0/16\"", "\"::1\"", "\"FE80::/10\"", "\"127.0.0.0/8\""],
        "domains": ["\"*.example.org\"", "\"files.example.net\"", "\"cdn?.example.com\""],
        "sids": ["\"S-1-5-18\"", "\"S-1-5-19\"", "\"S-1-5-20\""],
        "keys": [
            "\"HKLM\\\\SOFTWARE\\\\Made\\\\Up\\\\*\"", "\"HKEY_USERS\\\\S-1-5-21-*\\\\Software\\\\Run\"",
            "\"\\\\REGISTRY\\\\MACHINE\\\\SYSTEM\\\\*ControlSet*\\\\Services\\\\x\"",
        ],
        "extensions": ["\"exe\"", "\"dll\"", "\"ps1\"", "\"pst\"", "\"ost\""],
        "codes": ["\"4624\"", "\"4662\"", "\"5145\""],
    ]

    private static let categories = [
        Category(
            name: "process",
            heads: [
                "host.os.type == \"windows\" and event.type == \"start\"",
                "event.type in (\"start\", \"process_started\")",
                "host.os.type == \"linux\" and event.type == \"start\" and event.action in (\"exec\", \"exec_event\")",
            ],
            leaves: [
                "process.name : ($names)", "(process.name : ($wild) or ?process.pe.original_file_name in ($names))",
                "process.args : ($args)", "process.parent.name in~ ($names)", "process.args_count >= 2",
                "process.executable : ($paths)", "process.command_line like~ ($args)", "user.id in ($sids)",
                "process.parent.executable != null", "?process.Ext.token.integrity_level_name : \"high\"",
                "process.command_line regex~ \"\"\".*[a-z]{2,5}[0-9]+.*\"\"\"",
                "startsWith~(process.name, \"tool\")", "endsWith(process.executable, \".exe\")",
                "stringContains~(process.command_line, \"download\")", "process.parent.pid != 4",
                "process.code_signature.trusted == true", "`process.working_directory` : \"?:\\\\Users\\\\*\"",
            ],
            exceptions: [
                "process.parent.executable : ($paths)", "user.name in (\"SYSTEM\", \"root\")",
                "(process.name : \"tool1.exe\" and process.args : ($args))", "process.args : ($args)",
            ]),
        Category(
            name: "network",
            heads: ["event.type == \"start\"", "network.transport == \"tcp\" and destination.ip != null"],
            leaves: [
                "destination.port in ($ports)", "not cidrMatch(destination.ip, $blocks)", "destination.port > 1023",
                "dns.question.name : ($domains)", "process.name : ($names)",
                "network.direction : (\"outgoing\", \"egress\")",
                "source.ip != \"127.0.0.1\"", "source.bytes > 100000", "cidrmatch(source.ip, $blocks)",
            ],
            exceptions: ["process.executable : ($paths)", "destination.domain : ($domains)"]),
        Category(
            name: "file",
            heads: [
                "event.type != \"deletion\"", "event.type in (\"creation\", \"change\")", "event.action == \"rename\"",
            ],
            leaves: [
                "file.path : ($paths)", "file.extension : ($extensions)",
                "file.name regex~ \"\"\"[a-z0-9]{8}\\.tmp\"\"\"",
                "file.size >= 1048576", "process.name : ($names)", "?file.Ext.header_bytes : \"4d5a*\"",
                "file.Ext.original.extension : ($extensions)",
            ],
            exceptions: ["process.executable : ($paths)", "file.path like ($paths)"]),
        Category(
            name: "registry", heads: ["event.type in (\"creation\", \"change\")", "host.os.type == \"windows\""],
            leaves: [
                "registry.path : ($keys)", "registry.data.strings : ($args)", "registry.value : \"Debugger\"",
                "registry.data.strings != null", "process.name : ($names)",
            ],
            exceptions: ["process.executable : ($paths)", "registry.data.strings : ($paths)"]),
        Category(
            name: "library", heads: ["event.action == \"load\"", "host.os.type == \"windows\""],
            leaves: [
                "dll.name : ($wild)", "dll.path : ($paths)", "?dll.code_signature.trusted != true",
                "dll.Ext.relative_file_creation_time <= 500.5", "process.name : ($names)",
            ],
            exceptions: ["dll.path : ($paths)", "dll.hash.sha256 : \"0f0f*\""]),
        Category(
            name: "any",
            heads: [
                "event.code in ($codes)".replacing("$codes", with: "\"4662\", \"5136\""),
                "(event.category == \"network\" or (event.category == \"process\" and event.type == \"start\"))",
                "event.dataset == \"made.up\" and event.outcome == \"success\"",
            ],
            leaves: [
                "winlog.event_data.ObjectName : ($paths)", "winlog.computer_name != null",
                "user.name : (\"*$\", \"adm?\")"
                    .replacing("$", with: "_"),
                "event.provider in (\"a\", \"b\")", "not user.id in ($sids)", "source.ip != null",
            ],
            exceptions: ["winlog.event_data.SubjectUserSid in ($sids)", "user.id : ($sids)"]),
    ]

    // MARK: Tables

    private static let threat = """
        [[rule.threat]]
        framework = "MITRE ATT&CK"
        [[rule.threat.technique]]
        id = "T1114"
        name = "Email Collection"
        reference = "https://attack.mitre.org/techniques/T1114/"
        [[rule.threat.technique.subtechnique]]
        id = "T1114.002"
        name = "Remote Email Collection"
        reference = "https://attack.mitre.org/techniques/T1114/002/"


        [rule.threat.tactic]
        id = "TA0009"
        name = "Collection"
        reference = "https://attack.mitre.org/tactics/TA0009/"
        """

    private static let investigation = """
        [rule.investigation_fields]
        field_names = ["@timestamp", "host.id", "process.command_line"]
        """

    private static let suppression = """
        [rule.alert_suppression]
        group_by = ["host.id"]
        missing_fields_strategy = "suppress"

        [rule.alert_suppression.duration]
        unit = "m"
        value = 10
        """
}
