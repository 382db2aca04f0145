import EventSchema

// The blocks that belong to one kind of record each.
extension RecordWriter {
    mutating func connection(_ connection: Connection, from host: Host, random: inout TrafficRandom) {
        let port = 49_152 + random.below(16_000)
        let community = random.next()
        object("destination") { writer in
            if let domain = connection.domain { writer.member("domain", domain) }
            writer.member("ip", connection.address)
            writer.member("port", connection.port)
        }
        object("network") { writer in
            writer.member(
                "community_id",
                text: {
                    $0.append("1:")
                    $0.appendHex(community, digits: 16)
                    $0.append("=")
                })
            writer.member("direction", "egress")
            if connection.port == 443 { writer.member("protocol", "https") }
            writer.member("transport", connection.transport)
            writer.member("type", "ipv4")
        }
        object("source") { writer in
            writer.member(
                "domain",
                text: {
                    $0.bytes.append(contentsOf: host.name)
                    $0.append(".corp.example")
                })
            writer.member("ip", bytes: host.address)
            writer.member("port", port)
        }
    }

    mutating func nameQuery(_ name: Text, random: inout TrafficRandom) {
        let answer = random.below(250) + 2
        object("dns") { writer in
            writer.array("answers") { writer in
                writer.element(object: { writer in
                    writer.member(
                        "data",
                        text: {
                            $0.append("198.51.100.")
                            $0.append(answer)
                        })
                    writer.member("type", "A")
                })
            }
            writer.object("question") { $0.member("name", name) }
            writer.array("resolved_ip") { writer in
                writer.textElement({
                    $0.append("198.51.100.")
                    $0.append(answer)
                })
            }
        }
        object("network") { $0.member("protocol", "dns") }
    }

    mutating func file(_ file: FileName) {
        object("file") { writer in
            writer.member("directory", file.directory)
            writer.member("extension", file.fileExtension)
            writer.member("name", file.name)
            writer.member("path", file.path)
        }
    }

    mutating func library(_ library: Library) {
        object("file") { writer in
            writer.object("code_signature") { writer in
                writer.member("signed", true)
                writer.member("status", "Valid")
                writer.member("subject_name", library.signer)
                writer.member("valid", true)
            }
            writer.member("directory", library.file.directory)
            writer.member("extension", library.file.fileExtension)
            writer.member("name", library.file.name)
            writer.member("path", library.file.path)
            writer.object("pe") { writer in
                writer.member("company", library.company)
                writer.member("original_file_name", library.file.name)
                writer.member("product", library.product)
            }
        }
    }

    mutating func script(_ block: ScriptBlock, part: Int, _ instance: UInt32, on host: Host) {
        if let path = block.path { object("file") { $0.member("path", path) } }
        object("powershell") { writer in
            writer.object("file") { writer in
                writer.member("script_block_id", text: { $0.appendProcessID(instance ^ 0x5C00, on: host) })
                writer.member("script_block_text", block.parts[part])
            }
            writer.member("sequence", part + 1)
            writer.member("total", block.parts.count)
        }
    }

    mutating func web(
        _ request: WebRequest, from client: Host, to server: Host, _ time: EventTime, random: inout TrafficRandom
    ) {
        user = client.user
        let size = random.below(60_000)
        let duration = random.below(900_000) * 1_000
        object("event") { writer in
            writer.member("category", json: #"["web","network"]"#)
            writer.member("dataset", "iis.access")
            writer.member("duration", duration)
            writer.member("ingested", EventTime(nanoseconds: time.nanoseconds + 900_000_000))
            writer.member("kind", "event")
            writer.member("module", "iis")
            writer.member("outcome", request.status < 400 ? "success" : "failure")
            writer.member("type", json: #"["connection"]"#)
        }
        object("url") { writer in
            writer.member("path", request.path)
            if let query = request.query { writer.member("query", query) }
        }
        object("user_agent") { writer in
            writer.object("device") { $0.member("name", "Other") }
            writer.member("original", request.userAgent)
        }
        object("http") { writer in
            writer.object("request") { writer in
                writer.member("method", request.method)
                writer.object("body") { $0.member("bytes", size / 40) }
            }
            writer.object("response") { writer in
                writer.member("status_code", request.status)
                writer.object("body") { $0.member("bytes", size) }
            }
        }
        object("iis") { writer in
            writer.object("access") { writer in
                writer.member("server_name", text: { $0.bytes.append(contentsOf: server.name) })
                writer.member("site_name", "W3SVC1")
                writer.member("sub_status", 0)
                writer.member("win32_status", 0)
            }
        }
        source(client, random: &random)
        object("destination") { writer in
            writer.member("address", bytes: server.address)
            writer.member("ip", bytes: server.address)
            writer.member("port", request.port)
        }
        object("log") { writer in
            writer.object("file") { writer in
                writer.member("path", json: #""C:\\inetpub\\logs\\LogFiles\\W3SVC1\\u_extend1.log""#)
            }
            writer.member("offset", size * 31)
        }
    }

    mutating func source(_ client: Host, random: inout TrafficRandom) {
        let port = 49_152 + random.below(16_000)
        object("source") { writer in
            writer.member("address", bytes: client.address)
            writer.member("ip", bytes: client.address)
            writer.member("port", port)
        }
    }

    /// The event data of Security 4663.
    mutating func objectAccess(_ object: Text, by program: Program, on host: Host) {
        member("AccessList", "%%4416")
        member("AccessMask", "0x1")
        member("AccessListDescription", json: #"["ReadData (or ListDirectory)"]"#)
        member("HandleId", "0x7f4")
        member("ObjectName", object)
        member("ObjectServer", "Security")
        member("ObjectType", "File")
        member("ProcessName", program.executable)
        member("SubjectDomainName", "CORP")
        member("SubjectLogonId", Self.remoteSession)
        member("SubjectUserName", bytes: host.user)
    }

    /// The logon session in which shares are opened, and files are read over them.
    private static let remoteSession: StaticString = "0x51f2a04"

    /// The event data of Security 5140 and 5145.
    mutating func shareAccess(_ share: Text, _ target: Text?, by client: Host) {
        member("AccessList", "%%4416")
        member("AccessMask", "0x1")
        member("IpAddress", bytes: client.address)
        member("ObjectType", "File")
        if let target { member("RelativeTargetName", target) }
        member("ShareLocalPath", json: #""\\??\\C:\\""#)
        member("ShareName", share)
        member("SubjectDomainName", "CORP")
        member("SubjectLogonId", Self.remoteSession)
        member("SubjectUserName", bytes: client.user)
    }

    /// A record of the Microsoft 365 audit log; `details` are the members of `o365.audit`.
    mutating func audit(
        _ action: Text, _ provider: StaticString, code: StaticString, on host: Host, _ time: EventTime,
        details: (inout RecordWriter) -> Void
    ) {
        object("event") { writer in
            writer.member("action", action)
            writer.member("category", json: #"["web"]"#)
            writer.member("code", code)
            writer.member("dataset", "o365.audit")
            writer.member("ingested", EventTime(nanoseconds: time.nanoseconds + 90_000_000_000))
            writer.member("kind", "event")
            writer.member("module", "o365")
            writer.member("outcome", "success")
            writer.member("provider", provider)
            writer.member("type", json: #"["info"]"#)
        }
        object("o365") { writer in
            writer.object("audit") { writer in
                details(&writer)
                writer.member("Operation", action)
                writer.member("UserId", text: { $0.address(of: host) })
                writer.member("Workload", provider)
                writer.member("OrganizationId", "0d9f4a6e-5b0c-4d52-9f57-2f9f0a4c7b11")
                writer.member("UserKey", text: { $0.address(of: host) })
                writer.member("Version", 1)
            }
        }
        object("user") { writer in
            writer.member("domain", "corp.example")
            writer.member("email", text: { $0.address(of: host) })
            writer.member("id", text: { $0.address(of: host) })
            writer.member("name", bytes: host.user)
        }
        object("client") { $0.member("ip", bytes: host.address) }
        object("organization") { $0.member("name", "corp.example") }
    }

    private mutating func address(of host: Host) {
        bytes.append(contentsOf: host.user)
        append("@corp.example")
    }

    mutating func graphRequest(
        _ path: Text, app: StaticString, principal: StaticString, on host: Host, _ time: EventTime
    ) {
        object("event") { writer in
            writer.member("action", "Microsoft Graph Activity")
            writer.member("category", json: #"["api"]"#)
            writer.member("dataset", "azure.graphactivitylogs")
            writer.member("ingested", EventTime(nanoseconds: time.nanoseconds + 60_000_000_000))
            writer.member("kind", "event")
            writer.member("module", "azure")
            writer.member("outcome", "success")
            writer.member("type", json: #"["access"]"#)
        }
        object("azure") { writer in
            writer.object("graphactivitylogs") { writer in
                writer.member("category", "MicrosoftGraphActivityLogs")
                writer.object("properties") { writer in
                    writer.member("api_version", "v1.0")
                    writer.member("app_id", app)
                    writer.member("client_auth_method", 1)
                    writer.member("roles", json: #"["Mail.Read","User.Read.All"]"#)
                    writer.member("service_principal_id", principal)
                    writer.member("sign_in_activity_id", "v0Zl1pPqk0eQn8n6UeYXAA")
                }
                writer.member("result_signature", "200")
            }
            writer.member("tenant_id", "0d9f4a6e-5b0c-4d52-9f57-2f9f0a4c7b11")
        }
        object("http") { writer in
            writer.object("request") { $0.member("method", "GET") }
            writer.object("response") { writer in
                writer.member("bytes", 48_211)
                writer.member("status_code", 200)
            }
        }
        object("source") { $0.member("ip", bytes: host.address) }
        object("client") { $0.member("ip", bytes: host.address) }
        object("url") { writer in
            writer.member("domain", "graph.microsoft.com")
            writer.member("path", path)
            writer.member("scheme", "https")
        }
        object("user_agent") { $0.member("original", "python-requests/2.32.3") }
    }
}
