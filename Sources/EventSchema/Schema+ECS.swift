// The Elastic Common Schema, version 8, as field sets and their reuse; the format is that of ``FieldTable``.
// Source: the ECS field reference, https://www.elastic.co/guide/en/ecs/8.17/ecs-field-reference.html
// (github.com/elastic/ecs, Apache-2.0). `match_only_text` is `text`, `scaled_float` is `float`, and a
// `geo_point` is `dynamic`.

let ecsFields = """
    root: @timestamp=date labels.*=keyword message=text tags span.id trace.id transaction.id agent@agent as@as
     client@endpoint cloud@cloud container@container data_stream@data_stream destination@endpoint device@device
     dll@dll dns@dns ecs.version email@email error@error event@event faas@faas file@file geo@geo group@group
     hash@hash host@host http@http interface@interface log@log network@network observer@observer
     orchestrator@orchestrator organization@organization os@os package@package pe@pe process@process
     registry@registry related@related rule@rule server@endpoint service@service source@endpoint threat@threat
     tls@tls url@url user@user user_agent@user_agent vlan@named volume@volume vulnerability@vulnerability
     x509@x509 code_signature@code_signature elf@elf macho@macho
    named: id name
    agent: build.original ephemeral_id id name type version
    as: number=long organization.name
    endpoint: address as@as bytes=long domain geo@geo ip=ip mac nat.ip=ip nat.port=long packets=long port=long
     registered_domain subdomain top_level_domain user@account
    account: domain email full_name group@group hash id name roles
    cloud_base: account.id account.name availability_zone instance.id instance.name machine.type project.id
     project.name provider region service.name
    cloud: +cloud_base origin@cloud_base target@cloud_base
    code_signature: digest_algorithm exists=bool flags signing_id status subject_name team_id thumbprint_sha256
     timestamp=date trusted=bool valid=bool
    container: cpu.usage=float disk.read.bytes=long disk.write.bytes=long id image.hash.all image.name image.tag
     labels.*=keyword memory.usage=float name network.egress.bytes=long network.ingress.bytes=long runtime
     security_context.privileged=bool
    data_stream: dataset=const namespace=const type=const
    device: id manufacturer model.identifier model.name serial_number
    dll: code_signature@code_signature hash@hash name origin_referrer_url origin_url path pe@pe
    dns: answers.class answers.data answers.name answers.ttl=long answers.type header_flags id op_code
     question.class question.name question.registered_domain question.subdomain question.top_level_domain
     question.type resolved_ip=ip response_code type
    binary: go_import_hash go_imports=flat go_imports_names_entropy=long go_imports_names_var_entropy=long
     go_stripped=bool import_hash imports=flat imports_names_entropy=long imports_names_var_entropy=long
     sections.entropy=long sections.name sections.physical_size=long sections.var_entropy=long
     sections.virtual_size=long
    elf: +binary architecture byte_order cpu_type creation_date=date exports=flat header.abi_version header.class
     header.data header.entrypoint=long header.object_version header.os_abi header.type header.version
     sections.chi2=long sections.flags sections.physical_offset sections.type sections.virtual_address=long
     segments.sections segments.type shared_libraries telfhash
    macho: +binary symhash
    pe: +binary architecture company description file_version imphash original_file_name pehash product
    email: attachments.file.extension attachments.file.hash@hash attachments.file.mime_type attachments.file.name
     attachments.file.size=long bcc.address cc.address content_type delivery_timestamp=date direction from.address
     local_id message_id=wildcard origination_timestamp=date reply_to.address sender.address subject to.address
     x_mailer
    error: code id message=text stack_trace=wildcard type
    event: action agent_id_status category code created=date dataset duration=long end=date hash id ingested=date
     kind module original outcome provider reason reference risk_score=float risk_score_norm=float sequence=long
     severity=long start=date timezone type url
    faas: coldstart=bool execution id name trigger.request_id trigger.type version
    file: accessed=date attributes created=date ctime=date device directory drive_letter extension fork_name gid
     group inode mime_type mode mtime=date name origin_referrer_url origin_url owner path size=long target_path
     type uid code_signature@code_signature elf@elf hash@hash macho@macho pe@pe x509@x509
    geo: city_name continent_code continent_name country_iso_code country_name location=dynamic location.lat=float
     location.lon=float name postal_code region_iso_code region_name timezone
    group: domain id name
    hash: cdhash md5 sha1 sha256 sha384 sha512 ssdeep tlsh
    host: architecture boot.id cpu.usage=float disk.read.bytes=long disk.write.bytes=long domain geo@geo hostname id
     ip=ip mac name network.egress.bytes=long network.egress.packets=long network.ingress.bytes=long
     network.ingress.packets=long os@os pid_ns_ino risk@risk type uptime=long
    http: request.body.bytes=long request.body.content=wildcard request.bytes=long request.id request.method
     request.mime_type request.referrer response.body.bytes=long response.body.content=wildcard
     response.bytes=long response.mime_type response.status_code=long version
    interface: alias id name
    log: file.path level logger origin.file.line=long origin.file.name origin.function syslog.appname
     syslog.facility.code=long syslog.facility.name syslog.hostname syslog.msgid syslog.priority=long syslog.procid
     syslog.severity.code=long syslog.severity.name syslog.structured_data=flat syslog.version
    network: application bytes=long community_id direction forwarded_ip=ip iana_number inner.vlan@named name
     packets=long protocol transport type vlan@named
    observer: egress.interface@interface egress.vlan@named egress.zone geo@geo hostname ingress.interface@interface
     ingress.vlan@named ingress.zone ip=ip mac name os@os product serial_number type vendor version
    orchestrator: api_version cluster.id cluster.name cluster.url cluster.version namespace organization
     resource.annotation resource.id resource.ip=ip resource.label resource.name resource.parent.type resource.type
     type
    organization: id name
    os: family full kernel name platform type version
    package: architecture build_version checksum description install_scope installed=date license name path
     reference size=long type version
    tty: char_device.major=long char_device.minor=long columns=long rows=long
    thread: capabilities.effective capabilities.permitted id=long name
    identity: args args_count=long command_line=wildcard entity_id executable group@group interactive=bool name
     pid=long real_group@group real_user@account same_as_process=bool saved_group@group saved_user@account
     start=date supplemental_groups@group tty@tty user@account vpid=long working_directory
    ancestor: entity_id pid=long start=date vpid=long
    leader: +identity parent@ancestor parent.session_leader@ancestor
    process_base: +identity code_signature@code_signature elf@elf end=date env_vars exit_code=long hash@hash
     macho@macho origin_referrer_url origin_url pe@pe pgid=long ppid=long thread@thread title uptime=long
     Ext@process_ext
    process: +process_base attested_groups@group attested_user@account entry_leader@leader
     entry_leader.attested_groups@group entry_leader.attested_user@account entry_leader.entry_meta.source.ip=ip
     entry_leader.entry_meta.type entry_meta.source@endpoint entry_meta.type group_leader@identity
     io.bytes_skipped.length=long io.bytes_skipped.offset=long io.max_bytes_per_process_exceeded=bool
     io.text=wildcard io.total_bytes_captured=long io.total_bytes_skipped=long io.type parent@process_base
     parent.group_leader@ancestor previous.args previous.args_count=long previous.executable
     responsible@process_base session_leader@leader
    registry: data.bytes data.strings=wildcard data.type hive key path value
    related: hash hosts ip=ip user
    risk: calculated_level calculated_score=float calculated_score_norm=float static_level static_score=float
     static_score_norm=float
    rule: author category description id license name reference ruleset uuid version
    service_base: address environment ephemeral_id id name node.name node.role node.roles state type version
    service: +service_base origin@service_base target@service_base
    indicator: as@as confidence description email.address file@file first_seen=date geo@geo id ip=ip last_seen=date
     marking.tlp marking.tlp_version modified_at=date name port=long provider reference registry@registry
     scanner_stats=long sightings=long type url@url x509@x509
    threat: enrichments.indicator@indicator enrichments.matched.atomic enrichments.matched.field
     enrichments.matched.id enrichments.matched.index enrichments.matched.occurred=date enrichments.matched.type
     feed.dashboard_id feed.description feed.name feed.reference framework group.alias group.id group.name
     group.reference indicator@indicator software.alias software.id software.name software.platforms
     software.reference software.type tactic.id tactic.name tactic.reference technique.id technique.name
     technique.reference technique.subtechnique.id technique.subtechnique.name technique.subtechnique.reference
    tls_party: certificate certificate_chain hash.md5 hash.sha1 hash.sha256 issuer not_after=date not_before=date
     subject x509@x509
    tls: cipher client@tls_party client.ja3 client.server_name client.supported_ciphers curve established=bool
     next_protocol resumed=bool server@tls_party server.ja3s version version_protocol
    url: domain extension fragment full=wildcard original=wildcard password path=wildcard port=long query
     registered_domain scheme subdomain top_level_domain username
    user: +account changes@account effective@account risk@risk target@account
    user_agent: device.name name original os@os version
    volume: bus_type default_access device_name device_type dos_name file_system_type mount_name nt_name
     product_id product_name removable=bool serial_number size=long vendor_id vendor_name writable=bool
    vulnerability: category classification description enumeration id reference report_id scanner.vendor
     score.base=float score.environmental=float score.temporal=float score.version severity
    distinguished_name: common_name country distinguished_name locality organization organizational_unit
     state_or_province
    x509: alternative_names issuer@distinguished_name not_after=date not_before=date public_key_algorithm
     public_key_curve public_key_exponent=long public_key_size=long serial_number signature_algorithm
     subject@distinguished_name version_number

    """
