"""What is remembered of uploads that are not finished, on both databases."""

from dataclasses import replace

from database import Database
from recordings.storage.ledger import DatabaseLedger
from recordings.storage.store import Part, PartialUpload


async def test_what_arrived_is_remembered_until_the_upload_ends(database: Database) -> None:
    def told(size: int) -> None:
        raise AssertionError(size)

    ledger, key = DatabaseLedger(database, told), "a1/v1/meeting.mp4"
    upload, sent, again = PartialUpload(key, 9, 5, "first"), Part("a" * 32, '"1"'), Part("b" * 32, '"2"')
    await ledger.begun(upload)
    assert await ledger.unfinished(key) == upload
    for number, part in ((1, sent), (2, sent), (2, again)):
        await ledger.arrived(key, number, part)
    assert await ledger.unfinished(key) == replace(upload, parts={1: sent, 2: again})
    anew = replace(upload, upload_id="second")
    await ledger.begun(anew)
    assert await ledger.unfinished(key) == anew, "of which nothing has arrived"
    await ledger.ended(key)
    await ledger.arrived(key, 1, sent)
    assert await ledger.unfinished(key) is None, (
        "who sends what was removed meanwhile hears of it from the store"
    )
