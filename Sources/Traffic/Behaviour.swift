/// A rule of the pack for T1114.002, by the name of its file without `.toml`.
public enum ExpectedRule: String, Hashable, Sendable, CaseIterable {
    case adminShareThenMailStore = "admin_share_then_mail_store"
    case appConsentThenGraphMail = "app_consent_then_graph_mail"
    case appConsentThenMailAccess = "app_consent_then_mail_access"
    case appRoleThenGraphMail = "app_role_then_graph_mail"
    case appRoleThenMailAccess = "app_role_then_mail_access"
    case delegationThenAccess = "delegation_then_access"
    case ediscoverySearchThenExport = "ediscovery_search_then_export"
    case ewsLibraryLoad = "ews_library_load"
    case ewsLibraryThenConnection = "ews_library_then_connection"
    case ewsRequestUnusualClient = "ews_request_unusual_client"
    case exchangeAppThenMailAccess = "exchange_app_then_mail_access"
    case exchangeExportCmdlet = "exchange_export_cmdlet"
    case exchangeRoleThenGraphMail = "exchange_role_then_graph_mail"
    case exchangeRoleThenMailAccess = "exchange_role_then_mail_access"
    case graphAppReadsManyMailboxes = "graph_app_reads_many_mailboxes"
    case graphMailCommand = "graph_mail_command"
    case graphMailboxExport = "graph_mailbox_export"
    case impersonationThenMailAccess = "impersonation_then_mail_access"
    case mailAuditThrottled = "mail_audit_throttled"
    case mailCmdletDecoded = "mail_cmdlet_decoded"
    case mailCmdletHiddenShell = "mail_cmdlet_hidden_shell"
    case seed = "mail_collection_seed"
    case correlation = "mail_collection_with_connection"
    case mailRoleGranted = "mail_role_granted"
    case mailStoreCopyCommand = "mail_store_copy_command"
    case mailStoreCreated = "mail_store_created"
    case mailStoreOpened = "mail_store_opened"
    case mailStoreOverShare = "mail_store_over_share"
    case mailboxReadByEwsProgram = "mailbox_read_by_ews_program"
    case scriptClientOnMailPort = "script_client_on_mail_port"
    case scriptEwsClient = "script_ews_client"
    case scriptGraphMail = "script_graph_mail"
    case scriptMailStoreCopy = "script_mail_store_copy"
    case scriptMailboxExport = "script_mailbox_export"
    case scriptMailsniper = "script_mailsniper"
    case scriptThenConnection = "script_then_connection"
    case shellThenConnection = "shell_then_connection"
    case workstationThenEwsRequest = "workstation_then_ews_request"
}

/// A finding that a rule must make, once.
public struct ExpectedFinding: Hashable, Sendable {
    public let rule: ExpectedRule
    /// The `host.id` of the events.
    public let hostKey: String
    /// Places in the run, from 0, of the events that must be in the finding's evidence. Where any connection within
    /// the window may be the other half, only the first is named; none where any part of a script block may stand for
    /// the whole.
    public let events: [Int]
}

/// Something woven into the traffic on purpose: an attack to be found, or a near miss to be left alone.
public struct WovenBehaviour: Sendable {
    public enum Kind: Hashable, Sendable {
        case attack
        case nearMiss
    }

    /// `mailsniper-self-search`.
    public let name: String
    /// One sentence without a full stop.
    public let summary: String
    public let kind: Kind
    /// The `host.id` of the machine it happens on.
    public let hostKey: String
    /// Places in the run, from 0, of all its events, in order.
    public let events: [Int]
    public let expected: [ExpectedFinding]
    /// Which of the four test behaviours of the technique it is; nil for a variant and for a near miss.
    public let testBehaviour: Int?
    /// Whether its records come as their shippers send them, and not as ECS.
    public let isRaw: Bool
}

/// A behaviour before it has a place in a run.
struct Script: Sendable {
    enum Actor: Sendable {
        /// The machine the behaviour happens on.
        case host
        /// Another workstation.
        case neighbour
        case exchangeServer
        case fileServer
    }

    struct Step: Sendable {
        /// Milliseconds after the behaviour begins.
        let offset: Int64
        let actor: Actor
        let record: Record

        init(at seconds: Double, on actor: Actor = .host, _ record: Record) {
            offset = Int64(seconds * 1_000)
            self.actor = actor
            self.record = record
        }
    }

    struct Finding: Sendable {
        let rule: ExpectedRule
        let steps: [Int]
        /// A step that happens on the host the finding is about.
        let host: Int

        init(_ rule: ExpectedRule, _ steps: Int..., on host: Int? = nil) {
            self.rule = rule
            self.steps = steps
            self.host = host ?? steps.first ?? 0
        }
    }

    let name: String
    let summary: String
    let kind: WovenBehaviour.Kind
    /// Whether the ordinary traffic of its host stays away from port 443.
    var isQuiet = false
    /// The steps need the number of the host for client addresses.
    let steps: @Sendable (_ host: Int) -> [Step]
    var findings: [Finding] = []
    var testBehaviour: Int?
    private(set) var form = RecordForm.ecs

    /// The same behaviour, reported as the shippers send it to Kafka.
    var raw: Script {
        var script = self
        script.form = .raw
        return script
    }

    /// From the first step to the last, in milliseconds.
    var length: Int64 { steps(0).map(\.offset).max() ?? 0 }
}
