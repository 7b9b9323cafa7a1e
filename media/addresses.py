"""Which addresses clients are told to reach us at, and the ICE candidates made of them."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import ifaddr

Protocol = Literal["udp", "tcp"]

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# More would only cost every client connectivity checks; machines with many container networks have dozens.
MAX_ADDRESSES = 12

# So many sockets a plane has.
LISTENED_MOST = 8

# Type preferences of host candidates: UDP as RFC 8445 section 5.1.2.2 recommends, TCP below anything that is UDP.
UDP_PREFERENCE = 126
TCP_PREFERENCE = 90
# RFC 6544 section 4.2: the direction preference of a passive candidate in the three highest bits.
PASSIVE = 4 << 13


def machine_addresses() -> list[IpAddress]:
    """Every address of every network interface, without link-local ones, which mean nothing elsewhere."""
    found: list[IpAddress] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if not address.is_link_local:
                found.append(address)
    return found


def announced_addresses(
    configured: Sequence[str], bound: Sequence[str], machine: Iterable[IpAddress]
) -> list[IpAddress]:
    """Best first: what is configured; else the machine's own as far as we listen there, loopback at the end.

    `bound` are the literal addresses we listen on. ValueError for a configured text that is no IP address.
    """
    if configured:
        return [ipaddress.ip_address(text) for text in dict.fromkeys(configured)][:MAX_ADDRESSES]
    listening = [ipaddress.ip_address(text) for text in bound]
    heard = [address for address in dict.fromkeys(machine) if _listens(listening, address)]
    heard.sort(key=lambda address: (address.is_loopback, address.version))
    return heard[:MAX_ADDRESSES]


def listened_addresses(
    bound: Sequence[str], configured: Sequence[str], machine: Iterable[IpAddress]
) -> tuple[str, ...]:
    """Where to listen: `bound`; but if that is everywhere, and all that clients are told is the machine's own, there.

    A UDP socket that listens everywhere answers from the address that the route prefers. Where the machine has several
    that may be another than was asked, and ICE takes no answer from that.
    """
    told = list(dict.fromkeys(ipaddress.ip_address(text) for text in configured))
    everywhere = all(ipaddress.ip_address(text).is_unspecified for text in bound)
    if everywhere and 0 < len(told) <= LISTENED_MOST and set(machine).issuperset(told):
        return tuple(map(str, told))
    return tuple(bound)


def ice_candidates(addresses: Sequence[IpAddress], port: int, *, tcp: bool = False) -> list[dict[str, Any]]:
    """Host candidates as mediasoup-client takes them (`ip` for versions that do not know `address`), UDP first."""
    preferences = range(len(addresses), 0, -1)
    candidates = [
        _candidate(address, port, f"udp{preference}", _priority(UDP_PREFERENCE, preference))
        | {"protocol": "udp"}
        for address, preference in zip(addresses, preferences, strict=True)
    ]
    if tcp:
        candidates += [
            _candidate(address, port, f"tcp{preference}", _priority(TCP_PREFERENCE, PASSIVE | preference))
            | {"protocol": "tcp", "tcpType": "passive"}
            for address, preference in zip(addresses, preferences, strict=True)
        ]
    return candidates


def _candidate(address: IpAddress, port: int, foundation: str, priority: int) -> dict[str, Any]:
    return {
        "foundation": foundation,
        "priority": priority,
        "ip": str(address),
        "address": str(address),
        "port": port,
        "type": "host",
    }


def _listens(listening: Iterable[IpAddress], address: IpAddress) -> bool:
    return any(own == address or (own.is_unspecified and own.version == address.version) for own in listening)


def _priority(type_preference: int, local_preference: int) -> int:
    """RFC 8445 section 5.1.2.1, component 1."""
    return (type_preference << 24) | (local_preference << 8) | (256 - 1)
