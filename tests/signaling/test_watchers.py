"""Who watches which ticket."""

from signaling.stations.watchers import Watchers


def test_a_connection_hears_of_its_tickets_until_it_is_gone() -> None:
    watchers = Watchers()
    watchers.watch("a", "t1")
    watchers.watch("b", "t1")
    watchers.queue["a"] = None
    assert watchers.of("t1") == ["a", "b"]
    watchers.forget("a")
    assert (watchers.of("t1"), watchers.queue) == (["b"], {})


def test_watching_more_than_the_limit_gives_up_the_oldest() -> None:
    watchers = Watchers(limit=2)
    for ticket in ("t1", "t2", "t1", "t3"):
        watchers.watch("a", ticket)
    assert watchers.tickets() == {"t1", "t3"}


def test_nothing_stays_behind_of_those_who_are_gone() -> None:
    watchers = Watchers()
    for number in range(100):
        watchers.watch(f"s{number}", "t")
        watchers.forget(f"s{number}")
        watchers.unwatch("nobody", "nothing")
    assert (watchers.tickets(), watchers.of("t"), len(watchers._by_sid), len(watchers._by_ticket)) == (
        set(),
        [],
        0,
        0,
    )
