"""What a person reads when the server has started: where it is, how a phone gets there, the demo's log-ins."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from config import Config
from members.demo import DemoLogin
from rooms.demo import DemoStation
from web.tls import machine_addresses

ANY: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to
LOOPBACK: Final = ("127.", "::1")

PAGES: Final = (
    ("page", "for"),
    ("/consult", "residents, from a phone; no log-in"),
    ("/station", "the screen of a station; asks for its key once"),
    ("/desk", "experts, who have that role above"),
)


FIRST_STEPS: Final = (
    "Nobody can sign in yet. Make the first log-in, the district's administrator (its name is an example):",
    "  .venv/bin/python server.py create-account admin --name 王秀英 --role district_officer \\",
    "      --organization 区委组织部 --new-department",
    "Then organizations, members and their log-ins come from sheets: server.py import --help; docs/operations.md.",
    "To look around first, with invented people: serve --demo, in a data folder of its own.",
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo organization can be tried with."""

    logins: tuple[DemoLogin, ...] = ()
    stations: tuple[DemoStation, ...] = ()


def welcome(config: Config, port: int, demo: Demo, *, empty: bool) -> str:
    """The whole text; `empty`: nobody has a log-in yet."""
    lines = ["", "Huitang is running.", *_addresses(config, port)]
    if demo.logins:
        lines += ["", "The demo's log-ins, good for whoever reaches these addresses:", *demo_lines(demo)]
    if empty:
        lines += ["", *FIRST_STEPS]
    return "\n".join([*lines, "", "Ctrl-C stops it.", ""])


def demo_lines(demo: Demo) -> list[str]:
    """The log-ins, and the keys that make a screen a station."""
    heads = ("level", "username", "password", "name", "roles", "organization")
    logins = [
        (str(one.level), one.username, one.password, one.name, ", ".join(one.roles), one.organization_name)
        for one in demo.logins
    ]
    lines = table([heads, *logins])
    if demo.stations:
        lines += ["", *table([("station key", "station"), *((one.key, one.name) for one in demo.stations)])]
        lines += ["", *table(PAGES)]
    return lines


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns that also Chinese names keep."""
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        ("  " + "  ".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


def _addresses(config: Config, port: int) -> list[str]:
    secure = config.tls.self_signed or config.tls.certificate is not None
    scheme = "https" if secure else "http"
    if config.http.host not in ANY:
        return [f"  {_url(scheme, config.http.host, port)}"]
    others = [one for one in machine_addresses() if not one.startswith(LOOPBACK)]
    lines = [f"  on this machine:  {_url(scheme, 'localhost', port)}"]
    lines += [f"  from others:      {_url(scheme, one, port)}" for one in others]
    if others and not secure:
        lines.append(
            "  Phones and other machines need https for camera and microphone. To try it: "
            "HUITANG_TLS__SELF_SIGNED=true; see docs/network.md."
        )
    if config.tls.self_signed:
        lines.append("  The certificate is self-signed: browsers warn once, choose to go on.")
    return lines


def _url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
