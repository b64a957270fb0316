"""What widgets need of picture servers: connections, reports, errors, addresses in words.

Importing it loads the clients of servers, so only what is about to use one does.
"""

from __future__ import annotations

from engine.remote import (
    Connection,
    OwnGraph,
    RemoteError,
    RemoteModel,
    ServerKind,
    ServerReport,
    checked_address,
    is_loopback,
)

__all__ = [
    "Connection",
    "OwnGraph",
    "RemoteError",
    "RemoteModel",
    "ServerKind",
    "ServerReport",
    "address_trouble",
    "checked_address",
    "needs_permission",
]


def address_trouble(text: str, *, allows_plain: bool) -> str:
    """Why an address cannot be used, in sentences; "" = it can."""
    try:
        checked_address(text, allows_plain=allows_plain)
    except RemoteError as error:
        return f"{error} {error.advice}"
    return ""


def needs_permission(text: str) -> bool:
    """Whether an address would send plain text to another machine."""
    try:
        address = checked_address(text, allows_plain=True)
    except RemoteError:
        return False
    return address.startswith("http://") and not is_loopback(address)
