"""Whatever happens on the way, each picture that a subscriber shows is one that the encoder made."""

import random
from itertools import pairwise

import pytest

from media.plane import Encoding
from tests.media.plane.pictures import Encoder, Receiver, Sender
from tests.media.plane.world import FRAME_US, World

FRAMES = 160
LOSS = 0.05
SIZES = ((64, 48), (96, 64), (160, 96))


def in_order(pictures: list[bytes], encoders: list[Encoder]) -> bool:
    """Whether each is an encoder's own, in the order of time."""
    # A key picture whose beginning came late is followed from there: a moment is seen twice.
    places = {shown: index for encoder in encoders for index, shown in enumerate(encoder.shown)}
    indexes = [places[picture] for picture in pictures]
    return all(before <= after + 2 for before, after in pairwise(indexes))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("codec", "sets"), [("vp8", "always"), ("h264", "always"), ("h264", "once")])
def test_no_picture_is_broken_by_losses_and_switches(codec: str, sets: str, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  a simulated network
    world = World(seed=seed)
    publisher, subscriber = world.client(), world.client()
    producer = world.video(
        publisher, codec=codec, encodings=[Encoding(1000 + i, 2000 + i) for i in range(len(SIZES))]
    )
    encoders = [Encoder(codec, *size, layered=codec == "vp8") for size in SIZES]
    senders = [
        Sender(publisher, encoder, ssrc=1000 + i, sets=sets, dice=dice) for i, encoder in enumerate(encoders)
    ]
    receiver = Receiver(subscriber, codec)
    consumer = world.watch(subscriber, producer)
    lossy = False
    world.lose = lambda client, _: lossy and client is subscriber and dice.random() < LOSS
    for index in range(FRAMES):
        lossy = 5 < index < FRAMES - 15  # the last packet has no successor that shows its loss
        if index % 20 == 10 and index < FRAMES - 40:
            world.core.set_preferred_layers(consumer, dice.randrange(3), dice.randrange(3))
        rtcp, publisher.rtcp = publisher.rtcp, []
        for sender in senders:
            sender.loss = LOSS if lossy else 0.0
            sender.answer(rtcp)
            sender.frame(index)
        world.advance(FRAME_US)
        receiver.take(world.now)
    pictures = receiver.shown()
    assert in_order(pictures, encoders)
    assert len(pictures) > FRAMES // 3  # of VP8 often the lowest temporal layer alone, a quarter
