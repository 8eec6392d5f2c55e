"""Changes for programs: iterate them from Kafka, typed, from where the program stopped.

    from segue.subscribe import changes

    for change in changes("127.0.0.1:9092", group="shop", segment="loyal", only="entering"):
        welcome(change.user_id)

``docs/subscribing.md`` says what is guaranteed. It needs neither Faust nor Redis nor the trainer.
"""

from schemas.outputs.segment_change import Change, SegmentChange, UserErasedChange
from segue.subscribe.iterate_async import changes_async
from segue.subscribe.iterate_changes import changes

__all__ = ["Change", "SegmentChange", "UserErasedChange", "changes", "changes_async"]
