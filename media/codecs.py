"""Which codecs are the same codec: the rules of RFC 3264 offers for H.264 (RFC 6184), VP9 (RFC 9628) and AV1."""

import base64
import binascii
import re
from collections.abc import Iterable
from enum import StrEnum

from media.rtp import Codec, CodecCapability, ParameterValue

# What H.264 means when nobody says: baseline profile, level 1 (RFC 6184 section 8.1).
_DEFAULT_PROFILE_LEVEL_ID = "42000a"

_PROFILE_PARAMETERS = {"video/vp9": "profile-id", "video/av1": "profile"}
_PROFILE_LEVEL_ID = re.compile(r"^[0-9A-Fa-f]{6}$")


class H264Profile(StrEnum):
    """Profiles that WebRTC endpoints name."""

    CONSTRAINED_BASELINE = "constrained baseline"
    BASELINE = "baseline"
    MAIN = "main"
    CONSTRAINED_HIGH = "constrained high"
    HIGH = "high"
    PREDICTIVE_HIGH_444 = "predictive high 4:4:4"


# (profile_idc, mask of the constraint bits that matter, their values): RFC 6184 table 5.
_PROFILES = (
    (0x42, 0b0100_1111, 0b0100_0000, H264Profile.CONSTRAINED_BASELINE),
    (0x4D, 0b1000_1111, 0b1000_0000, H264Profile.CONSTRAINED_BASELINE),
    (0x58, 0b1100_1111, 0b1100_0000, H264Profile.CONSTRAINED_BASELINE),
    (0x42, 0b0100_1111, 0b0000_0000, H264Profile.BASELINE),
    (0x58, 0b1100_1111, 0b1000_0000, H264Profile.BASELINE),
    (0x4D, 0b1010_1111, 0b0000_0000, H264Profile.MAIN),
    (0x64, 0b1111_1111, 0b0000_0000, H264Profile.HIGH),
    (0x64, 0b1111_1111, 0b0000_1100, H264Profile.CONSTRAINED_HIGH),
    (0xF4, 0b1111_1111, 0b0000_0000, H264Profile.PREDICTIVE_HIGH_444),
)
# Whose streams a decoder of the profile shows too (ITU-T H.264, A.2).
_PARTS = {
    H264Profile.MAIN: {H264Profile.CONSTRAINED_BASELINE},
    H264Profile.HIGH: {
        H264Profile.CONSTRAINED_BASELINE,
        H264Profile.MAIN,
        H264Profile.CONSTRAINED_HIGH,
    },
}


def h264_profile(profile_level_id: ParameterValue | None) -> H264Profile | None:
    """The profile of six hexadecimal digits; None where they are not that or name none we know."""
    text = _DEFAULT_PROFILE_LEVEL_ID if profile_level_id is None else str(profile_level_id)
    if not _PROFILE_LEVEL_ID.match(text):
        return None
    profile, constraints = int(text[:2], 16), int(text[2:4], 16)
    for idc, mask, bits, name in _PROFILES:
        if profile == idc and constraints & mask == bits:
            return name
    return None


def parameter_sets(codec: Codec) -> tuple[bytes, ...]:
    """H.264's that were signalled (sprop-parameter-sets, RFC 6184 section 8.1).

    None where they cannot be read: most encoders send them among the pictures too.
    """
    text = str(codec.parameters.get("sprop-parameter-sets", ""))
    try:
        return tuple(base64.b64decode(one, validate=True) for one in text.split(",") if one)
    except (binascii.Error, ValueError):
        return ()


def same_codec(left: Codec, right: Codec) -> bool:
    """Whether what one sends the other can decode; RTX never matches, it follows its media codec.

    RED matches RED, whatever the payload types it carries are called.
    """
    if left.is_rtx or right.is_rtx:
        return False
    if (left.name, left.clock_rate) != (right.name, right.clock_rate):
        return False
    if left.kind == "audio" and left.channel_count != right.channel_count:
        return False
    if left.name == "video/h264":
        return _same_h264(left, right)
    # Levels and tiers bound what is sent, the profile what can be decoded.
    profile = _PROFILE_PARAMETERS.get(left.name)
    return profile is None or _number(left, profile) == _number(right, profile)


def capability_for(codec: Codec, capabilities: Iterable[CodecCapability]) -> CodecCapability | None:
    """Under which capability a sender's codec goes on to others; None: under none.

    Its own where there is one. Else, of H.264, one of which it is a part: single NAL units alone (packetization-mode 0)
    are within mode 1 (RFC 6184 section 6.3), a constrained profile within the whole one. Never the other way.
    """
    known = tuple(capabilities)
    own = next((one for one in known if same_codec(codec, one)), None)
    return own or next((one for one in known if _is_part_of(codec, one)), None)


def parameters_under(codec: Codec, capability: CodecCapability) -> dict[str, ParameterValue]:
    """What is said of the sender's stream to those who take it under the capability: all of it holds of the stream."""
    if codec.name != "video/h264" or same_codec(codec, capability):
        return codec.parameters
    level = str(codec.parameters.get("profile-level-id", _DEFAULT_PROFILE_LEVEL_ID))[4:]
    whole = {
        "packetization-mode": capability.parameters["packetization-mode"],
        "profile-level-id": str(capability.parameters["profile-level-id"])[:4] + level,
    }
    return {**codec.parameters, **whole}


def _is_part_of(codec: Codec, capability: CodecCapability) -> bool:
    if {codec.name, capability.name} != {"video/h264"} or codec.clock_rate != capability.clock_rate:
        return False
    if _number(codec, "packetization-mode") not in {"0", _number(capability, "packetization-mode")}:
        return False
    sent, taken = (h264_profile(one.parameters.get("profile-level-id")) for one in (codec, capability))
    return sent is not None and taken is not None and (sent is taken or sent in _PARTS.get(taken, ()))


def _same_h264(left: Codec, right: Codec) -> bool:
    if _number(left, "packetization-mode") != _number(right, "packetization-mode"):
        return False
    profiles = {h264_profile(codec.parameters.get("profile-level-id")) for codec in (left, right)}
    return len(profiles) == 1 and None not in profiles


def _number(codec: Codec, parameter: str) -> str:
    """A small numeric parameter as text: some clients send 1, some "1"; absent means 0."""
    return str(codec.parameters.get(parameter, 0))
