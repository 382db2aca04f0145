"""What the seed rule asks, by hand in Python."""

import re

NAMES = {"powershell.exe", "pwsh.exe", "exshell.exe"}
PORTS = {80, 443, 993, 995}
COMMAND = re.compile(
    r"New-MailboxExportRequest|Get-MailboxExportRequest|Search-Mailbox|New-ComplianceSearch|Start-ComplianceSearch"
    r"|New-ComplianceSearchAction|Get-ComplianceSearchAction|Invoke-SelfSearch|Invoke-GlobalMailSearch"
    r"|Get-GlobalAddressList|Invoke-MailboxSearch|New-MailboxSearch|MailSniper"
    r"|Microsoft\.Exchange\.WebServices|EWSEditor|Invoke-PasswordSprayOWA", re.IGNORECASE)
AGENT = re.compile(
    r"MailSniper|python-requests|python/[0-9]|Go-http-client|curl/[0-9]|wget/[0-9]"
    r"|Microsoft\.Exchange\.WebServices|EWSEditor", re.IGNORECASE)


def matches(event):
    kind = event.get("event", {})
    categories, types = kind.get("category", ()), kind.get("type", ())
    if "process" in categories and "start" in types:
        process = event.get("process", {})
        if process.get("name", "").lower() in NAMES and COMMAND.search(process.get("command_line", "")):
            return True
    if "network" in categories and "connection" in types:
        if event.get("destination", {}).get("port") in PORTS:
            return AGENT.search(event.get("user_agent", {}).get("original", "")) is not None
    return False
