/// The programs that run on the fleet.
enum Programs {
    private static let microsoft = "Microsoft Corporation"
    private static let windows = "Microsoft® Windows® Operating System"

    private static func system(_ name: String, originalName: String? = nil) -> Program {
        Program(
            "C:\\Windows\\System32\\\(name)", originalName: originalName, company: microsoft, product: windows)
    }

    static let explorer = Program(
        "C:\\Windows\\explorer.exe", originalName: "EXPLORER.EXE", company: microsoft, product: windows)
    static let services = system("services.exe")
    static let serviceHost = system("svchost.exe")
    static let console = system("conhost.exe", originalName: "CONHOST.EXE")
    static let commandPrompt = system("cmd.exe", originalName: "Cmd.Exe")
    static let whoAmI = system("whoami.exe")
    static let tasks = system("schtasks.exe")
    static let groupPolicy = system("gpupdate.exe", originalName: "GPUpdate.exe")
    static let robocopy = system("Robocopy.exe")
    static let curl = system("curl.exe")
    static let notepad = system("notepad.exe", originalName: "NOTEPAD.EXE")
    static let powerShell = Program(
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", originalName: "PowerShell.EXE",
        company: microsoft, product: windows)
    /// The same program; Windows reports the spelling it was started with.
    static let shoutedPowerShell = Program(
        "C:\\WINDOWS\\SYSTEM32\\WINDOWSPOWERSHELL\\V1.0\\POWERSHELL.EXE", originalName: "PowerShell.EXE",
        company: microsoft, product: windows)
    /// The same program under another name; its version resource tells.
    static let renamedPowerShell = Program(
        "C:\\ProgramData\\updater.exe", originalName: "PowerShell.EXE", company: microsoft, product: windows)
    static let powerShell7 = Program(
        "C:\\Program Files\\PowerShell\\7\\pwsh.exe", originalName: "pwsh.dll", company: microsoft,
        product: "PowerShell")
    static let outlook = Program(
        "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE", originalName: "Outlook.exe",
        company: microsoft, product: "Microsoft Outlook")
    static let teams = Program(
        "C:\\Program Files\\WindowsApps\\MSTeams_25017\\ms-teams.exe", company: microsoft, product: "Microsoft Teams")
    static let edge = Program(
        "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe", company: microsoft,
        product: "Microsoft Edge")
    static let chrome = Program(
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", company: "Google LLC", product: "Google Chrome")
    static let code = Program(
        "C:\\Users\\{user}\\AppData\\Local\\Programs\\Microsoft VS Code\\Code.exe", originalName: "electron.exe",
        company: microsoft, product: "Visual Studio Code")
    static let oneDrive = Program(
        "C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe", company: microsoft, product: "Microsoft OneDrive")
    static let backup = Program(
        "C:\\Program Files\\Corp Backup\\agent.exe", company: "Corp Backup GmbH", product: "Corp Backup")
    static let mailWorker = Program(
        "C:\\Windows\\System32\\inetsrv\\w3wp.exe", company: microsoft, product: "Internet Information Services")
    static let system4 = Program("System", company: microsoft, product: windows)
}
