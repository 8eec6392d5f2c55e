"""The article's prediction, for each event: a data frame of one row, new encoders, and a scan of all users.

The article trains over a table and predicts for one user at a time. Here its prediction follows each event
of that user. The user's facts are in Redis. There are no transactions.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import LabelEncoder

from benchmarks.bare.bare_events import BareEvent, decode_order, decode_signup
from benchmarks.bare.bare_user import BareUser, decode_user, encode_user, features, fold
from benchmarks.ways.way_job import READY, Job, done_and_wait, read_job, say

_TEXTS = ("gender", "country", "traffic_source", "most_frequent_brand", "most_frequent_category")
_DEADLINE_S = 60.0
_COMPONENTS = ["component_1", "component_2"]
ARTICLE = "article.pickle"


class ArticleModel:
    """The fitted steps and the training users, as the article's notebook holds them.

    Args:
        file: a pickle of the steps, the columns, and the training users' components, ids and clusters.
    """

    def __init__(self, file: Path) -> None:
        with file.open("rb") as pickled:
            self._steps, self._columns, components, self._users, clusters = pickle.load(pickled)
        self._dataset = pd.DataFrame(components, columns=_COMPONENTS).assign(cluster=clusters)

    def predict(self, user_id: str, user: BareUser) -> dict[str, Any]:
        """The article's prediction and its five most similar users."""
        row = pd.DataFrame([features(user_id, user)])[self._columns].fillna(0)
        encoder = LabelEncoder()
        for name in _TEXTS:
            row[name] = encoder.fit_transform(row[name])
        components = self._steps["project"].transform(self._steps["scale"].transform(row.to_numpy(float)))
        cluster = int(self._steps["cluster"].predict(components)[0])
        scores = cosine_similarity(components, self._dataset[_COMPONENTS].to_numpy())[0]
        top = self._dataset.assign(similarity_score=scores).sort_values("similarity_score", ascending=False)
        return {
            "user_id": user_id,
            "segment": cluster,
            "components": components[0].tolist(),
            "similar_users": [
                {"user_id": self._users[index], "similarity": score}
                for index, score in top["similarity_score"].iloc[:5].items()
            ],
        }


def apply(job: Job, model: ArticleModel, store: redis.Redis, producer: Producer, event: BareEvent) -> None:
    """Apply one event, predict, and publish if the segment changed."""
    key = f"{job.redis_prefix}user:{event.user_id}"
    packed = store.hget(key, "state")
    user = (
        decode_user(packed) if isinstance(packed, bytes) else BareUser(order_ids=[], brands={}, categories={})
    )
    fold(user, event)
    predicted = model.predict(event.user_id, user)
    if predicted["segment"] != user.segment:
        user.segment = predicted["segment"]
        value = msgspec.json.encode(predicted)
        for topic in (job.topics.changes, job.topics.users):
            producer.produce(topic, value, event.user_id.encode())
        producer.flush(_DEADLINE_S)
    store.hset(key, mapping={"state": encode_user(user), "segment": str(user.segment)})


def main() -> None:
    """Take all events of the job, one after the other."""
    job = read_job()
    model = ArticleModel(Path(job.release).parent / ARTICLE)
    store = redis.Redis.from_url(job.redis, socket_timeout=60)
    producer = Producer({"bootstrap.servers": job.kafka, "partitioner": "murmur2_random"})
    consumer = Consumer(
        {"bootstrap.servers": job.kafka, "group.id": job.group, "isolation.level": "read_committed"}
    )
    topics, numbers = job.topics.sources, range(job.partitions)
    consumer.assign([TopicPartition(topic, number, 0) for topic in topics for number in numbers])
    model.predict("warm-up", BareUser(order_ids=[], brands={}, categories={}))
    consumer.poll(1.0)
    say(READY)
    applied = 0
    while applied < job.events:
        message = consumer.poll(0.1)
        value = None if message is None else message.value()
        if message is None or value is None:
            continue
        decode = decode_signup if message.topic() == job.topics.signups else decode_order
        apply(job, model, store, producer, decode(value))
        applied += 1
    done_and_wait()


if __name__ == "__main__":
    main()
