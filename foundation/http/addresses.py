"""
Which targets an outgoing request may have. Pure.

The lists are explicit. Python's `is_private` and `is_global` differ between versions, call 100.64.0.1 public and do
not look inside the addresses that carry an IPv4 address (NAT64, 6to4, Teredo, mapped).

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

import httpx

from foundation.http.errors import OutgoingRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PUBLIC_PORTS = frozenset({443, 8443})
GREATEST_URL_LENGTH = 2048


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Reachable only where the installation names the host in HTTP_ALLOWED_INTERNAL_HOSTS.
INTERNAL = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",  # carrier-grade NAT
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)
# Never reachable, whoever allows it.
NEVER = _networks(
    "0.0.0.0/8",
    "100.100.100.200/32",  # metadata service (Alibaba)
    "168.63.129.16/32",  # metadata and agent service (Azure), in public space
    "169.254.0.0/16",  # link-local, with the metadata service of most clouds
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",  # 6to4 relays
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "fd00:ec2::254/128",  # metadata service (AWS)
    "fd20:ce::254/128",  # metadata service (Google)
    "2001::/23",  # protocol assignments, among them Teredo and ORCHID
    "2001:db8::/32",
    "2002::/16",  # 6to4: carries an IPv4 address
    "3fff::/20",
)
# The only IPv6 space that is routed. Outside it are, among others, link-local, multicast, mapped and NAT64 addresses.
GLOBAL_UNICAST_6 = ipaddress.ip_network("2000::/3")

NAME = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
# What some resolvers read as a number: 2130706433, 0x7f.1, 0177.0.0.1, 127.1
NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*")


@dataclass(frozen=True)
class Target:
    """A checked address to send to. `internal`: the installation allows internal addresses for this host and port."""

    url: httpx.URL
    host: str
    port: int
    internal: bool


def check_target(url: str, *, allowed_internal: Collection[str] = ()) -> Target:
    """
    Return what a URL names, before any name is resolved.

    `allowed_internal` are entries `host:port` (or `[v6]:port`); for these also plain http is accepted. Everywhere
    else it is https, to port 443 or 8443.

    :raises OutgoingRefused: if the URL is not one that may be sent to
    """
    parsed = _parse(url)
    host = parsed.raw_host.decode("ascii").lower().removesuffix(".")
    _check_host(host)
    port = parsed.port or {"https": 443, "http": 80}.get(parsed.scheme, 0)
    entry = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    internal = entry in {allowed.strip().lower() for allowed in allowed_internal}
    if parsed.scheme != "https" and not (internal and parsed.scheme == "http"):
        raise OutgoingRefused("Only https targets are reached. Use an address that begins with https://.")
    if port not in PUBLIC_PORTS and not internal:
        raise OutgoingRefused(f"Port {port} is not reached. Use 443 or 8443.")
    if isinstance(literal := _literal(host), Address):
        check_address(literal, internal=internal)
    return Target(url=parsed, host=host, port=port, internal=internal)


def check_address(address: Address, *, internal: bool) -> None:
    """
    Refuse an address that is not public, or not internal where that is allowed.

    :raises OutgoingRefused: if it may not be reached
    """
    if any(address in network for network in NEVER if network.version == address.version):
        raise OutgoingRefused("The target's address is reserved and never reached. Use a public address.")
    if any(address in network for network in INTERNAL if network.version == address.version):
        if internal:
            return
        raise OutgoingRefused(
            "The target's address is internal. Use a public one, or ask the operators to allow this host and port."
        )
    if address.version == 6 and address not in GLOBAL_UNICAST_6:
        raise OutgoingRefused("The target's address is not a public IPv6 address. Use a public one.")


def read_address(text: str) -> Address:
    """
    Return the address that a resolver gave.

    :raises OutgoingRefused: if it is none, or is bound to an interface by a zone
    """
    if "%" in text:
        raise OutgoingRefused("The target's address is bound to a network interface. Use a public address.")
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise OutgoingRefused("The target's name does not resolve to an IP address.") from error


def _parse(url: str) -> httpx.URL:
    if len(url) > GREATEST_URL_LENGTH or not url.isprintable() or "\\" in url or any(c.isspace() for c in url):
        raise OutgoingRefused("The target is not a URL that can be used. Write it without spaces or backslashes.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise OutgoingRefused("The target is not a URL. Write one such as https://example.com/hooks.") from error
    if parsed.userinfo or "@" in parsed.netloc.decode("ascii", "replace"):
        raise OutgoingRefused("The target's URL holds a user name. Leave it out; credentials have fields of their own.")
    if parsed.port is not None and not 1 <= parsed.port <= 65535:
        raise OutgoingRefused("The target's port is not one.")
    return parsed


def _check_host(host: str) -> None:
    if not host or "%" in host:
        raise OutgoingRefused("The target has no host name that can be used.")
    if _literal(host) is None and (NUMERIC.fullmatch(host) or not NAME.fullmatch(host)):
        raise OutgoingRefused(
            "The target's host is not a name or a plain address. Write an IPv4 address as four decimal numbers."
        )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
