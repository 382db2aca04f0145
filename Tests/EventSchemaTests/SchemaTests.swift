import EventSchema
import Testing

@Suite struct SchemaTests {
    @Test(arguments: [
        ("@timestamp", FieldType.date), ("event.category", .keyword), ("event.risk_score", .float),
        ("process.pid", .long), ("process.parent.pid", .long), ("process.parent.code_signature.trusted", .boolean),
        ("process.command_line", .wildcard), ("process.parent.hash.sha256", .keyword),
        ("process.entry_leader.parent.session_leader.pid", .long), ("process.session_leader.user.name", .keyword),
        ("process.session_leader.parent.session_leader.vpid", .long), ("process.group_leader.args", .keyword),
        ("cloud.target.region", .keyword), ("service.origin.node.roles", .keyword), ("file.macho.symhash", .keyword),
        ("process.Ext.token.integrity_level_name", .keyword), ("process.Ext.relative_file_creation_time", .float),
        ("process.parent.Ext.code_signature.exists", .boolean), ("Target.process.pid", .long),
        ("process.parent.Ext.real.pid", .long), ("process.Ext.session_info.relative_logon_time", .float),
        ("process.Ext.session_info.logon_type", .keyword), ("process.Ext.memory_region.mapped_pe_detected", .boolean),
        ("process.Ext.api.metadata.ms_since_last_keyevent", .long), ("dll.Ext.mapped_size", .long),
        ("okta.security_context.as.number", .long), ("okta.security_context.as.organization.name", .keyword),
        ("destination.port", .long), ("destination.ip", .ip), ("destination.geo.country_iso_code", .keyword),
        ("source.as.number", .long), ("client.user.group.id", .keyword), ("server.nat.port", .long),
        ("file.pe.sections.entropy", .long), ("file.x509.not_after", .date), ("file.elf.imports.printf", .flattened),
        ("dll.code_signature.subject_name", .keyword), ("dll.Ext.relative_file_creation_time", .float),
        ("email.attachments.file.hash.md5", .keyword), ("dns.answers.ttl", .long), ("dns.resolved_ip", .ip),
        ("threat.enrichments.indicator.file.hash.sha1", .keyword), ("threat.indicator.url.port", .long),
        ("url.full", .wildcard), ("url.path", .wildcard), ("user_agent.original", .keyword), ("message", .text),
        ("user.effective.name", .keyword), ("user.risk.calculated_score", .float), ("labels.team", .keyword),
        ("data_stream.type", .constantKeyword), ("host.ip", .ip), ("host.os.version", .keyword),
        ("tls.client.x509.issuer.common_name", .keyword), ("registry.data.strings", .wildcard),
        ("winlog.event_data.TargetObject", .keyword), ("winlog.event_id", .keyword), ("winlog.process.pid", .long),
        ("powershell.sequence", .long), ("powershell.file.script_block_text", .text),
        ("o365.audit.Parameters.Mailbox", .keyword), ("o365.audit.CreationTime", .date),
        ("azure.graphactivitylogs.properties.user_agent", .keyword), ("iis.access.sub_status", .long),
        ("apus.host_key", .keyword), ("custom.field", .dynamic), ("process.no_such_field", .dynamic),
        ("winlog.event_data", .dynamic), ("", .dynamic), (".", .dynamic),
    ])
    func typeOfField(path: String, type: FieldType) {
        #expect(Schema.ecs.type(of: FieldPath(path)) == type)
        #expect(Schema.ecs.defines(FieldPath(path)) == (type != .dynamic))
    }

    @Test func holdsTheWholeOfECS() {
        #expect(Schema.ecs.paths.count > 1700)
    }

    @Test(arguments: [
        ("process.comand_line", "process.command_line"), ("process.commandline", "process.command_line"),
        ("Process.Name", "process.name"), ("event.catgeory", "event.category"),
        ("user_agent.orignal", "user_agent.original"),
        ("destination.prot", "destination.port"),
    ])
    func suggestsTheNearest(misspelt: String, path: String) {
        #expect(Schema.ecs.nearest(to: FieldPath(misspelt)) == FieldPath(path))
    }

    @Test(arguments: ["process.name", "winlog.event_data.Anything", "acme.inventory.owner", "", "x"])
    func suggestsNothing(path: String) {
        #expect(Schema.ecs.nearest(to: FieldPath(path)) == nil)
    }

    @Test func layoutNumbersFieldsInOrderOfInsertion() {
        var layout = FieldLayout()
        let name = layout.insert("process.name")
        let pid = layout.insert("process.pid")
        #expect(layout.insert("process.name") == name)
        #expect((name.index, pid.index, layout.count) == (0, 1, 2))
        #expect(layout.types == [.keyword, .long])
        #expect(layout.id(of: "process.args") == nil)
    }

    @Test func foldsOnlyASCII() {
        #expect(ASCII.lowercased("PowerShell@[`{ÄÉ") == "powershell@[`{ÄÉ")
    }
}
