"""The question whether one is still there, asked and answered in the records."""

import pytest

from database import Database
from members.policy import Actor
from recordings.models import Recording
from recordings.viewing.service import Viewings
from recordings.views import WatchReport
from tests.factories import FakeClock
from tests.recordings.rows import change
from tests.recordings.watching import play


async def test_who_does_not_answer_is_not_counted_on(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await change(database, recording, prompt_minutes=5, duration_seconds=3_600.0)
    view = await play(viewings, clock, actor, recording, 0, 300)
    assert view.prompt is not None
    assert (view.prompt.answer_by - clock()).total_seconds() == 120
    view = await play(viewings, clock, actor, recording, 300, 900)
    assert view.seconds == pytest.approx(420, abs=6), "two minutes of patience"
    wrong = await viewings.answer(actor, recording.id, "another")
    assert wrong.prompt == view.prompt
    clock.advance(600)
    back = await viewings.answer(actor, recording.id, view.prompt.id if view.prompt else "")
    assert (back.prompt, back.seconds) == (None, view.seconds), "the time without an answer is lost"
    clock.advance(10)
    on = await viewings.report(actor, recording.id, WatchReport(((900.0, 1_500.0),)))
    assert on.seconds == pytest.approx(view.seconds + 10)


async def test_an_answer_in_time_loses_nothing(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await change(database, recording, prompt_minutes=5, duration_seconds=3_600.0)
    view = await play(viewings, clock, actor, recording, 0, 300)
    clock.advance(6)
    assert view.prompt is not None
    await viewings.answer(actor, recording.id, view.prompt.id)
    clock.advance(4)
    view = await viewings.report(actor, recording.id, WatchReport(((300.0, 310.0),)))
    assert view.seconds == pytest.approx(310)
    assert view.prompt is None


async def test_no_way_of_cutting_reports_puts_off_the_question(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    """What is saved up by an empty report, and spent by one that comes at once, was watched too."""
    await change(database, recording, prompt_minutes=5, duration_seconds=3_600.0)
    view = await viewings.report(actor, recording.id, WatchReport(()))
    for step in range(62):
        clock.advance(5)
        await viewings.report(actor, recording.id, WatchReport(()))
        view = await viewings.report(actor, recording.id, WatchReport(((step * 5.0, step * 5.0 + 5),)))
    assert view.seconds == pytest.approx(310)
    assert view.prompt is not None


async def test_a_question_asked_by_a_clock_that_ran_ahead_still_waits_for_its_answer(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await change(database, recording, prompt_minutes=5, duration_seconds=3_600.0)
    clock.advance(86_400)
    view = await play(viewings, clock, actor, recording, 0, 300)
    assert view.prompt is not None
    clock.advance(-86_400)
    view = await play(viewings, clock, actor, recording, 300, 900)
    assert view.seconds <= 300 + 120 + 10
    assert view.prompt is not None
