import Testing

/// Records of every source in their raw form, and what becomes of them. Written for these tests.
struct RawSample: CustomTestStringConvertible {
    var name: String
    var table: String
    var json: String
    /// Lines of a field and its values, as JSON.
    var expected: String

    var testDescription: String { name }

    /// Fields with the values that are expected, as text.
    var fields: [(field: String, values: [String])] {
        expected.split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            return (parts[0], parts.count == 1 ? [] : parts[1].split(separator: " | ").map(String.init))
        }
    }
}

extension RawSample {
    /// A Windows event as Winlogbeat ships it.
    static func windows(
        _ name: String, table: String, provider: String, id: Int, data: String, more: String = "", expected: String
    ) -> RawSample {
        RawSample(
            name: name, table: table,
            json: #"""
                {"@timestamp":"2026-11-24T09:00:09.000Z","ecs":{"version":"8.0.0"},"agent":{"id":"agent-1","type":"winlogbeat"},
                "event":{"kind":"event","code":"\#(id)","provider":"\#(provider)","action":"As the task is called"},
                "winlog":{"provider_name":"\#(provider)","event_id":"\#(id)","computer_name":"ws-042.corp.example",
                "keywords":["Audit Success"],"record_id":"77","user":{"identifier":"S-1-5-21-1","name":"alice","domain":"CORP"},
                "process":{"pid":4,"thread":{"id":8}},\#(more)"event_data":{\#(data)}}}
                """#.split(separator: "\n").joined(), expected: expected)
    }

    static func sysmon(_ id: Int, _ name: String, data: String, expected: String) -> RawSample {
        windows(
            "Sysmon \(id), \(name)", table: "sysmon", provider: "Microsoft-Windows-Sysmon", id: id,
            data: #""UtcTime":"2026-11-24 09:00:02.123","RuleName":"-","User":"CORP\\alice",\#(data)"#,
            expected: """
                @timestamp 2026-11-24T09:00:02.123Z
                event.code \(id)
                host.name ws-042.corp.example
                user.name alice
                user.domain CORP
                rule.name
                \(expected)
                """)
    }

    static func security(_ id: Int, _ name: String, data: String, expected: String) -> RawSample {
        windows(
            "Security \(id), \(name)", table: "windows_security", provider: "Microsoft-Windows-Security-Auditing",
            id: id, data: data, expected: "event.outcome success\n" + expected)
    }

    static let all: [RawSample] = [
        sysmon(
            1, "process creation",
            data: #"""
                "ProcessGuid":"{A-1}","ProcessId":"4242","Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c \"echo hi\"","CurrentDirectory":"C:\\","OriginalFileName":"Cmd.Exe","Company":"Microsoft","Hashes":"SHA1=00FF,MD5=AB12,SHA256=CD,IMPHASH=00000000","ParentProcessGuid":"{A-0}","ParentProcessId":"11","ParentImage":"C:\\Windows\\explorer.exe","ParentCommandLine":"C:\\Windows\\explorer.exe"
                """#,
            expected: #"""
                event.category process
                event.type start
                event.action Process creation
                process.entity_id {A-1}
                process.pid 4242
                process.executable C:\Windows\System32\cmd.exe
                process.name cmd.exe
                process.command_line cmd.exe /c "echo hi"
                process.args cmd.exe | /c | echo hi
                process.args_count 3
                process.working_directory C:\
                process.hash.sha1 00ff
                process.hash.md5 ab12
                process.pe.imphash
                process.pe.original_file_name Cmd.Exe
                process.pe.company Microsoft
                process.parent.entity_id {A-0}
                process.parent.pid 11
                process.parent.name explorer.exe
                related.hash 00ff | ab12 | cd
                """#),
        sysmon(
            3, "network connection",
            data: #"""
                "ProcessGuid":"{A-1}","ProcessId":"4242","Image":"C:\\a\\powershell.exe","Protocol":"tcp","Initiated":"true","SourceIsIpv6":"false","SourceIp":"10.1.2.3","SourcePort":"50123","DestinationIp":"192.0.2.9","DestinationPort":"443","DestinationHostname":"mail.example"
                """#,
            expected: """
                event.category network
                event.type start | connection | protocol
                event.action Network connection
                process.entity_id {A-1}
                network.direction egress
                network.transport tcp
                network.type ipv4
                source.ip 10.1.2.3
                source.port 50123
                destination.ip 192.0.2.9
                destination.port 443
                destination.domain mail.example
                """),
        sysmon(
            5, "process end", data: #""ProcessGuid":"{A-1}","ProcessId":"4242","Image":"System""#,
            expected: """
                event.category process
                event.type end
                process.name System
                process.pid 4242
                """),
        sysmon(
            7, "image load",
            data: #"""
                "ProcessGuid":"{A-1}","Image":"C:\\a\\powershell.exe","ImageLoaded":"C:\\t\\Microsoft.Exchange.WebServices.dll","OriginalFileName":"Microsoft.Exchange.WebServices.dll","Hashes":"MD5=AA","Signed":"true","Signature":"Microsoft","SignatureStatus":"Valid"
                """#,
            expected: #"""
                event.category process
                event.type change
                event.action Image loaded
                file.path C:\t\Microsoft.Exchange.WebServices.dll
                file.name Microsoft.Exchange.WebServices.dll
                file.directory C:\t
                file.extension dll
                file.hash.md5 aa
                file.pe.original_file_name Microsoft.Exchange.WebServices.dll
                process.pe.original_file_name
                file.code_signature.signed true
                file.code_signature.valid true
                process.name powershell.exe
                """#),
        sysmon(
            10, "process access",
            data: #"""
                "SourceProcessGUID":"{A-1}","SourceProcessId":"4242","SourceThreadId":"5","SourceImage":"C:\\a\\rundll32.exe","TargetImage":"C:\\Windows\\outlook.exe","GrantedAccess":"0x1410"
                """#,
            expected: #"""
                event.category process
                event.type access
                process.entity_id {A-1}
                process.pid 4242
                process.thread.id 5
                process.name rundll32.exe
                winlog.event_data.TargetImage C:\Windows\outlook.exe
                """#),
        sysmon(
            11, "file creation",
            data:
                #""ProcessGuid":"{A-1}","Image":"C:\\a\\robocopy.exe","TargetFilename":"\\\\srv\\c$\\Users\\bob\\stolen_email.ost""#,
            expected: #"""
                event.category file
                event.type creation
                event.action FileCreate
                file.path \\srv\c$\Users\bob\stolen_email.ost
                file.name stolen_email.ost
                file.extension ost
                process.name robocopy.exe
                """#),
        sysmon(
            15, "named stream",
            data: #""Image":"C:\\a\\browser.exe","TargetFilename":"C:\\d\\x.zip:Zone.Identifier","Hash":"MD5=0A""#,
            expected: #"""
                event.category file
                event.type access
                file.name x.zip:Zone.Identifier
                file.hash.md5 0a
                """#),
        sysmon(
            22, "name query",
            data: #"""
                "Image":"C:\\a\\powershell.exe","QueryName":"mail.example","QueryStatus":"0","QueryResults":"type:  5 mail.cdn.example;::ffff:192.0.2.7;2001:db8::1;"
                """#,
            expected: """
                event.category network
                event.type connection | protocol | info
                network.protocol dns
                dns.question.name mail.example
                dns.resolved_ip 192.0.2.7 | 2001:db8::1
                dns.answers.data mail.cdn.example
                sysmon.dns.status SUCCESS
                """),
        sysmon(
            23, "file deletion",
            data: #""Image":"C:\\a\\x.exe","TargetFilename":"C:\\t\\bob.pst","Hashes":"MD5=BB","Archived":"true""#,
            expected: """
                event.category file
                event.type deletion
                file.extension pst
                process.hash.md5 bb
                sysmon.file.archived true
                """),
        security(
            4624, "logon",
            data: #"""
                "SubjectUserName":"-","TargetUserSid":"S-1-5-21-9","TargetUserName":"bob","TargetDomainName":"CORP","TargetLogonId":"0x5e1","LogonType":"3","IpAddress":"::ffff:10.1.2.3","IpPort":"50000","ProcessId":"0x1f4","ProcessName":"C:\\Windows\\System32\\lsass.exe"
                """#,
            expected: """
                event.category authentication
                event.type start
                event.action logged-in
                user.name bob
                user.domain CORP
                user.id S-1-5-21-9
                source.ip 10.1.2.3
                source.port 50000
                winlog.logon.type Network
                winlog.logon.id 0x5e1
                process.pid 500
                process.name lsass.exe
                """),
        security(
            4663, "object access",
            data: #"""
                "SubjectUserSid":"S-1-5-21-1","SubjectUserName":"alice","SubjectDomainName":"CORP","SubjectLogonId":"0x5e1","ObjectServer":"Security","ObjectType":"File","ObjectName":"C:\\Users\\bob\\AppData\\Local\\Microsoft\\Outlook\\bob.ost","AccessList":"%%4416\n\t\t\t\t%%4423\n","AccessMask":"0x81","ProcessId":"0x10","ProcessName":"C:\\a\\robocopy.exe"
                """#,
            expected: #"""
                event.category
                event.type
                event.code 4663
                winlog.event_data.ObjectName C:\Users\bob\AppData\Local\Microsoft\Outlook\bob.ost
                winlog.event_data.AccessList %%4416 | %%4423
                winlog.event_data.AccessListDescription ReadData (or ListDirectory) | ReadAttributes
                winlog.event_data.AccessMaskDescription Create Child | List Object
                winlog.event_data.ProcessName C:\a\robocopy.exe
                process.name robocopy.exe
                process.pid 16
                user.name alice
                """#),
        security(
            4688, "process creation",
            data: #"""
                "SubjectUserName":"alice","SubjectDomainName":"CORP","TargetUserName":"-","NewProcessId":"0x1092","NewProcessName":"C:\\a\\powershell.exe","CommandLine":"powershell -c x","ProcessId":"0xb","ParentProcessName":"C:\\Windows\\explorer.exe"
                """#,
            expected: #"""
                event.category process
                event.type start
                event.action created-process
                process.pid 4242
                process.name powershell.exe
                process.command_line powershell -c x
                process.args powershell | -c | x
                process.parent.pid 11
                process.parent.name explorer.exe
                user.effective.name
                """#),
        security(
            5140, "share accessed",
            data:
                #""SubjectUserName":"alice","IpAddress":"10.1.2.3","IpPort":"49800","ShareName":"\\\\*\\C$","ShareLocalPath":"\\??\\C:\\","AccessMask":"0x1""#,
            expected: #"""
                event.category network | file
                event.type info | access
                event.action network-share-object-accessed
                source.ip 10.1.2.3
                winlog.event_data.ShareName \\*\C$
                user.name alice
                file.path
                """#),
        security(
            5145, "object on a share",
            data: #"""
                "SubjectUserName":"alice","IpAddress":"10.1.2.3","IpPort":"49800","ShareName":"\\\\*\\C$","ShareLocalPath":"\\??\\C:\\","RelativeTargetName":"Users\\bob\\Outlook\\bob.ost","AccessList":"%%4416","AccessMask":"0x1"
                """#,
            expected: #"""
                event.action network-share-object-access-checked
                winlog.event_data.RelativeTargetName Users\bob\Outlook\bob.ost
                file.name Users\bob\Outlook\bob.ost
                file.extension ost
                file.target_path \\*\C$\Users\bob\Outlook\bob.ost
                winlog.event_data.AccessListDescription ReadData (or ListDirectory)
                """#),
        security(
            5156, "connection allowed",
            data: #"""
                "ProcessID":"4242","Application":"\\device\\harddiskvolume2\\a\\powershell.exe","Direction":"%%14593","SourceAddress":"10.1.2.3","SourcePort":"50123","DestAddress":"192.0.2.9","DestPort":"443","Protocol":"6"
                """#,
            expected: """
                event.category network
                event.type connection | info | allowed
                event.action windows-firewall-connection
                process.pid 4242
                process.name powershell.exe
                network.direction egress
                network.transport tcp
                destination.port 443
                """),
        windows(
            "PowerShell 4103, pipeline", table: "powershell", provider: "Microsoft-Windows-PowerShell", id: 4103,
            data: #"""
                "ContextInfo":"        Severity = Informational\n        Host Name = ConsoleHost\n        Host ID = 9f\n        Host Application = powershell.exe -nop\n        Command Name = Get-Mailbox\n        Command Type = Cmdlet\n        Script Name = C:\\t\\x.ps1\n        User = CORP\\bob\n        Sequence Number = 18\n        Shell ID = Microsoft.PowerShell\n","Payload":"CommandInvocation(Get-Mailbox): \"Get-Mailbox\"\r\nParameterBinding(Get-Mailbox): name=\"Identity\"; value=\"bob\"\r\n"
                """#,
            expected: #"""
                event.category process
                event.type info
                event.sequence 18
                process.title ConsoleHost
                process.command_line powershell.exe -nop
                process.args powershell.exe | -nop
                powershell.command.name Get-Mailbox
                powershell.command.type Cmdlet
                powershell.id Microsoft.PowerShell
                powershell.command.invocation_details.value CommandInvocation(Get-Mailbox): "Get-Mailbox" | ParameterBinding(Get-Mailbox): name="Identity"; value="bob"
                file.path C:\t\x.ps1
                file.name x.ps1
                user.name bob
                """#),
        windows(
            "PowerShell 4104, script block", table: "powershell", provider: "Microsoft-Windows-PowerShell", id: 4104,
            data:
                #""MessageNumber":"1","MessageTotal":"3","ScriptBlockText":"function Invoke-SelfSearch {","ScriptBlockId":"b-1","Path":"C:\\t\\MailSniper.ps1""#,
            expected: #"""
                event.category process
                event.type info
                event.code 4104
                powershell.sequence 1
                powershell.total 3
                powershell.file.script_block_id b-1
                powershell.file.script_block_text function Invoke-SelfSearch {
                file.path C:\t\MailSniper.ps1
                file.extension ps1
                user.id S-1-5-21-1
                user.name alice
                winlog.process.pid 4
                """#),
        windows(
            "MSExchange Management", table: "exchange_management", provider: "MSExchange CmdletLogs", id: 1,
            data:
                #""param1":"New-MailboxExportRequest","param2":"-Mailbox \"bob\" -FilePath \"\\\\srv\\x$\\bob.pst\"","param3":"corp.example/Users/alice","param4":"S-1-5-21-1""#,
            more: #""channel":"MSExchange Management","#,
            expected: #"""
                event.category configuration
                event.action New-MailboxExportRequest
                event.outcome success
                event.dataset exchange.management
                powershell.command.name New-MailboxExportRequest
                powershell.command.value New-MailboxExportRequest -Mailbox "bob" -FilePath "\\srv\x$\bob.pst"
                user.name alice
                """#),
        RawSample(
            name: "IIS, named fields", table: "iis",
            json: #"""
                {"date":"2026-11-24","time":"09:00:04","s-sitename":"W3SVC1","s-computername":"EX01","s-ip":"10.0.0.5","cs-method":"POST","cs-uri-stem":"/EWS/Exchange.asmx","cs-uri-query":"-","s-port":443,"cs-username":"CORP\\alice","c-ip":"10.1.2.3","cs(User-Agent)":"ExchangeServicesClient/15.00.0913.015+(%C3%A9)","cs(Referer)":"-","sc-status":401,"sc-substatus":"1","sc-win32-status":"0","sc-bytes":"120","cs-bytes":"300","time-taken":"15"}
                """#,
            expected: #"""
                @timestamp 2026-11-24T09:00:04.000Z
                event.category web | network
                event.type connection
                event.dataset iis.access
                event.outcome failure
                event.duration 15000000
                url.path /EWS/Exchange.asmx
                url.query
                user_agent.original ExchangeServicesClient/15.00.0913.015 (é)
                source.ip 10.1.2.3
                destination.ip 10.0.0.5
                destination.port 443
                http.request.method POST
                http.request.body.bytes 300
                http.request.referrer
                http.response.status_code 401
                iis.access.sub_status 1
                iis.access.site_name W3SVC1
                host.name EX01
                user.name CORP\alice
                """#),
        RawSample(
            name: "IIS, a line", table: "iis_line",
            json: #"""
                {"@timestamp":"2026-11-24T09:00:10.000Z","event":{"dataset":"iis.access"},"host":{"name":"EX01"},"message":"2026-11-24 09:00:04 10.0.0.5 GET /owa/ a=b+c%20d 443 - 10.1.2.3 python-requests/2.25.1 - 200 0 0 15"}
                """#,
            expected: """
                @timestamp 2026-11-24T09:00:04.000Z
                event.created 2026-11-24T09:00:10.000Z
                event.category web | network
                url.path /owa/
                url.query a=b c d
                user.name
                user_agent.original python-requests/2.25.1
                source.ip 10.1.2.3
                http.response.status_code 200
                host.name EX01
                """),
        RawSample(
            name: "Microsoft 365, ExchangeAdmin", table: "office_365",
            json: #"""
                {"CreationTime":"2026-11-24T09:10:00","Id":"i1","Operation":"New-MailboxExportRequest","OrganizationId":"o1","OrganizationName":"corp.example","RecordType":1,"ResultStatus":"True","UserType":2,"Workload":"Exchange","UserId":"admin@corp.example","ClientIP":"[2001:db8::7]:4431","ExternalAccess":false,"ObjectId":"bob","Parameters":[{"Name":"Mailbox","Value":"bob"},{"Name":"Name","Value":"job1"},{"Name":"FilePath","Value":"\\\\srv\\x$\\bob.pst"}]}
                """#,
            expected: #"""
                @timestamp 2026-11-24T09:10:00.000Z
                event.dataset o365.audit
                event.provider Exchange
                event.category web
                event.type info
                event.action New-MailboxExportRequest
                event.code ExchangeAdmin
                event.outcome success
                o365.audit.Parameters.Mailbox bob
                o365.audit.Parameters.Name job1
                o365.audit.Parameters.FilePath \\srv\x$\bob.pst
                o365.audit.Parameters.Value
                o365.audit.ObjectId bob
                o365.audit.ExternalAccess false
                client.ip 2001:db8::7
                source.ip 2001:db8::7
                source.port 4431
                user.id admin@corp.example
                user.name admin
                user.domain corp.example
                organization.name corp.example
                host.name corp.example
                """#),
        RawSample(
            name: "Microsoft 365, MailItemsAccessed, under o365audit", table: "office_365",
            json: #"""
                {"@timestamp":"2026-11-24T09:20:00.000Z","event":{"dataset":"o365.audit","kind":"event"},"o365audit":{"CreationTime":"2026-11-24T09:11:00","Id":"i2","Operation":"MailItemsAccessed","OrganizationId":"o1","RecordType":50,"ResultStatus":"Succeeded","Workload":"Exchange","UserId":"S-1-5-18","MailboxOwnerUPN":"bob@corp.example","MailboxGuid":"g","LogonType":0,"ClientIPAddress":"192.0.2.44","ClientInfoString":"Client=REST;","ClientAppId":"app-1","AppAccessContext":{"UniqueTokenId":"tok","APIId":"x"},"OperationCount":120,"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}]}}
                """#,
            expected: """
                @timestamp 2026-11-24T09:11:00.000Z
                event.action MailItemsAccessed
                event.code ExchangeItemAggregated
                o365.audit.ClientAppId app-1
                o365.audit.MailboxOwnerUPN bob@corp.example
                o365.audit.OperationCount 120
                o365.audit.OperationProperties.Name MailAccessType | IsThrottled
                o365.audit.OperationProperties.Value Bind | False
                o365.audit.AppAccessContext.UniqueTokenId tok
                token.id tok
                user.email bob@corp.example
                client.ip 192.0.2.44
                """),
        RawSample(
            name: "Microsoft 365, app role assignment", table: "office_365",
            json: #"""
                {"CreationTime":"2026-11-24T09:12:00","Id":"i5","Operation":"Add app role assignment to service principal.","OrganizationId":"o1","RecordType":8,"ResultStatus":"Success","Workload":"AzureActiveDirectory","UserId":"admin@corp.example","ObjectId":"00000003-0000-0000-c000-000000000000","ModifiedProperties":[{"Name":"AppRole.Value","NewValue":"Mail.Read","OldValue":""},{"Name":"ServicePrincipal.AppId","NewValue":"app-1","OldValue":"app-0"},{"Name":"Included Updated Properties","NewValue":"x","OldValue":""}],"Target":[{"ID":"ServicePrincipal","Type":2},{"ID":"Microsoft Graph","Type":1}]}
                """#,
            expected: """
                event.code AzureActiveDirectory
                event.action Add app role assignment to service principal.
                event.outcome success
                o365.audit.ModifiedProperties.AppRole_Value.NewValue Mail.Read
                o365.audit.ModifiedProperties.AppRole_Value.OldValue
                o365.audit.ModifiedProperties.ServicePrincipal_AppId.NewValue app-1
                o365.audit.ModifiedProperties.ServicePrincipal_AppId.OldValue app-0
                o365.audit.ModifiedProperties.Included_Updated_Properties.NewValue x
                o365.audit.ModifiedProperties.AppRole.Value.NewValue
                o365.audit.ModifiedProperties.Name
                o365.audit.ModifiedProperties.NewValue
                o365.audit.Target.ID ServicePrincipal | Microsoft Graph
                user.target.id 00000003-0000-0000-c000-000000000000
                """),
        RawSample(
            name: "Microsoft 365, compliance search", table: "office_365",
            json: #"""
                {"CreationTime":"2026-11-24T09:12:00","Id":"i3","Operation":"SearchExported","RecordType":24,"Workload":"SecurityComplianceCenter","UserId":"eve@corp.example","ObjectId":"case-1","ExtendedProperties":[{"Name":"CaseType","Value":"eDiscovery"}]}
                """#,
            expected: """
                event.provider SecurityComplianceCenter
                event.action SearchExported
                event.code Discovery
                event.outcome
                o365.audit.ObjectId case-1
                o365.audit.ExtendedProperties.CaseType eDiscovery
                user.email eve@corp.example
                """),
        RawSample(
            name: "Microsoft 365, mailbox item", table: "office_365",
            json: #"""
                {"CreationTime":"2026-11-24T09:13:00","Id":"i4","Operation":"FolderBind","RecordType":2,"Workload":"Exchange","UserId":"eve@corp.example","MailboxOwnerUPN":"bob@corp.example","ClientProcessName":"OUTLOOK.EXE","ClientIPAddress":"192.0.2.44:5000","LogonType":1,"ResultStatus":"Failed"}
                """#,
            expected: """
                event.code ExchangeItem
                event.outcome failure
                o365.audit.LogonType 1
                process.name OUTLOOK.EXE
                client.ip 192.0.2.44
                client.port 5000
                """),
        RawSample(
            name: "Entra ID audit, an app role", table: "azure_audit",
            json: #"""
                {"time":"2026-11-24T09:00:00.1234567Z","resourceId":"/tenants/t/providers/Microsoft.aadiam","operationName":"Add app role assignment to service principal","operationVersion":"1.0","category":"AuditLogs","tenantId":"t","resultSignature":"None","durationMs":0,"callerIpAddress":"192.0.2.7","correlationId":"c","identity":"Admin","Level":4,"properties":{"id":"Directory_c","category":"ApplicationManagement","result":"success","resultReason":"","activityDisplayName":"Add app role assignment to service principal","activityDateTime":"2026-11-24T09:00:00.1234567+00:00","loggedByService":"Core Directory","operationType":"Assign","userAgent":null,"initiatedBy":{"user":{"id":"u","displayName":null,"userPrincipalName":"admin@corp.example","ipAddress":"192.0.2.7","roles":[]}},"targetResources":[{"id":"graph","displayName":"Microsoft Graph","type":"ServicePrincipal","modifiedProperties":[{"displayName":"AppRole.Value","oldValue":null,"newValue":"\"Mail.Read\""},{"displayName":"AppRole.DisplayName","oldValue":null,"newValue":"\"Read \\\"all\\\" mail\""},{"displayName":"ServicePrincipal.AppId","oldValue":null,"newValue":"\"app-1\""},{"displayName":"ServicePrincipal.Name","oldValue":null,"newValue":"\"\""},{"displayName":"TargetId.ServicePrincipalNames","oldValue":null,"newValue":"\"00000003;https://graph.microsoft.com\""}]},{"id":"sp","displayName":"Sync","type":"ServicePrincipal","modifiedProperties":[]}]}}
                """#,
            expected: #"""
                @timestamp 2026-11-24T09:00:00.123456700Z
                event.dataset azure.auditlogs
                event.category
                event.action Add app role assignment to service principal
                event.outcome success
                event.duration 0
                source.ip 192.0.2.7
                user.id u
                user.name admin
                user.domain corp.example
                azure.tenant_id t
                azure.auditlogs.category AuditLogs
                azure.auditlogs.operation_name Add app role assignment to service principal
                azure.auditlogs.properties.logged_by_service Core Directory
                azure.auditlogs.properties.initiated_by.user.userPrincipalName admin@corp.example
                azure.auditlogs.properties.result_reason
                o365.audit.ModifiedProperties.AppRole_Value.NewValue Mail.Read
                o365.audit.ModifiedProperties.AppRole_Value.OldValue
                o365.audit.ModifiedProperties.AppRole_DisplayName.NewValue Read \"all\" mail
                o365.audit.ModifiedProperties.ServicePrincipal_AppId.NewValue app-1
                o365.audit.ModifiedProperties.ServicePrincipal_Name.NewValue
                o365.audit.Target.ID 00000003 | https://graph.microsoft.com
                """#),
        RawSample(
            name: "Entra ID audit, as Elastic's integration leaves it", table: "azure_audit_elastic",
            json: #"""
                {"@timestamp":"2026-11-24T09:00:00Z","event":{"kind":"event","action":"Consent to application","outcome":"failure"},"azure":{"auditlogs":{"category":"AuditLogs","operation_name":"Consent to application","properties":{"target_resources":{"0":{"id":"sp","type":"ServicePrincipal","modified_properties":{"0":{"display_name":"ConsentContext.IsAdminConsent","new_value":"\"False\""},"1":{"display_name":"Empty"},"15":{"display_name":"ConsentAction.Permissions","new_value":"[] => [[Scope: Mail.Read]]","old_value":"\"[]\""}}},"1":{"modified_properties":{"0":{"display_name":"TargetId.ServicePrincipalNames","new_value":"\"app-1; https://viewer.example\""}}}}}}}}
                """#,
            expected: """
                event.dataset azure.auditlogs
                event.outcome failure
                o365.audit.ModifiedProperties.ConsentContext_IsAdminConsent.NewValue False
                o365.audit.ModifiedProperties.ConsentAction_Permissions.NewValue [] => [[Scope: Mail.Read]]
                o365.audit.ModifiedProperties.ConsentAction_Permissions.OldValue []
                o365.audit.ModifiedProperties.Empty.NewValue
                o365.audit.Target.ID app-1 | https://viewer.example
                """),
        RawSample(
            name: "Microsoft Graph activity", table: "azure_graph_activity",
            json: #"""
                {"time":"2026-11-24T09:00:00.1234567Z","resourceId":"/TENANTS/T","operationName":"Microsoft Graph Activity","operationVersion":"v1.0","category":"MicrosoftGraphActivityLogs","resultSignature":"200","durationMs":12,"callerIpAddress":"192.0.2.1","correlationId":"c","level":"Informational","location":"West Europe","tenantId":"t","properties":{"timeGenerated":"2026-11-24T09:00:00.1234567Z","operationId":"op","appId":"app-1","userAgent":"python-requests/2.31","requestUri":"https://graph.microsoft.com/v1.0/users/bob/messages?$top=1","requestMethod":"GET","responseStatusCode":200,"responseSizeBytes":4300,"roles":"Mail.Read User.Read.All","scopes":null,"servicePrincipalId":"sp","signInActivityId":"s","clientAuthMethod":"2","C_Idtyp":"1"}}
                """#,
            expected: """
                @timestamp 2026-11-24T09:00:00.123456700Z
                event.dataset azure.graphactivitylogs
                event.category api
                event.type access
                event.outcome success
                event.duration 12000000
                url.path /v1.0/users/bob/messages
                url.query $top=1
                url.domain graph.microsoft.com
                http.request.method GET
                http.response.status_code 200
                http.response.bytes 4300
                azure.graphactivitylogs.properties.roles Mail.Read | User.Read.All
                azure.graphactivitylogs.properties.scopes
                azure.graphactivitylogs.properties.app_id app-1
                azure.graphactivitylogs.properties.client_auth_method 2
                azure.graphactivitylogs.properties.c_idtyp 1
                azure.graphactivitylogs.result_signature 200
                user_agent.original python-requests/2.31
                client.ip 192.0.2.1
                """),
    ]
}
