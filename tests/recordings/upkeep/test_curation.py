"""Who may set what of a recording."""

from functools import partial

import pytest

from database import Database
from members.policy import Actor, Audience
from recordings import repository
from recordings.curation import Curation
from recordings.models import Recording
from recordings.requests import RecordingChanges
from rooms.meetings.states import MeetingKind
from tests.recordings.rows import change
from tests.recordings.upkeep.outcomes import refused

AUDIENCES = {
    Audience.INVITED: {"secretary", "committee", "district"},
    Audience.ORGANIZATION: {"secretary", "committee", "district"},
    Audience.COMMITTEE: {"committee", "district"},
    Audience.DISTRICT: {"district"},
    Audience.MEMBERS: {"district"},
    Audience.PUBLIC: {"district"},
}


@pytest.mark.parametrize("audience", AUDIENCES)
async def test_a_circle_is_opened_by_its_own_officers(
    database: Database, people: dict[str, Actor], recording: Recording, audience: Audience
) -> None:
    curation = Curation(database)
    for who in ("member", "secretary", "committee", "district"):
        start = Audience.INVITED if audience is not Audience.INVITED else Audience.MEMBERS
        await change(database, recording, audience=start)
        actor = people[who]
        if who in AUDIENCES[audience]:
            await curation.update(actor, recording.id, RecordingChanges(audience=audience))
            continue
        unseen = who == "member" and start is Audience.INVITED
        code = "recording_not_found" if unseen else "forbidden"
        await refused(
            code, partial(curation.update, actor, recording.id, RecordingChanges(audience=audience))
        )


async def test_settings_have_bounds(
    database: Database, people: dict[str, Actor], recording: Recording
) -> None:
    curation, district = Curation(database), people["district"]
    for share in (0.49, 1.01, float("nan")):
        changes = RecordingChanges(required_share=share)
        await refused("invalid_share", partial(curation.update, district, recording.id, changes))
    for minutes in (1, 4, 61, -5):
        changes = RecordingChanges(prompt_minutes=minutes)
        await refused("invalid_prompts", partial(curation.update, district, recording.id, changes))
    await change(database, recording, kind=MeetingKind.COMMITTEE_MEETING)
    changes = RecordingChanges(audience=Audience.PUBLIC)
    await refused("kind_is_never_public", lambda: curation.update(district, recording.id, changes))
    await curation.update(
        district,
        recording.id,
        RecordingChanges(None, downloadable=True, required_share=0.5, prompt_minutes=5),
    )
    await curation.update(district, recording.id, RecordingChanges(prompt_minutes=0))
    async with database.reading() as session:
        row = await repository.get(session, recording.id)
    assert row is not None
    assert (row.downloadable, row.required_share, row.prompt_minutes) == (True, 0.5, None)
