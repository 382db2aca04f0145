import EventSchema

extension RecordWriter {
    /// Writes the record as one JSON object in ECS 8 form.
    ///
    /// - Parameters:
    ///   - serial: a number that no other record of the run has: the source of its record id.
    ///   - random: what the record's incidental values (ports, thread ids, durations) are drawn from.
    mutating func write(
        _ record: Record, at time: EventTime, on host: Host, of fleet: Fleet, serial: Int,
        random: inout TrafficRandom
    ) {
        start(at: time, on: host, random: &random)
        switch record {
        case .processStart(let launch, let instance):
            event("sysmon", "Process creation", code: "1", category: #"["process"]"#, type: #"["start"]"#, time)
            process(launch, instance, on: host)
            log(sysmon, code: "1", serial, on: host, random: &random)
        case .processEnd(let launch, let instance):
            defend("process", "end", category: #"["process"]"#, type: #"["end"]"#, serial, time)
            process(launch, instance, on: host)
        case .connection(let connection, let program, let instance):
            event(
                "sysmon", "Network connection", code: "3", category: #"["network"]"#,
                type: #"["start","connection","protocol"]"#, time)
            self.connection(connection, from: host, random: &random)
            process(program, instance, on: host)
            log(sysmon, code: "3", serial, on: host, random: &random)
        case .defendConnection(let connection, let program, let instance, let hasEnded):
            defend(
                "network", hasEnded ? "disconnect_received" : "connection_attempted", category: #"["network"]"#,
                type: hasEnded ? #"["end"]"# : #"["start"]"#, serial, time)
            self.connection(connection, from: host, random: &random)
            process(program, instance, on: host)
        case .nameQuery(let name, let program, let instance):
            event(
                "sysmon", "DNSEvent (DNS query)", code: "22", category: #"["network"]"#,
                type: #"["connection","protocol","info"]"#, time)
            nameQuery(name, random: &random)
            process(program, instance, on: host)
            log(sysmon, code: "22", serial, on: host, random: &random)
        case .fileCreation(let file, let program, let instance):
            event("sysmon", "FileCreate", code: "11", category: #"["file"]"#, type: #"["creation"]"#, time)
            self.file(file)
            process(program, instance, on: host)
            log(sysmon, code: "11", serial, on: host, random: &random)
        case .imageLoad(let library, let program, let instance):
            event("sysmon", "Image loaded", code: "7", category: #"["process"]"#, type: #"["change"]"#, time)
            self.library(library)
            process(program, instance, on: host)
            log(sysmon, code: "7", serial, on: host, random: &random)
        case .scriptBlock(let block, let part, let instance):
            event(
                "powershell_operational", "Execute a Remote Command", code: "4104", category: #"["process"]"#,
                type: #"["info"]"#, time)
            script(block, part: part, instance, on: host)
            log(powerShell, code: "4104", serial, on: host, process: Self.pid(of: instance), random: &random)
        case .web(let request, let client):
            web(request, from: fleet.hosts[client], to: host, time, random: &random)
        case .objectAccess(let object, let program):
            event("security", "object-access", code: "4663", category: nil, type: nil, time)
            log(security, code: "4663", serial, on: host, random: &random) { writer in
                writer.objectAccess(object, by: program, on: host)
            }
        case .shareAccess(let share, let target, let client):
            event(
                "security", target == nil ? "network-share-object-accessed" : "network-share-object-access-checked",
                code: target == nil ? "5140" : "5145", category: #"["network","file"]"#,
                type: #"["info","access"]"#, time)
            source(fleet.hosts[client], random: &random)
            let client = fleet.hosts[client]
            log(security, code: target == nil ? "5140" : "5145", serial, on: host, random: &random) { writer in
                writer.shareAccess(share, target, by: client)
            }
        case .exchangeAudit(let action, let provider, let object, let parameters):
            audit(action, provider, code: "ExchangeAdmin", on: host, time) { writer in
                writer.member("ObjectId", object)
                writer.object("Parameters") { writer in
                    for parameter in parameters { writer.member(parameter.name, parameter.value) }
                }
                writer.member("RecordType", 1)
            }
        case .appGrant(let action, let properties, let target):
            audit(action, "AzureActiveDirectory", code: "AzureActiveDirectory", on: host, time) { writer in
                writer.object("ModifiedProperties") { writer in
                    for property in properties {
                        writer.object(property.name) { writer in
                            writer.member("NewValue", property.value)
                            writer.member("OldValue", "")
                        }
                    }
                }
                writer.member("RecordType", 8)
                writer.array("Target") { writer in
                    for id in target { writer.element { $0.member("ID", id) } }
                }
            }
        case .mailboxAccess(let owner, let client, let logonType, let app):
            audit(Text("MailItemsAccessed"), "Exchange", code: "ExchangeItemAggregated", on: host, time) { writer in
                if let app { writer.member("ClientAppId", app) }
                writer.member("ClientInfoString", client)
                writer.member("LogonType", logonType)
                writer.member("MailboxOwnerUPN", owner)
                writer.member("OperationCount", 1)
                writer.member("RecordType", 50)
            }
        case .graphRequest(let path, let app, let principal):
            graphRequest(path, app: app, principal: principal, on: host, time)
        case .exchangeCmdlet:
            writeRaw(record, at: time, on: host, of: fleet, serial: serial, random: &random)
            return
        }
        if !record.namesItsUser { users(host) }
        members(host.identity)
        object("ecs") { $0.member("version", "8.11.0") }
        array("tags") { $0.textElement({ $0.append("forwarded") }) }
        end()
    }

    /// Begins the object, and sets what gaps are filled with.
    mutating func start(at time: EventTime, on host: Host, random: inout TrafficRandom) {
        user = host.user
        self.host = host.name
        number = random.below(9_000) + 1_000
        begin()
        member("@timestamp", time)
    }

    // MARK: Blocks that several sources share

    private mutating func event(
        _ dataset: StaticString, _ action: StaticString, code: StaticString, category: StaticString?,
        type: StaticString?, _ time: EventTime
    ) {
        object("event") { writer in
            writer.member("action", action)
            if let category { writer.member("category", json: category) }
            writer.member("code", code)
            writer.member("created", EventTime(nanoseconds: time.nanoseconds + 400_000_000))
            writer.member(
                "dataset",
                text: {
                    $0.append("windows.")
                    $0.append(dataset)
                })
            writer.member("kind", "event")
            writer.member("module", "windows")
            if let type { writer.member("type", json: type) }
        }
    }

    private mutating func defend(
        _ dataset: StaticString, _ action: StaticString, category: StaticString, type: StaticString, _ serial: Int,
        _ time: EventTime
    ) {
        object("event") { writer in
            writer.member("action", action)
            writer.member("category", json: category)
            writer.member(
                "dataset",
                text: {
                    $0.append("endpoint.events.")
                    $0.append(dataset)
                })
            writer.member(
                "id",
                text: {
                    $0.append("NmKzQx")
                    $0.appendHex(UInt64(serial), digits: 12)
                })
            writer.member("ingested", EventTime(nanoseconds: time.nanoseconds + 700_000_000))
            writer.member("kind", "event")
            writer.member("module", "endpoint")
            writer.member("outcome", "success")
            writer.member("sequence", serial)
            writer.member("type", json: type)
        }
    }

    private mutating func users(_ host: Host) {
        object("user") { writer in
            writer.member("domain", "CORP")
            writer.member(
                "id",
                text: {
                    $0.append("S-1-5-21-1993962763-725345543-")
                    $0.append(host.userID)
                })
            writer.member("name", bytes: host.user)
        }
    }

    mutating func entityID(_ instance: UInt32, on host: Host) {
        append("{")
        appendProcessID(instance, on: host)
        append("}")
    }

    mutating func appendProcessID(_ instance: UInt32, on host: Host) {
        bytes.append(contentsOf: host.processIDPrefix)
        appendHex(0, digits: 4)
        append("-")
        appendHex(UInt64(instance) << 16 | 0x7F00, digits: 12)
    }

    static func pid(of instance: UInt32) -> Int { Int(instance % 16_000 + 200) * 4 }

    private mutating func process(_ program: Program, _ instance: UInt32, on host: Host) {
        object("process") { writer in
            writer.member("entity_id", text: { $0.entityID(instance, on: host) })
            writer.member("executable", program.executable)
            writer.member("name", program.name)
            writer.member("pid", Self.pid(of: instance))
        }
    }

    private mutating func process(_ launch: Launch, _ instance: UInt32, on host: Host) {
        let program = launch.program
        object("process") { writer in
            writer.member("args", launch.arguments)
            writer.member("args_count", launch.arguments.count)
            writer.member("command_line", launch.commandLine)
            writer.member("entity_id", text: { $0.entityID(instance, on: host) })
            writer.member("executable", program.executable)
            writer.object("hash") { writer in
                writer.member("sha256", bytes: program.digest)
            }
            writer.member("name", program.name)
            writer.object("parent") { writer in
                writer.member("command_line", launch.parent.executable)
                writer.member("entity_id", text: { $0.entityID(instance / 2, on: host) })
                writer.member("executable", launch.parent.executable)
                writer.member("name", launch.parent.name)
                writer.member("pid", Self.pid(of: instance / 2))
            }
            writer.object("pe") { writer in
                writer.member("company", program.company)
                writer.member("original_file_name", program.originalName)
                writer.member("product", program.product)
            }
            writer.member("pid", Self.pid(of: instance))
            writer.member("working_directory", launch.directory)
        }
    }

    private mutating func log(
        _ log: WindowsLog, code: StaticString, _ serial: Int, on host: Host, process logging: Int? = nil,
        random: inout TrafficRandom, data: ((inout RecordWriter) -> Void)? = nil
    ) {
        // The service that writes the log, unless the process itself does.
        let service = random.below(9_000) * 4 + 4
        let process = logging ?? service
        object("winlog") { writer in
            writer.member("channel", log.channel)
            writer.member(
                "computer_name",
                text: {
                    $0.bytes.append(contentsOf: host.name)
                    $0.append(".corp.example")
                })
            if let data { writer.object("event_data", data) }
            writer.member("event_id", code)
            writer.object("process") { $0.member("pid", process) }
            writer.member("provider_name", log.provider)
            writer.member("record_id", text: { $0.append(serial) })
        }
    }
}

extension Record {
    /// Records of the cloud name the user in their own way.
    fileprivate var namesItsUser: Bool {
        switch self {
        case .exchangeAudit, .appGrant, .mailboxAccess, .graphRequest: true
        default: false
        }
    }
}

/// A Windows event channel and who writes to it.
struct WindowsLog: Sendable {
    let channel: StaticString
    let provider: StaticString
}

let sysmon = WindowsLog(
    channel: "Microsoft-Windows-Sysmon/Operational", provider: "Microsoft-Windows-Sysmon")
let powerShell = WindowsLog(
    channel: "Microsoft-Windows-PowerShell/Operational", provider: "Microsoft-Windows-PowerShell")
let security = WindowsLog(
    channel: "Security", provider: "Microsoft-Windows-Security-Auditing")
