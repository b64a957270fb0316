"""Graphs as data: the shipped ones against the recorded schema, and a user's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.remote import OwnGraph, RemoteError, open_server
from engine.remote.graph_check import choices_of, problems_of
from engine.remote.graphs import Graph, filled, own_graph, shipped_graphs
from tests.engine.remote.fake_server import QUICK, drawn, fake_server, schema
from tests.engine.remote.watching import Watching, a_job

OWN = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
            "seed": 1,
            "steps": 20,
            "cfg": 7.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "plain.safetensors"}},
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 512, "batch_size": 1},
    },
    "6": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "old prompt", "clip": ["4", 1]},
        "_meta": {"title": "Positive"},
    },
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "mine"}},
    "10": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}},
    "12": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
}


def written(path: Path, graph: Any = OWN) -> str:
    path.write_text(json.dumps(graph), encoding="utf-8")
    return str(path)


def mine(tmp_path: Path, **more: Any) -> OwnGraph:
    usual = {"prompt": "Positive.text, 12.text", "output": "9", "seed": "3.seed"}
    sizes = {"width": "5.width", "height": "5.height"}
    path = written(tmp_path / "mine.json")
    return OwnGraph(**{**usual, **sizes, "path": path, **more})


@pytest.mark.parametrize("graph", shipped_graphs(), ids=lambda graph: graph.name)
def test_shipped_graphs_fit_the_schema(graph: Graph) -> None:
    """Names and types of each input, values of each list, for both kinds of pictures."""
    assert graph.title and graph.note and graph.memory_gb
    nodes = schema()
    for choice in choices_of(graph, nodes, "0.38.0"):
        assert choice.model.missing == ()
        for alpha in (True, False):
            made = filled(choice.graph, a_job(alpha=alpha, negative="none", steps=3))
            assert list(problems_of(choice.graph, made, nodes)) == []
            values = [str(v) for node in made.values() for v in node["inputs"].values()]
            assert any("a red ball" in value for value in values)
            assert {"64", "96", "7", "3"} <= set(values)
    assert "/" not in graph.name


def test_each_field_of_a_header_is_in_its_graph() -> None:
    for graph in shipped_graphs():
        fields = [field for fields in graph.fields.values() for field in fields]
        for field in [*fields, *(file.field for file in graph.files)]:
            node, name = field.rsplit(".", 1)
            assert name in graph.nodes[node]["inputs"], (graph.name, field)
        for ending in (graph.cutout, graph.opaque):
            assert graph.nodes[ending.output]["class_type"] == "PreviewImage"


def test_only_nodes_that_lead_to_the_picture_are_sent() -> None:
    (plain,) = [graph for graph in shipped_graphs() if graph.name == "checkpoint"]
    cut, whole = filled(plain, a_job()), filled(plain, a_job(alpha=False))
    assert set(plain.nodes) == set(cut) | set(whole)
    assert "RemoveBackground" not in {node["class_type"] for node in whole.values()}
    assert plain.nodes["2"]["inputs"]["text"] == ""


def test_a_fingerprint_follows_files_and_nodes_only() -> None:
    graph = shipped_graphs()[0]
    (choice,) = choices_of(graph, schema(), "0.38.0")
    other = schema(files={"unet_name": ["ming_image_0.1_design_bf16.safetensors"]})
    (another,) = choices_of(graph, other, "0.38.0")
    assert choice.model.fingerprint != another.model.fingerprint
    assert choice.model.fingerprint == choices_of(graph, schema(), "0.39.0")[0].model.fingerprint


def test_a_graph_of_the_user_is_run(tmp_path: Path) -> None:
    with fake_server() as fake:
        server = open_server(fake.connection(own_graph=mine(tmp_path)), None, QUICK)
        (model,) = server.connect().models
        assert (model.title, model.is_usable, model.makes_alpha) == ("mine", True, False)
        job = a_job(alpha=False)
        server.submit(job)
        assert np.array_equal(server.collect(job, Watching()), drawn(64, 96, 7, alpha=False))
        sent = fake.asked[-1 - fake.paths()[::-1].index("/prompt")][2]["prompt"]
    assert sent["6"]["inputs"]["text"] == "a red ball"
    assert sent["7"]["inputs"]["text"] == "" and sent["3"]["inputs"]["steps"] == 20
    assert not {"10", "12"} & set(sent)


def test_a_graph_of_cutouts_may_have_a_second_output(tmp_path: Path) -> None:
    graph = own_graph(mine(tmp_path, output="9, 10", makes_alpha=True))
    cut, whole = filled(graph, a_job()), filled(graph, a_job(alpha=False))
    assert ("9" in cut, "10" in cut) == (True, False) == ("10" in whole, "9" in whole)
    graph = own_graph(mine(tmp_path, makes_alpha=True))
    assert filled(graph, a_job()) == filled(graph, a_job(alpha=False))


def test_an_opaque_graph_refuses_a_cutout_before_anything_is_queued(tmp_path: Path) -> None:
    with fake_server() as fake:
        server = open_server(fake.connection(own_graph=mine(tmp_path)), None, QUICK)
        with pytest.raises(RemoteError, match="makes opaque pictures"):
            server.submit(a_job())
        with pytest.raises(RemoteError, match="no input for the number of steps"):
            server.submit(a_job(alpha=False, steps=4))
        assert "/prompt" not in fake.paths()


def test_what_a_graph_of_the_user_lacks_is_named(tmp_path: Path) -> None:
    graph = json.loads(json.dumps(OWN))
    graph["4"]["inputs"]["ckpt_name"] = "gone.safetensors"
    graph["11"] = {"class_type": "MyNode", "inputs": {"images": ["8", 0]}}
    graph["9"]["inputs"]["images"] = ["11", 0]
    path = written(tmp_path / "other.json", graph)
    with fake_server() as fake:
        connection = fake.connection(own_graph=mine(tmp_path, path=path))
        (model,) = open_server(connection, None, QUICK).connect().models
    assert model.missing == (
        "node MyNode",
        "4.ckpt_name of node CheckpointLoaderSimple (4): 'gone.safetensors' is not there",
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"prompt": "99.text"}, "no node “99”"),
        ({"prompt": "6.words"}, "no field “words”"),
        ({"prompt": "text"}, "names no field"),
        ({"prompt": ""}, "no input for the prompt"),
        ({"output": "Nothing"}, "no node “Nothing”"),
        ({"output": "9, 10"}, "2 outputs are named"),
        ({"prompt": "12.text"}, "does not lead to the output 9"),
        ({"output": "CLIPTextEncode"}, "2 nodes titled “CLIPTextEncode”"),
    ],
)
def test_names_that_the_graph_lacks(tmp_path: Path, more: dict[str, str], words: str) -> None:
    with pytest.raises(RemoteError, match=words) as caught:
        own_graph(mine(tmp_path, **more))
    assert caught.value.kind == "missing" and caught.value.advice


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"nodes": [], "links": []}', "not in API format"),
        ("[1, 2]", "no graph in API format"),
        ('{"1": {"class_type": "A"}}', "no graph in API format"),
        ("not json", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
    ],
)
def test_files_that_are_no_graphs(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RemoteError, match=words):
        own_graph(OwnGraph(path=str(path), prompt="6.text", output="9"))
    with pytest.raises(RemoteError, match="cannot be read"):
        own_graph(OwnGraph(path=str(tmp_path / "none.json"), prompt="6.text", output="9"))
