"""Which addresses may be called: only those of the public internet.

A digest may link to anything, and a server may redirect to anything: to a router's page, to a cloud's
metadata, to a service of this machine. The address that was checked is the one to connect to, since a
name may point elsewhere the next time it is resolved.
"""

import ipaddress
import socket
from contextlib import suppress

from assistant.errors import FetchError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: IPv4 as networks without it see it


def resolve(host: str, port: int) -> list[str]:
    """Look up a host's addresses, in the order to try them. Raises ``FetchError`` if there are none."""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{host} cannot be found: check the link, and the network") from error
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet, looking into those that wrap another."""
    try:
        ip: Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    wrapped = _wrapped(ip)
    if wrapped is not None:
        return is_public(str(wrapped))
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local
    return ip.is_global and not special and not getattr(ip, "is_site_local", False)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own."""
    return ipaddress.ip_address(address).is_loopback


def _wrapped(ip: Address) -> ipaddress.IPv4Address | None:
    """Find the IPv4 address in an IPv6 one: mapped, 6to4 or NAT64."""
    if ip.version == 4:
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour
