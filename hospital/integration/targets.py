"""Where a webhook may go, and the one way to post there.

Whoever may enter a webhook's address must not reach the house's own network with it (SSRF): the name is resolved
here, every address it has must be public or in settings.WEBHOOK_NETWORKS, and the connection goes to the very
address that was looked at. Redirects are not followed.
"""

import http.client
import ipaddress
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused

SECONDS = 5.0
"""For all of it: connecting, handing over and the first line of the answer."""


class BadTarget(Refused):
    """The reason is a sentence for the page where the address is entered."""

    code = "bad_target"
    status = 422
    message = _("这个地址不能推送：%(reason)s。")
    next_step = _("请换一个对方系统的地址；院内网段由系统管理员在 WEBHOOK_NETWORKS 里开放。")


@dataclass(frozen=True)
class Target:
    """An address taken apart: nothing in it is read twice in two ways."""

    secure: bool
    host: str
    port: int
    path: str


def read(url: str) -> Target:
    """Take an address apart. Raises BadTarget with the reason; asks no name server."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadTarget(reason=_("写法不对")) from None
    schemes = {"https", "http"} if settings.WEBHOOK_PLAIN_HTTP else {"https"}
    if parts.scheme not in schemes:
        raise BadTarget(reason=_("必须以 https:// 开头"))
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise BadTarget(reason=_("只能写主机、端口和路径，不能带账号"))
    if not url.isascii() or any(character <= " " for character in url):
        raise BadTarget(reason=_("不能有空格或中文"))
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure=secure, host=parts.hostname, port=port or (443 if secure else 80), path=path)


def addresses(target: Target) -> list[str]:
    """What the name stands for now. Raises BadTarget if any of it lies where we must not go, OSError if unknown."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    resolved = list(dict.fromkeys(row[4][0] for row in found))
    for text in resolved:
        if not _may_go_to(ipaddress.ip_address(text.partition("%")[0])):
            raise BadTarget(reason=_("它指向内部网络"))
    return resolved


def _may_go_to(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    address = inner or address
    if any(address in network for network in _networks() if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast


def _networks() -> list:
    return [ipaddress.ip_network(text) for text in settings.WEBHOOK_NETWORKS]


class _Pinned(http.client.HTTPConnection):
    """Connects to the addresses that were looked at, one after the other; the certificate is still the host's."""

    def __init__(self, target: Target, found: list[str]):
        super().__init__(target.host, target.port, timeout=SECONDS)
        self._target, self._found = target, found

    def connect(self):
        self.sock = self._first_that_answers()
        if self._target.secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._target.host)

    def _first_that_answers(self) -> socket.socket:
        *others, last = self._found
        for address in others:
            with suppress(OSError):
                return socket.create_connection((address, self._target.port), self.timeout / len(self._found))
        return socket.create_connection((last, self._target.port), self.timeout / len(self._found))


def post(*, url: str, body: bytes, headers: dict[str, str]) -> int:
    """Hand a message over. Returns the HTTP status; the answer's text is not read.

    Raises BadTarget, or what networks raise (OSError, http.client.HTTPException).
    """
    target = read(url)
    connection = _Pinned(target, addresses(target))
    end = Timer(SECONDS, _cut, [connection])  # a timeout counts each read anew; a dripping server would keep us
    end.daemon = True
    end.start()
    try:
        connection.request("POST", target.path, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        end.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(AttributeError, OSError):  # not connected yet, or over already
        connection.sock.shutdown(socket.SHUT_RDWR)
