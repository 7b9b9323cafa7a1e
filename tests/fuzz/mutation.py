"""Mutations of seeds: of bytes, and of the fields that parsers trust (lengths, counts, numbers)."""

import random

LONGEST = 1600


def mutate(dice: random.Random, own: list[bytes], others: list[bytes], longest: int = LONGEST) -> bytes:
    """A seed with some bytes changed, cut, doubled or spliced with another's; now and then as it is."""
    packet = bytearray(dice.choice(own))
    for _ in range(dice.choice((0, 1, 1, 2, 4, 16))):
        at = dice.randrange(len(packet) + 1)
        match dice.randrange(9):
            case 0 if packet:
                packet[at - 1] = dice.getrandbits(8)
            case 1 if packet:
                packet[at - 1] ^= 1 << dice.randrange(8)
            case 2:
                del packet[at:]
            case 3:
                packet[at:at] = dice.randbytes(dice.choice((1, 2, 4, 40)))
            case 4:
                packet[at : at + 4] = dice.choice((b"\0", b"\xff\xff\xff\xff", b"\x7f\xff", b"\x80\0"))
            case 5:
                other = dice.choice(others)
                packet[at:] = other[dice.randrange(len(other) + 1) :]
            case 6 if packet:  # a field of one byte, a little more or less than it says
                packet[at - 1] = packet[at - 1] + dice.choice((-2, -1, 1, 2, 4)) & 0xFF
            case 7 if len(packet) > 4:
                resize(dice, packet)
            case _:
                packet[2:4] = dice.randbytes(2)  # the sequence number, or the length of RTCP
    return bytes(packet[:longest])


def resize(dice: random.Random, packet: bytearray) -> None:
    """Let an RTCP packet's length fit, or an RTP packet's extensions or padding claim something else."""
    if 192 <= packet[1] <= 223:
        packet[2:4] = (max(len(packet) // 4 - 1, 0)).to_bytes(2, "big")
        packet[0] = packet[0] & 0xE0 | dice.randrange(32)
    elif packet[0] & 0x10 and len(packet) >= 16:
        at = 12 + 4 * (packet[0] & 0x0F)
        packet[at + 2 : at + 4] = dice.randrange(12).to_bytes(2, "big")
    else:
        packet[0] ^= 0x20
        packet[-1] = dice.randrange(len(packet) + 4) & 0xFF


def pieces(dice: random.Random, stream: bytes) -> list[bytes]:
    """The stream as a network might cut it."""
    cut = []
    while stream:
        length = dice.choice((1, 2, 3, 20, len(stream)))
        cut.append(stream[:length])
        stream = stream[length:]
    return cut
