"""Which addresses clients are told to reach us at, and the ICE candidates made of them."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

import ifaddr

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# More would only cost every client connectivity checks; machines with many container networks have dozens.
MAX_CANDIDATES = 12


def machine_addresses() -> list[IpAddress]:
    """Every address of every network interface, without link-local IPv6, which means nothing elsewhere."""
    found: list[IpAddress] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if not (address.version == 6 and address.is_link_local):  # noqa: PLR2004 - the number is the name
                found.append(address)
    return found


def announced_addresses(
    configured: Sequence[str], bound: Sequence[str], machine: Iterable[IpAddress]
) -> list[IpAddress]:
    """Best first: what is configured; else the machine's own as far as we listen there, loopback at the end.

    `bound` are the literal addresses we listen on. ValueError for a configured text that is no IP address.
    """
    if configured:
        return [ipaddress.ip_address(text) for text in dict.fromkeys(configured)][:MAX_CANDIDATES]
    listening = [ipaddress.ip_address(text) for text in bound]
    heard = [address for address in dict.fromkeys(machine) if _listens(listening, address)]
    heard.sort(key=lambda address: (address.is_loopback, address.version))
    return heard[:MAX_CANDIDATES]


def ice_candidates(addresses: Sequence[IpAddress], port: int) -> list[dict[str, Any]]:
    """Host candidates as mediasoup-client takes them (`ip` for versions that do not know `address`)."""
    return [
        {
            "foundation": f"host{index}",
            "priority": _priority(len(addresses) - index),
            "ip": str(address),
            "address": str(address),
            "protocol": "udp",
            "port": port,
            "type": "host",
        }
        for index, address in enumerate(addresses)
    ]


def _listens(listening: Iterable[IpAddress], address: IpAddress) -> bool:
    return any(own == address or (own.is_unspecified and own.version == address.version) for own in listening)


def _priority(local_preference: int) -> int:
    """RFC 8445 section 5.1.2.1: type preference 126 for host, component 1."""
    return (126 << 24) | (local_preference << 8) | (256 - 1)
