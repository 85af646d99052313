"""What a trusted proxy says about the client behind it."""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed; by default nobody's."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = tuple(networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, peer_ip: str, forwarded_for: str, forwarded_proto: str, secure: bool) -> tuple[str, bool]:
        """The client's own address and whether it came by HTTPS, for a connection from ``peer_ip``.

        The address is the last in X-Forwarded-For that is not a proxy of ours: what stands before it, the client
        may have written itself.
        """
        if not self._is_proxy(peer_ip):
            return peer_ip, secure
        addresses = [part.strip() for part in forwarded_for.split(",") if part.strip()]
        client_ip = next((address for address in reversed(addresses) if not self._is_proxy(address)), None)
        return client_ip or peer_ip, secure or forwarded_proto.strip().lower() == "https"

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)
