"""Called by python-floors beside it."""

import itertools
import json
import sys
import time

# Python is slow enough that a part of the file will do.
EVENTS = 20_000

# The seed rule in what the engine of PyPI knows: its comparisons take arrays as a whole, and its patterns match from the
# start of a value and without regard to case.
QUERY = r'''
any where (
  arrayContains(event.category, "process") and arrayContains(event.type, "start") and
  process.name in ("powershell.exe", "pwsh.exe", "exshell.exe") and
  match(process.command_line, ".*(New-MailboxExportRequest|Get-MailboxExportRequest|Search-Mailbox|New-ComplianceSearch|Start-ComplianceSearch|New-ComplianceSearchAction|Get-ComplianceSearchAction|Invoke-SelfSearch|Invoke-GlobalMailSearch|Get-GlobalAddressList|Invoke-MailboxSearch|New-MailboxSearch|MailSniper|Microsoft\\.Exchange\\.WebServices|EWSEditor|Invoke-PasswordSprayOWA)")
) or (
  arrayContains(event.category, "network") and arrayContains(event.type, "connection") and
  destination.port in (80, 443, 993, 995) and
  match(user_agent.original, ".*(MailSniper|python-requests|python/[0-9]|Go-http-client|curl/[0-9]|wget/[0-9]|Microsoft\\.Exchange\\.WebServices|EWSEditor)")
)
'''

RUNS = 3


def lines(path):
    with open(path, "rb") as file:
        return list(itertools.islice(file, EVENTS))


def measure(name, events, work):
    for _ in range(RUNS):
        started = time.process_time()
        work()
        print(f"{name}\t{len(events)}\t{time.process_time() - started:.6f}", flush=True)


def parse(events):
    for line in events:
        json.loads(line)


def evaluate(events, eql):
    engine = eql.PythonEngine()
    engine.add_query(eql.parse_query(QUERY))

    def stream():
        for number, line in enumerate(events):
            yield eql.Event("generic", number, json.loads(line))

    engine.stream_events(stream())


def main():
    events = lines(sys.argv[1])
    measure("Python json.loads", events, lambda: parse(events))
    try:
        import eql
    except ImportError:
        print("Python eql: skipped, it cannot be had (pip install eql)")
        return
    measure("Python eql, after json.loads", events, lambda: evaluate(events, eql))


main()
