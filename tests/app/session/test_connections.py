"""Connections in the settings: what is kept, what is refused, what the user agreed to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.session.connections import NO_SERVER, Connections, new_connection, place_of
from app.session.server_types import Connection, OwnGraph, address_trouble, needs_permission
from app.session.settings import Settings, load_settings, save_settings

COMFY = Connection(kind="comfyui", address="http://127.0.0.1:8188", model="ming-design")
GRAPH = OwnGraph(path="/graphs/mine.json", prompt="6.text", output="9", seed="3.seed")
OWN = Connection(kind="comfyui", address="https://gpu.example.org", own_graph=GRAPH)


def test_connections_come_back_after_a_restart(tmp_path: Path) -> None:
    settings = Settings()
    connections = Connections(settings)
    first, second = new_connection(COMFY), new_connection(OWN)
    connections.put(first)
    connections.put(second)
    connections.use(second.id)
    connections.agree(OWN.address, "Ming")
    save_settings(tmp_path / "settings.json", settings)
    read, trouble = load_settings(tmp_path / "settings.json")
    again = Connections(read)
    assert trouble == ""
    assert list(again) == [first, second]
    assert again.in_use == second
    assert again.has_agreed(OWN.address, "Ming")
    assert not again.has_agreed(OWN.address, "Qwen")
    assert not again.has_agreed(COMFY.address, "Ming")


def test_nothing_is_connected_at_first() -> None:
    connections = Connections(Settings())
    assert (len(connections), connections.in_use) == (0, None)


def test_changes_are_announced_and_written_at_once() -> None:
    settings = Settings()
    connections = Connections(settings)
    changes: list[int] = []
    connections.changed.connect(lambda: changes.append(len(connections)))
    saved = new_connection(COMFY)
    connections.put(saved)
    connections.use(saved.id)
    assert settings.engine == saved.id
    assert settings.connections[0]["address"] == COMFY.address
    connections.remove(saved.id)
    assert changes == [1, 1, 0]
    assert (settings.connections, settings.engine) == ([], NO_SERVER)
    connections.use("unknown")
    assert connections.in_use is None


def test_agreements_end_with_the_last_connection_to_an_address() -> None:
    """Who removes a server and adds it again is asked again."""
    settings = Settings()
    connections = Connections(settings)
    first, second = new_connection(COMFY), new_connection(COMFY)
    other = new_connection(OWN)
    for each in (first, second, other):
        connections.put(each)
    connections.agree(COMFY.address, "Ming Design")
    connections.agree(OWN.address, "Ming Design")
    connections.remove(first.id)
    assert connections.has_agreed(COMFY.address, "Ming Design")
    connections.remove(second.id)
    assert not connections.has_agreed(COMFY.address, "Ming Design")
    assert connections.has_agreed(OWN.address, "Ming Design")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "a1111"},
        {"address": "http://gpu.example.org"},  # plain, and not allowed
        {"address": 7},
        {"model": None},
        {"allows_plain": "yes"},
        {"own_graph": {"path": "x"}},
        {"own_graph": 3},
        {"id": ""},
        {"id": ["a"]},
    ],
)
def test_what_is_no_connection_is_left_out(change: dict[str, object]) -> None:
    """A settings file that was changed by hand costs that entry and no more."""
    settings = Settings()
    Connections(settings).put(new_connection(COMFY))
    good = settings.connections[0]
    settings.connections = [{**good, **change}, {**good, "id": "good"}]
    assert [each.id for each in Connections(settings)] == ["good"]


def test_settings_of_another_shape_fall_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        json.dumps({"connections": ["x", {}], "agreed_servers": [1, "a b"], "engine": 3})
    )
    settings, _ = load_settings(path)
    assert (settings.connections, settings.agreed_servers, settings.engine) == ([{}], ["a b"], "")
    assert len(Connections(settings)) == 0


def test_an_address_is_judged_in_words() -> None:
    assert address_trouble("127.0.0.1:8188", allows_plain=False) == ""
    trouble = address_trouble("http://gpu.example.org", allows_plain=False)
    assert "another machine" in trouble and "https" in trouble
    assert address_trouble("http://gpu.example.org", allows_plain=True) == ""
    assert needs_permission("http://gpu.example.org:8188")
    assert not needs_permission("https://gpu.example.org")
    assert not needs_permission("http://localhost:8188")
    assert not needs_permission("not an address")
    assert place_of("https://gpu.example.org/comfy") == "gpu.example.org/comfy"
