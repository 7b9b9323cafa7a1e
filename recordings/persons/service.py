"""Name who is in a film, and read it."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.policy import Actor
from recordings.models import Recording
from recordings.persons.models import FilmPerson
from recordings.requests import NamedPerson
from recordings.searching import index
from recordings.views import PersonView
from rooms.meetings.lookups import visible_members

MOST_PERSONS: Final = 50


async def name_persons(
    session: AsyncSession,
    actor: Actor,
    recording: Recording,
    persons: Sequence[NamedPerson],
    before: Sequence[NamedPerson] | None = None,
) -> None:
    """Let these be who is in the film, in this order, each once; in place of whoever was named before.

    Who was named already stays, though the actor may not see him. The library's search knows them after its next turn.
    The recording's row is locked by the caller, so that `before`, whom the actor saw named, holds until the commit.

    Problems: persons_are_measured of a meeting's own recording, too_many_persons, persons_renewed where others than
    `before` are named by now, not_found for a member that the actor may not see.
    """
    if not recording.is_uploaded:
        raise Problem(Kind.CONFLICT, "persons_are_measured", {"field": "persons"})
    named = await persons_of(session, recording.id)
    if before is not None and [_who(one) for one in before] != [_who(one) for one in named]:
        raise Problem(Kind.CONFLICT, "persons_renewed", {"field": "persons"})
    wanted = await known_persons(session, actor, persons, named)
    await forget_persons(session, recording.id)
    await put_persons(session, recording.id, wanted)
    await index.forget(session, recording.id)


async def known_persons(
    session: AsyncSession, actor: Actor, persons: Sequence[NamedPerson], named: Sequence[PersonView] = ()
) -> tuple[PersonView, ...]:
    """These, each once, by their names of now; whoever is among the `named` keeps his.

    Problems: too_many_persons, not_found for a member that the actor may not see.
    """
    wanted = list(dict.fromkeys(persons))
    if len(wanted) > MOST_PERSONS:
        raise Problem(Kind.INVALID, "too_many_persons", {"field": "persons", "maximum": MOST_PERSONS})
    known = {one.member_id: one.name for one in named if one.member_id}
    fresh = tuple(one.member_id for one in wanted if one.member_id and one.member_id not in known)
    known |= {
        key: member.name for key, member in (await visible_members(session, actor, fresh, "persons")).items()
    }
    return tuple(
        PersonView(known[one.member_id] if one.member_id else one.name, one.member_id) for one in wanted
    )


async def put_persons(session: AsyncSession, recording_id: str, persons: Sequence[PersonView]) -> None:
    """Name them in a film in which nobody is named."""
    rows = [
        {"recording_id": recording_id, "place": place, "member_id": one.member_id, "name": one.name}
        for place, one in enumerate(persons)
    ]
    if rows:
        await session.execute(insert(FilmPerson), rows)


def _who(one: NamedPerson | PersonView) -> tuple[str | None, str]:
    return (one.member_id, "" if one.member_id else one.name)


async def forget_persons(session: AsyncSession, recording_id: str) -> None:
    """Nobody is named in it any more."""
    await session.execute(delete(FilmPerson).where(FilmPerson.recording_id == recording_id))


async def persons_of(session: AsyncSession, recording_id: str) -> tuple[PersonView, ...]:
    """In order."""
    return (await persons_of_all(session, [recording_id])).get(recording_id, ())


async def persons_of_all(
    session: AsyncSession, recording_ids: Collection[str]
) -> dict[str, tuple[PersonView, ...]]:
    """By recording, in order; those in which nobody is named are left out."""
    if not recording_ids:
        return {}
    query = (
        select(FilmPerson.recording_id, FilmPerson.name, FilmPerson.member_id)
        .where(FilmPerson.recording_id.in_(recording_ids))
        .order_by(FilmPerson.recording_id, FilmPerson.place)
    )
    rows = await session.execute(query)
    return {
        recording_id: tuple(PersonView(row.name, row.member_id) for row in persons)
        for recording_id, persons in groupby(rows, key=lambda row: row.recording_id)
    }


def without_members(persons: Iterable[PersonView]) -> tuple[PersonView, ...]:
    """For who may know the names alone."""
    return tuple(PersonView(one.name) for one in persons)
