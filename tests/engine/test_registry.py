"""Model files choose their backbone; the pipeline and its thread run a second one unchanged."""

from __future__ import annotations

import queue
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine import (
    Engine,
    Finished,
    GenerateRequest,
    LayerRequest,
    Progress,
    StateChanged,
    WeightsError,
)
from engine.models import registry
from engine.models.art.backbone import art_of
from engine.pipeline import LayerPipeline
from tests.engine.second_backbone import FORMAT, load_colours, write_model


@pytest.fixture
def colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(registry.LOADERS, FORMAT, load_colours)
    return write_model(tmp_path / "colours.safetensors")


def request(count: int, **more: object) -> GenerateRequest:
    boxes = [(16 * (i % 10), 16 * (i // 10), 16 * (i % 10) + 16, 16 * (i // 10) + 16)
             for i in range(count)]  # fmt: skip
    layers = [LayerRequest(layer_id=0, kind="background", box=(0, 0, 320, 240), seed=3)]
    layers += [LayerRequest(layer_id=i + 1, kind="foreground", box=box, seed=i)
               for i, box in enumerate(boxes)]  # fmt: skip
    return GenerateRequest(
        job_id=1, canvas=(320, 240), prompt="quixotic zeugma", layers=tuple(layers), **more
    )


def test_a_second_backbone_runs_in_the_pipeline(colours: Path) -> None:
    """Another cell, words that no table has, more layers than the shipped model takes."""
    pipeline = LayerPipeline.load(colours, device="cpu")
    assert pipeline.info.token_px == 16
    events: list[object] = []
    done = pipeline.run(request(70, preview_every=1), emit=events.append)
    assert len(done.results) == 71
    assert done.unknown_words == ()
    assert {result.word for result in done.results} == {"quixotic", "zeugma"}
    assert all(result.rgba[..., 3].min() == 255 for result in done.results)
    again = pipeline.run(request(70))
    for one, other in zip(done.results, again.results, strict=True):
        assert np.array_equal(one.rgba, other.rgba)
    steps = [event.step for event in events if isinstance(event, Progress)]
    assert steps == [1, 2, 3, 4, 5]
    with pytest.raises(TypeError, match="ColourBackbone"):
        art_of(pipeline)


def test_the_engine_thread_runs_it_too(colours: Path) -> None:
    events: queue.Queue[object] = queue.Queue()
    engine = Engine(events.put, weights=colours, device="cpu", threads=1)
    engine.start()
    try:
        while not isinstance(event := events.get(timeout=60), StateChanged) or event.info is None:
            assert getattr(event, "state", "") != "failed", event
        engine.submit(request(3))
        while not isinstance(event := events.get(timeout=60), Finished):
            pass
        assert event.model_name == "Colours"
    finally:
        assert engine.shutdown()


def test_files_without_a_backbone_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors", metadata={"format": "other"})
    for name, text in (("other.safetensors", "is not a Layerloom model"), ("none", "is missing")):
        with pytest.raises(WeightsError, match=text):
            LayerPipeline.load(tmp_path / name, device="cpu")
