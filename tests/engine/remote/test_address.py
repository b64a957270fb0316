"""Addresses of servers."""

from __future__ import annotations

import pytest

from engine.remote import Connection, RemoteError, checked_address, is_loopback, open_server


@pytest.mark.parametrize(
    ("typed", "spelling"),
    [
        ("127.0.0.1:8188", "http://127.0.0.1:8188"),
        (" http://localhost:8188/ ", "http://localhost:8188"),
        ("HTTP://LOCALHOST:8188", "http://localhost:8188"),
        ("http://[::1]:8188", "http://[::1]:8188"),
        ("gpu.example.org", "https://gpu.example.org"),
        ("https://gpu.example.org:8443/comfy/", "https://gpu.example.org:8443/comfy"),
        ("https://gpu.example.org/v1", "https://gpu.example.org"),
    ],
)
def test_an_address_has_one_spelling(typed: str, spelling: str) -> None:
    assert checked_address(typed) == spelling
    assert checked_address(spelling) == spelling


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "empty"),
        ("http://gpu.example.org:8188", "another machine"),
        ("http://192.168.1.5:8188", "another machine"),
        ("http://127.0.0.1.example.org", "another machine"),
        ("ftp://127.0.0.1", "ftp://"),
        ("https://me:secret@gpu.example.org", "a name or a password"),
        ("http://127.0.0.1:99999", "cannot be read"),
        ("http://127.0.0.1:8188/?a=1", "? or #"),
        ("https://", "no usable host"),
        ("https://a b", "no usable host"),
    ],
)
def test_other_addresses_are_refused_with_advice(typed: str, words: str) -> None:
    with pytest.raises(RemoteError) as caught:
        checked_address(typed)
    assert caught.value.kind == "address" and words in str(caught.value) and caught.value.advice
    assert "secret" not in f"{caught.value} {caught.value.advice}"


def test_plain_http_to_another_machine_needs_permission() -> None:
    plain = "http://192.168.1.5:8188"
    assert checked_address(plain, allows_plain=True) == plain
    with pytest.raises(RemoteError, match="another machine"):
        open_server(Connection(kind="comfyui", address=plain))
    open_server(Connection(kind="comfyui", address=plain, allows_plain=True))


def test_loopback_is_this_machine() -> None:
    here = ("http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:5", "http://a.localhost")
    assert all(map(is_loopback, here))
    assert not any(map(is_loopback, ("http://10.0.0.1", "http://localhost.example.org")))
