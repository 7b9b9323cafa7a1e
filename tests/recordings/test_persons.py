"""Who is in a film made elsewhere: who may say it, of whom, and how the film is found by it."""

import pytest
from sqlalchemy import select

from database import Database, PageRequest
from errors import Problem
from members.policy import Actor
from recordings.curation import Curation
from recordings.library import Library
from recordings.models import Recording
from recordings.persons.models import FilmPerson
from recordings.persons.service import MOST_PERSONS
from recordings.requests import NamedPerson, RecordingChanges, RecordingsFilter
from recordings.searching.index import index_some, to_index
from recordings.settings import RecordingSettings
from recordings.storage.shelf import Shelf
from recordings.upkeep.deletion import Deletions
from recordings.views import PersonView
from tests.factories import FakeClock, Records, Tree
from tests.recordings.rows import change
from tests.recordings.test_library import everybody, uploaded


@pytest.fixture
async def people(records: Records, tree: Tree) -> dict[str, Actor]:
    return await everybody(records, tree)


@pytest.fixture
async def film(database: Database, tree: Tree, people: dict[str, Actor], clock: FakeClock) -> Recording:
    uploader = people["secretary"].account_id
    assert uploader is not None
    return await uploaded(database, tree, uploader, clock, ended_at=clock())


@pytest.fixture
def curation(database: Database) -> Curation:
    return Curation(database)


@pytest.fixture
def library(database: Database, settings: RecordingSettings, clock: FakeClock) -> Library:
    return Library(database, Shelf(settings.folder, settings.storage), clock)


def of(*persons: NamedPerson) -> RecordingChanges:
    return RecordingChanges(persons=persons)


async def refused(
    code: str, curation: Curation, actor: Actor, film: Recording, *persons: NamedPerson
) -> None:
    with pytest.raises(Problem) as refusal:
        await curation.update(actor, film.id, of(*persons))
    assert refusal.value.code == code


async def test_a_film_is_found_by_who_is_named_in_it(
    database: Database, curation: Curation, library: Library, people: dict[str, Actor], film: Recording
) -> None:
    secretary, member = people["secretary"], people["member"]
    wanted = RecordingsFilter(member_id=member.member_id)
    assert (await library.list(secretary, PageRequest(), wanted)).items == []
    guest = NamedPerson(name="欧阳教授")
    await curation.update(secretary, film.id, of(guest, NamedPerson(member.member_id), guest))
    assert [one.id for one in (await library.list(secretary, PageRequest(), wanted)).items] == [film.id]
    async with database.transaction() as session:
        await index_some(session, await to_index(session, "", 100))
    for words in ("欧阳", member.name):
        found = await library.list(secretary, PageRequest(), RecordingsFilter(query=words))
        assert [one.id for one in found.items] == [film.id]
    await curation.update(secretary, film.id, of())
    assert (await library.list(secretary, PageRequest(), wanted)).items == []
    async with database.transaction() as session:
        await index_some(session, await to_index(session, "", 100))
    assert (await library.list(secretary, PageRequest(), RecordingsFilter(query="欧阳"))).items == []


async def test_who_watches_reads_the_names_and_who_manages_them_whose_they_are(
    curation: Curation, library: Library, people: dict[str, Actor], film: Recording
) -> None:
    secretary, member = people["secretary"], people["member"]
    await curation.update(secretary, film.id, of(NamedPerson(member.member_id), NamedPerson(name="欧阳教授")))
    named = (PersonView(member.name, member.member_id), PersonView("欧阳教授"))
    assert (await library.get(secretary, film.id)).persons == named
    names = (PersonView(member.name), PersonView("欧阳教授"))
    assert (await library.get(member, film.id)).persons == names
    for reader in (secretary, member):
        (listed,) = (await library.list(reader, PageRequest())).items
        assert listed.persons == names


async def test_nobody_names_whom_he_may_not_see_but_who_is_named_stays(
    curation: Curation, library: Library, people: dict[str, Actor], film: Recording
) -> None:
    secretary, stranger = people["secretary"], NamedPerson(people["cousin"].member_id)
    await refused("not_found", curation, secretary, film, stranger)
    await curation.update(people["district"], film.id, of(stranger))
    guest = NamedPerson(name="欧阳教授")
    await curation.update(secretary, film.id, of(stranger, guest))
    assert [one.name for one in (await library.get(secretary, film.id)).persons] == [
        people["cousin"].name,
        guest.name,
    ]


async def test_only_officers_name_persons_so_many_and_only_in_films_made_elsewhere(
    database: Database, curation: Curation, people: dict[str, Actor], film: Recording
) -> None:
    secretary, guest = people["secretary"], NamedPerson(name="欧阳教授")
    await refused("forbidden", curation, people["member"], film, guest)
    many = [NamedPerson(name=f"来宾{number}") for number in range(MOST_PERSONS + 1)]
    await refused("too_many_persons", curation, secretary, film, *many)
    await curation.update(secretary, film.id, of(*many[1:]))
    await change(database, film, uploader_account_id=None)
    await refused("persons_are_measured", curation, secretary, film, guest)


async def test_who_edits_after_another_officer_overwrites_nothing(
    curation: Curation, library: Library, people: dict[str, Actor], film: Recording
) -> None:
    secretary, first, second = people["secretary"], NamedPerson(name="欧阳教授"), NamedPerson(name="司马老师")
    await curation.update(secretary, film.id, RecordingChanges(persons=(first,), persons_before=()))
    late = RecordingChanges(persons=(second,), persons_before=())
    with pytest.raises(Problem) as refusal:
        await curation.update(secretary, film.id, late)
    assert refusal.value.code == "persons_renewed"
    assert [one.name for one in (await library.get(secretary, film.id)).persons] == ["欧阳教授"]
    await curation.update(
        secretary, film.id, RecordingChanges(persons=(first, second), persons_before=(first,))
    )


async def test_with_a_deleted_film_goes_who_was_in_it(
    database: Database, curation: Curation, people: dict[str, Actor], film: Recording, clock: FakeClock
) -> None:
    await curation.update(people["secretary"], film.id, of(NamedPerson(name="欧阳教授")))
    await Deletions(database, clock).delete(people["secretary"], film.id, "重复")
    async with database.reading() as session:
        assert (await session.scalars(select(FilmPerson))).all() == []
