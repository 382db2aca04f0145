/// Look-alikes, each one step away from what the rules look for.
enum NearMisses {
    static let all = [
        otherProgram, processEnd, newMailbox, scriptOnly, otherPort, ordinaryClient, tooLate, elsewhere, closing,
    ]

    private static let mail = Connection("192.0.2.40", port: 443, domain: "mail-0001.corp.example")
    private static let export =
        "-Command \"New-MailboxExportRequest -Mailbox board -FilePath \\\\files-0000\\exp" + "ort$\\board.pst\""

    private static func shell(_ commandLine: String) -> Launch {
        Launch(Programs.powerShell, "powershell.exe " + commandLine, parent: Programs.explorer)
    }

    private static let seedAlone = [Script.Finding(.seed, 0)]

    static let otherProgram = Script(
        name: "cmdlet-in-other-program", summary: "Notepad opens a file named after the cmdlet", kind: .nearMiss,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .processStart(
                        Launch(
                            Programs.notepad, "notepad.exe C:\\Scripts\\New-MailboxExportRequest.md",
                            parent: Programs.explorer), instance: 73_001)),
                .init(at: 5, .connection(mail, by: Programs.edge, instance: 73_002)),
            ]
        })

    static let processEnd = Script(
        name: "process-end", summary: "The process ends; its start was never reported", kind: .nearMiss,
        steps: { _ in
            [
                .init(at: 0, .processEnd(shell(export), instance: 73_101)),
                .init(at: 5, .connection(mail, by: Programs.edge, instance: 73_102)),
            ]
        })

    static let newMailbox = Script(
        name: "new-mailbox", summary: "An administrator makes mailboxes with cmdlets of like names", kind: .nearMiss,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .processStart(
                        shell(
                            "-Command \"New-Mailbox -Name trainee; Get-MailboxStatistics trainee;"
                                + " New-MailboxRepairRequest trainee\""), instance: 73_201)),
                .init(at: 5, .connection(mail, by: Programs.powerShell, instance: 73_201)),
            ]
        })

    static let scriptOnly = Script(
        name: "documentation-script", summary: "A script block names the cmdlets in its help text", kind: .nearMiss,
        steps: { _ in
            [
                .init(
                    at: 0,
                    .scriptBlock(
                        ScriptBlock(["Write-Host 'see the page on New-MailboxExportRequest and Search-Mailbox'"]),
                        part: 0, instance: 73_301))
            ]
        })

    static let otherPort = Script(
        name: "script-on-other-port", summary: "A monitoring script with the user agent of the rule, on port 8443",
        kind: .nearMiss,
        steps: { host in
            [
                .init(
                    at: 0, on: .exchangeServer,
                    .web(WebRequest("get", "/health", userAgent: "python-requests/2.32.3", port: 8_443), client: host))
            ]
        })

    static let ordinaryClient = Script(
        name: "ordinary-client", summary: "Outlook and a browser on the ports of the rule", kind: .nearMiss,
        steps: { host in
            [
                .init(
                    at: 0, on: .exchangeServer,
                    .web(
                        WebRequest(
                            "post", "/EWS/Exchange.asmx", userAgent: "Mozilla/5.0 (X11; Linux x86_64) curly python"),
                        client: host)),
                .init(
                    at: 1, on: .exchangeServer,
                    .web(WebRequest("get", "/owa/", userAgent: "libcurl-agent", port: 80), client: host)),
            ]
        })

    static let tooLate = Script(
        name: "connections-outside-window",
        summary: "One connection 61 s before the start, one 61 s after it", kind: .nearMiss, isQuiet: true,
        steps: { _ in
            [
                .init(at: 61, .processStart(shell(export), instance: 73_501)),
                .init(at: 0, .connection(mail, by: Programs.edge, instance: 73_502)),
                .init(at: 122, .connection(mail, by: Programs.edge, instance: 73_502)),
            ]
        },
        findings: seedAlone)

    static let elsewhere = Script(
        name: "connection-on-other-host", summary: "The connection belongs to another machine", kind: .nearMiss,
        isQuiet: true,
        steps: { _ in
            [
                .init(at: 0, .processStart(shell("Get-GlobalAddressList"), instance: 73_601)),
                .init(at: 2, on: .neighbour, .connection(mail, by: Programs.outlook, instance: 73_602)),
            ]
        },
        findings: seedAlone)

    static let closing = Script(
        name: "connection-ends", summary: "Beside the start, a connection to port 443 ends, and one opens to port 8443",
        kind: .nearMiss, isQuiet: true,
        steps: { _ in
            [
                .init(at: 0, .processStart(shell("Get-MailboxExportRequest"), instance: 73_701)),
                .init(at: 1, .defendConnection(mail, by: Programs.outlook, instance: 73_702, hasEnded: true)),
                .init(
                    at: 2, .connection(Connection("192.0.2.40", port: 8_443), by: Programs.outlook, instance: 73_703)),
            ]
        },
        findings: seedAlone)
}
