#!/usr/bin/env python3
"""Reads alerts of Apus from Kafka and posts each of them to a URL.

An offset is committed when the receiver has said yes to every alert before it (2xx). An alert is tried again, with
growing pauses, while the receiver cannot be reached or answers with 408, 429 or 5xx; what it refuses in any other way is
logged and passed over, since it would be refused for ever. After a crash an alert can be posted twice: the receiver knows
it again by the header Idempotency-Key, which is the alert id.

    pip install confluent-kafka
    webhook.py --brokers localhost:9092 --url https://chat.example.org/hooks/apus
    kcat -C -b localhost:9092 -t apus.alerts -e -u -f '%s\\n' | webhook.py --stdin --url http://localhost:8080/

The body is the alert as it is, or with --form text a line for a chat: {"text": "[critical] Mail collection … on ws-042"}.
A token stands in a file (--token-file) and is sent as bearer token.
"""

import argparse
import json
import logging
import signal
import sys
import time
import urllib.error
import urllib.request

LOG = logging.getLogger("webhook")
LONGEST_PAUSE = 60.0


class Refused(Exception):
    """The receiver will never take this alert."""


class Stopped(Exception):
    """Somebody asked to stop while an alert was being tried."""


def identity(alert):
    """The alert id, whatever the profile."""
    if "kibana.alert.uuid" in alert:
        return alert["kibana.alert.uuid"]
    if "finding_info" in alert:
        return alert["finding_info"]["uid"]
    return alert["event"]["id"]


def line(alert):
    """One line for people, whatever the profile."""
    if "kibana.alert.uuid" in alert:
        return f"[{alert['kibana.alert.severity']}] {alert['kibana.alert.rule.name']}: {alert['kibana.alert.reason']}"
    if "finding_info" in alert:
        return f"[{alert['severity'].lower()}] {alert['message']}: {alert['unmapped']['reason']}"
    names = {21: "low", 47: "medium", 73: "high", 99: "critical"}
    return f"[{names[alert['event']['severity']]}] {alert['message']}: {alert['event']['reason']}"


class Receiver:
    """The URL, and how it is spoken to."""

    def __init__(self, url, form="alert", token=None, timeout=10.0, sleep=time.sleep, stopping=lambda: False):
        self.url = url
        self.form = form
        self.token = token
        self.timeout = timeout
        self.sleep = sleep
        self.stopping = stopping

    def post(self, value):
        """Returns when the receiver has taken the alert."""
        try:
            alert = json.loads(value)
            body = json.dumps({"text": line(alert)}).encode() if self.form == "text" else value
            headers = {"Content-Type": "application/json", "Idempotency-Key": identity(alert)}
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"this is no alert of Apus: {error!r}") from error
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        pause = 0.5
        while True:
            trouble = self.attempt(urllib.request.Request(self.url, data=body, headers=headers, method="POST"))
            if trouble is None:
                return
            if self.stopping():
                raise Stopped
            LOG.warning("%s; trying again in %.1f s", trouble, pause)
            self.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def attempt(self, request):
        """None when the alert was taken, else why it is worth another try."""
        try:
            with urllib.request.urlopen(request, timeout=self.timeout):
                return None
        except urllib.error.HTTPError as error:
            if error.code in (408, 429) or error.code >= 500:
                return f"the receiver answered {error.code}"
            raise Refused(f"the receiver answered {error.code}") from error
        except (urllib.error.URLError, OSError) as error:
            return f"the receiver cannot be reached: {error}"


def deliver(receiver, value, place):
    try:
        receiver.post(value)
    except Refused as error:
        LOG.error("%s: passed over: %s", place, error)


def from_stdin(receiver):
    for number, value in enumerate(sys.stdin.buffer, start=1):
        if value.strip():
            deliver(receiver, value.rstrip(b"\r\n"), f"line {number}")


def from_kafka(receiver, options, stopping):
    from confluent_kafka import Consumer, KafkaException

    consumer = Consumer(
        {
            "bootstrap.servers": options.brokers,
            "group.id": options.group,
            "auto.offset.reset": "latest",
            # Stored when the receiver has the alert, and committed from there.
            "enable.auto.offset.store": False,
            # Apus writes alerts in transactions: those of an aborted one never happened.
            "isolation.level": "read_committed",
            # An alert may be tried for long.
            "max.poll.interval.ms": 3_600_000,
            **dict(pair.split("=", 1) for pair in options.property),
        }
    )
    consumer.subscribe([options.topic])
    try:
        while not stopping():
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                if message.error().fatal():
                    raise KafkaException(message.error())
                LOG.warning("%s", message.error())
                continue
            deliver(receiver, message.value(), f"{message.topic()}/{message.partition()}/{message.offset()}")
            consumer.store_offsets(message)
    except Stopped:
        pass
    finally:
        consumer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--topic", default="apus.alerts")
    parser.add_argument("--group", default="apus-webhook")
    parser.add_argument("--property", action="append", default=[], metavar="NAME=VALUE", help="a librdkafka property")
    parser.add_argument("--form", choices=["alert", "text"], default="alert")
    parser.add_argument("--token-file")
    parser.add_argument("--stdin", action="store_true", help="read alerts from standard input, one on each line")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    stop = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.append(True))
    token = None
    if options.token_file:
        with open(options.token_file, encoding="utf-8") as file:
            token = file.read().strip()
    receiver = Receiver(options.url, options.form, token, stopping=lambda: bool(stop))
    if options.stdin:
        try:
            from_stdin(receiver)
        except Stopped:
            return 1
    else:
        from_kafka(receiver, options, lambda: bool(stop))
    return 0


if __name__ == "__main__":
    sys.exit(main())
