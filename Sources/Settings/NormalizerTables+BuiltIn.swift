// Generated from config/normalizers, which is where to change them: BuiltInTableTests holds both to each other and
// says how to generate this file anew.

import Normalization

extension NormalizerTable {
    static let builtInFiles: [(name: String, text: String)] = [
        (
            "azure_audit.yaml",
            #"""
            # Audit logs of Entra ID, one record each, as Azure's diagnostic settings write them.
            # The result has the names and types of Elastic's azure integration (azure.auditlogs), and, as there, no event.category;
            # the numbered targets (target_resources.0) are left as they are called here.
            name: azure_audit
            when:
              - {category: AuditLogs, operationName: "*"}
            without: [event.category]
            missing: ["", '""']

            set:
              event.kind: event
              event.module: azure
              event.dataset: azure.auditlogs
              cloud.provider: azure

            fields:
              "@timestamp": {from: [time, properties.activityDateTime], apply: date, replace: true}
              event.action: operationName
              event.id: properties.id
              event.duration: {from: durationMs, apply: nanoseconds}
              event.outcome:
                from: properties.result
                apply: lowercase
                map: {success: success, failure: failure}
              log.level: [level, Level]
              azure.tenant_id: tenantId
              azure.correlation_id: correlationId
              azure.resource.id: resourceId
              cloud.account.id: tenantId
              source.ip: &address
                from: [callerIpAddress, properties.initiatedBy.user.ipAddress]
                apply: ip
              client.ip: *address
              related.ip: *address
              user.id: properties.initiatedBy.user.id
              user.name: {from: properties.initiatedBy.user.userPrincipalName, apply: mail_name}
              user.domain: {from: properties.initiatedBy.user.userPrincipalName, apply: mail_domain}
              user.email: {from: properties.initiatedBy.user.userPrincipalName, apply: mail_address}
              related.user: {from: properties.initiatedBy.user.userPrincipalName, apply: mail_name}
              user_agent.original: properties.userAgent
              azure.auditlogs.category: category
              azure.auditlogs.identity: identity
              azure.auditlogs.operation_name: operationName
              azure.auditlogs.operation_version: operationVersion
              azure.auditlogs.result_signature: resultSignature
              azure.auditlogs.properties.activity_datetime: {from: properties.activityDateTime, apply: date}
              azure.auditlogs.properties.activity_display_name: properties.activityDisplayName
              azure.auditlogs.properties.category: properties.category
              azure.auditlogs.properties.correlation_id: properties.correlationId
              azure.auditlogs.properties.id: properties.id
              azure.auditlogs.properties.initiated_by.app.appId: properties.initiatedBy.app.appId
              azure.auditlogs.properties.initiated_by.app.displayName: properties.initiatedBy.app.displayName
              azure.auditlogs.properties.initiated_by.app.servicePrincipalId: properties.initiatedBy.app.servicePrincipalId
              azure.auditlogs.properties.initiated_by.user.displayName: properties.initiatedBy.user.displayName
              azure.auditlogs.properties.initiated_by.user.id: properties.initiatedBy.user.id
              azure.auditlogs.properties.initiated_by.user.ipAddress: properties.initiatedBy.user.ipAddress
              azure.auditlogs.properties.initiated_by.user.userPrincipalName: properties.initiatedBy.user.userPrincipalName
              azure.auditlogs.properties.logged_by_service: properties.loggedByService
              azure.auditlogs.properties.operation_type: properties.operationType
              azure.auditlogs.properties.result_reason: properties.resultReason
              # The same operation stands in the unified audit log of Microsoft 365. What it changed, and what it was about, is put
              # under the names that office_365 gives them, so that a rule for one log reads the other. Here values are in quotes.
              o365.audit.ModifiedProperties.*.NewValue:
                names: properties.targetResources.modifiedProperties.displayName
                named: properties.targetResources.modifiedProperties.newValue
                apply: unquote
              o365.audit.ModifiedProperties.*.OldValue:
                names: properties.targetResources.modifiedProperties.displayName
                named: properties.targetResources.modifiedProperties.oldValue
                apply: unquote
              o365.audit.Target.ID:
                names: properties.targetResources.modifiedProperties.displayName
                named: properties.targetResources.modifiedProperties.newValue
                pick: TargetId.ServicePrincipalNames
                apply: [unquote, "split:;"]

            """#
        ),
        (
            "azure_audit_elastic.yaml",
            #"""
            # Audit logs of Entra ID as Elastic's azure integration leaves them: what an operation changed is in numbered objects,
            # which no rule can ask by name. It is put under the names that azure_audit and office_365 give it.
            name: azure_audit_elastic
            when:
              - {azure.auditlogs.category: AuditLogs, azure.auditlogs.operation_name: "*"}
            without: [event.category]
            missing: ["", '""']

            fields:
              event.dataset: {values: [azure.auditlogs]}
              event.action: azure.auditlogs.operation_name
              o365.audit.ModifiedProperties.*.NewValue:
                names: &names azure.auditlogs.properties.target_resources.{0..1}.modified_properties.{0..15}.display_name
                named: &new azure.auditlogs.properties.target_resources.{0..1}.modified_properties.{0..15}.new_value
                apply: unquote
              o365.audit.ModifiedProperties.*.OldValue:
                names: *names
                named: azure.auditlogs.properties.target_resources.{0..1}.modified_properties.{0..15}.old_value
                apply: unquote
              o365.audit.Target.ID:
                names: *names
                named: *new
                pick: TargetId.ServicePrincipalNames
                apply: [unquote, "split:;"]

            """#
        ),
        (
            "azure_graph_activity.yaml",
            #"""
            # Microsoft Graph activity logs, one record each, as Azure's diagnostic settings write them.
            # The result has the names and types of Elastic's azure integration (azure.graphactivitylogs).
            name: azure_graph_activity
            when:
              - {category: MicrosoftGraphActivityLogs}
            without: [event.category]
            missing: [""]

            set:
              event.kind: event
              event.module: azure
              event.dataset: azure.graphactivitylogs
              event.category: [api]
              event.type: [access]
              cloud.provider: azure
              cloud.service.name: Microsoft Graph

            fields:
              "@timestamp": {from: [time, properties.timeGenerated], apply: date, replace: true}
              event.action: operationName
              event.id: properties.operationId
              event.duration: {from: [durationMs, properties.durationMs], apply: nanoseconds}
              event.outcome: {from: [properties.responseStatusCode, resultSignature], apply: http_outcome}
              log.level: [level, Level]
              azure.tenant_id: [tenantId, properties.tenantId]
              azure.correlation_id: correlationId
              azure.resource.id: resourceId
              cloud.account.id: [tenantId, properties.tenantId]
              cloud.region: [location, properties.location]
              source.ip: {from: [callerIpAddress, properties.ipAddress], apply: ip}
              client.ip: {from: [callerIpAddress, properties.ipAddress], apply: ip}
              related.ip: {from: [callerIpAddress, properties.ipAddress], apply: ip}
              user.id: properties.userId
              client.user.id: properties.userId
              related.user: properties.userId
              http.request.id: properties.requestId
              http.request.method: properties.requestMethod
              http.response.status_code: properties.responseStatusCode
              http.response.bytes: properties.responseSizeBytes
              url.original: properties.requestUri
              url.scheme: {from: properties.requestUri, apply: url_scheme}
              url.domain: {from: properties.requestUri, apply: url_domain}
              url.path: {from: properties.requestUri, apply: url_path}
              url.query: {from: properties.requestUri, apply: url_query}
              user_agent.original: properties.userAgent
              azure.graphactivitylogs.category: category
              azure.graphactivitylogs.operation_name: operationName
              azure.graphactivitylogs.operation_version: operationVersion
              azure.graphactivitylogs.result_signature: resultSignature
              azure.graphactivitylogs.properties.api_version: properties.apiVersion
              azure.graphactivitylogs.properties.app_id: properties.appId
              azure.graphactivitylogs.properties.at_content: properties.atContent
              azure.graphactivitylogs.properties.c_idtyp: [properties.C_Idtyp, properties.cIdtyp]
              azure.graphactivitylogs.properties.client_auth_method: properties.clientAuthMethod
              azure.graphactivitylogs.properties.client_request_id: properties.clientRequestId
              azure.graphactivitylogs.properties.identity_provider: properties.identityProvider
              azure.graphactivitylogs.properties.operation_id: properties.operationId
              azure.graphactivitylogs.properties.roles: {from: properties.roles, apply: words}
              azure.graphactivitylogs.properties.scopes: {from: properties.scopes, apply: words}
              azure.graphactivitylogs.properties.wids: {from: properties.wids, apply: words}
              azure.graphactivitylogs.properties.service_principal_id: properties.servicePrincipalId
              azure.graphactivitylogs.properties.sign_in_activity_id: properties.signInActivityId
              azure.graphactivitylogs.properties.time_generated: {from: properties.timeGenerated, apply: date}
              azure.graphactivitylogs.properties.token_issued_at: {from: properties.tokenIssuedAt, apply: date}
              azure.graphactivitylogs.properties.user_principal_object_id: properties.UserPrincipalObjectID

            """#
        ),
        (
            "exchange_management.yaml",
            #"""
            # The "MSExchange Management" log of an Exchange server, as Winlogbeat 8 and Elastic Agent ship it to Kafka: one event for
            # each cmdlet that an administrator, or a script in that role, ran.
            # Elastic has no integration for it. The action is the cmdlet, as in o365.audit, so that one rule can ask both.
            name: exchange_management
            when:
              - {winlog.provider_name: [MSExchange CmdletLogs, MSExchange Management]}
              - {winlog.channel: MSExchange Management}
            without: [event.category]
            code: [winlog.event_id, event.code]
            missing: ["", "-"]

            set:
              event.kind: event
              event.module: exchange
              event.dataset: exchange.management
              event.category: [configuration]
              event.type: [change]

            fields:
              "@timestamp": {from: winlog.time_created, apply: date}
              event.code: winlog.event_id
              event.provider: winlog.provider_name
              event.action: {from: winlog.event_data.param1, replace: true}
              host.name: winlog.computer_name
              powershell.command.name: winlog.event_data.param1
              powershell.command.value: {join: [winlog.event_data.param1, winlog.event_data.param2], with: " "}
              user.name: {from: winlog.event_data.param3, apply: basename}
              user.id: winlog.event_data.param4
              related.user: {from: winlog.event_data.param3, apply: basename}

            codes:
              "1": {set: {event.outcome: success}}
              "6": {set: {event.outcome: failure}}

            """#
        ),
        (
            "iis.yaml",
            #"""
            # Access logs of IIS as objects with the names of the W3C format (NXLog, Vector, Logstash and Fluent Bit make them).
            # The result has the names and types of Elastic's iis integration (iis.access).
            name: iis
            when:
              - {cs-uri-stem: "*", c-ip: "*"}
            without: [event.category]
            missing: ["", "-"]

            set:
              event.kind: event
              event.module: iis
              event.dataset: iis.access
              event.category: [web]

            fields:
              "@timestamp": {join: [date, time], with: " ", apply: date, replace: true}
              event.category: {values: [web, network], when: [s-ip, c-ip], replace: true}
              event.type: {values: [connection], when: [s-ip, c-ip]}
              event.outcome: {from: sc-status, apply: http_outcome}
              event.duration: {from: time-taken, apply: nanoseconds}
              host.name: s-computername
              url.original: cs-uri-stem
              url.path: {from: cs-uri-stem, apply: url_path}
              url.query: {from: cs-uri-query, apply: url_decode}
              url.domain: cs-host
              http.request.method: cs-method
              http.request.referrer: cs(Referer)
              http.request.body.bytes: cs-bytes
              http.response.status_code: sc-status
              http.response.body.bytes: sc-bytes
              http.version: {from: cs-version, apply: "drop_prefix:HTTP/"}
              iis.access.sub_status: sc-substatus
              iis.access.win32_status: sc-win32-status
              iis.access.site_name: s-sitename
              iis.access.server_name: s-computername
              iis.access.cookie: cs(Cookie)
              source.address: c-ip
              source.ip: {from: c-ip, apply: ip}
              destination.address: s-ip
              destination.ip: {from: s-ip, apply: ip}
              destination.port: s-port
              destination.domain: cs-host
              user.name: cs-username
              user_agent.original: {from: cs(User-Agent), apply: url_decode}
              related.ip: {from: c-ip, apply: ip}
              related.user: cs-username

            """#
        ),
        (
            "iis_line.yaml",
            #"""
            # Access logs of IIS as Filebeat and Elastic Agent ship them to Kafka: the line itself in message, with the fields that
            # IIS logs by default:
            #   date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status
            #   sc-substatus sc-win32-status time-taken
            # A log with other fields needs a table like this one with other numbers, or a shipper that names them (iis.yaml).
            name: iis_line
            when:
              - {event.dataset: [iis.access]}
              - {data_stream.dataset: [iis.access]}
            without: [event.category]
            missing: ["", "-"]

            set:
              event.kind: event
              event.module: iis

            fields:
              event.created: "@timestamp"
              "@timestamp": {from: message, apply: ["if_words:15", "first_words:2", date], replace: true}
              event.category: {values: [web, network]}
              event.type: {values: [connection]}
              event.outcome: {from: message, apply: ["if_words:15", "word:12", http_outcome]}
              event.duration: {from: message, apply: ["if_words:15", "word:15", nanoseconds]}
              destination.address: {from: message, apply: ["if_words:15", "word:3"]}
              destination.ip: {from: message, apply: ["if_words:15", "word:3", ip]}
              http.request.method: {from: message, apply: ["if_words:15", "word:4"]}
              url.original: {from: message, apply: ["if_words:15", "word:5"]}
              url.path: {from: message, apply: ["if_words:15", "word:5", url_path]}
              url.query: {from: message, apply: ["if_words:15", "word:6", "unless:-", url_decode]}
              destination.port: {from: message, apply: ["if_words:15", "word:7"]}
              user.name: {from: message, apply: ["if_words:15", "word:8", "unless:-"]}
              source.address: {from: message, apply: ["if_words:15", "word:9"]}
              source.ip: {from: message, apply: ["if_words:15", "word:9", ip]}
              user_agent.original: {from: message, apply: ["if_words:15", "word:10", "unless:-", url_decode]}
              http.request.referrer: {from: message, apply: ["if_words:15", "word:11", "unless:-"]}
              http.response.status_code: {from: message, apply: ["if_words:15", "word:12"]}
              iis.access.sub_status: {from: message, apply: ["if_words:15", "word:13"]}
              iis.access.win32_status: {from: message, apply: ["if_words:15", "word:14"]}
              related.ip: {from: message, apply: ["if_words:15", "word:9", ip]}

            """#
        ),
        (
            "office_365.yaml",
            #"""
            # Records of the Microsoft 365 unified audit log, as the Office 365 Management Activity API gives them: at the root of the
            # record, or under o365audit, where Filebeat and Elastic Agent put them.
            # The result has the names and types of Elastic's o365 integration (o365.audit).
            name: office_365
            under: ["", o365audit]
            when:
              - {Workload: "*", RecordType: "*", Operation: "*"}
            without: [event.category]
            code: RecordType
            missing: [""]

            set:
              event.kind: event
              event.module: o365
              event.dataset: o365.audit
              event.type: [info]

            fields:
              "@timestamp": {from: CreationTime, apply: date, replace: true}
              event.category: {values: [web]}
              event.id: Id
              event.action: Operation
              event.provider: Workload
              event.code:
                from: RecordType
                map:
                  "1": ExchangeAdmin
                  "2": ExchangeItem
                  "3": ExchangeItemGroup
                  "6": SharePointFileOperation
                  "8": AzureActiveDirectory
                  "15": AzureActiveDirectoryStsLogon
                  "18": SecurityComplianceCenterEOPCmdlet
                  "19": ExchangeAggregatedOperation
                  "24": Discovery
                  "29": MailSubmission
                  "31": AeD
                  "50": ExchangeItemAggregated
                  "52": DataInsightsRestApiAudit
                  "101": ExchangeSearch
              event.outcome:
                from: ResultStatus
                apply: lowercase
                map:
                  succeeded: success
                  success: success
                  partiallysucceeded: success
                  "true": success
                  failed: failure
                  "false": failure
              organization.id: OrganizationId
              organization.name: OrganizationName
              host.id: OrganizationId
              host.name: OrganizationName
              user.id: UserId
              user.name: {from: UserId, apply: mail_name}
              user.domain: {from: UserId, apply: mail_domain}
              user.email: [{from: UserId, apply: mail_address}, MailboxOwnerUPN]
              related.user: {from: UserId, apply: mail_name}
              user_agent.original: UserAgent
              client.ip: &address
                from: [ClientIPAddress, ClientIP, ActorIpAddress]
                apply: ip
              client.address: *address
              source.ip: *address
              related.ip: *address
              client.port: {from: [ClientIPAddress, ClientIP, ActorIpAddress], apply: port}
              source.port: {from: [ClientIPAddress, ClientIP, ActorIpAddress], apply: port}
              process.name: ClientProcessName
              token.id: AppAccessContext.UniqueTokenId
              # The parameters of a cmdlet, each by its name: o365.audit.Parameters.Mailbox.
              o365.audit.Parameters.*: {names: Parameters.Name, named: Parameters.Value}
              o365.audit.ExtendedProperties.*: {names: ExtendedProperties.Name, named: ExtendedProperties.Value}
              # What an operation of the directory changed, each by its name, in which blanks and periods become _:
              # o365.audit.ModifiedProperties.AppRole_Value.NewValue.
              o365.audit.ModifiedProperties.*.NewValue: {names: ModifiedProperties.Name, named: ModifiedProperties.NewValue}
              o365.audit.ModifiedProperties.*.OldValue: {names: ModifiedProperties.Name, named: ModifiedProperties.OldValue}
              o365.audit.ModifiedProperties.Name: {values: []}
              o365.audit.ModifiedProperties.NewValue: {values: []}
              o365.audit.ModifiedProperties.OldValue: {values: []}
              # Everything else as it is called there.
              o365.audit.*: "*"

            codes:
              "8":
                fields:
                  user.target.id: ObjectId

            """#
        ),
        (
            "powershell.yaml",
            #"""
            # PowerShell's operational log, as Winlogbeat 8 and Elastic Agent ship it to Kafka.
            # The result has the names and types of Elastic's windows integration (windows.powershell_operational).
            name: powershell
            when:
              - {winlog.provider_name: [Microsoft-Windows-PowerShell, PowerShellCore]}
              - {event.provider: [Microsoft-Windows-PowerShell, PowerShellCore], winlog.event_id: "*"}
            without: [event.category]
            code: [winlog.event_id, event.code]
            missing: [""]

            set:
              event.kind: event
              event.module: powershell
              event.dataset: windows.powershell_operational
              event.category: [process]

            fields:
              "@timestamp": {from: winlog.time_created, apply: date}
              event.code: winlog.event_id
              event.type: {values: [info]}
              event.provider: winlog.provider_name
              host.name: winlog.computer_name
              user.id: winlog.user.identifier
              user.domain: winlog.user.domain
              user.name: winlog.user.name
              related.user: winlog.user.name
              file.path: [winlog.event_data.Path, winlog.event_data.ScriptName]
              file.name: {from: [winlog.event_data.Path, winlog.event_data.ScriptName], apply: basename}
              file.directory: {from: [winlog.event_data.Path, winlog.event_data.ScriptName], apply: directory}
              file.extension: {from: [winlog.event_data.Path, winlog.event_data.ScriptName], apply: extension}

            codes:
              "4103":  # a pipeline ran; what is known of it stands in lines of text
                fields:
                  event.sequence: {from: winlog.event_data.ContextInfo, apply: "line:Sequence Number"}
                  user.domain: {from: winlog.event_data.ContextInfo, apply: ["line:User", account_domain]}
                  user.name: {from: winlog.event_data.ContextInfo, apply: ["line:User", account_name]}
                  related.user: {from: winlog.event_data.ContextInfo, apply: ["line:User", account_name]}
                  process.entity_id: {from: winlog.event_data.ContextInfo, apply: "line:Host ID"}
                  process.title: {from: winlog.event_data.ContextInfo, apply: "line:Host Name"}
                  process.command_line: {from: winlog.event_data.ContextInfo, apply: "line:Host Application"}
                  process.args: {from: winlog.event_data.ContextInfo, apply: ["line:Host Application", arguments]}
                  process.args_count: {from: winlog.event_data.ContextInfo, apply: ["line:Host Application", argument_count]}
                  powershell.id: {from: winlog.event_data.ContextInfo, apply: "line:Shell ID"}
                  powershell.engine.version: {from: winlog.event_data.ContextInfo, apply: "line:Engine Version"}
                  powershell.process.executable_version: {from: winlog.event_data.ContextInfo, apply: "line:Host Version"}
                  powershell.pipeline_id: {from: winlog.event_data.ContextInfo, apply: "line:Pipeline ID"}
                  powershell.runspace_id: {from: winlog.event_data.ContextInfo, apply: "line:Runspace ID"}
                  powershell.command.name: {from: winlog.event_data.ContextInfo, apply: "line:Command Name"}
                  powershell.command.type: {from: winlog.event_data.ContextInfo, apply: "line:Command Type"}
                  powershell.command.path: {from: winlog.event_data.ContextInfo, apply: "line:Command Path"}
                  powershell.command.invocation_details.value: {from: winlog.event_data.Payload, apply: "split:\n"}
                  file.path: {from: winlog.event_data.ContextInfo, apply: "line:Script Name"}
                  file.name: {from: winlog.event_data.ContextInfo, apply: ["line:Script Name", basename]}

              "4104":  # a script block, or a part of one
                fields:
                  powershell.sequence: winlog.event_data.MessageNumber
                  powershell.total: winlog.event_data.MessageTotal
                  powershell.file.script_block_id: winlog.event_data.ScriptBlockId
                  powershell.file.script_block_text: winlog.event_data.ScriptBlockText

              "4105":
                set: {event.type: [start]}
                fields: &runspace
                  powershell.file.script_block_id: winlog.event_data.ScriptBlockId
                  powershell.runspace_id: winlog.event_data.RunspaceId

              "4106":
                set: {event.type: [end]}
                fields: *runspace

            """#
        ),
        (
            "sysmon.yaml",
            #"""
            # Sysmon, as Winlogbeat 8 and Elastic Agent ship it to Kafka: everything under winlog.event_data.
            # The result has the names and types of Elastic's windows integration (windows.sysmon_operational).
            name: sysmon
            when:
              - {winlog.provider_name: Microsoft-Windows-Sysmon}
              - {event.provider: Microsoft-Windows-Sysmon, winlog.event_id: "*"}
            without: [event.category]
            code: [winlog.event_id, event.code]
            missing: ["", "-", "{00000000-0000-0000-0000-000000000000}"]

            set:
              event.kind: event
              event.module: sysmon
              event.dataset: windows.sysmon_operational

            fields:
              "@timestamp": {from: winlog.event_data.UtcTime, apply: date, replace: true}
              event.code: winlog.event_id
              event.provider: winlog.provider_name
              event.created: {from: winlog.time_created, apply: date}
              rule.name: winlog.event_data.RuleName
              host.name: winlog.computer_name
              user.id: winlog.user.identifier
              user.domain: {from: winlog.event_data.User, apply: account_domain}
              user.name: {from: winlog.event_data.User, apply: account_name}
              related.user: {from: winlog.event_data.User, apply: account_name}

              process.entity_id:
                from: [winlog.event_data.ProcessGuid, winlog.event_data.SourceProcessGUID, winlog.event_data.SourceProcessGuid]
              process.pid: [winlog.event_data.ProcessId, winlog.event_data.SourceProcessId]
              process.thread.id: winlog.event_data.SourceThreadId
              process.executable: [winlog.event_data.Image, winlog.event_data.SourceImage]
              process.name: {from: [winlog.event_data.Image, winlog.event_data.SourceImage], apply: basename}
              process.command_line: winlog.event_data.CommandLine
              process.args: {from: winlog.event_data.CommandLine, apply: arguments}
              process.args_count: {from: winlog.event_data.CommandLine, apply: argument_count}
              process.working_directory: winlog.event_data.CurrentDirectory
              process.parent.entity_id: winlog.event_data.ParentProcessGuid
              process.parent.pid: winlog.event_data.ParentProcessId
              process.parent.executable: winlog.event_data.ParentImage
              process.parent.name: {from: winlog.event_data.ParentImage, apply: basename}
              process.parent.command_line: winlog.event_data.ParentCommandLine
              process.parent.args: {from: winlog.event_data.ParentCommandLine, apply: arguments}
              process.parent.args_count: {from: winlog.event_data.ParentCommandLine, apply: argument_count}

              file.path: [winlog.event_data.TargetFilename, winlog.event_data.ImageLoaded]
              file.name: {from: [winlog.event_data.TargetFilename, winlog.event_data.ImageLoaded], apply: basename}
              file.directory: {from: [winlog.event_data.TargetFilename, winlog.event_data.ImageLoaded], apply: directory}
              file.extension: {from: [winlog.event_data.TargetFilename, winlog.event_data.ImageLoaded], apply: extension}

              related.hash: {from: [winlog.event_data.Hashes, winlog.event_data.Hash], apply: hashes}

            codes:
              "1":  # process creation
                set: {event.category: [process], event.type: [start], event.action: Process creation}
                fields:
                  process.hash.md5: {from: winlog.event_data.Hashes, apply: "hash:md5"}
                  process.hash.sha1: {from: winlog.event_data.Hashes, apply: "hash:sha1"}
                  process.hash.sha256: {from: winlog.event_data.Hashes, apply: "hash:sha256"}
                  process.pe.imphash: {from: winlog.event_data.Hashes, apply: "hash:imphash"}
                  process.pe.original_file_name: winlog.event_data.OriginalFileName
                  process.pe.company: winlog.event_data.Company
                  process.pe.description: winlog.event_data.Description
                  process.pe.file_version: winlog.event_data.FileVersion
                  process.pe.product: winlog.event_data.Product

              "3":  # network connection
                set: {event.category: [network], event.type: [start, connection, protocol], event.action: Network connection}
                fields:
                  network.transport: winlog.event_data.Protocol
                  network.protocol: [winlog.event_data.DestinationPortName, winlog.event_data.SourcePortName]
                  network.direction: {from: winlog.event_data.Initiated, map: {"true": egress, "false": ingress}}
                  network.type: {from: winlog.event_data.SourceIsIpv6, map: {"false": ipv4, "true": ipv6}}
                  source.ip: {from: winlog.event_data.SourceIp, apply: ip}
                  source.port: winlog.event_data.SourcePort
                  source.domain: winlog.event_data.SourceHostname
                  destination.ip: {from: winlog.event_data.DestinationIp, apply: ip}
                  destination.port: winlog.event_data.DestinationPort
                  destination.domain: winlog.event_data.DestinationHostname
                  related.ip: {from: winlog.event_data.DestinationIp, apply: ip}

              "5":  # process end
                set: {event.category: [process], event.type: [end], event.action: Process terminated}

              "7":  # image load
                set: {event.category: [process], event.type: [change], event.action: Image loaded}
                fields:
                  file.hash.md5: {from: winlog.event_data.Hashes, apply: "hash:md5"}
                  file.hash.sha1: {from: winlog.event_data.Hashes, apply: "hash:sha1"}
                  file.hash.sha256: {from: winlog.event_data.Hashes, apply: "hash:sha256"}
                  file.pe.imphash: {from: winlog.event_data.Hashes, apply: "hash:imphash"}
                  file.pe.original_file_name: winlog.event_data.OriginalFileName
                  file.pe.company: winlog.event_data.Company
                  file.pe.description: winlog.event_data.Description
                  file.pe.file_version: winlog.event_data.FileVersion
                  file.pe.product: winlog.event_data.Product
                  file.code_signature.subject_name: winlog.event_data.Signature
                  file.code_signature.status: winlog.event_data.SignatureStatus
                  file.code_signature.signed: {from: winlog.event_data.Signed, map: {"true": "true"}}
                  file.code_signature.valid: {from: winlog.event_data.SignatureStatus, map: {Valid: "true"}}

              "10":  # process access
                set: {event.category: [process], event.type: [access], event.action: ProcessAccess}

              "11":  # file creation
                set: {event.category: [file], event.type: [creation], event.action: FileCreate}

              "15":  # named stream
                set: {event.category: [file], event.type: [access], event.action: FileCreateStreamHash}
                fields:
                  file.hash.md5: {from: [winlog.event_data.Hash, winlog.event_data.Hashes], apply: "hash:md5"}
                  file.hash.sha1: {from: [winlog.event_data.Hash, winlog.event_data.Hashes], apply: "hash:sha1"}
                  file.hash.sha256: {from: [winlog.event_data.Hash, winlog.event_data.Hashes], apply: "hash:sha256"}

              "22":  # name query
                set:
                  event.category: [network]
                  event.type: [connection, protocol, info]
                  event.action: DNSEvent (DNS query)
                  network.protocol: dns
                fields:
                  dns.question.name: winlog.event_data.QueryName
                  dns.answers.data: {from: winlog.event_data.QueryResults, apply: dns_names}
                  dns.resolved_ip: {from: winlog.event_data.QueryResults, apply: dns_addresses}
                  sysmon.dns.status: {from: winlog.event_data.QueryStatus, map: {"0": SUCCESS, "9003": DNS_ERROR_RCODE_NAME_ERROR}}
                  related.hosts: winlog.event_data.QueryName
                  related.ip: {from: winlog.event_data.QueryResults, apply: dns_addresses}

              "23":  # file deletion, archived
                set: {event.category: [file], event.type: [deletion], event.action: FileDelete (File Delete archived)}
                fields:
                  process.hash.md5: {from: winlog.event_data.Hashes, apply: "hash:md5"}
                  process.hash.sha1: {from: winlog.event_data.Hashes, apply: "hash:sha1"}
                  process.hash.sha256: {from: winlog.event_data.Hashes, apply: "hash:sha256"}
                  sysmon.file.archived: winlog.event_data.Archived
                  sysmon.file.is_executable: winlog.event_data.IsExecutable

            """#
        ),
        (
            "windows_security.yaml",
            #"""
            # The Security channel of Windows, as Winlogbeat 8 and Elastic Agent ship it to Kafka.
            # The result has the names and types of Elastic's system integration (system.security).
            name: windows_security
            when:
              - {winlog.provider_name: Microsoft-Windows-Security-Auditing}
              - {event.provider: Microsoft-Windows-Security-Auditing, winlog.event_id: "*"}
            without: [event.category]
            code: [winlog.event_id, event.code]
            missing: ["", "-"]

            set:
              event.kind: event
              event.module: security
              event.dataset: system.security

            fields:
              "@timestamp": {from: winlog.time_created, apply: date}
              event.code: winlog.event_id
              event.provider: winlog.provider_name
              event.outcome: {from: winlog.keywords, map: {Audit Success: success, Audit Failure: failure}}
              host.name: winlog.computer_name
              winlog.logon.id: [winlog.event_data.TargetLogonId, winlog.event_data.SubjectLogonId]

            codes:
              "4624":  # logon: the user is the one who logged on
                set: {event.category: [authentication], event.type: [start], event.action: logged-in}
                fields:
                  user.id: winlog.event_data.TargetUserSid
                  user.name: winlog.event_data.TargetUserName
                  user.domain: winlog.event_data.TargetDomainName
                  related.user: winlog.event_data.TargetUserName
                  source.ip: {from: winlog.event_data.IpAddress, apply: ip}
                  source.port: winlog.event_data.IpPort
                  source.domain: winlog.event_data.WorkstationName
                  related.ip: {from: winlog.event_data.IpAddress, apply: ip}
                  process.executable: winlog.event_data.ProcessName
                  process.name: {from: winlog.event_data.ProcessName, apply: basename}
                  process.pid: {from: winlog.event_data.ProcessId, apply: number}
                  winlog.logon.type:
                    from: winlog.event_data.LogonType
                    map:
                      "2": Interactive
                      "3": Network
                      "4": Batch
                      "5": Service
                      "7": Unlock
                      "8": NetworkCleartext
                      "9": NewCredentials
                      "10": RemoteInteractive
                      "11": CachedInteractive

              "4663":  # object access: Elastic gives it no category
                set: {event.action: object-access-attempted}
                fields: &subject
                  user.id: winlog.event_data.SubjectUserSid
                  user.name: winlog.event_data.SubjectUserName
                  user.domain: winlog.event_data.SubjectDomainName
                  related.user: winlog.event_data.SubjectUserName
                  process.executable: winlog.event_data.ProcessName
                  process.name: {from: winlog.event_data.ProcessName, apply: basename}
                  process.pid: {from: winlog.event_data.ProcessId, apply: number}
                  winlog.event_data.AccessList: {from: winlog.event_data.AccessList, apply: words, replace: true}
                  winlog.event_data.AccessListDescription: &access_list
                    from: winlog.event_data.AccessList
                    apply: words
                    map:
                      "%%1537": DELETE
                      "%%1538": READ_CONTROL
                      "%%1539": WRITE_DAC
                      "%%1540": WRITE_OWNER
                      "%%1541": SYNCHRONIZE
                      "%%1542": ACCESS_SYS_SEC
                      "%%4416": ReadData (or ListDirectory)
                      "%%4417": WriteData (or AddFile)
                      "%%4418": AppendData (or AddSubdirectory or CreatePipeInstance)
                      "%%4419": ReadEA
                      "%%4420": WriteEA
                      "%%4421": Execute/Traverse
                      "%%4422": DeleteChild
                      "%%4423": ReadAttributes
                      "%%4424": WriteAttributes
                  winlog.event_data.AccessMaskDescription: &access_mask
                    from: winlog.event_data.AccessMask
                    apply: bits
                    map:
                      "0x1": Create Child
                      "0x2": Delete Child
                      "0x4": List Contents
                      "0x8": SELF
                      "0x10": Read Property
                      "0x20": Write Property
                      "0x40": Delete Tree
                      "0x80": List Object
                      "0x100": Control Access
                      "0x10000": DELETE
                      "0x20000": READ_CONTROL
                      "0x40000": WRITE_DAC
                      "0x80000": WRITE_OWNER
                      "0x100000": SYNCHRONIZE

              "4688":  # process creation
                set: {event.category: [process], event.type: [start], event.action: created-process}
                fields:
                  user.id: winlog.event_data.SubjectUserSid
                  user.name: winlog.event_data.SubjectUserName
                  user.domain: winlog.event_data.SubjectDomainName
                  user.effective.id: winlog.event_data.TargetUserSid
                  user.effective.name: winlog.event_data.TargetUserName
                  user.effective.domain: winlog.event_data.TargetDomainName
                  related.user: winlog.event_data.SubjectUserName
                  process.pid: {from: winlog.event_data.NewProcessId, apply: number}
                  process.executable: winlog.event_data.NewProcessName
                  process.name: {from: winlog.event_data.NewProcessName, apply: basename}
                  process.command_line: winlog.event_data.CommandLine
                  process.args: {from: winlog.event_data.CommandLine, apply: arguments}
                  process.args_count: {from: winlog.event_data.CommandLine, apply: argument_count}
                  process.parent.pid: {from: winlog.event_data.ProcessId, apply: number}
                  process.parent.executable: winlog.event_data.ParentProcessName
                  process.parent.name: {from: winlog.event_data.ParentProcessName, apply: basename}

              "5140":  # network share accessed
                set: {event.category: [network, file], event.type: [info, access], event.action: network-share-object-accessed}
                fields: &share
                  user.id: winlog.event_data.SubjectUserSid
                  user.name: winlog.event_data.SubjectUserName
                  user.domain: winlog.event_data.SubjectDomainName
                  related.user: winlog.event_data.SubjectUserName
                  source.ip: {from: winlog.event_data.IpAddress, apply: ip}
                  source.port: winlog.event_data.IpPort
                  related.ip: {from: winlog.event_data.IpAddress, apply: ip}
                  file.name: winlog.event_data.RelativeTargetName
                  file.extension: {from: winlog.event_data.RelativeTargetName, apply: extension}
                  file.directory: winlog.event_data.ShareLocalPath
                  file.path: {join: [winlog.event_data.ShareLocalPath, winlog.event_data.RelativeTargetName], with: "\\"}
                  file.target_path: {join: [winlog.event_data.ShareName, winlog.event_data.RelativeTargetName], with: "\\"}
                  winlog.event_data.AccessList: {from: winlog.event_data.AccessList, apply: words, replace: true}
                  winlog.event_data.AccessListDescription: *access_list
                  winlog.event_data.AccessMaskDescription: *access_mask

              "5145":  # object on a network share checked
                set:
                  event.category: [network, file]
                  event.type: [info, access]
                  event.action: network-share-object-access-checked
                fields: *share

              "5156":  # connection allowed by the filtering platform; the addresses under ECS names are Apus's own
                set:
                  event.category: [network]
                  event.type: [connection, info, allowed]
                  event.action: windows-firewall-connection
                fields:
                  process.executable: winlog.event_data.Application
                  process.name: {from: winlog.event_data.Application, apply: basename}
                  process.pid: winlog.event_data.ProcessID
                  source.ip: {from: winlog.event_data.SourceAddress, apply: ip}
                  source.port: winlog.event_data.SourcePort
                  destination.ip: {from: winlog.event_data.DestAddress, apply: ip}
                  destination.port: winlog.event_data.DestPort
                  network.direction: {from: winlog.event_data.Direction, map: {"%%14592": ingress, "%%14593": egress}}
                  network.iana_number: winlog.event_data.Protocol
                  network.transport: {from: winlog.event_data.Protocol, map: {"6": tcp, "17": udp, "1": icmp, "58": ipv6-icmp}}
                  related.ip: {from: winlog.event_data.DestAddress, apply: ip}

            """#
        ),
    ]
}
