"""Called by streams beside it."""

import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition

APUS, CORPUS = sys.argv[1], sys.argv[2]
QUICK = "--quick" in sys.argv
HERE = os.path.dirname(os.path.abspath(__file__))
SEED = "config/rules/t1114_002/mail_collection_seed.toml"
# The embedded broker keeps about 5 MB of a partition.
PARTITIONS = 4 if QUICK else 64
PER_PARTITION = 3_000
RUNS = 1 if QUICK else 3
PAD = "x" * 700


def say(name, value, unit, remark=""):
    print(f"{name}\t{value:.6g}\t{unit}\t{remark}", flush=True)


def median(runs):
    return statistics.median(runs)


def spread(runs):
    return f"{len(runs)} run{'s' if len(runs) > 1 else ''}, {min(runs):.4g} to {max(runs):.4g}"


def hit(name):
    """An event of the seed rule, of about 1 KB."""
    return json.dumps({
        "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "event": {"category": ["process"], "type": ["start"]}, "host": {"id": name},
        "process": {"name": "powershell.exe", "command_line": "powershell.exe -Command Invoke-SelfSearch"},
        "message": PAD}).encode()


class Broker:
    """apus broker: librdkafka's mock cluster, a process of its own."""

    name = "embedded broker"
    transactions = False

    def __init__(self, partitions, alerts=1):
        self.process = subprocess.Popen(
            [APUS, "broker", "--topics", f"events:{partitions},alerts:{alerts},dead:1,bench.state:{partitions}"],
            stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split(": ", 1)[1].strip()

    def stop(self):
        self.process.kill()
        self.process.wait()


class TransactionBroker(Broker):
    """ops/broker: keeps transactions, is written in Python."""

    name = "ops/broker"
    transactions = True

    def __init__(self, partitions, alerts=1):
        self.process = subprocess.Popen(
            [sys.executable, "ops/broker/broker.py", "--topic", f"events:{partitions}",
             "--topic", f"alerts:{alerts}", "--topic", "dead:1", "--topic", f"bench.state:{partitions}:compact"],
            stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1].strip()


class Detector:
    def __init__(self, broker, cores=0, mode="at_least_once", rules=SEED, start="earliest", name="bench", prefilter=False):
        # What a line of text cannot say of a topic.
        self.config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.config.write(json.dumps({"input": {
            "topics": [{"name": "events", "key": "host.id", "normalize": not prefilter}], "prefilter": prefilter}}))
        self.config.flush()
        settings = [
            f"kafka.brokers={broker.address}", f"rules.paths={rules}",
            f"delivery={mode}", "output.alerts=alerts", "output.dead_letters=dead", f"application={name}",
            f"input.start={start}", f"runtime.cores={cores}", "http.listen=",
        ]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [APUS, "run", "--config", self.config.name] + [word for setting in settings for word in ("--set", setting)],
            stdout=subprocess.DEVNULL, stderr=self.log)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1000

    def words(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-600:].replace("\n", " | ").replace("\t", " ")


class Reading:
    """How fast a topic was read: events a second, CPU nanoseconds an event, megabytes resident."""

    def __init__(self, rate, cpu=None, memory=None):
        self.rate, self.cpu, self.memory = rate, cpu, memory


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def alert_reader(broker, partitions=1):
    reader = Consumer({
        "bootstrap.servers": broker.address, "group.id": "bench-reader", "enable.auto.commit": False,
        "isolation.level": "read_committed", "fetch.wait.max.ms": 5, "auto.offset.reset": "earliest"})
    reader.assign([TopicPartition("alerts", partition, 0) for partition in range(partitions)])
    return reader


def fill(broker, lines):
    """Every partition begins and ends with an event that raises an alert: their times are those of the reading."""
    producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 20})
    total = 0
    for partition in range(PARTITIONS):
        batch = [hit(f"first-{partition}")]
        batch += [lines[(partition * 977 + index) % len(lines)] for index in range(PER_PARTITION)]
        batch.append(hit(f"last-{partition}"))
        for value in batch:
            while True:
                try:
                    producer.produce("events", value, partition=partition)
                    break
                except BufferError:
                    producer.poll(0.01)
            total += 1
        producer.poll(0)
    if producer.flush(120):
        raise RuntimeError("the events could not be written")
    return total


def read_with_apus(broker, total, number, cores=0, instances=1, prefilter=False):
    """Events a second, from the first alert's time to the last one's."""
    reader = alert_reader(broker)
    # What earlier runs wrote is passed over.
    low, high = reader.get_watermark_offsets(TopicPartition("alerts", 0), timeout=10)
    reader.assign([TopicPartition("alerts", 0, high)])
    detectors = [Detector(broker, cores=cores, name=f"bench-{number}", prefilter=prefilter) for _ in range(instances)]
    times, idle = [], 0.0
    deadline = time.monotonic() + 90
    while len(times) < 2 * PARTITIONS and time.monotonic() < deadline:
        messages = reader.consume(500, 0.05)
        if not times:
            # Start and joining the group are no part of reading.
            idle = sum(detector.cpu_seconds() for detector in detectors)
        times += [message.timestamp()[1] for message in messages if message.error() is None]
    cpu = sum(detector.cpu_seconds() for detector in detectors)
    memory = max(detector.resident() for detector in detectors)
    for detector in detectors:
        detector.stop()
    reader.close()
    if len(times) < 2 * PARTITIONS:
        raise RuntimeError(f"{len(times)} of {2 * PARTITIONS} alerts came: {detectors[0].words()}")
    return Reading(total / ((max(times) - min(times)) / 1000), (cpu - idle) / total * 1e9, memory)


def read_with_kcat(broker, total):
    """Events a second of kcat to nowhere, without its start, which a second kcat for one event shows."""
    def timed(*arguments):
        started, before = time.monotonic(), children_seconds()
        subprocess.run(
            ["kcat", "-C", "-b", broker.address, "-t", "events", "-o", "beginning", "-q", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=120)
        return time.monotonic() - started, children_seconds() - before
    one, all_events = timed("-c", "1"), timed("-c", str(total))
    return Reading(total / max(all_events[0] - one[0], 1e-3), (all_events[1] - one[1]) / total * 1e9)


def read_with_python(broker, total):
    from seed_rule import matches
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "bench-python", "enable.auto.commit": False})
    consumer.assign([TopicPartition("events", partition, 0) for partition in range(PARTITIONS)])
    first, count, found = None, 0, 0
    while count < total:
        batch = consumer.consume(1000, 1)
        if first is None and batch:
            first, before = time.monotonic(), time.process_time()
        for message in batch:
            if message.error() is None:
                count += 1
                found += matches(json.loads(message.value()))
    elapsed, spent = time.monotonic() - first, time.process_time() - before
    consumer.close()
    if found < 2 * PARTITIONS:
        raise RuntimeError("the Python consumer missed events")
    return Reading(total / elapsed, spent / total * 1e9)


def read_with_bytewax(broker, total):
    result = subprocess.run(
        [sys.executable, "-m", "bytewax.run", "bytewax_flow:flow"], cwd=HERE, capture_output=True, text=True, timeout=120,
        env={**os.environ, "BROKERS": broker.address, "TOPIC": "events"})
    try:
        count, found, elapsed, spent = result.stdout.split()[-4:]
    except ValueError:
        raise RuntimeError(result.stderr.strip().splitlines()[-1] if result.stderr.strip() else "no output") from None
    if int(count) < total or int(found) < 2 * PARTITIONS:
        raise RuntimeError(f"bytewax read {count} of {total} events and found {found}")
    return Reading(total / float(elapsed), float(spent) / total * 1e9)


def throughput(lines):
    broker = Broker(PARTITIONS)
    try:
        total = fill(broker, lines)
        readers = {}
        if shutil.which("kcat"):
            readers["kcat -C to nowhere"] = lambda run: read_with_kcat(broker, total)
        else:
            print("kcat: skipped, it is not installed", flush=True)
        readers["apus run, seed rule"] = lambda run: read_with_apus(broker, total, f"all-{run}")
        readers["apus run, one core"] = lambda run: read_with_apus(broker, total, f"one-{run}", cores=1)
        readers["apus run, two instances"] = lambda run: read_with_apus(broker, total, f"two-{run}", instances=2)
        readers["apus run, input.prefilter"] = lambda run: read_with_apus(broker, total, f"filter-{run}", prefilter=True)
        readers["Python consumer by hand, seed rule"] = lambda run: read_with_python(broker, total)
        readers["Bytewax, one worker, seed rule"] = lambda run: read_with_bytewax(broker, total)
        readings = {name: [] for name in readers}
        for run in range(RUNS):
            # One after the other in every run, so that the machine's moods meet all of them.
            for name, read in list(readers.items()):
                try:
                    readings[name].append(read(run))
                except (RuntimeError, subprocess.SubprocessError, OSError) as error:
                    print(f"{name}: skipped, {error}", flush=True)
                    del readers[name]
        ours = readings["apus run, seed rule"]
        for name, runs in readings.items():
            if not runs:
                continue
            rates = [run.rate for run in runs]
            # Of runs that were made one beside the other.
            ratio = median([us.rate / run.rate for us, run in zip(ours, runs)]) if ours else 0
            compared = "" if runs is ours or not ours else f"; apus run is {ratio:.2f} times as fast"
            say(name, median(rates), "events/s", spread(rates) + compared)
        for name, runs in readings.items():
            if runs:
                cpu = [run.cpu for run in runs]
                ratio = median([run.cpu / us.cpu for us, run in zip(ours, runs)]) if ours else 0
                compared = "" if runs is ours or not ours else f"; {ratio:.2f} times that of apus run"
                say(f"{name}: CPU of the process", median(cpu), "ns/event", spread(cpu) + compared)
        if ours:
            memory = [run.memory for run in ours]
            say("apus run, resident at most", median(memory), "MB", spread(memory))
    finally:
        broker.stop()


class Latency:
    """Events at a steady rate from one process, alerts read by an independent consumer in this one."""

    def __init__(self, broker, mode, lines, partitions=4):
        self.broker, self.lines, self.partitions = broker, lines, partitions
        self.sent, self.times, self.lock = {}, [], threading.Lock()
        self.reader = alert_reader(broker)
        self.detector = Detector(broker, mode=mode, name=f"latency-{mode}", start="earliest")
        self.producer = Producer({
            "bootstrap.servers": broker.address, "linger.ms": 1, "queue.buffering.max.messages": 1_000_000})
        self.done = False
        self.number = 0
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        # The group is joined when a first alert comes.
        deadline = time.monotonic() + 60
        while not self.times and time.monotonic() < deadline:
            self.send_hit()
            self.producer.flush(5)
            time.sleep(0.5)
        if not self.times:
            raise RuntimeError(f"no alert came: {self.detector.words()}")

    def read(self):
        while not self.done:
            for message in self.reader.consume(100, 0.001):
                now = time.monotonic()
                if message.error() is not None:
                    continue
                key = message.key().decode()
                started = self.sent.pop(key, None)
                if started is not None:
                    with self.lock:
                        self.times.append(now - started)

    def send_hit(self):
        name = f"mark-{self.number}"
        self.number += 1
        value = hit(name)
        self.sent[name] = time.monotonic()
        self.put(value)

    def put(self, value):
        self.turn = (getattr(self, "turn", 0) + 1) % self.partitions
        while True:
            try:
                self.producer.produce("events", value, partition=self.turn)
                return
            except BufferError:
                self.producer.poll(0.005)

    def wait(self, limit):
        deadline = time.monotonic() + limit
        while self.sent and time.monotonic() < deadline:
            self.producer.poll(0.01)
            time.sleep(0.01)

    def saturation(self, count):
        """Events a second when as many are sent as go through, until the last one's alert is read."""
        started = time.monotonic()
        for index in range(count):
            self.put(self.lines[index % len(self.lines)])
            if index % 2000 == 0:
                self.producer.poll(0)
        for _ in range(self.partitions):
            self.send_hit()
        self.wait(60)
        elapsed = time.monotonic() - started
        if self.sent:
            raise RuntimeError(f"{len(self.sent)} alerts did not come at saturation")
        return count / elapsed

    def run(self, rate, length):
        """p50, p99 in milliseconds, the number of alerts, and the rate that was reached."""
        with self.lock:
            self.times.clear()
        tick = 0.002
        started = time.monotonic()
        total, hits = 0, 0
        while (elapsed := time.monotonic() - started) < length:
            due = int(elapsed * rate)
            while total < due:
                self.put(self.lines[total % len(self.lines)])
                total += 1
            # About a hundred alerts a second.
            if elapsed * 100 > hits:
                self.send_hit()
                hits += 1
            self.producer.poll(0)
            time.sleep(tick)
        reached = total / (time.monotonic() - started)
        self.wait(20)
        with self.lock:
            times = sorted(self.times)
        if len(times) < hits:
            raise RuntimeError(f"{hits - len(times)} of {hits} alerts did not come")
        return times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000, len(times), reached

    def stop(self):
        self.done = True
        self.thread.join(5)
        self.detector.stop()


def latency(lines, make_broker, mode, count):
    broker = make_broker(4)
    try:
        measured = Latency(broker, mode, lines)
        try:
            most = median([measured.saturation(count) for _ in range(RUNS)])
            say(f"{mode}, {broker.name}: saturation", most, "events/s",
                "producer, broker, apus run and reader on the same cores")
            for share in (0.1, 0.5, 0.9):
                results = [measured.run(most * share, 2 if QUICK else 5) for _ in range(RUNS)]
                for place, name in ((0, "p50"), (1, "p99")):
                    runs = [result[place] for result in results]
                    say(f"{mode}, {broker.name}: {name} at {share:.0%}", median(runs), "ms",
                        f"{spread(runs)}; {sum(result[2] for result in results)} alerts at "
                        f"{median([result[3] for result in results]):.0f} events/s")
        finally:
            measured.stop()
    finally:
        broker.stop()


class Reloads:
    """Events that each raise one alert, whatever version of the rule there is, while the rule's file changes."""

    def __init__(self, broker, size):
        self.folder = tempfile.TemporaryDirectory()
        for number in range(size - 1):
            self.write(f"filler{number}", f"filler {number}", number + 1,
                       f'process where process.name : "tool{number}*.exe" and process.command_line : "*--mode{number} *"')
        self.change(0)
        self.reader = alert_reader(broker)
        self.detector = Detector(broker, mode="exactly_once", rules=self.folder.name, name=f"reload-{size}")
        self.producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 1})
        self.sent, self.alerts, self.stopped = {}, [], False
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.send, self.read)]
        for thread in self.threads:
            thread.start()

    def write(self, name, title, number, query):
        path = os.path.join(self.folder.name, name + ".toml")
        with open(path + ".new", "w") as file:
            file.write(f"""[rule]
name = "{title}"
rule_id = "00000000-0000-4000-8000-{number:012d}"
description = "Fires in benchmarks."
severity = "high"
risk_score = 73
type = "eql"
query = '''
{query}
'''
""")
        os.rename(path + ".new", path)

    def change(self, version):
        self.write("changing", f"version {version}", 0, f'any where event.action in ("mark", "{version}")')
        return time.time()

    def send(self):
        number = 0
        while not self.stopped:
            name = f"host-{number}"
            event = {"@timestamp": int(time.time() * 1000), "event": {"action": "mark"}, "host": {"id": name}}
            self.sent[name] = time.time()
            self.producer.produce("events", json.dumps(event).encode(), partition=number % 2)
            self.producer.poll(0)
            number += 1
            time.sleep(0.005)
        self.producer.flush(10)

    def read(self):
        while not self.stopped or len(self.alerts) < len(self.sent):
            for message in self.reader.consume(100, 0.01):
                if message.error() is None:
                    alert = json.loads(message.value())
                    self.alerts.append((alert["host"]["id"], alert["rule"]["name"]))

    def first(self, version):
        """When the first event was sent that this version found."""
        name = f"version {version}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            found = [self.sent[host] for host, rule in list(self.alerts) if rule == name]
            if found:
                return min(found)
            time.sleep(0.01)
        raise RuntimeError(f"version {version} did not come: {self.detector.words()}")

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join(20)
        # Nothing is to come any more: what comes nevertheless is one too many.
        extra = [message for message in self.reader.consume(100, 1) if message.error() is None]
        self.detector.stop()
        self.folder.cleanup()
        lost = len(self.sent.keys() - {host for host, _ in self.alerts})
        return lost, len(self.alerts) + len(extra) - len(self.sent) + lost


def reloads(size):
    broker = TransactionBroker(2)
    try:
        measured = Reloads(broker, size)
        try:
            measured.first(0)
            times = []
            for version in range(1, 3 if QUICK else 11):
                # At no fixed moment of the interval at which files are looked at.
                time.sleep(0.5 + version * 0.037 % 0.3)
                changed = measured.change(version)
                times.append((measured.first(version) - changed) * 1000)
        finally:
            lost, doubled = measured.stop()
        if lost or doubled:
            raise RuntimeError(f"{lost} alerts lost and {doubled} doubled")
        say(f"a changed rule file is live, {size} rules", median(times), "ms",
            f"{len(times)} changes, {min(times):.0f} to {max(times):.0f}; of {len(measured.sent)} alerts meanwhile none lost "
            "and none doubled (exactly_once)")
    finally:
        broker.stop()


def main():
    with open(CORPUS, "rb") as file:
        lines = [line.rstrip(b"\n") for line in file]
    steps = [
        ("throughput", lambda: throughput(lines)),
        # Not on the embedded broker: it answers a fetch that has to wait only when its time is over, half a second.
        ("latency at least once", lambda: latency(lines, TransactionBroker, "at_least_once", 1_000 if QUICK else 20_000)),
        ("latency exactly once", lambda: latency(lines, TransactionBroker, "exactly_once", 1_000 if QUICK else 20_000)),
        *((f"reload of {size} rules", lambda size=size: reloads(size)) for size in ([1] if QUICK else [1, 100, 1000])),
    ]
    for name, step in steps:
        try:
            step()
        except (RuntimeError, OSError) as error:
            print(f"{name}: skipped, {error}", flush=True)


main()
