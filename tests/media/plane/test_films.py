"""Real AV1 in layers: whatever a subscriber chooses or misses, what he gets can be shown, and is the film's."""

import random
from collections.abc import Callable
from functools import cache

import pytest

from tests.media.plane.films import FILMED_ID, SUB_ID, Part, Projector, Screen, Shown, Viewer, film, part_of
from tests.media.plane.test_described import DEPENDENCY
from tests.media.plane.world import World

LAYERS = {"L1T3": (1, 3), "L2T3": (2, 3), "L3T3_KEY": (3, 3)}
LOSS = 0.05


class Cinema:
    """A film on its way to its viewers."""

    def __init__(self, mode: str) -> None:
        self.layers, self.encoded = LAYERS[mode][0], frames_of(mode)
        self.dice = random.Random(1)  # noqa: S311  a simulated network
        self.world = World()
        publisher = self.world.client()
        self.producer = self.world.video(
            publisher,
            codec="av1",
            header_extensions={DEPENDENCY: FILMED_ID},
            spatial_layers=self.layers,
            keyed=mode.endswith("_KEY"),
        )
        self.projector = Projector(publisher, mode, self.dice)
        self.viewers: list[Viewer] = []

    def watch(self) -> int:
        client = self.world.client()
        self.viewers.append(Viewer(client))
        return self.world.watch(client, self.producer, header_extensions={DEPENDENCY: SUB_ID})

    def play(self, each: Callable[[int], object]) -> None:
        """`each` is called with the index of each picture but the first before it is sent."""
        for index in self.projector.pictures():
            for viewer in self.viewers:
                viewer.take()
            each(index + 1)

    def shown(self, viewer: Viewer) -> list[Shown]:
        """What he saw: all that he got could be decoded, and is the film's, in the order of time."""
        viewer.take()
        screen = Screen()
        frames = list(screen.show(viewer.got))
        assert screen.lacking == 0
        places = {frame.picture: index for index, frame in enumerate(self.encoded)}
        indexes = [places[frame.picture] for frame in frames]
        assert indexes == sorted(indexes)
        return frames


@cache
def frames_of(mode: str) -> list[Shown]:
    """All that the film has."""
    parts: dict[int, Part] = {}
    for piece in film(mode):
        _, sequence, part = part_of(piece.packet, FILMED_ID)
        parts[sequence if not parts or sequence >= min(parts) else sequence + 65536] = part
    return list(Screen().show(parts))


def moments(frames: list[Shown]) -> int:
    return len({frame.timestamp for frame in frames})


@pytest.mark.parametrize("mode", LAYERS)
def test_every_frame_that_is_sent_can_be_shown_whatever_is_chosen_and_whenever_somebody_comes(
    mode: str,
) -> None:
    cinema = Cinema(mode)
    chooser = cinema.watch()
    cinema.watch()
    wishes = [(spatial, temporal) for spatial in range(cinema.layers) for temporal in range(3)]

    def choose(index: int) -> None:
        if index % 5 == 0:
            cinema.world.core.set_preferred_layers(chooser, *cinema.dice.choice(wishes))
        if index == 10:
            cinema.watch()

    cinema.play(choose)
    chosen, whole, late = (cinema.shown(viewer) for viewer in cinema.viewers)
    assert moments(whole) == moments(cinema.encoded), "no picture is missed"
    assert {frame.spatial for frame in chosen} == set(range(cinema.layers))
    assert 20 < moments(chosen) < moments(whole)
    assert moments(late) >= moments(whole) - 10, "he has a picture at once, out of what is kept"
    assert [frame.picture for frame in late[-30:]] == [frame.picture for frame in whole[-30:]]


@pytest.mark.parametrize("mode", LAYERS)
def test_losses_amid_switches_break_no_picture(mode: str) -> None:
    cinema = Cinema(mode)
    consumer = cinema.watch()
    lossy = False
    cinema.world.lose = lambda client, _: (
        lossy and client is cinema.viewers[0].client and cinema.dice.random() < LOSS
    )

    def choose(index: int) -> None:
        nonlocal lossy
        lossy = 3 < index < 45  # the last packet has no successor that shows its loss
        cinema.projector.loss = LOSS if lossy else 0.0
        if index % 8 == 0:
            cinema.world.core.set_preferred_layers(
                consumer, cinema.dice.randrange(3), cinema.dice.randrange(3)
            )

    cinema.play(choose)
    assert moments(cinema.shown(cinema.viewers[0])) > 20
