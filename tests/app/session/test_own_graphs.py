"""A graph of the user: what its file offers to connect, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.session.own_graphs import GraphFileError, read_graph_file

GRAPH: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 5,
            "steps": 20,
            "cfg": 2.5,
            "denoise": True,
            "sampler_name": "euler",
            "positive": ["7", 0],
            "negative": ["6", 0],
        },
    },
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry"}},
    "7": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "a cat"},
        "_meta": {"title": "Positive"},
    },
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["8", 0]}},
}


def written(path: Path, data: object) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def test_inputs_are_offered_by_their_kind(tmp_path: Path) -> None:
    choices = read_graph_file(written(tmp_path / "graph.json", GRAPH))
    assert [each.name for each in choices.texts] == [
        "3.sampler_name",
        "6.text",
        "7.text",
        "9.filename_prefix",
    ]
    assert [each.name for each in choices.numbers] == [
        "3.seed",
        "3.steps",
        "3.cfg",
        "5.width",
        "5.height",
    ]
    assert [each.name for each in choices.outputs] == ["9", "3", "5", "6", "7"]
    assert {each.name: each.shown for each in choices.texts}["7.text"] == "7.text · Positive"


def test_the_usual_names_are_guessed(tmp_path: Path) -> None:
    """The text behind the sampler's negative input is not the prompt, though it stands first."""
    choices = read_graph_file(written(tmp_path / "graph.json", GRAPH))
    assert choices.likely == {
        "prompt": "7.text",
        "negative": "6.text",
        "output": "9",
        "seed": "3.seed",
        "width": "5.width",
        "height": "5.height",
        "steps": "3.steps",
    }
    titled = {
        "1": {**GRAPH["6"], "_meta": {"title": "Negative prompt"}},
        "2": GRAPH["7"],
    }
    likely = read_graph_file(written(tmp_path / "titled.json", titled)).likely
    assert (likely["prompt"], likely["negative"], likely["output"]) == ("2.text", "1.text", "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("not json", "cannot be read as JSON"),
        ("[" * 200_000, "cannot be read as JSON"),
        ({"nodes": [], "links": []}, "Export (API)"),
        ({}, "no graph in the API format"),
        ([1], "no graph in the API format"),
        ({"1": {"class_type": "X"}}, "no graph in the API format"),
    ],
)
def test_files_that_are_no_graph_are_named(tmp_path: Path, data: object, said: str) -> None:
    with pytest.raises(GraphFileError, match=r"graph\.json") as caught:
        read_graph_file(written(tmp_path / "graph.json", data))
    assert said in str(caught.value)


def test_a_missing_or_huge_file_is_no_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GraphFileError):
        read_graph_file(tmp_path / "none.json")
    monkeypatch.setattr("app.session.own_graphs.MOST_GRAPH_BYTES", 10)
    with pytest.raises(GraphFileError, match="too large"):
        read_graph_file(written(tmp_path / "graph.json", GRAPH))
