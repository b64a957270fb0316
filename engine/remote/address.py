"""Addresses of servers: one spelling each, https for other machines."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from engine.remote.api import RemoteError

_EXAMPLE = "Write it like http://127.0.0.1:8188 or https://gpu.example.org."


def is_loopback(address: str) -> bool:
    """Whether the host of an address is this machine itself."""
    host = (urlsplit(address).hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_address(text: str, *, allows_plain: bool = False) -> str:
    """An address in its one spelling, such as "http://127.0.0.1:8188".

    An address without a scheme gets http for this machine and https for others. A path is kept,
    for servers behind a proxy; a closing slash and "/v1" are not.

    Raises:
        RemoteError: of kind "address": it is no address, has a name or password in it, or would
            send plain text to another machine without `allows_plain`.
    """
    typed = text.strip()
    if not typed:
        raise RemoteError("address", "The address of the server is empty.", _EXAMPLE)
    if "://" not in typed:
        typed = f"http://{typed}" if is_loopback(f"http://{typed}") else f"https://{typed}"
    host, port, scheme, path = _parts(typed)
    if scheme == "http" and not allows_plain and not is_loopback(f"http://{host}"):
        raise RemoteError(
            "address",
            f"{host} is another machine, and http sends prompts, pictures and token unencrypted.",
            "Use https, reach it through an SSH tunnel to 127.0.0.1, or allow plain http for this "
            "connection.",
        )
    place = host if port is None else f"{host}:{port}"
    return f"{scheme}://{place}{path}"


def _parts(typed: str) -> tuple[str, int | None, str, str]:
    """Host (IPv6 in brackets), port, scheme and path without its closing slash."""
    try:
        parts = urlsplit(typed)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise RemoteError("address", f"The address cannot be read: {error}.", _EXAMPLE) from error
    if parts.username is not None or parts.password is not None:
        raise RemoteError(
            "address",
            "The address has a name or a password in it.",
            "Leave it out, and enter the token in its own field.",
        )
    if parts.scheme not in ("http", "https"):
        raise RemoteError(
            "address", f"The address begins with {parts.scheme}://, not http or https.", _EXAMPLE
        )
    if not host or any(c.isspace() or c in "<>\"'\\" for c in typed):
        raise RemoteError("address", "The address has no usable host name.", _EXAMPLE)
    if parts.query or parts.fragment:
        raise RemoteError("address", "The address has a ? or # in it.", _EXAMPLE)
    path = parts.path.rstrip("/").removesuffix("/v1")
    return (f"[{host}]" if ":" in host else host), port, parts.scheme, path
