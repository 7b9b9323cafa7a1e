"""The SFU: who sends what to whom, as mediasoup's objects; the packets themselves go through `media.plane`.

Words: an *engine* owns the media port, the DTLS certificate and the plane threads. A *router* is one room's worth of
media, pinned to one plane thread. A *transport* is one ICE/DTLS connection of a client, named from the client's view:
on a "send" transport the client *produces*, on a "recv" transport it *consumes*. A *producer* is one track that comes
in, a *consumer* is one producer going out to one client, a *tap* is a producer going to this process (recordings),
whose packets a *depacketizer* puts into order and together into frames.

Invariant: a packet is forwarded only from an admitted transport to an admitted transport of the same router; a
transport is admitted only by `Transport.set_admitted(True)`.

    engine = MediaEngine(MediaSettings(port=40000)); await engine.start()
    router = engine.create_router(listener)                 # listener.on_media_event(event), on the asyncio thread
    transport = router.create_transport("send")             # transport.parameters() -> the client's transport options
    await transport.connect(dtls_parameters)                # returns at once; events tell of connected, failed, ...
    transport.set_admitted(True)
    producer = transport.produce("video", rtp_parameters)
    consumer = other_transport.consume(producer.id, rtp_capabilities)   # paused; consumer.resume() asks for a key frame
    tap = router.tap(producer.id, capacity_packets=4096)
    router.close(); await engine.stop()

Everything is called on the asyncio thread; nothing here blocks. JSON comes in and goes out as the plain dicts that
mediasoup-client sends and expects. Wrong input raises a `MediaError` (a ValueError) with a stable code, see
`media.errors`. Events are frozen dataclasses, see `media.events`; they are delivered from the event loop, never from
inside a call of yours, except where a docstring says so.

Closing (each step closes everything below it first): engine > router > transport > producer or consumer; a producer
closes its consumers and taps on other transports too. Only those closed on account of something else are told of by an
event (`ConsumerClosed`); what you close yourself is silent. Closing twice is allowed and does nothing.
"""

from media.addresses import Protocol
from media.consumer import Consumer
from media.engine import MediaEngine
from media.errors import MediaError
from media.events import MediaEvent, MediaListener
from media.plane import Depacketizer, RtpFrame
from media.producer import Producer
from media.router import Router
from media.settings import MediaSettings
from media.tap import Tap, TapBatch
from media.transport import Transport

__all__ = [
    "Consumer",
    "Depacketizer",
    "MediaEngine",
    "MediaError",
    "MediaEvent",
    "MediaListener",
    "MediaSettings",
    "Producer",
    "Protocol",
    "Router",
    "RtpFrame",
    "Tap",
    "TapBatch",
    "Transport",
]
