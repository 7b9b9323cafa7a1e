"""The seeds of the fuzzer: valid packets of everything the plane and the ICE agent parse, a folder for each parser.

`python -m tests.fuzz.seeds` writes them into `tests/fuzz/corpus`; a test holds the two together and sees every seed
accepted. SSRCs, payload types and extension ids are those of the conference in `tests/fuzz/conference.py`.
"""

import struct

from aioice.stun import Class, Message, Method
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    pack_remb_fci,
)

from tests.fuzz.conference import FIRST_CONSUMER_SSRC, PASSWORD, UFRAG
from tests.fuzz.guidance import CORPUS
from tests.media.plane.descriptors import L1T3, Descriptor, spatial_structure
from tests.media.plane.world import rtp, vp8
from tests.media.test_stun import TRANSACTION, check

VP8, VP9, H264, OPUS, AV1 = 96, 97, 98, 99, 100
RTX_OF_VP8, RTX_OF_VP9, RED = 106, 107, 63
VP9_SSRC, H264_SSRC, OPUS_SSRC, AV1_SSRC, VP9_RTX_SSRC = 1001, 1002, 1003, 1004, 2001
LOW_SSRC, HIGH_SSRC, LOW_RTX_SSRC = 161, 163, 171
CONSUMER = FIRST_CONSUMER_SSRC
MID, RID, REPAIRED_RID, SEND_TIME, WIDE, LEVEL, ORIENTATION, DELAY, CAPTURE, DEPENDENCY = range(1, 11)
LAYERS, KEYED = spatial_structure(keyed=False), spatial_structure(keyed=True)
KEY = vp8(0x123, key=True, tl0=5, size=60)


def simulcast(ssrc: int, rid: bytes, sequence: int, payload: bytes) -> bytes:
    """A packet of the camera that sends three layers, told apart by MID and RID."""
    names = ((MID, b"0"), (RID, rid), (WIDE, b"\0\7"))
    return rtp(sequence, 3_000, ssrc, payload, payload_type=VP8, marker=True, extensions=names)


def two_byte(elements: tuple[tuple[int, bytes], ...], profile: int = 0x1000) -> bytes:
    """An audio packet with RFC 8285's two-byte header extensions."""
    block = b"".join(bytes([number, len(value)]) + value for number, value in elements)
    block += bytes(-len(block) % 4)
    head = struct.pack("!BBHIIHH", 0x90, OPUS, 2, 1_920, OPUS_SSRC, profile, len(block) // 4)
    return head + block + bytes(30)


def red(own: bytes, *copies: tuple[int, bytes]) -> bytes:
    """RFC 2198: copies as (timestamp offset, frame), oldest first."""
    heads = (struct.pack("!I", (0x80 | OPUS) << 24 | back << 10 | len(copy)) for back, copy in copies)
    body = b"".join(copy for _, copy in copies)
    payload = b"".join(heads) + bytes([OPUS]) + body + own
    return rtp(4, 4_800, OPUS_SSRC, payload, payload_type=RED, extensions=((LEVEL, b"\x9e"),))


def compound(*packets: object) -> bytes:
    """RTCP packets one behind the other."""
    return b"".join(bytes(packet) for packet in packets)  # type: ignore[call-overload]


def sender_report(ssrc: int, *reports: RtcpReceiverInfo) -> RtcpSrPacket:
    """What a publisher says of its clock."""
    info = RtcpSenderInfo(ntp_timestamp=0x123456789ABCDEF0, rtp_timestamp=99, packet_count=5, octet_count=600)
    return RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=list(reports))


def received(ssrc: int) -> RtcpReceiverInfo:
    """What a subscriber says of a stream."""
    return RtcpReceiverInfo(
        ssrc=ssrc,
        fraction_lost=16,
        packets_lost=64,
        highest_sequence=0x1E00,
        jitter=30,
        lsr=0x56789ABC,
        dlsr=4_000,
    )


def described(ssrc: int) -> RtcpSdesPacket:
    """A canonical name."""
    return RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=ssrc, items=[(1, b"fuzz")])])


def feedback(kind: int, fmt: int, ssrc: int, fci: bytes) -> bytes:
    """RTPFB (205) or PSFB (206)."""
    packet = RtcpRtpfbPacket if kind == 205 else RtcpPsfbPacket
    if packet is RtcpPsfbPacket:
        return bytes(RtcpPsfbPacket(fmt=fmt, ssrc=5, media_ssrc=ssrc, fci=fci))
    return struct.pack("!BBHII", 0x80 | fmt, kind, 2 + len(fci) // 4, 5, ssrc) + fci


def nack(ssrc: int, *lost: tuple[int, int]) -> bytes:
    """Pairs of a number and the mask of those behind it."""
    return feedback(205, 1, ssrc, b"".join(struct.pack("!HH", *one) for one in lost))


def wide(base: int, chunks: list[int], deltas: bytes, count: int, reference: int = 1) -> bytes:
    """Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1)."""
    fci = struct.pack("!HHI", base, count, reference << 8) + struct.pack(f"!{len(chunks)}H", *chunks) + deltas
    return feedback(205, 15, CONSUMER, fci + bytes(-len(fci) % 4))


def fir(*ssrcs: int) -> bytes:
    """A full intra request of each."""
    return feedback(206, 4, 0, b"".join(struct.pack("!II", ssrc, 7 << 24) for ssrc in ssrcs))


def h264(payload: bytes, sequence: int, *, marker: bool = True) -> bytes:
    """A packet of the screen."""
    return rtp(sequence, 1, H264_SSRC, payload, payload_type=H264, marker=marker)


def vp9(payload: bytes, sequence: int, *, marker: bool = True) -> bytes:
    """A packet of the second camera."""
    return rtp(sequence, 1, VP9_SSRC, payload, payload_type=VP9, marker=marker)


def av1(payload: bytes, sequence: int, descriptor: Descriptor, *, marker: bool = True) -> bytes:
    """A packet of the third camera, with a dependency descriptor."""
    octets = descriptor.octets()
    block = bytes([DEPENDENCY, len(octets)]) + octets
    block += bytes(-len(block) % 4)
    head = struct.pack("!BBHII", 0x90, AV1 | (0x80 if marker else 0), sequence, 1, AV1_SSRC)
    return head + struct.pack("!HH", 0x1000, len(block) // 4) + block + payload


def framed(*datagrams: bytes) -> bytes:
    """RFC 4571."""
    return b"".join(struct.pack("!H", len(datagram)) + datagram for datagram in datagrams)


def seeds() -> dict[str, dict[str, bytes]]:
    """Folder -> file -> bytes."""
    voice = rtp(1, 960, OPUS_SSRC, bytes(40), payload_type=OPUS, extensions=((LEVEL, b"\x9e"),))
    csrc = struct.pack("!BBHII", 0x82, OPUS, 3, 960, OPUS_SSRC) + bytes(8) + b"xx"
    everything = (
        (MID, b"3"),
        (SEND_TIME, b"\x12\x34\x56"),
        (WIDE, b"\0\1"),
        (LEVEL, b"\x9e"),
        (ORIENTATION, b"\0"),
        (DELAY, b"\0\1\2"),
        (CAPTURE, bytes(8)),
    )
    rich = rtp(5, 960, OPUS_SSRC, bytes(30), payload_type=OPUS, extensions=everything)
    lost_key = simulcast(LOW_SSRC, b"l", 100, KEY)
    repaired = ((MID, b"0"), (REPAIRED_RID, b"l"))
    stun = check(f"{UFRAG}:peer", PASSWORD)
    return {
        "rtp": {
            "plain": voice,
            "contributing-sources": csrc,
            "padding": rtp(6, 960, OPUS_SSRC, bytes(30), payload_type=OPUS, padding=20),
            "padding-only": rtp(11, 1, VP9_SSRC, b"", payload_type=VP9, padding=200),
            "no-payload": rtp(7, 960, OPUS_SSRC, b"", payload_type=OPUS),
        },
        "extensions": {
            "one-byte": rich,
            "two-byte": two_byte(everything),
            "two-byte-app-bits": two_byte(((LEVEL, b"\x20"), (200, bytes(200)), (MID, b"")), 0x100F),
            "only": rtp(12, 960, OPUS_SSRC, b"", payload_type=OPUS, extensions=everything),
            "rid": simulcast(HIGH_SSRC, b"h", 12, b""),
        },
        "vp8": {
            "key-low": lost_key,
            "key-middle": simulcast(LOW_SSRC + 1, b"m", 100, KEY),
            "key-high": simulcast(HIGH_SSRC, b"h", 100, KEY),
            "delta": simulcast(HIGH_SSRC, b"h", 101, vp8(0x124, temporal=1, sync=True, tl0=5, size=60)),
            "middle-of-frame": simulcast(HIGH_SSRC, b"h", 102, vp8(0x124, first=False, tl0=5, size=60)),
            "seven-bit-picture": simulcast(HIGH_SSRC, b"h", 103, b"\x90\x80\x11\1" + bytes(20)),
            "no-picture": simulcast(HIGH_SSRC, b"h", 104, b"\x10\1" + bytes(20)),
        },
        "vp9": {
            "key-structure": vp9(b"\x8e\x81\x23\x40\x10\x01\x00\x00\xf0" + bytes(40), 9),
            "layers": vp9(b"\xac\x11\x21\x05" + bytes(40), 10),
            "flexible": vp9(b"\xf8\x81\x24\x20\x02" + bytes(40), 11),
            "seven-bit-picture": vp9(b"\x8c\x11" + bytes(40), 12),
            "middle-of-frame": vp9(b"\xa0\x81\x24\x21\x05" + bytes(40), 13, marker=False),
            "layers-key": vp9(b"\xbc\x81\x25\x10" + bytes(40), 14, marker=False),
            "layers-key-upper": vp9(b"\xbc\x81\x25\x13" + bytes(40), 15),
            "layers-delta": vp9(b"\xfc\x81\x26\x50\x03\x05\x08" + bytes(40), 16, marker=False),
            "layers-delta-upper": vp9(b"\xfc\x81\x26\x53\x02" + bytes(40), 17),
            "pictures-structure": vp9(
                b"\xae\x81\x27\x10\x07\x38\0\xf0\0\x87\1\xe0\1\x0e\2\x04\x01\x54\x02" + bytes(40), 18
            ),
        },
        "av1": {
            "key": av1(b"\x18\x08" + bytes(30), 9, Descriptor(11, 500, structure=L1T3)),
            "key-middle": av1(b"\x90" + bytes(30), 10, Descriptor(11, 500, first=False)),
            "delta": av1(b"\x10\x30" + bytes(30), 11, Descriptor(14, 501)),
            "bare": rtp(12, 1, AV1_SSRC, b"\x18\x08" + bytes(30), payload_type=AV1, marker=True),
        },
        "dependency": {
            "spatial": av1(b"\x18\x08" + bytes(30), 9, Descriptor(60, 600, structure=LAYERS)),
            "spatial-upper": av1(b"\x10\x30" + bytes(30), 10, Descriptor(63, 601)),
            "spatial-delta": av1(b"\x10\x30" + bytes(30), 11, Descriptor(61, 602, last=False), marker=False),
            "keyed": av1(b"\x18\x08" + bytes(30), 12, Descriptor(60, 610, structure=KEYED, active="0011")),
            "spatial-masked": av1(b"\x10\x30" + bytes(30), 14, Descriptor(62, 603, active="0011")),
            "own": av1(
                b"\x10\x30" + bytes(30),
                13,
                Descriptor(
                    61, 611, active="0011", indications="SDR-", references=(1, 20, 300), chains=(3, 4)
                ),
            ),
        },
        "h264": {
            "key-aggregated": h264(bytes.fromhex("18000367010200026801000465090909"), 9),
            "fragment-begin": h264(b"\x1c\x85" + bytes(60), 10, marker=False),
            "fragment-end": h264(b"\x1c\x45" + bytes(60), 11),
            "single": h264(b"\x41" + bytes(30), 12),
            "key-single": h264(b"\x65" + bytes(30), 13),
            "parameters": h264(b"\x67\x42\x00\x1f" + bytes(10), 14),
        },
        "red": {
            "no-copy": red(b"y" * 40),
            "one-copy": red(b"y" * 40, (960, b"x" * 40)),
            "two-copies": red(b"y" * 40, (1_920, b"w" * 30), (960, b"x" * 40)),
            "empty-copies": red(b"y" * 8, *((960 * back, b"") for back in range(8, 0, -1))),
            "longest": red(b"y" * 40, (16_383, b"w" * 1_023)),
        },
        "rtx": {
            "by-rid": rtp(
                7, 3_000, LOW_RTX_SSRC, b"\0\x65" + KEY, payload_type=RTX_OF_VP8, extensions=repaired
            ),
            "by-ssrc": rtp(
                7, 1, VP9_RTX_SSRC, b"\0\x09\x8e\x81\x23\x40" + bytes(40), payload_type=RTX_OF_VP9
            ),
            "padding": rtp(8, 1, VP9_RTX_SSRC, b"", payload_type=RTX_OF_VP9, padding=100),
            "empty-original": rtp(9, 1, VP9_RTX_SSRC, b"\0\x0b", payload_type=RTX_OF_VP9),
        },
        "rtcp": {
            "sender-report": compound(sender_report(VP9_SSRC, received(CONSUMER)), described(VP9_SSRC)),
            "receiver-report": bytes(
                RtcpRrPacket(ssrc=5, reports=[received(CONSUMER + 2 * n) for n in range(3)])
            ),
            "empty-receiver-report": bytes(RtcpRrPacket(ssrc=5)),
            "goodbye": compound(sender_report(OPUS_SSRC), RtcpByePacket(sources=[OPUS_SSRC])),
            "goodbye-reason": struct.pack("!BBHI", 0x81, 203, 3, OPUS_SSRC) + b"\x07leaving",
            "application": struct.pack("!BBHI4s", 0x80, 204, 2, 5, b"name"),
            "extended-report": struct.pack("!BBHIBBHQ", 0x80, 207, 4, 5, 4, 0, 2, 1 << 40),
            "padding": struct.pack("!BBHI", 0xA0, 201, 2, 5) + b"\0\0\0\4",
        },
        "nack": {
            "one": nack(CONSUMER, (100, 0)),
            "masks": nack(CONSUMER, (100, 0xFFFF), (0xFFFF, 1)),
            "many": nack(CONSUMER + 2, *((17 * n, 0xAAAA) for n in range(60))),
        },
        "keyframes": {
            "pli": feedback(206, 1, CONSUMER, b""),
            "fir": fir(CONSUMER),
            "fir-many": fir(*(CONSUMER + 2 * n for n in range(16))),
        },
        "remb": {
            "one": feedback(206, 15, 0, pack_remb_fci(300_000, [CONSUMER])),
            "many": feedback(206, 15, 0, pack_remb_fci(2**30, [CONSUMER + 2 * n for n in range(16)])),
            "none": feedback(206, 15, 0, pack_remb_fci(0, [])),
        },
        "transport-cc": {
            "run": wide(0, [0x2008], bytes(range(8)), 8),
            "run-of-lost": wide(0, [0x0008], b"", 8),
            "one-bit-vector": wide(0, [0xBFFF], bytes(14), 14),
            "two-bit-vector": wide(0, [0xD555], bytes(7), 7),
            "long-deltas": wide(0, [0x4002], struct.pack("!hh", -4, 32_767), 2, reference=0xFFFFFF),
            "mixed": wide(65_530, [0x2004, 0xD556, 0x0005], bytes(12), 16),
        },
        "framing": {
            "stun": framed(stun),
            "several": framed(stun, b"\x16\xfe\xfd" + bytes(30), stun, voice, stun),
            "empty": framed(b"", stun, b""),
            "longest": framed(b"\0\1" + bytes(1_598), stun),
            "too-long": framed(b"\0\1" + bytes(1_599), stun),
        },
        "stun": {
            "check": stun,
            "nominating": check(f"{UFRAG}:peer", PASSWORD, use_candidate=True),
            "controlled": check(f"{UFRAG}:peer", PASSWORD, controlled=True),
            "wrong-password": check(f"{UFRAG}:peer", "guess"),
            "stranger": check("nobody:peer", "guess"),
            "nameless": bytes(Message(Method.BINDING, Class.REQUEST, TRANSACTION)),
            "answer": bytes(Message(Method.BINDING, Class.RESPONSE, TRANSACTION)),
            "long-name": check(f"{UFRAG}:{'p' * 250}", PASSWORD),
        },
    }


def main() -> None:
    """Write the corpus anew."""
    for folder, files in seeds().items():
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (CORPUS / folder / f"{name}.bin").write_bytes(data)


if __name__ == "__main__":
    main()
