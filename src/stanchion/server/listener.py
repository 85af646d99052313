"""Listening sockets."""

import errno
import socket
from typing import Final

BACKLOG: Final = 4096  # a thousand clients that reconnect at once must not meet a full queue


class CannotListen(Exception):
    """The address cannot be had. One line for the operator."""


# What a machine says that lacks the family (IPv6, mostly) or the address: the host's other addresses may do.
_ABSENT: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of ``host`` (all interfaces for an empty one), all on the same port.

    Port 0 takes a free one. Raises CannotListen.
    """
    if not 0 <= port <= 65_535:
        raise CannotListen(f"Cannot listen on {host}:{port}: a port is a number from 0 to 65535.")
    sockets: list[socket.socket] = []
    absent: CannotListen | None = None
    for family, address in _addresses(host, port):
        # With port 0, the first socket finds the port that the others share.
        wanted = (address, sockets[0].getsockname()[1] if sockets else port)
        try:
            sockets.append(_listening(family, wanted))
        except OSError as error:
            absent = CannotListen(_reason(wanted, error))
            if error.errno not in _ABSENT:
                _close(sockets)
                raise absent from error
    if not sockets:
        raise absent or CannotListen(f"Cannot listen on {host}:{port}: the host has no address.")
    return sockets


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(f"Cannot listen on {host}:{port}: {error}.") from error
    unique = {(family, str(address[0])): None for family, _, _, _, address in found}
    return [pair for pair in unique if pair[0] in (socket.AF_INET, socket.AF_INET6)]


def _listening(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of an earlier run that still linger in TIME_WAIT must not keep the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        listener.setblocking(False)
        listener.bind(address)
        # SO_REUSEADDR lets two sockets bind one port as long as neither listens: find out now.
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _close(sockets: list[socket.socket]) -> None:
    for listener in sockets:
        listener.close()


def _reason(address: tuple[str, int], error: OSError) -> str:
    host, port = address
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"Cannot listen on {where}: port {port} is in use by another program."
    if error.errno == errno.EACCES:
        return f"Cannot listen on {where}: ports below 1024 need more rights."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"Cannot listen on {where}: this machine does not have the address {host}."
    return f"Cannot listen on {where}: {error.strerror or error}."
