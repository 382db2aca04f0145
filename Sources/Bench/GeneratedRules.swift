/// Queries of the kinds that public rule repositories consist of, in their usual proportions: names,
/// parents, command lines, paths, registry keys, libraries, ports and domains. Made up, and always the same.
enum GeneratedRules {
    static func queries(_ count: Int) -> [String] {
        var words = Words()
        return (0..<count).map { index in shapes[index % shapes.count](&words) }
    }

    private static let shapes: [@Sendable (inout Words) -> String] = [
        {
            """
            process where event.type == "start" and process.name : (\($0.programs(3))) \
            and process.command_line : (\($0.globs(2)))
            """
        },
        {
            """
            process where event.type == "start" and process.parent.name : (\($0.programs(4))) \
            and process.name : (\($0.programs(3)))
            """
        },
        {
            """
            process where event.type == "start" and process.name : \($0.programs(1)) \
            and process.args : (\($0.flags(4))) and not user.id : "S-1-5-18"
            """
        },
        {
            """
            file where event.type != "deletion" and file.path : (\($0.paths(3))) \
            and not process.executable : (\($0.paths(2)))
            """
        },
        {
            """
            file where event.type == "creation" and file.extension : (\($0.extensions(3))) \
            and process.name : (\($0.programs(2)))
            """
        },
        {
            """
            registry where event.type == "change" and registry.path : (\($0.keys(2))) \
            and registry.data.strings : \($0.globs(1))
            """
        },
        {
            """
            network where event.type == "start" and destination.port in (\($0.ports(3))) \
            and process.name : (\($0.programs(3))) \
            and not cidrmatch(destination.ip, "10.0.0.0/8", "192.168.0.0/16")
            """
        },
        {
            """
            network where dns.question.name : (\($0.domains(3))) \
            and not process.executable : (\($0.paths(2)))
            """
        },
        {
            """
            any where event.category == "library" and dll.name : (\($0.libraries(3))) \
            and not dll.path : (\($0.paths(2)))
            """
        },
        {
            """
            process where event.type == "start" \
            and process.pe.original_file_name : (\($0.programs(2))) \
            and not process.executable : (\($0.paths(3)))
            """
        },
        {
            """
            sequence by process.entity_id with maxspan=1m \
            [process where event.type == "start" and process.name : (\($0.programs(2))) \
            and process.args : (\($0.flags(3)))] \
            [network where destination.port in (\($0.ports(2)))]
            """
        },
    ]
}

extension GeneratedRules {
    /// Query `number` as a rule file.
    static func file(_ number: Int, _ query: String) -> String {
        """
        [rule]
        rule_id = "\(id(number))"
        name = "Generated rule \(number)"
        description = "For measuring."
        risk_score = 21
        severity = "low"
        type = "eql"
        language = "eql"
        query = '''
        \(query)
        '''
        """
    }

    private static func id(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }
}

/// Invented vocabulary, drawn in a fixed order; common programs come up often, as they do in real rules.
private struct Words {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static let common = [
        "powershell.exe", "pwsh.exe", "cmd.exe", "rundll32.exe", "regsvr32.exe", "mshta.exe", "wscript.exe",
        "cscript.exe", "schtasks.exe", "certutil.exe", "wmic.exe", "net.exe", "msbuild.exe", "curl.exe",
    ]
    private static let syllables = ["ar", "bel", "cor", "dun", "el", "fim", "gor", "hax", "in", "jol", "ket", "lum"]

    private mutating func below(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: state >> 33) % limit
    }

    private mutating func word() -> String {
        (0..<3 + below(2)).map { _ in Self.syllables[below(Self.syllables.count)] }.joined()
    }

    private mutating func list(_ count: Int, _ make: (inout Words) -> String) -> String {
        (0..<count).map { _ in "\"" + make(&self) + "\"" }.joined(separator: ", ")
    }

    mutating func programs(_ count: Int) -> String {
        list(count) { words in
            words.below(3) == 0 ? Self.common[words.below(Self.common.count)] : words.word() + ".exe"
        }
    }

    mutating func globs(_ count: Int) -> String { list(count) { "*\($0.word())*\($0.word())*" } }
    mutating func flags(_ count: Int) -> String { list(count) { "-\($0.word())" } }
    mutating func extensions(_ count: Int) -> String { list(count) { String($0.word().prefix(3)) } }
    mutating func libraries(_ count: Int) -> String { list(count) { $0.word() + ".dll" } }
    mutating func domains(_ count: Int) -> String { list(count) { "*.\($0.word()).example" } }

    mutating func paths(_ count: Int) -> String {
        list(count) { #"?:\\Users\\*\\AppData\\\#($0.word())\\\#($0.word())*.exe"# }
    }

    mutating func keys(_ count: Int) -> String {
        list(count) { #"HKLM\\SOFTWARE\\\#($0.word())\\CurrentVersion\\\#($0.word())\\*"# }
    }

    mutating func ports(_ count: Int) -> String {
        (0..<count).map { _ in String(1_024 + below(60_000)) }.joined(separator: ", ")
    }
}
