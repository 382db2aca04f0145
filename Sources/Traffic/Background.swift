/// What an ordinary working day looks like. Nothing here matches the seed rule: its cmdlet names occur in
/// no command line, and its user agents on none of its ports.
enum Background {
    static let launches: [Launch] = [
        Launch(
            Programs.edge,
            "\"C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe\" "
                + "--type=renderer --lang=en-US --renderer-client-id={number} --launch-time-ticks=2"
                + "118{number} --field-trial-handle=2004,i,1139{number},131072", parent: Programs.edge),
        Launch(
            Programs.chrome,
            "\"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe\" --type=utility "
                + "--utility-sub-type=network.mojom.NetworkService --lang=en-US "
                + "--field-trial-handle=1932,i,5521{number},262144 /prefetch:3", parent: Programs.chrome),
        Launch(
            Programs.outlook,
            "\"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE\" "
                + "/eml \"C:\\Users\\{user}\\Downloads\\Quarterly figures {number}.eml\"", parent: Programs.explorer),
        Launch(
            Programs.teams,
            "\"C:\\Program Files\\WindowsApps\\MSTeams_25017\\ms-teams.exe\" msteams:system-i" + "nitiated",
            parent: Programs.explorer),
        Launch(
            Programs.serviceHost, "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule",
            parent: Programs.services, in: "C:\\Windows\\system32\\"),
        Launch(
            Programs.console, "\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1",
            parent: Programs.commandPrompt, in: "C:\\Windows"),
        Launch(
            Programs.commandPrompt,
            "C:\\Windows\\system32\\cmd.exe /c \"\"C:\\ProgramData\\Corp\\logon.cmd\" "
                + "{user} \\\\files-0000\\home\\{user}\"", parent: Programs.explorer),
        Launch(Programs.groupPolicy, "gpupdate.exe /target:user", parent: Programs.serviceHost),
        Launch(
            Programs.tasks, "schtasks.exe /query /fo LIST /v /tn \"\\Corp\\Inventory {number}\"",
            parent: Programs.commandPrompt),
        Launch(
            Programs.code,
            "\"C:\\Users\\{user}\\AppData\\Local\\Programs\\Microsoft VS Code\\Code.exe\" "
                + "--type=fileWatcher \"C:\\Users\\{user}\\source\\invoices\"", parent: Programs.code),
        Launch(
            Programs.curl, "curl.exe -s http://monitor.corp.example:8080/health?host={host}",
            parent: Programs.commandPrompt),
        Launch(
            Programs.powerShell,
            "powershell.exe -NoProfile -ExecutionPolicy AllSigned -File \"C:\\ProgramData\\"
                + "Corp\\Inventory\\Collect-Inventory.ps1\" -Host {host} -Run {number}", parent: Programs.serviceHost),
        Launch(
            Programs.powerShell,
            "powershell.exe -NoProfile -Command \"Get-Service | Where-Object Status "
                + "-eq 'Stopped' | Select-Object Name, StartType\"", parent: Programs.commandPrompt),
        Launch(
            Programs.powerShell,
            "powershell.exe -Command \"Get-Mailbox -ResultSize Unlimited | "
                + "Get-MailboxStatistics | Sort-Object TotalItemSize\"", parent: Programs.explorer),
        Launch(
            Programs.powerShell7,
            "\"C:\\Program Files\\PowerShell\\7\\pwsh.exe\" -NoLogo -Command \"Set-Mailbox "
                + "-Identity {user} -ProhibitSendQuota 48GB\"", parent: Programs.explorer),
        Launch(
            Programs.powerShell7,
            "pwsh.exe -NoProfile -Command \"Get-MailboxFolderStatistics {user} "
                + "| Export-Csv C:\\Reports\\{number}.csv\"", parent: Programs.explorer),
    ]

    /// Connections that any machine opens, and the programs that open them.
    static let connections: [(Program, Connection)] = [
        (Programs.edge, Connection("203.0.113.17", port: 443, domain: "www.example.com")),
        (Programs.edge, Connection("203.0.113.80", port: 443, domain: "intranet.corp.example")),
        (Programs.chrome, Connection("198.51.100.34", port: 443, domain: "docs.example.org")),
        (Programs.chrome, Connection("198.51.100.99", port: 80, domain: "ocsp.example.net")),
        (Programs.outlook, Connection("192.0.2.40", port: 443, domain: "outlook.office365.example")),
        (Programs.outlook, Connection("192.0.2.41", port: 443, domain: "autodiscover.corp.example")),
        (Programs.teams, Connection("192.0.2.52", port: 443, domain: "teams.example")),
        (Programs.oneDrive, Connection("192.0.2.60", port: 443, domain: "storage.example")),
        (Programs.serviceHost, Connection("192.0.2.77", port: 443, domain: "update.example")),
    ]

    /// Connections that never go to port 443.
    static let quietConnections: [(Program, Connection)] = [
        (Programs.serviceHost, Connection("10.20.0.2", port: 53, domain: "dc-0001.corp.example", transport: "udp")),
        (Programs.system4, Connection("10.20.0.2", port: 445, domain: "files-0000.corp.example")),
        (Programs.backup, Connection("10.20.0.9", port: 9_392, domain: "backup.corp.example")),
        (Programs.serviceHost, Connection("10.20.0.3", port: 88, domain: "dc-0001.corp.example")),
    ]

    static let names = [
        "www.example.com", "outlook.office365.example", "teams.example", "update.example", "dc-0001.corp.example",
        "telemetry.example.net", "cdn.example.org", "wpad.corp.example",
    ].map(Text.init)

    static let files: [(Program, FileName)] = [
        (
            Programs.edge,
            FileName(
                "C:\\Users\\{user}\\AppData\\Local\\Microsoft\\Edge\\User Data\\Default\\Cache\\"
                    + "Cache_Data\\f_00{number}")
        ),
        (Programs.edge, FileName("C:\\Users\\{user}\\Downloads\\report-{number}.pdf")),
        (Programs.outlook, FileName("C:\\Users\\{user}\\AppData\\Local\\Microsoft\\Outlook\\{user}@corp.example.ost")),
        (
            Programs.outlook,
            FileName(
                "C:\\Users\\{user}\\AppData\\Local\\Microsoft\\Windows\\INetCache\\"
                    + "Content.Outlook\\invoice {number}.xlsx")
        ),
        (Programs.code, FileName("C:\\Users\\{user}\\source\\invoices\\build\\{number}.obj")),
        (Programs.serviceHost, FileName("C:\\Windows\\Prefetch\\MSEDGE.EXE-{number}.pf")),
        (Programs.robocopy, FileName("D:\\Shares\\home\\{user}\\documents\\minutes-{number}.docx")),
    ]

    static let libraries: [(Program, Library)] = [
        (
            Programs.outlook,
            Library(
                "C:\\Program Files\\Microsoft Office\\root\\Office16\\mso.dll", company: "Microsoft Corporation",
                product: "Microsoft Office", signer: "Microsoft Corporation")
        ),
        (
            Programs.powerShell,
            Library(
                "C:\\Windows\\assembly\\NativeImages_v4.0.30319_64\\System.Management.Automation." + "ni.dll",
                company: "Microsoft Corporation", product: "Microsoft (R) Windows (R) Operating System",
                signer: "Microsoft Windows")
        ),
    ]

    static let scripts: [ScriptBlock] = [
        ScriptBlock(["prompt"]),
        ScriptBlock([
            "Get-ChildItem -Path C:\\Reports -Filter *.csv | Where-Object LastWriteTime "
                + "-lt (Get-Date).AddDays(-30) | Remove-Item -Verbose"
        ]),
        ScriptBlock(
            [
                """
                param([string]$Server = '{host}')
                # Collects the installed software of one machine for the weekly inventory.
                $keys = 'HKLM:\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\*'
                $items = Get-ItemProperty $keys | Where-Object DisplayName
                foreach ($item in $items) {
                    "{0};{1};{2};{3}" -f $Server, $item.DisplayName, $item.DisplayVersion, $item.Publisher
                }
                Get-CimInstance Win32_LogicalDisk -Filter 'DriveType=3' | ForEach-Object {
                    "{0};{1};{2}" -f $Server, $_.DeviceID, [math]::Round($_.FreeSpace / 1GB, 1)
                }
                Write-EventLog -LogName Application -Source Inventory -EventId {number} -Message "$Server done"
                """
            ], path: "C:\\ProgramData\\Corp\\Inventory\\Collect-Inventory.ps1"),
        ScriptBlock([
            "Get-Mailbox -ResultSize 500 | Select-Object DisplayName, PrimarySmtpAddress, "
                + "ProhibitSendQuota | Export-Csv C:\\Reports\\quota-{number}.csv -NoTypeInformation"
        ]),
    ]

    static let requests: [WebRequest] = [
        WebRequest(
            "post", "/mapi/emsmdb/", query: "MailboxId={number}@corp.example",
            userAgent: "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"),
        WebRequest(
            "post", "/EWS/Exchange.asmx",
            userAgent: "MacOutlook/16.90.24101387 (Intelx64 Mac OS X 14.6.1 (Build 23G93))"),
        WebRequest(
            "get", "/owa/",
            userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, "
                + "like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"),
        WebRequest(
            "post", "/Microsoft-Server-ActiveSync/default.eas", query: "Cmd=Ping&DeviceType=iPhone&DeviceId=K{number}",
            userAgent: "Apple-iPhone15C2/2201.50"),
        WebRequest(
            "post", "/autodiscover/autodiscover.xml",
            userAgent: "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)", status: 401),
        WebRequest("get", "/health/check.htm", userAgent: "curl/8.9.1", port: 8_080),
    ]

    /// One record of the day on `host`. A quiet host opens no connection to port 443.
    static func record(
        on host: Host, isQuiet: Bool, clients: [Int], random: inout TrafficRandom
    ) -> Record {
        let instance = UInt32(truncatingIfNeeded: random.next() >> 40)
        if host.role == .exchangeServer, random.below(10) < 8 {
            return .web(random.pick(requests), client: random.pick(clients))
        }
        switch random.below(100) {
        case 0..<24:
            return .processStart(random.pick(launches), instance: instance)
        case 24..<28:
            return .processEnd(random.pick(launches), instance: instance)
        case 28..<52:
            let (program, connection) = random.pick(isQuiet ? quietConnections : connections)
            return .connection(connection, by: program, instance: instance)
        case 52..<68:
            let (program, connection) = random.pick(isQuiet ? quietConnections : connections)
            return .defendConnection(connection, by: program, instance: instance, hasEnded: random.below(2) == 0)
        case 68..<76:
            let (program, connection) = random.pick(quietConnections)
            return .connection(connection, by: program, instance: instance)
        case 76..<84:
            return .nameQuery(random.pick(names), by: Programs.serviceHost, instance: instance)
        case 84..<94:
            let (program, file) = random.pick(files)
            return .fileCreation(file, by: program, instance: instance)
        case 94..<96:
            let (program, library) = random.pick(libraries)
            return .imageLoad(library, by: program, instance: instance)
        default:
            return .scriptBlock(random.pick(scripts), part: 0, instance: instance)
        }
    }
}
