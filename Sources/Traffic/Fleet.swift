/// A machine that reports events, with everything about it that its records repeat.
struct Host: Sendable {
    enum Role: Sendable {
        case workstation
        case fileServer
        case exchangeServer
    }

    let role: Role
    /// Its `host.id`, by which correlation joins.
    let key: String
    let name: [UInt8]
    let address: [UInt8]
    /// The user who works at it.
    let user: [UInt8]
    let userID: Int
    /// The `host` and `agent` members as every record of it carries them.
    let identity: [UInt8]
    /// The first half of its process ids; Sysmon and Elastic Defend make it from the machine's id.
    let processIDPrefix: UInt64
}

/// The machines of one company: a mail server, a file server for every hundred, and workstations.
struct Fleet: Sendable {
    let hosts: [Host]
    let workstations: [Int]
    let fileServer = 0
    let exchangeServers: [Int]

    init(size: Int, random: inout TrafficRandom) {
        var hosts: [Host] = []
        var workstations: [Int] = []
        var exchangeServers: [Int] = []
        for index in 0..<size {
            let role: Host.Role =
                switch index {
                case 0: .fileServer
                case _ where index % 100 == 1: .exchangeServer
                default: .workstation
                }
            switch role {
            case .workstation: workstations.append(index)
            case .exchangeServer: exchangeServers.append(index)
            case .fileServer: break
            }
            hosts.append(Self.host(index, role: role, random: &random))
        }
        self.hosts = hosts
        self.workstations = workstations
        self.exchangeServers = exchangeServers
    }

    private static func host(_ index: Int, role: Host.Role, random: inout TrafficRandom) -> Host {
        let high = random.next()
        let low = random.next()
        let key = guid(high, low)
        let number = String(index + 10_000).dropFirst()
        let name =
            switch role {
            case .workstation: "ws-\(number)"
            case .fileServer: "files-\(number)"
            case .exchangeServer: "mail-\(number)"
            }
        let octets = (index / 250, index % 250 + 2)
        let address = "10.\(20 + octets.0 / 250).\(octets.0 % 250).\(octets.1)"
        let user = role == .workstation ? random.pick(givenNames) + "." + random.pick(familyNames) : "svc-\(name)"
        let system = role == .workstation ? "Windows 11 Enterprise" : "Windows Server 2022 Datacenter"
        let build = role == .workstation ? "10.0.22631" : "10.0.20348"
        let agentID = guid(random.next(), random.next())
        let identity = """
            "host":{"hostname":"\(name)","id":"\(key)",\
            "ip":["\(address)","fe80::\(String(high & 0xFFFF, radix: 16)):\(String(low & 0xFFFF, radix: 16))"],\
            "name":"\(name)",\
            "os":{"family":"windows","name":"\(system)","type":"windows","version":"\(build)"}},\
            "agent":{"id":"\(agentID)","type":"winlogbeat","version":"8.17.0"}
            """
        return Host(
            role: role, key: key, name: Array(name.utf8), address: Array(address.utf8), user: Array(user.utf8),
            userID: 1_000 + index, identity: Array(identity.utf8), processIDPrefix: high)
    }

    private static func guid(_ high: UInt64, _ low: UInt64) -> String {
        var writer = RecordWriter()
        writer.appendGUID(high, low)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

private let givenNames = [
    "ada", "amir", "anna", "ben", "carla", "chen", "dana", "diego", "elif", "emma", "farid", "grace", "hana",
    "ivan", "jonas", "kofi", "lena", "maria", "mehmet", "nina", "omar", "paula", "quentin", "rosa", "samir",
    "tara", "uma", "viktor", "wei", "yusuf", "zoe",
]

private let familyNames = [
    "adler", "baker", "castro", "dimitrov", "eriksen", "fischer", "garcia", "haddad", "ito", "jansen", "kaya",
    "lopez", "meyer", "novak", "okafor", "petrov", "quinn", "rossi", "schulz", "tanaka", "usman", "varga",
    "weber", "xu", "young", "zhang",
]
