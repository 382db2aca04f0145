/// What happened, without the time, the machine and the user; rendering adds those.
enum Record: Sendable {
    /// Sysmon 1.
    case processStart(Launch, instance: UInt32)
    /// The end of a process as Elastic Defend reports it, command line included.
    case processEnd(Launch, instance: UInt32)
    /// Sysmon 3: type `start`, `connection`, `protocol`.
    case connection(Connection, by: Program, instance: UInt32)
    /// Elastic Defend: type `start` or `end`, never `connection`.
    case defendConnection(Connection, by: Program, instance: UInt32, hasEnded: Bool)
    /// Sysmon 22.
    case nameQuery(Text, by: Program, instance: UInt32)
    /// Sysmon 11.
    case fileCreation(FileName, by: Program, instance: UInt32)
    /// Sysmon 7.
    case imageLoad(Library, by: Program, instance: UInt32)
    /// PowerShell 4104; a long block comes in several parts.
    case scriptBlock(ScriptBlock, part: Int, instance: UInt32)
    /// Filebeat's IIS access log, from the server.
    case web(WebRequest, client: Int)
    /// Security 4663, which carries neither category nor type.
    case objectAccess(Text, by: Program)
    /// Security 5140 and, with a target, 5145.
    case shareAccess(share: Text, target: Text?, client: Int)
    /// The Microsoft 365 audit log of administrators' cmdlets and eDiscovery.
    case exchangeAudit(action: Text, provider: StaticString, object: Text, parameters: [Parameter])
    /// The event log "MSExchange Management" of an Exchange server; there is no ECS form of it.
    case exchangeCmdlet(Text, arguments: Text)
    /// What Entra's part of the Microsoft 365 audit says of a permission that an app is given: the properties that
    /// changed, and the app's names and ids.
    case appGrant(action: Text, properties: [Parameter], target: [StaticString])
    /// The mailbox audit of Microsoft 365; with the app's id where no person reads.
    case mailboxAccess(owner: Text, client: Text, logonType: Int, app: StaticString? = nil)
    /// Microsoft Graph's activity log; the principal is the app's object in this tenant.
    case graphRequest(path: Text, app: StaticString, principal: StaticString = "4a6ef7b1-70c5-4b1b-9d0e-53f3e2b6a901")
}

/// In which form a record comes.
enum RecordForm: Hashable, Sendable {
    /// As an ingest pipeline, or Apus, has made it ECS.
    case ecs
    /// As the shipper sends it to Kafka; records that have no such form come as ECS.
    case raw
}

struct Parameter: Sendable {
    let name: StaticString
    let value: Text

    init(_ name: StaticString, _ value: String) {
        self.name = name
        self.value = Text(value)
    }
}

final class Program: Sendable {
    let executable: Text
    let name: Text
    let originalName: Text
    let company: Text
    let product: Text
    /// Stands for its SHA-256: the same wherever the program runs.
    let digest: [UInt8]

    init(_ executable: String, originalName: String? = nil, company: String, product: String) {
        let name = String(executable.split(separator: "\\").last ?? "")
        self.executable = Text(executable)
        self.name = Text(name)
        self.originalName = Text(originalName ?? name)
        self.company = Text(company)
        self.product = Text(product)
        var seed: UInt64 = 0
        for byte in executable.utf8 { seed = seed &* 31 &+ UInt64(byte) }
        var random = TrafficRandom(seed: seed)
        var writer = RecordWriter()
        for _ in 0..<4 { writer.appendHex(random.next(), digits: 16) }
        digest = writer.bytes
    }
}

/// A way a program is started.
final class Launch: Sendable {
    let program: Program
    let commandLine: Text
    let arguments: [Text]
    let parent: Program
    let directory: Text

    init(
        _ program: Program, _ commandLine: String, parent: Program, in directory: String = "C:\\Users\\{user}\\"
    ) {
        self.program = program
        self.commandLine = Text(commandLine)
        arguments = Text.arguments(of: commandLine)
        self.parent = parent
        self.directory = Text(directory)
    }
}

final class Connection: Sendable {
    let address: Text
    let port: Int
    let domain: Text?
    let transport: Text

    init(_ address: String, port: Int, domain: String? = nil, transport: String = "tcp") {
        self.address = Text(address)
        self.port = port
        self.domain = domain.map(Text.init)
        self.transport = Text(transport)
    }
}

final class FileName: Sendable {
    let path: Text
    let directory: Text
    let name: Text
    let fileExtension: Text

    init(_ path: String) {
        let parts = path.split(separator: "\\", omittingEmptySubsequences: false)
        let name = String(parts.last ?? "")
        self.path = Text(path)
        directory = Text(parts.dropLast().joined(separator: "\\"))
        self.name = Text(name)
        fileExtension = Text(name.split(separator: ".").last.map(String.init) ?? "")
    }
}

final class Library: Sendable {
    let file: FileName
    let company: Text
    let product: Text
    let signer: Text

    init(_ path: String, company: String, product: String, signer: String) {
        file = FileName(path)
        self.company = Text(company)
        self.product = Text(product)
        self.signer = Text(signer)
    }
}

final class ScriptBlock: Sendable {
    let parts: [Text]
    let path: Text?

    init(_ parts: [String], path: String? = nil) {
        self.parts = parts.map(Text.init)
        self.path = path.map(Text.init)
    }
}

final class WebRequest: Sendable {
    let method: Text
    let path: Text
    let query: Text?
    let userAgent: Text
    let port: Int
    let status: Int

    init(
        _ method: String, _ path: String, query: String? = nil, userAgent: String, port: Int = 443, status: Int = 200
    ) {
        self.method = Text(method)
        self.path = Text(path)
        self.query = query.map(Text.init)
        self.userAgent = Text(userAgent)
        self.port = port
        self.status = status
    }
}
