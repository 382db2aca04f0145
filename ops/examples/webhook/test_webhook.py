"""python3 -m unittest discover ops/examples/webhook; needs nothing but Python."""

import http.server
import io
import json
import logging
import threading
import unittest
from unittest import mock

import webhook

logging.disable(logging.CRITICAL)

ALERTS = {
    "ecs": {
        "message": "Rule on ws-1",
        "event": {"id": "0a", "severity": 99, "reason": "process.name == \"x\""},
    },
    "elastic-signal": {
        "kibana.alert.uuid": "0b",
        "kibana.alert.severity": "high",
        "kibana.alert.rule.name": "Rule",
        "kibana.alert.reason": "why",
    },
    "ocsf": {
        "finding_info": {"uid": "0c"},
        "severity": "Low",
        "message": "Rule on ws-1",
        "unmapped": {"reason": "why"},
    },
}


class Server(http.server.ThreadingHTTPServer):
    """Answers with the codes it was given, then with 204, and keeps what it got."""

    def __init__(self, codes=()):
        super().__init__(("127.0.0.1", 0), Handler)
        self.codes = list(codes)
        self.got = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Idempotency-Key"], self.headers["Authorization"], body))
        self.send_response(self.server.codes.pop(0) if self.server.codes else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


class WebhookTests(unittest.TestCase):
    def server(self, *codes):
        server = Server(codes)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def receiver(self, server, **options):
        self.pauses = []
        return webhook.Receiver(server.url, sleep=self.pauses.append, **options)

    def test_posts_alerts_of_every_profile_as_they_are(self):
        server = self.server()
        receiver = self.receiver(server, token="secret")
        values = [json.dumps(alert).encode() for alert in ALERTS.values()]
        for value in values:
            receiver.post(value)
        self.assertEqual([body for _, _, body in server.got], values)
        self.assertEqual([key for key, _, _ in server.got], ["0a", "0b", "0c"])
        self.assertEqual({token for _, token, _ in server.got}, {"Bearer secret"})

    def test_says_them_in_a_line(self):
        server = self.server()
        receiver = self.receiver(server, form="text")
        for alert in ALERTS.values():
            receiver.post(json.dumps(alert).encode())
        self.assertEqual(
            [json.loads(body)["text"] for _, _, body in server.got],
            ['[critical] Rule on ws-1: process.name == "x"', "[high] Rule: why", "[low] Rule on ws-1: why"],
        )

    def test_tries_again_with_growing_pauses(self):
        server = self.server(503, 429, 500)
        self.receiver(server).post(json.dumps(ALERTS["ecs"]).encode())
        self.assertEqual([key for key, _, _ in server.got], ["0a"] * 4)
        self.assertEqual(self.pauses, [0.5, 1.0, 2.0])

    def test_a_receiver_that_is_not_there_is_tried_until_somebody_stops(self):
        server = self.server()
        tries = []
        receiver = self.receiver(server, stopping=lambda: len(tries) > 2)
        receiver.sleep = tries.append
        server.shutdown()
        server.server_close()
        with self.assertRaises(webhook.Stopped):
            receiver.post(json.dumps(ALERTS["ecs"]).encode())
        self.assertEqual(len(tries), 3)

    def test_what_is_refused_for_good_does_not_hold_up_the_rest(self):
        server = self.server(400)
        receiver = self.receiver(server)
        lines = [json.dumps(ALERTS["ecs"]), "no alert", "{}", "[]", "", json.dumps(ALERTS["ocsf"])]
        standard_input = mock.Mock(buffer=io.BytesIO("\n".join(lines).encode()))
        with mock.patch("sys.stdin", standard_input):
            webhook.from_stdin(receiver)
        self.assertEqual([key for key, _, _ in server.got], ["0a", "0c"])


if __name__ == "__main__":
    unittest.main()
