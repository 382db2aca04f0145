"""Called by state beside it."""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARTITIONS = 4
RULE = """
[rule]
name = "First, then second"
rule_id = "00000000-0000-4000-8000-000000000001"
description = "Remembers every host for a while."
severity = "low"
risk_score = 1
type = "eql"
query = '''
sequence by host.id with maxspan={span}
  [any where event.action == "first"]
  [any where event.action == "second"]
'''
"""
PAD = "x" * 700


def say(name, value, unit, remark=""):
    print(f"{name}\t{value:.6g}\t{unit}\t{remark}", flush=True)


def event(action, host, when):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when * 1000) % 1000:03}Z"
    return json.dumps(
        {"@timestamp": stamp, "event": {"action": action}, "host": {"id": host}, "message": PAD},
        separators=(",", ":")).encode()


class World:
    """A broker that keeps transactions, an instance that can be killed, and a producer."""

    def __init__(self, options, span):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-bench-"))
        (self.folder / "rule.toml").write_text(RULE.format(span=span))
        self.broker = subprocess.Popen(
            [
                sys.executable, ROOT / "ops/broker/broker.py", "--topic", f"events:{PARTITIONS}", "--topic", "alerts:1",
                "--topic", "dead:1"], stdout=subprocess.PIPE, text=True)
        self.address = self.broker.stdout.readline().split()[-1]
        self.producer = Producer(
            {
                "bootstrap.servers": self.address, "log_level": 2, "linger.ms": 10, "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 1_000_000, "queue.buffering.max.kbytes": 2_000_000})
        self.watcher = Consumer(
            {
                "bootstrap.servers": self.address, "group.id": "bench", "enable.auto.commit": False, "log_level": 2,
                "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
        self.places = [TopicPartition("events", number) for number in range(PARTITIONS)]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None

    def start(self):
        settings = {
            "application": "bench", "kafka.brokers": self.address, "kafka.create_topics": "true",
            # Comes back to its partitions without waiting for its session to end, as in a StatefulSet.
            "kafka.instance_id": "bench-0", "input.topics": "events=host.id", "host_key": "host.id",
            "output.alerts": "alerts", "output.dead_letters": "dead", "rules.paths": str(self.folder / "rule.toml"),
            "delivery": self.options.delivery, "http.listen": f"127.0.0.1:{self.port}",
            "kafka.consumer_properties.session.timeout.ms": "6000",
        }
        arguments = [argument for pair in settings.items() for argument in ("--set", "=".join(pair))]
        with open(self.folder / "apus.log", "a") as log:
            self.process = subprocess.Popen(
                [self.options.apus, "run", *arguments], cwd=ROOT, stdout=log, stderr=log,
                env={key: value for key, value in os.environ.items() if not key.startswith("APUS_")})

    def send(self, action, host, when):
        while True:
            try:
                return self.producer.produce("events", event(action, host, when), key=host)
            except BufferError:
                self.producer.poll(0.01)

    def let_go(self, when):
        """Moves the time of every partition on, so that nothing waits for the watermark."""
        for number in range(PARTITIONS):
            self.producer.produce("events", event("quiet", f"quiet-{number}", when), partition=number)

    def flush(self):
        if self.producer.flush(300):
            raise SystemExit("the events could not be written")

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

    def metric(self, name):
        """The sum over all labels."""
        found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", self.get("/metrics") or "", re.M)
        return sum(float(value) for value in found)

    def wait(self, what, condition, seconds=300, pause=0.02):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.stderr.write((self.folder / "apus.log").read_text()[-2000:])
                raise SystemExit(f"{what}: not in {seconds} s")
            time.sleep(pause)

    def ends(self):
        return [self.watcher.get_watermark_offsets(place, timeout=30)[1] for place in self.places]

    def is_caught_up(self, ends):
        try:
            return [place.offset for place in self.watcher.committed(self.places, timeout=10)] == ends
        except KafkaException:
            return False

    def count(self, topic):
        """Records of partition 0 for a reader of committed ones, and different keys of alerts among them."""
        place = TopicPartition(topic, 0, 0)
        high = self.watcher.get_watermark_offsets(place, timeout=30)[1]
        self.watcher.assign([place])
        ids, count, end = set(), 0, time.monotonic() + 120
        while time.monotonic() < end:
            messages = self.watcher.consume(10_000, 0.5)
            for message in messages:
                if message.error() is None:
                    count += 1
                    ids.add(dict(message.headers()).get("apus-alert-id"))
            position = self.watcher.position([place])[0].offset
            if position >= high or not messages and count:
                break
        self.watcher.unassign()
        return count, len(ids)

    def resident(self, what="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(what)) / 1000

    def stop(self):
        for process in (self.process, self.broker):
            if process and process.poll() is None:
                process.kill()
                process.wait()


def restart(options):
    """Every host is half through a sequence; kill -9; events go on; a new process; the second halves."""
    world = World(options, "4h")
    try:
        now = time.time() - 7200
        world.start()
        for number in range(options.hosts):
            world.send("first", f"host-{number}", now)
        world.let_go(now + 60)
        world.flush()
        ends = world.ends()
        world.wait("the first halves", lambda: world.is_caught_up(ends), pause=0.2)
        world.wait("live keys", lambda: world.metric("apus_correlation_keys") >= options.hosts, pause=0.5)
        say("live keys when killed", world.metric("apus_correlation_keys"), "keys", f"{PARTITIONS} partitions")
        world.process.send_signal(signal.SIGKILL)
        world.process.wait()
        for number in range(options.backlog):
            world.send("quiet", f"host-{number % options.hosts}", now + 60 + number / options.backlog)
        world.flush()
        ends = world.ends()
        started = time.monotonic()
        world.start()
        world.wait("ready", lambda: world.get("/readyz") is not None)
        restored = time.monotonic() - started
        world.wait("caught up", lambda: world.is_caught_up(ends))
        caught_up = time.monotonic() - started
        say("start to ready, state restored", restored, "s",
            f"{world.metric('apus_state_restored_keys_total'):.0f} keys, {options.delivery}")
        say("start to caught up", caught_up, "s", f"{options.backlog} events had come meanwhile")
        say("resident after restoring", world.resident(), "MB", f"at most {world.resident('VmHWM'):.0f}")
        for number in range(options.hosts):
            world.send("second", f"host-{number}", now + 120)
        world.let_go(now + 240)
        world.flush()
        ends = world.ends()
        world.wait("the second halves", lambda: world.is_caught_up(ends), pause=0.2)
        count, different = world.count("alerts")
        say("alerts of the sequences that span the kill", count, "alerts",
            f"{different} different, {options.hosts} expected")
        if (count, different) != (options.hosts, options.hosts):
            raise SystemExit("alerts are missing, or came twice")
    finally:
        world.stop()


def hosts(options):
    """Hosts that nobody has seen before, at a steady rate; each is remembered for a minute of event time."""
    world = World(options, "60s")
    try:
        world.start()
        rate = options.hosts / (options.minutes * 60)
        began, sent, samples, last = time.monotonic(), 0, [], 0
        while sent < options.hosts:
            elapsed = time.monotonic() - began
            while sent < min(options.hosts, elapsed * rate):
                world.send("first", f"host-{sent:07}", time.time())
                sent += 1
            world.producer.poll(0)
            if elapsed - last >= options.minutes * 60 / 40:
                last = elapsed
                samples.append((elapsed, world.resident(), world.metric("apus_correlation_keys")))
                print(f"{elapsed:.0f} s: {sent} hosts, {samples[-1][1]:.0f} MB, {samples[-1][2]:.0f} keys", file=sys.stderr)
            time.sleep(0.005)
        world.let_go(time.time())
        world.flush()
        ends = world.ends()
        world.wait("caught up", lambda: world.is_caught_up(ends), pause=0.2)
        # The window is full after the first quarter.
        settled = [memory for elapsed, memory, _ in samples if elapsed > options.minutes * 15]
        quarters = [settled[len(settled) * part // 3:len(settled) * (part + 1) // 3] for part in range(3)]
        means = [sum(quarter) / len(quarter) for quarter in quarters]
        say("different hosts", sent, "hosts", f"in {(time.monotonic() - began) / 60:.1f} min, {options.delivery}")
        say("live keys, on average", sum(keys for _, _, keys in samples[len(samples) // 4:]) / len(settled), "keys",
            "each for 60 s of event time")
        for part, name in enumerate(("second", "third", "last")):
            say(f"resident in the {name} quarter", means[part], "MB", "mean")
        say("growth from the second quarter to the last", (means[2] / means[0] - 1) * 100, "%",
            f"at most {world.resident('VmHWM'):.0f} MB")
    finally:
        world.stop()


def main():
    parser = argparse.ArgumentParser(description="Measures what state costs.")
    parser.add_argument("--apus", default=str(ROOT / ".build/release/apus"))
    parser.add_argument("--delivery", choices=["exactly_once", "at_least_once"], default="exactly_once")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("restart", help="kill -9 with many live keys")
    command.add_argument("--hosts", type=int, default=100_000)
    command.add_argument("--backlog", type=int, default=50_000, help="events that come while nobody reads")
    command.set_defaults(run=restart)
    command = commands.add_parser("hosts", help="many hosts, each seen once")
    command.add_argument("--hosts", type=int, default=1_000_000)
    command.add_argument("--minutes", type=float, default=10)
    command.set_defaults(run=hosts)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.run(options)


if __name__ == "__main__":
    main()
