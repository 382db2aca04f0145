#!/usr/bin/env python3
"""Detects under faults, and compares the alerts with an undisturbed evaluation of the same events.

Starts a broker and several `apus run` in one group, feeds them generated traffic whose order of arrival is shuffled
within the allowed lateness, and meanwhile, at moments and on targets that follow from a seed, kills instances (-9),
stops and continues them, restarts them, adds and removes some, breaks all connections and takes the broker away for two
seconds. In the end `apus eval` evaluates what is in the input topic, and every alert id it gives must be in the alert
topic: none missing, none that eval does not know, and with exactly_once none twice, for a reader of committed records.

Runs in the Python that ops/broker/install names, which has confluent_kafka. `make chaos` does the rest.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ops/broker"))

from probe import why_not_real  # noqa: E402

LATENESS = 2.0
RULES = ROOT / "ops/chaos/rules"


class Failed(Exception):
    """The run says nothing about Apus's promises: it could not be carried out."""


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


class Broker:
    """A broker process, or the one that somebody runs."""

    def __init__(self, options, folder):
        self.process = None
        self.library = None
        self.properties = dict(pair.split("=", 1) for pair in options.property)
        self.can_break = False
        if options.brokers:
            self.address, self.kind = options.brokers, "external"
            return
        self.kind = options.broker
        log = open(folder / "broker.log", "w")
        if self.kind == "tansu":
            port = free_port()
            url = f"tcp://127.0.0.1:{port}"
            self.address, self.library = f"127.0.0.1:{port}", options.library
            command = [
                options.tansu, "broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine",
                "memory://tansu/"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        else:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "ops/broker/broker.py"], stdout=subprocess.PIPE, stderr=log, text=True)
            self.address = self.process.stdout.readline().split()[-1]
            self.can_break = True

    def client(self, **more):
        return {"bootstrap.servers": self.address, "log_level": 2, **self.properties, **more}

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Instance:
    """One place for an `apus run`: the process in it dies and is started again."""

    def __init__(self, number, run):
        self.number = number
        self.run = run
        # Every other place is a static member: its restart moves no partitions.
        self.identity = f"chaos-{number}" if number % 2 else None
        self.process = None
        self.log = run.folder / f"instance-{number}.log"
        self.is_stopped = False
        self.starts = 0

    def start(self):
        if self.is_running:
            return
        settings = dict(self.run.settings)
        if self.identity:
            settings["kafka.instance_id"] = self.identity
        arguments = [argument for pair in settings.items() for argument in ("--set", "=".join(pair))]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("APUS_")}
        if self.run.broker.library:
            environment["LD_LIBRARY_PATH"] = self.run.broker.library
        with open(self.log, "a") as log:
            log.write(f"--- start {self.starts}\n")
            log.flush()
            self.process = subprocess.Popen(
                [self.run.options.apus, "run", *arguments], stdout=log, stderr=log, env=environment, cwd=ROOT)
        self.starts += 1
        self.is_stopped = False

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if not self.is_running:
            return False
        self.process.kill()
        self.process.wait()
        self.is_stopped = False
        return True

    def pause(self):
        if not self.is_running or self.is_stopped:
            return False
        self.process.send_signal(signal.SIGSTOP)
        self.is_stopped = True
        return True

    def go_on(self):
        if self.is_running and self.is_stopped:
            self.process.send_signal(signal.SIGCONT)
        self.is_stopped = False

    def leave(self):
        """Ends in good order. False when it did not, or not with success."""
        if not self.is_running:
            return True
        self.go_on()
        self.process.terminate()
        try:
            # Ended by the signal itself: it had not yet come to where it takes signals.
            return self.process.wait(60) in (0, -signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.kill()
            return False


class Feed(threading.Thread):
    """Writes the traffic: in order of time plus a delay below the lateness, at a steady rate."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.run_ = run
        self.sent = 0
        self.failure = None

    def events(self):
        options = self.run_.options
        # Two milliseconds of event time for each event: few share an instant.
        seconds = max(300, options.events // 500)
        generator = subprocess.Popen(
            [
                options.apus, "traffic", "--events", str(options.events), "--hosts", str(options.hosts), "--seconds",
                str(seconds), "--seed", str(options.seed), "--start", "2026-01-01T00:00:00Z"],
            stdout=subprocess.PIPE)
        for line in generator.stdout:
            yield line.rstrip(b"\n")
        if generator.wait() != 0:
            raise Failed("apus traffic failed")

    def shuffled(self):
        """(event time in milliseconds, host, event), in the order of arrival."""
        import heapq

        randomness = random.Random(self.run_.options.seed)
        waiting, order = [], 0
        for event in self.events():
            now = milliseconds(re.search(rb'"@timestamp":"([^"]+)"', event).group(1).decode())
            host = re.search(rb'"host":\{[^}]*?"id":"([^"]+)"', event)
            delay = randomness.random() * LATENESS * 900 if randomness.random() < 0.5 else 0
            heapq.heappush(waiting, (now + delay, order, now, host.group(1) if host else b"", event))
            order += 1
            while waiting and waiting[0][0] <= now:
                yield heapq.heappop(waiting)[2:]
        while waiting:
            yield heapq.heappop(waiting)[2:]

    def run(self):
        try:
            self.write()
        except Exception as error:  # noqa: BLE001, told by the main thread
            self.failure = error

    def write(self):
        run = self.run_
        refused = []
        producer = Producer(
            run.broker.client(
                **{
                    "enable.idempotence": True, "linger.ms": 10, "partitioner": "murmur2_random",
                    "message.timeout.ms": 300_000}))

        def delivered(error, _):
            if error:
                refused.append(error)

        started, last = time.monotonic(), 0
        for when, host, event in self.shuffled():
            while self.sent > (time.monotonic() - started) * run.options.rate:
                producer.poll(0.01)
            while True:
                try:
                    producer.produce(run.input, event, key=host, timestamp=when, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            self.sent += 1
            last = max(last, when)
            if self.sent % 1000 == 0:
                producer.poll(0)
        # Event time goes on behind the last event, so that what waits for the watermark is let go.
        for partition in range(run.options.partitions):
            text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last / 1000 + 3600))
            event = json.dumps({"@timestamp": text, "host": {"id": f"closing-{partition}"}}).encode()
            producer.produce(
                run.input, event, partition=partition, timestamp=last + 3_600_000, on_delivery=delivered)
        if producer.flush(300) or refused:
            raise Failed(f"events were not written: {refused[:1]}")


def milliseconds(text):
    seconds, _, fraction = text.rstrip("Z").partition(".")
    import calendar

    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 1000 + int((fraction + "000")[:3])


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.broker = Broker(options, folder)
        name = f"chaos-{uuid.uuid4().hex[:8]}"
        self.application = name
        self.input, self.alerts, self.letters = f"{name}.events", f"{name}.alerts", f"{name}.dead-letters"
        rules = [options.rules / f"{rule}.toml" for rule in options.rule]
        self.rules = [str(rule) for rule in rules]
        self.settings = {
            "application": name,
            "kafka.brokers": self.broker.address,
            "kafka.create_topics": "true",
            "kafka.topic_partitions": str(options.partitions),
            "kafka.connect_timeout": "60s",
            "input.topics": f"{self.input}=host.id",
            "output.alerts": self.alerts,
            "output.dead_letters": self.letters,
            "delivery": options.delivery,
            "rules.paths": ",".join(self.rules),
            "rules.strict": "true",
            "host_key": "host.id",
            "time.allowed_lateness": f"{LATENESS:g}s",
            # The feed pauses while the broker is away; nothing that comes after is late for that.
            "time.idle_timeout": "1h",
            # Every commit and assignment: without them nobody can tell what went wrong.
            "log.level": "debug",
            "kafka.consumer_properties.session.timeout.ms": "6000",
            "kafka.consumer_properties.heartbeat.interval.ms": "1000",
            "kafka.properties.reconnect.backoff.max.ms": "500",
            **dict(pair.split("=", 1) for pair in options.set),
        }
        for key, value in self.broker.properties.items():
            self.settings[f"kafka.properties.{key}"] = value
        self.instances = []
        self.counts = collections.Counter()
        self.unexpected = []

    # Set-up

    def create_topics(self):
        admin = AdminClient(self.broker.client())
        topics = [
            NewTopic(self.input, self.options.partitions, 1), NewTopic(self.alerts, 2, 1), NewTopic(self.letters, 1, 1),
            NewTopic(
                f"{self.application}.state", self.options.partitions, 1,
                config={"cleanup.policy": "compact", "min.compaction.lag.ms": "3600000"})]
        deadline = time.monotonic() + 30
        while True:
            try:
                for future in admin.create_topics(topics, request_timeout=10).values():
                    future.result(15)
                return
            except KafkaException as error:
                if error.args[0].name() == "TOPIC_ALREADY_EXISTS":
                    return
                if time.monotonic() > deadline:
                    raise Failed(f"topics cannot be created: {error}") from error
                time.sleep(0.3)

    # Faults

    def schedule(self):
        """What happens when, from the seed alone: (pause before, action, a number that chooses the target)."""
        randomness = random.Random(self.options.seed + 1)
        weights = {"kill": 60, "stop": 12, "add": 6, "leave": 6, "break": 10, "outage": 6}
        if not self.broker.can_break:
            weights["break"] = weights["outage"] = 0
        while True:
            action = randomness.choices(list(weights), list(weights.values()))[0]
            yield (
                randomness.uniform(0.2, 2 * self.options.pause), action, randomness.random(),
                randomness.uniform(0.2, 8))

    def torment(self, feed):
        last_words = time.monotonic()
        later = []
        for pause, action, number, length in self.schedule():
            until = time.monotonic() + pause
            while time.monotonic() < until:
                self.look_after(later)
                time.sleep(0.05)
            if feed.failure:
                raise feed.failure
            if self.counts["kill"] >= self.options.kills and not feed.is_alive():
                break
            if self.counts["kill"] >= self.options.kills and action == "kill":
                continue
            self.act(action, number, length, later)
            if time.monotonic() - last_words > 15:
                last_words = time.monotonic()
                say(f"{feed.sent} events written; {self.tally()}")
        for _, go_on in later:
            go_on()

    def act(self, action, number, length, later):
        running = [instance for instance in self.instances if instance.is_running]
        now = time.monotonic()
        if action == "break":
            self.broker.signal(signal.SIGUSR1)
        elif action == "outage":
            self.broker.signal(signal.SIGUSR2)
        elif action == "add":
            if len(running) >= self.options.most:
                return
            self.instances.append(Instance(len(self.instances), self))
            self.instances[-1].start()
        elif not running:
            return
        else:
            target = running[int(number * len(running))]
            if action == "kill":
                target.kill()
                # The next one in its place comes at once or a little later.
                later.append((now + (0 if number < 0.3 else length / 4), target.start))
            elif action == "stop":
                if not target.pause():
                    return
                later.append((now + length, target.go_on))
            elif action == "leave":
                if len(running) <= 2:
                    return
                if not target.leave():
                    self.unexpected.append(f"instance {target.number} did not leave with success")
        self.counts[action] += 1

    def look_after(self, later):
        now = time.monotonic()
        for entry in [entry for entry in later if entry[0] <= now]:
            later.remove(entry)
            entry[1]()
        for instance in self.instances:
            if instance.process is not None and instance.process.poll() not in (None, -9, -15, 0):
                self.unexpected.append(
                    f"instance {instance.number} ended by itself with {instance.process.returncode}; see {instance.log}")
                instance.process = None
                self.counts["ended by itself"] += 1
                later.append((now + 0.5, instance.start))
        if sum(instance.is_running for instance in self.instances) == 0 and not later:
            self.instances[0].start()

    def tally(self):
        return ", ".join(f"{count} {action}" for action, count in sorted(self.counts.items())) or "no faults yet"

    # The end

    def settle(self):
        """Waits until everything is committed and the alert topic has come to rest."""
        for instance in self.instances:
            instance.go_on()
        for instance in self.instances[: self.options.instances]:
            instance.start()
        consumer = Consumer(self.broker.client(**{"group.id": self.application, "enable.auto.commit": False}))
        partitions = [TopicPartition(self.input, number) for number in range(self.options.partitions)]
        ends = {p.partition: consumer.get_watermark_offsets(p, timeout=30)[1] for p in partitions}
        deadline = time.monotonic() + self.options.patience
        later = []
        while True:
            self.look_after(later)
            try:
                committed = {p.partition: p.offset for p in consumer.committed(partitions, timeout=10)}
                if committed == ends:
                    break
            except KafkaException as error:
                committed = str(error)
            if time.monotonic() > deadline:
                raise Failed(f"not everything was committed in {self.options.patience} s: {committed} of {ends}")
            time.sleep(0.3)
        consumer.close()
        quiet, last = 0, -1
        while quiet < 6:
            count = len(self.read(self.alerts, "read_committed"))
            quiet, last = (quiet + 1, last) if count == last else (0, count)
            time.sleep(0.5)
        for instance in self.instances:
            if not instance.leave():
                self.unexpected.append(f"instance {instance.number} did not stop with success in the end")

    def read(self, topic, isolation):
        """Every record of a topic, partition after partition."""
        consumer = Consumer(
            self.broker.client(
                **{
                    "group.id": f"{self.application}.reader", "enable.auto.commit": False,
                    "isolation.level": isolation, "enable.partition.eof": True, "auto.offset.reset": "earliest"}))
        count = len(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
        records = []
        for number in range(count):
            consumer.assign([TopicPartition(topic, number, 0)])
            deadline = time.monotonic() + 120
            ended = False
            while not ended:
                for message in consumer.consume(5000, 0.5):
                    if message.error() is None:
                        records.append(message)
                    elif message.error().name() == "_PARTITION_EOF":
                        ended = True
                if time.monotonic() > deadline:
                    raise Failed(f"{topic}[{number}] could not be read to its end")
        consumer.close()
        return records

    def expected(self):
        """Per alert id the rule, as `apus eval` gives them for what is in the input topic."""
        file = self.folder / "input.ndjson"
        count = 0
        with open(file, "w") as out:
            for message in self.read(self.input, "read_committed"):
                count += 1
                out.write(
                    json.dumps(
                        {
                            "topic": message.topic(), "partition": message.partition(), "offset": message.offset(),
                            "tstype": "create", "ts": message.timestamp()[1],
                            "payload": message.value().decode()}) + "\n")
        say(f"{count} records are in the input topic; apus eval evaluates them undisturbed")
        with open(self.folder / "expected.ndjson", "wb") as out, open(self.folder / "eval.log", "wb") as log:
            status = subprocess.run(
                [self.options.apus, "eval", "--records", "kcat", "--rules", *self.rules, "--", str(file)], stdout=out,
                stderr=log, cwd=ROOT)
        if status.returncode != 0:
            raise Failed(f"apus eval failed, see {self.folder / 'eval.log'}")
        alerts = {}
        with open(self.folder / "expected.ndjson") as lines:
            for line in lines:
                alert = json.loads(line)
                alerts[alert["event"]["id"]] = alert["rule"]["name"]
        return count, alerts

    def compare(self):
        events, expected = self.expected()
        found = collections.Counter()
        names, late = dict(expected), 0
        for message in self.read(self.alerts, "read_committed"):
            alert = json.loads(message.value())
            found[alert["event"]["id"]] += 1
            names[alert["event"]["id"]] = alert["rule"]["name"]
            late += bool(alert["apus"].get("late"))
        missing = [id for id in expected if id not in found]
        unknown = [id for id in found if id not in expected]
        twice = [id for id, count in found.items() if count > 1]
        rules = {}
        for name in sorted(set(names.values())):
            rules[name] = {
                "expected": sum(1 for rule in expected.values() if rule == name),
                "missing": sum(1 for id in missing if names[id] == name),
                "unknown": sum(1 for id in unknown if names[id] == name),
                "twice": sum(1 for id in twice if names[id] == name),
            }
        (self.folder / "difference.json").write_text(
            json.dumps({"missing": missing, "unknown": unknown, "twice": twice}, indent=1))
        return {
            "events": events, "alerts": len(expected), "missing": len(missing), "unknown": len(unknown),
            "twice": len(twice), "late": late, "rules": rules}

    def play(self):
        options = self.options
        say(
            f"seed {options.seed}: {options.events} events, {options.kills} kills, {options.instances} instances, "
            f"{options.delivery}, broker {self.broker.kind} at {self.broker.address}, logs in {self.folder}")
        started = time.monotonic()
        self.create_topics()
        weakness = None
        if options.delivery == "exactly_once":
            weakness = why_not_real(self.broker.client())
            say(f"transactions of the broker are {'real' if weakness is None else f'not real: {weakness}'}")
        for number in range(options.instances):
            self.instances.append(Instance(number, self))
            self.instances[-1].start()
        feed = Feed(self)
        feed.start()
        self.torment(feed)
        feed.join()
        if feed.failure:
            raise feed.failure
        say(f"faults are over: {self.tally()}")
        self.settle()
        seconds = time.monotonic() - started
        result = {
            "seed": options.seed, "delivery": options.delivery, "broker": self.broker.kind,
            "seconds": round(seconds), "faults": dict(self.counts), **self.compare(),
            "unexpected": self.unexpected,
        }
        if weakness is not None:
            result["transactions"] = f"not real: {weakness}"
        # Where the broker shows aborted records, it shows some alerts twice, whatever Apus does.
        twice_is_wrong = options.delivery == "exactly_once" and weakness is None
        result["passed"] = not (
            result["missing"] or result["unknown"] or self.unexpected or (twice_is_wrong and result["twice"])
            or not result["alerts"])
        return result

    def stop(self):
        for instance in self.instances:
            instance.kill()
        self.broker.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--apus", default=str(ROOT / ".build/debug/apus"))
    parser.add_argument("--brokers", help="a broker that runs; connections are then not broken")
    parser.add_argument("--property", action="append", default=[], metavar="KEY=VALUE", help="for every client")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="a setting of apus run")
    parser.add_argument("--broker", choices=["own", "tansu"], default="own")
    parser.add_argument("--tansu", help="its binary")
    parser.add_argument("--library", help="a folder with a librdkafka that can talk to it")
    parser.add_argument("--delivery", choices=["exactly_once", "at_least_once"], default="exactly_once")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--instances", type=int, default=3)
    parser.add_argument("--most", type=int, default=4, help="instances at the same time")
    parser.add_argument("--rate", type=float, help="events a second; by default they last as long as the kills")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two faults, on average")
    parser.add_argument("--patience", type=float, default=300, help="seconds for everything to be committed in the end")
    parser.add_argument("--rules", type=pathlib.Path, default=RULES, help="the folder of rules")
    parser.add_argument(
        "--rule", action="append", help="a rule of the folder; by default all but across: may be repeated")
    parser.add_argument(
        "--across", action="store_true", help="also the rule that joins by another key than the topic's")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the logs even if all is well")
    options = parser.parse_args()
    if not options.rule:
        options.rule = sorted(path.stem for path in options.rules.glob("*.toml") if path.stem != "across")
    if options.across and "across" not in options.rule:
        options.rule.append("across")
    if options.rate is None:
        # Of ten faults six are kills.
        options.rate = options.events / max(10, options.kills * options.pause / 0.6)
    return options


def main():
    options = arguments()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-chaos-"))
    run = Run(options, folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        result = run.play()
    except Failed as error:
        say(f"the run failed: {error}; seed {options.seed}, logs in {folder}")
        sys.exit(2)
    finally:
        run.stop()
    print(json.dumps(result, indent=2))
    if result["passed"] and not options.keep:
        import shutil

        shutil.rmtree(folder)
    else:
        say(f"logs in {folder}")
    sys.exit(0 if result["passed"] else 1)


if __name__ == "__main__":
    main()
