"""SASL mechanisms, the server's side: PLAIN, SCRAM and OAUTHBEARER with tokens that are told beforehand."""

import base64
import hashlib
import hmac
import json
import os


class Refused(Exception):
    """Wrong, or not to be understood; which of the two is nobody's business."""


class Plain:
    name = "PLAIN"

    def __init__(self, users):
        self.users = users

    def step(self, message):
        """(answer, whether this was the last step)"""
        try:
            _, user, password = message.decode().split("\0")
        except ValueError:
            raise Refused from None
        known = self.users.get(user)
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            raise Refused
        return b"", True


class Scram:
    """RFC 5802, without channel binding."""

    iterations = 4096

    def __init__(self, users, digest):
        self.name = {"sha256": "SCRAM-SHA-256", "sha512": "SCRAM-SHA-512"}[digest]
        self.users = users
        self.digest = digest
        self.first = None

    def _hmac(self, key, message):
        return hmac.new(key, message, self.digest).digest()

    @staticmethod
    def _fields(message):
        return dict(part.split("=", 1) for part in message.split(",") if "=" in part)

    def step(self, message):
        try:
            return self._challenge(message.decode()) if self.first is None else self._verify(message.decode())
        except (KeyError, ValueError):
            raise Refused from None

    def _challenge(self, message):
        bare = message.split(",", 2)[2]
        fields = self._fields(bare)
        self.password = self.users.get(fields["n"].replace("=2C", ",").replace("=3D", "="))
        self.nonce = fields["r"] + base64.b64encode(os.urandom(18)).decode()
        self.salt = os.urandom(16)
        answer = f"r={self.nonce},s={base64.b64encode(self.salt).decode()},i={self.iterations}"
        self.first = f"{bare},{answer}"
        return answer.encode(), False

    def _verify(self, message):
        fields = self._fields(message)
        signed = f"{self.first},{message.rsplit(',p=', 1)[0]}".encode()
        # An unknown user takes as long as a wrong password.
        secret = self.password if self.password is not None else ""
        salted = hashlib.pbkdf2_hmac(self.digest, secret.encode(), self.salt, self.iterations)
        client = self._hmac(salted, b"Client Key")
        signature = self._hmac(hashlib.new(self.digest, client).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client, signature))
        # librdkafka 2.0.2 repeats its own nonce in front of ours; Apache Kafka lets that pass, too.
        if self.password is None or not fields["r"].endswith(self.nonce):
            raise Refused
        if not hmac.compare_digest(proof, base64.b64decode(fields["p"])):
            raise Refused
        return b"v=" + base64.b64encode(self._hmac(self._hmac(salted, b"Server Key"), signed)), True


class OAuthBearer:
    """RFC 7628. A token is one that was named at the start, or an unsecured one (algorithm none) for a known user."""

    name = "OAUTHBEARER"

    def __init__(self, users, tokens):
        self.users = users
        self.tokens = tokens

    def step(self, message):
        for field in message.decode(errors="replace").split("\x01"):
            if field.startswith("auth=Bearer ") and self._is_good(field[len("auth=Bearer ") :]):
                return b"", True
        raise Refused

    def _is_good(self, token):
        if token in self.tokens:
            return True
        try:
            header, claims, signature = token.split(".")
            pad = "=" * 3
            is_unsecured = json.loads(base64.urlsafe_b64decode(header + pad)).get("alg") == "none" and not signature
            return is_unsecured and json.loads(base64.urlsafe_b64decode(claims + pad)).get("sub") in self.users
        except ValueError:
            return False


def mechanism(name, users, tokens):
    """A fresh exchange, or None for a mechanism that is not offered."""
    return {
        "PLAIN": lambda: Plain(users),
        "SCRAM-SHA-256": lambda: Scram(users, "sha256"),
        "SCRAM-SHA-512": lambda: Scram(users, "sha512"),
        "OAUTHBEARER": lambda: OAuthBearer(users, tokens),
    }.get(name, lambda: None)()


NAMES = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
