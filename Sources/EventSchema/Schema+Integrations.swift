// Fields outside ECS that detection rules use, typed as Elastic's integration packages map them
// (github.com/elastic/integrations and github.com/elastic/endpoint-package; facts only), and the fields
// Apus derives. The format is that of ``FieldTable``; `root` continues the ECS root.

let integrationFields = """
    root: apus.host_key apus.decoded.command_line=wildcard apus.decoded.script=text
     apus.script_block.text=text apus.script_block.total=long apus.script_block.complete=bool
     apus.script_block.parts.sequence=long apus.script_block.parts.partition=long apus.script_block.parts.offset=long
     winlog@winlog
     powershell@powershell sysmon@sysmon iis.access@iis o365.audit@o365
     azure@azure aws.cloudtrail@cloudtrail okta.*=keyword okta.security_context.as.number=long
     google_workspace.*=keyword gcp.audit.*=keyword github.*=keyword auditd.*=keyword
     system.auth.*=keyword Endpoint.*=keyword Events.*=keyword
     Effective_process.entity_id Effective_process.executable Effective_process.name Effective_process.pid=long
     Target.process@process Target.dll@dll
     agent.hostname token.id file.code_signature.signed=bool input.type host.containerized=bool
     host.os.build host.os.codename host.os.Ext.variant event.Ext.*=keyword event.desired_access_numeric=long
     user.Ext.*=keyword user.identifier registry.Ext.*=keyword registry.data.Ext.*=keyword
     dns.Ext.options=long dns.Ext.status=long dll.Ext@file_ext file.Ext@file_ext
     destination.Ext.*=keyword source.Ext.*=keyword network.Ext.*=keyword device.Ext.*=keyword
     elastic.agent.id elastic.agent.version elastic.agent.snapshot=bool
     cloud.image.id log.offset=long device.product.id device.product.name device.type device.vendor.id
     device.vendor.name
    winlog: activity_id api channel computer_name computerObject.domain computerObject.id computerObject.name
     event_data.*=keyword event_id keywords level logon.failure.reason logon.failure.status
     logon.failure.sub_status logon.id logon.type opcode outcome process.pid=long process.thread.id=long
     provider_guid provider_name record_id related_activity_id task time_created=date trustAttribute
     trustDirection trustType user.domain user.identifier user.name user.type user_data.*=keyword version=long
    powershell: command.invocation_details.name command.invocation_details.related_command
     command.invocation_details.type command.invocation_details.value command.name command.path command.type
     command.value=text connected_user.domain connected_user.name engine.new_state engine.previous_state
     engine.version file.script_block_entropy_bits=float file.script_block_hash file.script_block_id
     file.script_block_length=long file.script_block_surprisal_stdev=float file.script_block_text=text
     file.script_block_unique_symbols=long id pipeline_id process.executable_version provider.name
     provider.new_state runspace_id sequence=long total=long
    sysmon: dns.status file.archived=bool file.is_executable=bool
    iis: cookie server_name site_name sub_status=long win32_status=long
    o365: *=keyword CreationTime=date OperationCount=long Item.SizeInBytes=long ExchangeMetaData.Sent=date
     ExchangeMetaData.RecipientCount=long ExternalAccess=bool
    azure: activitylogs.*=keyword auditlogs.*=keyword correlation_id graphactivitylogs.*=keyword
     graphactivitylogs.properties.c_idtyp=long graphactivitylogs.properties.client_auth_method=long
     platformlogs.*=keyword resource.*=keyword signinlogs.*=keyword
     signinlogs.properties.status.error_code=long subscription_id tenant_id
    cloudtrail: *=keyword additional_eventdata=flat flattened=flat management_event read_only=bool
     user_identity.session_context.mfa_authenticated
    process_ext: *=keyword api.metadata.background_callcount=long api.metadata.client_is_local=bool
     api.metadata.client_process_id=long api.metadata.ms_since_last_keyevent=long api.metadata.return_value=long
     api.metadata.thread_info_flags=long api.metadata.visible_windows_count=long api.metadata.windows_count=long
     api.parameters.desired_access_numeric=long api.parameters.size=long code_signature@code_signature
     created_suspended=bool effective_parent.pid=long memory_region.allocation_size=long
     memory_region.bytes_allocation_offset=long memory_region.bytes_compressed_present=bool
     memory_region.mapped_pe_detected=bool memory_region.memory_pe_detected=bool memory_region.region_size=long
     real.pid=long session_info.relative_logon_time=float session_info.relative_password_age=float
     relative_file_creation_time=float relative_file_name_modify_time=float token.elevation=bool
     token.integrity_level=long trusted=bool trusted_descendant=bool
    file_ext: *=keyword code_signature@code_signature compile_time=date entropy=float entry_modified=float
     load_index=long mapped_size=long monotonic_id=long quarantine_result=bool
     relative_file_creation_time=float relative_file_name_modify_time=float size=long
     windows.zone_identifier=long original.gid=long original.uid=long

    """
