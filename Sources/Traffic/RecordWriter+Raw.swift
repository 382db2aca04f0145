import EventSchema

// Records as Winlogbeat, Elastic Agent and Filebeat send them to Kafka: what an ingest pipeline would make ECS of is
// still under `winlog.event_data`, or one line of text in `message`.

extension RecordWriter {
    /// Writes the record as its shipper does. Elastic Defend and the cloud logs have one form only: ECS.
    mutating func writeRaw(
        _ record: Record, at time: EventTime, on host: Host, of fleet: Fleet, serial: Int,
        random: inout TrafficRandom
    ) {
        start(at: time, on: host, random: &random)
        switch record {
        case .processStart(let launch, let instance):
            windows(sysmon, code: "1", serial, on: host, time, random: &random) { writer in
                writer.identity(launch.program, instance, on: host, time)
                writer.member("CommandLine", launch.commandLine)
                writer.member("Company", launch.program.company)
                writer.member("CurrentDirectory", launch.directory)
                writer.member("Hashes", text: { $0.hashes(of: launch.program) })
                writer.member("IntegrityLevel", "Medium")
                writer.member("LogonId", "0x3e7ab")
                writer.member("OriginalFileName", launch.program.originalName)
                writer.member("ParentCommandLine", launch.parent.executable)
                writer.member("ParentImage", launch.parent.executable)
                writer.member("ParentProcessGuid", text: { $0.entityID(instance / 2, on: host) })
                writer.member("ParentProcessId", text: { $0.append(Self.pid(of: instance / 2)) })
                writer.member("Product", launch.program.product)
            }
        case .connection(let connection, let program, let instance):
            let port = 49_152 + random.below(16_000)
            windows(sysmon, code: "3", serial, on: host, time, random: &random) { writer in
                writer.identity(program, instance, on: host, time)
                writer.member("DestinationHostname", connection.domain ?? Text("-"))
                writer.member("DestinationIp", connection.address)
                writer.member("DestinationIsIpv6", "false")
                writer.member("DestinationPort", text: { $0.append(connection.port) })
                writer.member("Initiated", "true")
                writer.member("Protocol", connection.transport)
                writer.member("SourceHostname", text: { $0.domainName(of: host) })
                writer.member("SourceIp", bytes: host.address)
                writer.member("SourceIsIpv6", "false")
                writer.member("SourcePort", text: { $0.append(port) })
            }
        case .nameQuery(let name, let program, let instance):
            windows(sysmon, code: "22", serial, on: host, time, random: &random) { writer in
                writer.identity(program, instance, on: host, time)
                writer.member("QueryName", name)
                writer.member("QueryResults", "198.51.100.40;")
                writer.member("QueryStatus", "0")
            }
        case .fileCreation(let file, let program, let instance):
            windows(sysmon, code: "11", serial, on: host, time, random: &random) { writer in
                writer.identity(program, instance, on: host, time)
                writer.member("CreationUtcTime", text: { $0.sysmonTime(time) })
                writer.member("TargetFilename", file.path)
            }
        case .imageLoad(let library, let program, let instance):
            windows(sysmon, code: "7", serial, on: host, time, random: &random) { writer in
                writer.identity(program, instance, on: host, time)
                writer.member("Company", library.company)
                writer.member("ImageLoaded", library.file.path)
                writer.member("OriginalFileName", library.file.name)
                writer.member("Product", library.product)
                writer.member("Signature", library.signer)
                writer.member("SignatureStatus", "Valid")
                writer.member("Signed", "true")
            }
        case .scriptBlock(let block, let part, let instance):
            windows(
                powerShell, code: "4104", serial, on: host, time, process: Self.pid(of: instance), random: &random
            ) { writer in
                writer.member("MessageNumber", text: { $0.append(part + 1) })
                writer.member("MessageTotal", text: { $0.append(block.parts.count) })
                if let path = block.path { writer.member("Path", path) }
                writer.member("ScriptBlockId", text: { $0.appendProcessID(instance ^ 0x5C00, on: host) })
                writer.member("ScriptBlockText", block.parts[part])
            }
        case .objectAccess(let object, let program):
            windows(security, code: "4663", serial, on: host, time, random: &random) { writer in
                writer.objectAccess(object, by: program, on: host)
            }
        case .shareAccess(let share, let target, let client):
            windows(security, code: target == nil ? "5140" : "5145", serial, on: host, time, random: &random) {
                writer in
                writer.shareAccess(share, target, by: fleet.hosts[client])
            }
        case .exchangeCmdlet(let cmdlet, let arguments):
            windows(exchange, code: "1", serial, on: host, time, random: &random) { writer in
                writer.member("param1", cmdlet)
                writer.member("param2", arguments)
                writer.member(
                    "param3",
                    text: {
                        $0.append("corp.example/Users/")
                        $0.bytes.append(contentsOf: host.user)
                    })
                writer.member("param4", "S-1-5-21-1993962763-725345543-1104")
            }
        case .web(let request, let client):
            accessLine(request, from: fleet.hosts[client], to: host, at: time, random: &random)
        case .processEnd, .defendConnection, .exchangeAudit, .appGrant, .mailboxAccess,
            .graphRequest:
            write(record, at: time, on: host, of: fleet, serial: serial, random: &random)
            return
        }
        members(host.identity)
        object("ecs") { $0.member("version", "8.0.0") }
        end()
    }

    // MARK: Winlogbeat

    private mutating func windows(
        _ log: WindowsLog, code: StaticString, _ serial: Int, on host: Host, _ time: EventTime,
        process logging: Int? = nil, random: inout TrafficRandom, data: (inout RecordWriter) -> Void
    ) {
        let service = random.below(9_000) * 4 + 4
        let thread = random.below(9_000) * 4 + 4
        object("event") { writer in
            writer.member("code", code)
            writer.member("created", EventTime(nanoseconds: time.nanoseconds + 400_000_000))
            writer.member("kind", "event")
            writer.member("provider", log.provider)
        }
        object("log") { $0.member("level", "information") }
        member("message", "The description of this event is rendered by the machine it comes from.")
        object("winlog") { writer in
            writer.member("api", "wineventlog")
            writer.member("channel", log.channel)
            writer.member("computer_name", text: { $0.domainName(of: host) })
            writer.object("event_data", data)
            writer.member("event_id", code)
            writer.member("opcode", "Info")
            writer.object("process") { writer in
                writer.member("pid", logging ?? service)
                writer.object("thread") { $0.member("id", thread) }
            }
            writer.member("provider_guid", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}")
            writer.member("provider_name", log.provider)
            writer.member("record_id", serial)
            writer.object("user") { writer in
                writer.member("domain", "NT AUTHORITY")
                writer.member("identifier", "S-1-5-18")
                writer.member("name", "SYSTEM")
                writer.member("type", "User")
            }
            writer.member("version", 5)
        }
    }

    /// What every Sysmon event says of its process.
    private mutating func identity(_ program: Program, _ instance: UInt32, on host: Host, _ time: EventTime) {
        member("Image", program.executable)
        member("ProcessGuid", text: { $0.entityID(instance, on: host) })
        member("ProcessId", text: { $0.append(Self.pid(of: instance)) })
        member("RuleName", "-")
        member(
            "User",
            text: {
                $0.append("CORP\\\\")
                $0.bytes.append(contentsOf: host.user)
            })
        member("UtcTime", text: { $0.sysmonTime(time) })
    }

    private mutating func hashes(of program: Program) {
        append("SHA256=")
        bytes.append(contentsOf: program.digest)
    }

    private mutating func domainName(of host: Host) {
        bytes.append(contentsOf: host.name)
        append(".corp.example")
    }

    /// `2026-11-24 09:00:00.123`.
    private mutating func sysmonTime(_ time: EventTime) {
        var text: [UInt8] = []
        time.write(to: &text)
        bytes.append(contentsOf: text.dropLast().map { $0 == UInt8(ascii: "T") ? UInt8(ascii: " ") : $0 })
    }

    // MARK: Filebeat

    /// A line of IIS's log with the fields it has by default; it knows whole seconds.
    private mutating func accessLine(
        _ request: WebRequest, from client: Host, to server: Host, at time: EventTime, random: inout TrafficRandom
    ) {
        let duration = random.below(900)
        let offset = random.below(1 << 30)
        object("event") { writer in
            writer.member("dataset", "iis.access")
            writer.member("module", "iis")
        }
        object("fileset") { $0.member("name", "access") }
        object("input") { $0.member("type", "log") }
        object("log") { writer in
            writer.object("file") { writer in
                writer.member("path", json: #""C:\\inetpub\\logs\\LogFiles\\W3SVC1\\u_extend1.log""#)
            }
            writer.member("offset", offset)
        }
        object("service") { $0.member("type", "iis") }
        member(
            "message",
            text: { line in
                var second: [UInt8] = []
                EventTime(nanoseconds: time.nanoseconds / 1_000_000_000 * 1_000_000_000).write(to: &second)
                line.bytes.append(
                    contentsOf: second.prefix(19).map { $0 == UInt8(ascii: "T") ? UInt8(ascii: " ") : $0 })
                line.append(" ")
                line.bytes.append(contentsOf: server.address)
                line.append(" ")
                line.append(request.method)
                line.append(" ")
                line.append(request.path)
                line.append(" ")
                line.append(request.query ?? Text("-"))
                line.append(" ")
                line.append(request.port)
                line.append(" CORP\\\\")
                line.bytes.append(contentsOf: client.user)
                line.append(" ")
                line.bytes.append(contentsOf: client.address)
                line.append(" ")
                var agent = RecordWriter()
                agent.append(request.userAgent)
                line.bytes.append(contentsOf: agent.bytes.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "+") : $0 })
                line.append(" - ")
                line.append(request.status)
                line.append(" 0 0 ")
                line.append(duration)
            })
    }
}

private let exchange = WindowsLog(channel: "MSExchange Management", provider: "MSExchange CmdletLogs")
