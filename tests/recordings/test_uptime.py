"""How long the server has run: counted once, by clocks that nobody sets."""

from hypothesis import given
from hypothesis import strategies as st

from database import Database
from recordings.upkeep.uptime import Look, UptimeCounter, count, uptime

HOUR = 3600.0
# Seconds until the next event, which server it happens to, and whether that is started anew before it looks.
events = st.lists(st.tuples(st.floats(0.0, 2 * HOUR), st.integers(0, 2), st.booleans()), max_size=40)


@given(events)
def test_however_many_servers_look_no_second_counts_that_has_not_passed(
    happens: list[tuple[float, int, bool]],
) -> None:
    looks: dict[int, Look | None] = {}
    now, counted = 0.0, 0
    for passed, server, anew in happens:
        now += passed
        looks[server] = look = count(None if anew else looks.get(server), counted, now + 1000 * server)
        assert counted <= look.counted <= now
        counted = look.counted


@given(st.lists(st.floats(0.0, 2 * HOUR)))
def test_one_server_that_runs_on_misses_no_more_than_a_second(rounds: list[float]) -> None:
    look = count(None, 7, 0.0)
    now = 0.0
    for passed in rounds:
        now += passed
        look = count(look, look.counted, now)
    assert now - 1.001 <= look.counted - 7 <= now


def test_a_server_that_is_off_at_night_counts_its_days() -> None:
    counted, now = 0, 0.0
    for _ in range(10):
        look = count(None, counted, now)
        for _ in range(10):
            now += HOUR
            look = count(look, look.counted, now)
        counted, now = look.counted, now + 14 * HOUR
    assert counted == 100 * HOUR


async def test_a_start_goes_on_where_the_last_one_ended(database: Database) -> None:
    now = 0.0
    first, second = (UptimeCounter(database, lambda: now) for _ in range(2))

    async def counted() -> int:
        async with database.reading() as session:
            return await uptime(session)

    assert await counted() == 0
    await first.count()
    now += HOUR
    await first.count()
    assert await counted() == HOUR
    now += HOUR
    await second.count()
    assert await counted() == HOUR, "what passed before a start is not known"
    for server in (first, second):
        now += HOUR
        await server.count()
    assert await counted() == 3 * HOUR, "the second saw that the first had counted, and begins with that"
    now += HOUR
    await second.count()
    assert await counted() == 4 * HOUR, "and goes on where the first has ended"
