import Alerts
import Foundation
import Rules
import Testing

/// The ways around the rules that are known, each as records, and what the pack makes of them: the rules that find it, or
/// why none does. The README of the pack tells the same.
struct Evasion: CustomTestStringConvertible {
    let name: String
    /// The rules that find it, by file name; none when it stays uncovered.
    let foundBy: [String]
    /// Why nothing finds it.
    let uncovered: String?
    let records: [String]

    init(_ name: String, foundBy: String..., records: [String]) {
        (self.name, self.foundBy, self.records) = (name, foundBy, records)
        uncovered = nil
    }

    init(_ name: String, uncovered: String, records: [String]) {
        (self.name, self.uncovered, self.records) = (name, uncovered, records)
        foundBy = []
    }

    var testDescription: String { name }

    /// Its row in the README.
    var row: String {
        let verdict = uncovered.map { "uncovered: \($0)" } ?? foundBy.map { "`\($0)`" }.joined(separator: ", ")
        return "| \(name) | \(verdict) |"
    }
}

@Suite struct EvasionTests {
    @Test(arguments: Evasion.all)
    func isFoundOrListed(evasion: Evasion) throws {
        let lane = try Pack.lane()
        for record in evasion.records { lane.send(record) }
        let found = Set(lane.finish().map(\.rule.fileName))
        #expect(found == Set(evasion.foundBy))
    }

    @Test func theReadmeTellsTheSame() throws {
        let readme = try String(contentsOf: Pack.folder.appending(path: "README.md"), encoding: .utf8)
        for evasion in Evasion.all { #expect(readme.contains(evasion.row + "\n"), "\(evasion.row)") }
        let rows = readme.split(separator: "\n").drop { $0 != "## Known evasions" }.dropFirst()
            .prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| ") && !$0.hasPrefix("| evasion") }
        #expect(rows.count == Evasion.all.count)
    }
}

extension Evasion {
    static let all = commands + clients + cloud

    private static let encoded =
        "TgBlAHcALQBNAGEAaQBsAGIAbwB4AEUAeABwAG8AcgB0AFIAZQBxAHUAZQBzAHQAIAAtAE0AYQBpAGwAYgBvAHgAIABjAGUAbwA="

    private static let commands = [
        Evasion(
            "`-EncodedCommand`", foundBy: "mail_cmdlet_decoded",
            records: [Records.start("powershell.exe -enc \(encoded)")]),
        Evasion(
            "a script file (`-File run.ps1`), a profile, dot-sourcing", foundBy: "script_mailsniper",
            records: [Records.start("powershell.exe -File run.ps1"), Records.block("function Invoke-SelfSearch { }")]),
        Evasion(
            "typed into a shell that was open", foundBy: "script_mailbox_export",
            records: [Records.block("New-MailboxExportRequest -Mailbox ceo -FilePath x")]),
        Evasion(
            "the PowerShell ISE", foundBy: "mail_cmdlet_hidden_shell",
            records: [
                Records.start(
                    #"powershell_ise.exe C:\MailSniper.ps1"#, name: "powershell_ise.exe", original: "powershell_ise.EXE"
                )
            ]),
        Evasion(
            "PowerShell under another name", foundBy: "mail_cmdlet_hidden_shell",
            records: [Records.start("updater.exe -c Invoke-SelfSearch", name: "updater.exe")]),
        Evasion(
            "back-ticks and carets in the command", foundBy: "mail_cmdlet_decoded",
            records: [Records.start("powershell.exe -c Inv`oke-Self`Search")]),
        Evasion(
            "concatenation in the command", foundBy: "mail_cmdlet_decoded",
            records: [Records.start("powershell.exe -c &('New-Mailbox'+'ExportRequest') -Mailbox ceo")]),
        Evasion(
            "concatenation in a script block", foundBy: "script_mailbox_export",
            records: [Records.block("&('New-Mailbox'+'ExportRequest') -Mailbox ceo -FilePath x")]),
        Evasion(
            "an alias for the cmdlet", foundBy: "script_mailbox_export",
            records: [
                Records.block("Set-Alias nmer New-MailboxExportRequest"),
                Records.block("nmer -Mailbox ceo", id: "b2", second: 1),
            ]),
        Evasion(
            "an alias that was made before logging began",
            uncovered: "the call names no cmdlet; the server's audit log does, see `exchange_export_cmdlet`",
            records: [Records.block("nmer -Mailbox ceo -FilePath x")]),
        Evasion(
            "strings computed at run time (encryption, a download)",
            uncovered: "decoding follows constants only; the block that is compiled in the end is logged and matched",
            records: [Records.block("& (Unprotect $key $blob) -Mailbox ceo")]),
        Evasion(
            "remote PowerShell to the Exchange server", foundBy: "exchange_export_cmdlet",
            records: [
                Records.start("powershell.exe -c Enter-PSSession mail-1"),
                Records.audit("New-MailboxExportRequest", #""ObjectId":"ceo""#),
            ]),
        Evasion(
            "unmanaged PowerShell, C# and other programs with the EWS library", foundBy: "ews_library_load",
            records: [
                Records.record(
                    #""event":{"code":"7","category":["process"],"type":["change"]},"process":{"executable":"C:\\x\\notes.exe"},"#
                        + #""file":{"name":"Microsoft.Exchange.WebServices.dll"}"#)
            ]),
        Evasion(
            "the EWS library merged into the program",
            uncovered: "nothing is loaded from disk; what it asks the mail server is seen there",
            records: [
                Records.start("notes.exe", name: "notes.exe", original: "notes.exe"),
                Records.connection(name: "notes.exe"),
            ]),
        Evasion(
            "Sysmon 3 is off, the firewall's log (5156) is on", foundBy: "mail_collection_seed",
            "mail_collection_with_connection",
            records: [
                Records.start("powershell.exe -c Invoke-SelfSearch"),
                Records.record(
                    second: 1,
                    #""event":{"code":"5156","category":["network"],"type":["connection","info","allowed"]},"process":{"pid":42},"#
                        + #""destination":{"port":443},"network":{"direction":"egress"}"#),
            ]),
        Evasion(
            "Sysmon 3 and the firewall's log are off", foundBy: "mail_collection_seed",
            records: [Records.start("powershell.exe -c Invoke-SelfSearch")]),
        Evasion(
            "an Outlook store copied under another name ending",
            uncovered:
                "the copy is no `.ost` for the file rules; reading the original over a share or by 4663 is found",
            records: [
                Records.record(
                    #""event":{"code":"11","category":["file"],"type":["creation"]},"file":{"name":"a.bin","extension":"bin"},"#
                        + #""process":{"executable":"C:\\x.exe"}"#)
            ]),
        Evasion(
            "an Outlook store read from a volume shadow copy",
            uncovered: "the path in 4663 is the shadow copy's only where auditing is set on it",
            records: [Records.start("vssadmin create shadow /for=C:", name: "vssadmin.exe", original: "VSSADMIN.EXE")]),
    ]

    private static let clients = [
        Evasion(
            "user agent `ExchangeServicesClient/…`", foundBy: "ews_request_unusual_client",
            records: [Records.request("ExchangeServicesClient/0.0.0.0")]),
        Evasion(
            "other scripting user agents (urllib, httpx, okhttp, axios, Java, HttpClient, node-fetch, Postman, ruler)",
            foundBy: "ews_request_unusual_client",
            records: [
                "Python-urllib/3.12", "python-httpx/0.27", "okhttp/4.12.0", "axios/1.7", "Java/17.0.2",
                "Apache-HttpClient/4.5", "node-fetch/1.0", "PostmanRuntime/7.40", "ruler",
            ].map { Records.request($0) }),
        Evasion(
            "PowerShell's web cmdlets", foundBy: "ews_request_unusual_client",
            records: [
                Records.request("Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.2506")
            ]),
        Evasion(
            "the user agent of Outlook, from a host whose commands are seen", foundBy: "mail_collection_seed",
            "workstation_then_ews_request",
            records: [
                Records.start("powershell.exe -c Invoke-SelfSearch"),
                Records.request("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"),
            ]),
        Evasion(
            "the user agent of Outlook or a browser, from elsewhere",
            uncovered: "one such request is like any other; only rate and breadth would tell",
            records: [Records.request("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)")]),
        Evasion(
            "IMAP or POP by a script", foundBy: "script_client_on_mail_port",
            records: [Records.connection(port: 993, name: "python.exe")]),
        Evasion(
            "IMAP or POP by a program of its own",
            uncovered: "the program is in no list of interpreters; an allow-list of mail programs would find it",
            records: [Records.connection(port: 993, name: "notes.exe")]),
    ]

    private static let cloud = [
        Evasion(
            "Microsoft Graph instead of EWS, in a command line", foundBy: "graph_mail_command",
            records: [
                Records.start(
                    "powershell.exe Invoke-MgGraphRequest https://graph.microsoft.com/v1.0/users/ceo/messages")
            ]),
        Evasion(
            "Microsoft Graph in a script block (the public Atomic test, GraphRunner)", foundBy: "script_graph_mail",
            records: [Records.block("Invoke-GraphRunner -Tokens $t")]),
        Evasion(
            "an app of the attacker's that reads many mailboxes", foundBy: "graph_app_reads_many_mailboxes",
            records: ["0c41", "5f20", "9e77", "d103"].enumerated().map {
                Records.graph("/v1.0/users/\($1)/messages", second: $0)
            }),
        Evasion(
            "an app that reads fewer than four mailboxes in ten minutes",
            uncovered: "that is what small integrations do",
            records: ["0c41", "5f20", "9e77"].enumerated().map {
                Records.graph("/v1.0/users/\($1)/messages", second: $0)
            }),
        Evasion(
            "an app of the attacker's with an app role for mail, one mailbox", foundBy: "app_role_then_graph_mail",
            records: [
                Records.appGrant(
                    "Add app role assignment to service principal.",
                    [("AppRole_Value", "Mail.Read"), ("ServicePrincipal_AppId", "7a1")], target: ["Microsoft Graph"]),
                Records.graph("/v1.0/users/0c41/messages", second: 60),
            ]),
        Evasion(
            "the same where only Entra ID's own audit log is collected", foundBy: "app_role_then_graph_mail",
            records: [
                Records.entra(
                    "Add app role assignment to service principal",
                    [("AppRole.Value", "Mail.Read"), ("ServicePrincipal.AppId", "7a1")]),
                Records.graph("/v1.0/users/0c41/messages", second: 60),
            ]),
        Evasion(
            "the same without Graph's log, or over another protocol", foundBy: "app_role_then_mail_access",
            records: [
                Records.appGrant(
                    "Add app role assignment to service principal.",
                    [("AppRole_Value", "full_access_as_app"), ("ServicePrincipal_AppId", "7a1")],
                    target: ["Office 365 Exchange Online"]),
                Records.audit("MailItemsAccessed", second: 60, #""ClientAppId":"7a1""#),
            ]),
        Evasion(
            "consent phishing: the user lets an app read", foundBy: "app_consent_then_graph_mail",
            "app_consent_then_mail_access",
            records: [
                Records.appGrant(
                    "Consent to application.", [("ConsentAction_Permissions", "[] => [[Scope: Mail.Read]]")],
                    target: ["ServicePrincipal", "Viewer", "7a1"]),
                Records.graph("/v1.0/me/messages", second: 60),
                Records.audit("MailItemsAccessed", second: 61, #""ClientAppId":"7a1""#),
            ]),
        Evasion(
            "the same where only Entra ID's own audit log is collected: the user lets an app read",
            foundBy: "app_consent_then_graph_mail", "app_consent_then_mail_access",
            records: [
                Records.entra(
                    "Consent to application",
                    [
                        ("ConsentAction.Permissions", "[] => [[Scope: Mail.Read]]"),
                        ("TargetId.ServicePrincipalNames", "7a1;https://viewer.example"),
                    ]),
                Records.graph("/v1.0/me/messages", second: 60),
                Records.audit("MailItemsAccessed", second: 61, #""ClientAppId":"7a1""#),
            ]),
        Evasion(
            "an app that was granted mail long ago, with a new secret",
            uncovered: "reading is what it always does; a secret that is added to an app is for rules on accounts",
            records: [Records.graph("/v1.0/users/0c41/messages")]),
        Evasion(
            "Graph's export of items", foundBy: "graph_mailbox_export",
            records: [Records.graph("/beta/admin/exchange/mailboxes/MBX:1/exportItems")]),
        Evasion(
            "Graph's `$batch`", uncovered: "the record has the path of the batch, not of what is in it",
            records: [Records.graph("/v1.0/$batch")]),
        Evasion(
            "delegation instead of a password", foundBy: "delegation_then_access",
            records: [
                Records.audit(
                    "Add-MailboxPermission", user: "admin@corp.example",
                    #""ObjectId":"ceo","Parameters":{"User":"mallory@corp.example","AccessRights":"FullAccess"}"#),
                Records.audit("MailItemsAccessed", second: 60, #""LogonType":2,"MailboxOwnerUPN":"ceo@corp.example""#),
            ]),
        Evasion(
            "delegation to an alias or a display name",
            uncovered: "the grantee is not named by the address it signs in with, so that the two cannot be joined",
            records: [
                Records.audit(
                    "Add-MailboxPermission", user: "admin@corp.example",
                    #""ObjectId":"ceo","Parameters":{"User":"mallory","AccessRights":"FullAccess"}"#),
                Records.audit("MailItemsAccessed", second: 60, #""LogonType":2,"MailboxOwnerUPN":"ceo@corp.example""#),
            ]),
        Evasion(
            "a role that opens every mailbox", foundBy: "mail_role_granted",
            records: [
                Records.audit(
                    "New-ManagementRoleAssignment", #""Parameters":{"Role":"ApplicationImpersonation","User":"m"}"#)
            ]),
        Evasion(
            "impersonation: an account reads as the owner", foundBy: "mail_role_granted",
            "impersonation_then_mail_access",
            records: [
                Records.audit(
                    "New-ManagementRoleAssignment", user: "admin@corp.example",
                    #""Parameters":{"Role":"ApplicationImpersonation","User":"mallory@corp.example"}"#),
                Records.audit(
                    "MailItemsAccessed", second: 60,
                    #""MailboxOwnerUPN":"ceo@corp.example","ClientInfoString":"Client=WebServices;Outlook""#),
            ]),
        Evasion(
            "an Exchange application role instead of Entra's", foundBy: "mail_role_granted",
            "exchange_role_then_mail_access",
            records: [
                Records.audit(
                    "New-ManagementRoleAssignment", user: "admin@corp.example",
                    #""Parameters":{"Role":"Application Mail.Read","App":"7a1"}"#),
                Records.audit("MailItemsAccessed", second: 60, #""ClientAppId":"7a1""#),
            ]),
        Evasion(
            "the same, assigned to the app's service principal by its object id", foundBy: "mail_role_granted",
            "exchange_role_then_graph_mail",
            records: [
                Records.audit(
                    "New-ManagementRoleAssignment", user: "admin@corp.example",
                    #""Parameters":{"Role":"Application Mail.Read","App":"51f"}"#),
                Records.graph("/v1.0/users/0c41/messages", second: 60),
                Records.audit("MailItemsAccessed", second: 61, #""ClientAppId":"7a1""#),
            ]),
        Evasion(
            "the same by its display name, for an app that is new in Exchange", foundBy: "mail_role_granted",
            "exchange_app_then_mail_access",
            records: [
                Records.audit(
                    "New-ServicePrincipal", user: "admin@corp.example",
                    #""Parameters":{"AppId":"7a1","ObjectId":"51f","DisplayName":"Sync"}"#),
                Records.audit(
                    "New-ManagementRoleAssignment", user: "admin@corp.example", second: 10,
                    #""Parameters":{"Role":"Application Mail.Read","App":"Sync"}"#),
                Records.audit("MailItemsAccessed", second: 60, #""ClientAppId":"7a1""#),
            ]),
        Evasion(
            "the same by its display name, for an app that Exchange has long known: the assignment only, since no record "
                + "of access has the name",
            foundBy: "mail_role_granted",
            records: [
                Records.audit(
                    "New-ManagementRoleAssignment", user: "admin@corp.example",
                    #""Parameters":{"Role":"Application Mail.Read","App":"Sync"}"#),
                Records.audit("MailItemsAccessed", second: 60, #""ClientAppId":"7a1""#),
            ]),
        Evasion(
            "eDiscovery in the portal", foundBy: "ediscovery_search_then_export",
            records: [
                Records.audit("SearchCreated", #""ObjectId":"q""#),
                Records.audit("SearchExported", second: 600, #""ObjectId":"q""#),
            ]),
        Evasion(
            "eDiscovery read in its preview, without an export",
            uncovered: "the audit log has no record of what is read there",
            records: [
                Records.audit("SearchCreated", #""ObjectId":"q""#),
                Records.audit("PreviewItemListed", second: 60, #""ObjectId":"q""#),
            ]),
        Evasion(
            "so many reads that auditing stops", foundBy: "mail_audit_throttled",
            records: [
                Records.audit("MailItemsAccessed", #""OperationProperties":[{"Name":"IsThrottled","Value":"True"}]"#)
            ]),
        Evasion(
            "silence of a mailbox's audit after a burst",
            uncovered:
                "asks for what did not happen for a day over every mailbox; `mail_audit_throttled` says when it begins",
            records: [Records.audit("MailItemsAccessed", #""LogonType":0"#)]),
    ]
}
