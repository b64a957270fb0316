"""Tokens: kept by the keyring, or for this run only, and never in a file or the log."""

from __future__ import annotations

import logging
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from app.session.settings import Settings, save_settings
from app.session.tokens import MOST_TOKEN_CHARS, SERVICE, Tokens, system_ring, token_trouble

HERE, THERE = "http://127.0.0.1:8188", "https://gpu.example.org"
SECRET = "sk-very-secret-7"


class MemoryRing(KeyringBackend):
    """A keyring that keeps secrets safe, in the terms of the package."""

    priority = 5.0  # type: ignore[assignment]

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.trouble: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        self._may_fail()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._may_fail()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._may_fail()
        del self.kept[service, username]

    def _may_fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> MemoryRing:
    """The system's keyring for the length of a test."""
    made = MemoryRing()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


def test_a_token_is_in_the_keyring_under_its_address(ring: MemoryRing) -> None:
    tokens = Tokens()
    assert tokens.is_lasting
    assert tokens.keep(HERE, f" {SECRET}\n")
    assert ring.kept == {(SERVICE, HERE): SECRET}
    assert Tokens().get(HERE) == SECRET, "another run of the program has it"
    assert tokens.get(THERE) is None, "no other address gets it"
    tokens.forget(HERE)
    tokens.forget(HERE)
    assert (ring.kept, tokens.get(HERE)) == ({}, None)


def test_without_a_keyring_a_token_is_kept_for_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    tokens = Tokens()
    assert not tokens.is_lasting
    assert not tokens.keep(HERE, SECRET)
    assert tokens.get(HERE) == SECRET
    assert Tokens().get(HERE) is None
    tokens.forget(HERE)
    assert tokens.get(HERE) is None


def test_a_back_end_that_writes_plain_files_is_none(ring: MemoryRing) -> None:
    """The package calls it not recommended; a token in it would be in a file."""
    ring.priority = 0.5  # type: ignore[assignment]
    assert system_ring() is None
    assert not Tokens().keep(HERE, SECRET)
    assert ring.kept == {}


def test_behind_a_chain_the_first_back_end_counts(
    ring: MemoryRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = MemoryRing()
    plain.priority = 0.5  # type: ignore[assignment]
    chain = type("Chain", (), {"priority": 10, "backends": [ring, plain]})()
    monkeypatch.setattr(keyring, "get_keyring", lambda: chain)
    assert system_ring() is ring
    chain.backends = [plain, ring]
    assert system_ring() is None


def test_a_locked_keyring_does_not_lose_the_token(
    ring: MemoryRing, caplog: pytest.LogCaptureFixture
) -> None:
    """It is kept for this run, and neither log nor settings have a trace of it."""
    ring.trouble = RuntimeError(f"locked, cannot store {SECRET}")
    tokens = Tokens()
    with caplog.at_level(logging.DEBUG):
        assert not tokens.keep(HERE, SECRET)
        assert tokens.get(HERE) == SECRET
        assert tokens.get(THERE) is None
        tokens.forget(HERE)
        assert not tokens.is_lasting
    assert SECRET not in caplog.text
    assert "RuntimeError" in caplog.text
    assert SECRET not in repr(tokens)


def test_a_keyring_that_cannot_be_loaded_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("no D-Bus")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert system_ring() is None


def test_settings_have_no_place_for_a_token(ring: MemoryRing, tmp_path: Path) -> None:
    settings = Settings()
    Tokens().keep(HERE, SECRET)
    save_settings(tmp_path / "settings.json", settings)
    text = (tmp_path / "settings.json").read_text()
    assert SECRET not in text and "token" not in text


def test_what_can_be_no_token_is_said() -> None:
    assert token_trouble("") == token_trouble(f"  {SECRET} \n") == ""
    for text in ("two words", "a\nb", "schlüssel", "x" * (MOST_TOKEN_CHARS + 1)):
        assert token_trouble(text), text
