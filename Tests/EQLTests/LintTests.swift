import EQL
import EventSchema
import Testing

/// Every lint with a query that earns it, the text it points at, and beside it near misses that must stay quiet.
@Suite struct LintTests {
    private func lints(_ text: String, options: CheckOptions = CheckOptions()) throws -> [(at: String, Diagnostic)] {
        let source = SourceText(text)
        let parsed = parse(source)
        let query = try #require(parsed.query, "\(parsed.diagnostics)")
        let checked = check(query, source: source, options: options)
        let meaning = try #require(checked.query, "\(checked.diagnostics)")
        return (checked.diagnostics + lint(query, checked: meaning, options: options)).map { (source[$0.span], $0) }
    }

    @Test(arguments: [
        // Categories and types.
        ("proces where true", "proces", "is no ECS event category"),
        ("any where event.category == \"Network\"", "event.category == \"Network\"", "is no ECS event category"),
        ("any where event.type == \"strat\"", "event.type == \"strat\"", "is no ECS event type"),
        (
            "any where event.type in (\"start\", \"strat\")", "event.type in (\"start\", \"strat\")",
            "is no ECS event type"
        ),
        ("process where event.type == \"connection\"", "event.type == \"connection\"", "no \"process\" event of type"),
        (
            "any where event.category in (\"library\", \"email\") and event.type : \"END\"", "event.type : \"END\"",
            "no \"library\" or \"email\" event of type \"end\""
        ),
        (
            "any where event.category == \"file\" and (user.name == \"a\" or event.type == \"start\" and user.id == \"b\")",
            "event.type == \"start\"", "no \"file\" event"
        ),
        // Constants.
        ("any where user.name == \"a\" and 1 == 1", "1 == 1", "this is always true"),
        ("any where user.name == \"a\" or 1 in (2, 3)", "1 in (2, 3)", "this is always false"),
        ("any where user.name == \"a\" or true", "true", "this is always true"),
        ("any where user.name == \"a\" or not null", "null", "null, and so never true"),
        ("any where 1 == 2", "1 == 2", "no event can match this"),
        // Parts beside each other.
        ("any where user.name == \"a\" and user.id == \"b\" and user.name == \"a\"", "user.name == \"a\"", "already"),
        ("any where user.name == \"a\" and user.name != \"a\"", "user.name != \"a\"", "never true together"),
        ("any where not user.name : \"a*\" or user.name : \"a*\"", "user.name : \"a*\"", "always true"),
        ("any where user.name == null and user.name : \"a*\"", "user.name : \"a*\"", "cannot be absent and have"),
        (
            "any where (user.name == \"a\" or user.name == \"b\") and (user.id == null and user.name == null)",
            "user.name == null", "`user.name` cannot be absent"
        ),
        // Lists.
        ("any where process.name in (\"a\", \"b\", \"a\")", "\"a\"", "in the list already"),
        ("any where process.name : (\"cmd.exe\", \"CMD.EXE\")", "\"CMD.EXE\"", "in the list already"),
        ("any where destination.port in (80, 443, 80)", "80", "in the list already"),
        // What the checker warns of.
        ("any where process.name == \"cmd*\"", "\"cmd*\"", "ordinary characters"),
        ("any where process.name in (\"cmd*\", \"b\")", "\"cmd*\"", "ordinary characters"),
        ("any where process.name : \"*\"", "\"*\"", "matches every value"),
        ("any where process.nane == \"cmd\"", "process.nane", "is not an ECS field"),
        ("any where destination.port == \"https\"", "\"https\"", "can be compared with"),
        // Correlations.
        (
            "sequence [process where true] [network where true]",
            "sequence [process where true] [network where true]", "no `maxspan`"
        ),
        ("sequence with maxspan=1m [process where 1 == 2] [network where true]", "1 == 2", "match this stage"),
        (
            "sequence with maxspan=1m [process where true] [network where true] until [file where 1 == 2]",
            "[file where 1 == 2]", "can never fire"
        ),
        (
            "sequence by host.id with maxspan=1m [process where user.id == \"a\" and user.name == \"b\"] "
                + "[network where true] until [process where user.id == \"a\"]",
            "[process where user.id == \"a\"]", "every event of stage 1"
        ),
        (
            "sequence with maxspan=1m [process where true] [file where true] [network where true] until [any where true]",
            "[any where true]", "every event of stage 1"
        ),
    ])
    func warns(text: String, at place: String, of words: String) throws {
        let found = try lints(text)
        #expect(found.count == 1, "\(found)")
        let (at, diagnostic) = try #require(found.first)
        #expect(diagnostic.severity == .warning && diagnostic.message.contains(words), "\(diagnostic.message)")
        #expect(at == place)
    }

    @Test(arguments: [
        "any where true",
        "process where event.type == \"start\"",
        // Types of senders older than ECS, beside the one of ECS.
        "process where event.type in (\"start\", \"process_started\")",
        "process where event.type != \"connection\"",
        "process where not event.type == \"connection\"",
        "any where event.category in (\"process\", \"network\") and event.type == \"connection\"",
        // The type belongs to the other branch.
        "any where event.category == \"process\" or event.type == \"connection\"",
        "any where event.type : \"c*\"",
        "process where event.action == \"connection\"",
        "any where user.name == \"a\" or user.id == \"a\"",
        "any where user.name == \"a\" and user.name == \"b\"",
        // An array may have a value on either side.
        "any where destination.port < 10 and destination.port > 20",
        "any where user.name == null or user.name : \"a*\"",
        "any where user.name == null and user.id : \"a*\"",
        "any where not (user.name == null) and user.name : \"a*\"",
        "any where process.name in (\"a\", \"A\")",
        "any where process.name like (\"cmd.exe\", \"CMD.EXE\")",
        "any where process.name : \"cmd*\"",
        "any where process.name : (\"a*\", \"?b\")",
        "any where process.args == \"/c\" and process.args == \"/q\"",
        // The event that completes the sequence may end others of its key.
        "sequence by host.id with maxspan=1m [process where true] [network where true] until [network where true]",
        "sequence by host.id with maxspan=1m [process where true] [network where true] until [file where true]",
        // Another key: it ends the sequences of others.
        """
        sequence with maxspan=1m [process where true] by process.entity_id [network where true] by process.entity_id
        until [process where true] by process.parent.entity_id
        """,
        // Narrower than the stage.
        """
        sequence with maxspan=1m [process where true] [network where true]
        until [process where event.type == "end"]
        """,
    ])
    func staysQuiet(text: String) throws {
        let found = try lints(text)
        #expect(found.isEmpty, "\(found)")
    }

    @Test func anOverriddenCategoryIsNoneOfECS() throws {
        let options = CheckOptions(eventCategoryField: "event.type")
        #expect(try lints("start where user.name == \"a\"", options: options).isEmpty)
    }

    @Test func inlineFlagsAndAnchorsMatchNothingInLucene() throws {
        for (pattern, place) in [("(?i)mimikatz", "(?i)"), ("^cmd", "^"), ("cmd$", "$")] {
            let found = try lints("any where process.name regex \"\(pattern)\"")
            #expect(found.contains { $0.at == place && $0.1.hint != nil }, "\(found)")
            let search = try lints(
                "any where process.name regex \"\(pattern)\"", options: CheckOptions(regexMode: .search))
            #expect(search.isEmpty, "\(search)")
        }
    }
}
