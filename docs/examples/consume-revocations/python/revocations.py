"""Keeps the set of what is revoked, from Kafka: python revocations.py BROKERS [TOPIC_PREFIX] [STALE_AFTER_SECONDS]

Logs in where KAFKA_USERNAME and KAFKA_PASSWORD are set; KAFKA_TLS=on.
"""
import json, os, signal, sys, time, uuid
from datetime import datetime
from confluent_kafka import Consumer, TopicPartition

brokers, prefix, stale_after = (*sys.argv[1:], *("", "", "10")[len(sys.argv) - 1:])
topic = f"{prefix}grantlog.revocations.v1"
sources = ["clients", "consent", "token"]
hour = 3610  # no token lives longer, plus the clocks' difference
revoked = {}  # by kind and id: the cutoff that a token is compared with, and since when we know
last = {}  # by partition and source: the last logseq
heard = {}  # by partition and source: when it had said everything
state = "starting"


def main():
    # never joins its group: it reads every partition, from where it says
    group = {"group.id": f"our-team.{uuid.uuid4()}", "enable.auto.commit": False}
    consumer = Consumer({"bootstrap.servers": brokers, **group, **login()})
    partitions = list(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
    since = int((time.time() - hour) * 1000)
    ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p))[1] for p in partitions}
    begins = consumer.offsets_for_times([TopicPartition(topic, p, since) for p in partitions], timeout=30)
    consumer.assign([TopicPartition(topic, b.partition, b.offset if b.offset >= 0 else ends[b.partition]) for b in begins])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        message = consumer.poll(0.25)
        if message is not None and message.error() is None:
            take(message.partition(), json.loads(message.value()), int(dict(message.headers())["previous"]))
        look(partitions)


def login():
    username, tls = os.environ.get("KAFKA_USERNAME"), "SSL" if os.environ.get("KAFKA_TLS") == "on" else "PLAINTEXT"
    if username is None:
        return {"security.protocol": tls}
    password = {"sasl.username": username, "sasl.password": os.environ.get("KAFKA_PASSWORD", "")}
    return {"security.protocol": f"SASL_{tls}", "sasl.mechanism": "SCRAM-SHA-512", **password}


def take(partition, event, previous):
    place, data = (partition, event["source"]), event["data"]
    known = last.get(place)  # None: what came before, we did not read
    if event["type"] == "feed.heartbeat.v1":
        if data["logSeq"] > last.setdefault(place, data["logSeq"]):
            sys.exit(f"{place}: {data['logSeq']} never came, only {known}")
        heard[place] = max(datetime.fromisoformat(data["time"].replace("Z", "+00:00")).timestamp(), heard.get(place, 0))
        return
    if known is not None and event["logseq"] <= known:
        return  # a duplicate
    if known is not None and previous != known:
        sys.exit(f"{place}: a gap between {known} and {event['logseq']}")
    last[place] = event["logseq"]
    if event["type"] == "token.revoked.v1":
        revoke(data["target"]["kind"], data["target"]["id"], data["issuedBefore"])


def revoke(kind, id, issued_before):
    before, _ = revoked.get((kind, id), (-1, 0))
    if before is None or (issued_before is not None and issued_before <= before):
        return
    revoked[kind, id] = (issued_before, time.time())
    print(json.dumps({"kind": kind, "id": id, "issuedBefore": issued_before}), flush=True)


def look(partitions):
    global state
    oldest = min(heard.get((partition, source), 0) for partition in partitions for source in sources)
    now = "ready" if time.time() - oldest <= float(stale_after) else "stale"
    if now != state and "ready" in (now, state):  # until it was ready once, it is starting
        state = now
        print(json.dumps({"state": now}), flush=True)
    for target in [t for t, (_, since) in revoked.items() if since < time.time() - hour and t[0] != "key"]:
        del revoked[target]


main()
