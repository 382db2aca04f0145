/// Records of the pack's sources, with the fields its rules read.
enum Records {
    static func record(
        second: Int = 0, host: String = "ws-1", address: String = "10.20.0.31", _ members: String
    ) -> String {
        let minute = second / 60 % 60
        let time = "2026-01-01T\(two(9 + second / 3_600)):\(two(minute)):\(two(second % 60))Z"
        return #"{"@timestamp":"\#(time)","host":{"id":"\#(host)","name":"\#(host)","ip":["\#(address)"]},\#(members)}"#
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// As a JSON string.
    static func json(_ text: String) -> String {
        #"""# + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + #"""#
    }

    static func start(
        _ command: String, name: String = "powershell.exe", original: String = "PowerShell.EXE", second: Int = 0,
        host: String = "ws-1", address: String = "10.20.0.31", user: String = "mallory"
    ) -> String {
        record(
            second: second, host: host, address: address,
            #""event":{"code":"1","category":["process"],"type":["start"]},"user":{"name":"\#(user)"},"#
                + #""process":{"entity_id":"{\#(host)}","pid":42,"name":"\#(name)","executable":"C:\\x\\\#(name)","#
                + #""pe":{"original_file_name":"\#(original)"},"command_line":\#(json(command))}"#)
    }

    static func block(_ text: String, id: String = "b1", second: Int = 0, host: String = "ws-1") -> String {
        record(
            second: second, host: host,
            #""event":{"code":"4104","category":["process"],"type":["info"]},"winlog":{"process":{"pid":42}},"#
                + #""powershell":{"sequence":1,"total":1,"file":{"script_block_id":"\#(id)","#
                + #""script_block_text":\#(json(text))}}"#)
    }

    static func connection(
        port: Int = 443, name: String = "powershell.exe", second: Int = 1, host: String = "ws-1"
    ) -> String {
        record(
            second: second, host: host,
            #""event":{"code":"3","category":["network"],"type":["start","connection","protocol"]},"process":{"#
                + #""entity_id":"{\#(host)}","pid":42,"name":"\#(name)"},"destination":{"ip":"192.0.2.40","port":\#(port)},"#
                + #""network":{"direction":"egress"}"#)
    }

    /// - Parameter port: the port of Exchange's back end, which the seed rule does not look at, unless said otherwise.
    static func request(
        _ agent: String, path: String = "/EWS/Exchange.asmx", port: Int = 444, second: Int = 2,
        address: String = "10.20.0.31", user: String = "CORP\\\\mallory", host: String = "mail-1"
    ) -> String {
        record(
            second: second, host: host, address: "10.20.0.3",
            #""event":{"category":["web","network"],"type":["connection"],"dataset":"iis.access"},"url":{"path":"\#(path)"},"#
                + #""user_agent":{"original":\#(json(agent))},"source":{"ip":"\#(address)"},"user":{"name":"\#(user)"},"#
                + #""destination":{"port":\#(port)}"#)
    }

    static func audit(
        _ action: String, user: String = "mallory@corp.example", second: Int = 0, _ details: String
    ) -> String {
        record(
            second: second, host: "tenant",
            #""event":{"dataset":"o365.audit","provider":"Exchange","category":["web"],"type":["info"],"#
                + #""action":"\#(action)"},"user":{"id":"\#(user)","name":"\#(user.prefix { $0 != "@" })"},"#
                + #""o365":{"audit":{\#(details)}}"#)
    }

    static func graph(
        _ path: String, second: Int = 0, app: String = "7a1", principal: String = "51f"
    ) -> String {
        record(
            second: second, host: "tenant",
            #""event":{"dataset":"azure.graphactivitylogs","category":["api"],"type":["access"]},"url":{"path":"\#(path)"},"#
                + #""http":{"response":{"status_code":200}},"azure":{"graphactivitylogs":{"properties":{"#
                + #""app_id":"\#(app)","service_principal_id":"\#(principal)","roles":["Mail.Read"]}}}"#)
    }

    /// Entra ID's own audit of a permission that an app is given, as Azure's diagnostic settings write it.
    static func entra(_ operation: String, _ properties: [(name: String, value: String)]) -> String {
        let changes = properties.map {
            #"{"displayName":"\#($0.name)","oldValue":null,"newValue":"\"\#($0.value)\""}"#
        }
        return #"{"time":"2026-01-01T09:00:00Z","operationName":"\#(operation)","category":"AuditLogs","tenantId":"t","#
            + #""properties":{"result":"success","targetResources":[{"id":"51f","type":"ServicePrincipal","#
            + #""modifiedProperties":[\#(changes.joined(separator: ","))]}]}}"#
    }

    /// What Entra audits of a permission that an app is given.
    static func appGrant(
        _ action: String, _ properties: [(name: String, value: String)], target: [String], second: Int = 0
    ) -> String {
        let changes = properties.map { #""\#($0.name)":{"NewValue":"\#($0.value)","OldValue":""}"# }
        let ids = target.map { #"{"ID":"\#($0)"}"# }
        return audit(
            action, user: "admin@corp.example", second: second,
            #""ModifiedProperties":{\#(changes.joined(separator: ","))},"Target":[\#(ids.joined(separator: ","))]"#)
    }
}
