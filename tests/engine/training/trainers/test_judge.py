"""The judge: what it is fed, what it answers, and how its checkpoint is read."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.training.data.concepts import FIRST, concepts_of
from engine.training.data.sprites import SpritePack
from engine.training.eval.judges import (
    INPUT_PX,
    Judge,
    JudgeNet,
    fit,
    judge_path,
    load_net,
    on_backdrop,
)
from engine.training.trainers.judge import (
    SOURCE_PX,
    JudgeData,
    JudgeObjective,
    gaussian_blur,
    save_net,
)
from engine.training.trainers.loop import train
from tests.engine.training.toy_art import toy_pack


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def data() -> JudgeData:
    return JudgeData(pack_of("sun", "moon", "house", "car", "dog", "cat"), seed=1)


def pack_of(*nouns: str) -> SpritePack:
    """Some nouns of the toy art, in three looks."""
    pack = toy_pack()
    keys = [(noun, look) for noun in nouns for look in FIRST.looks[:3]]
    return SpritePack({key: pack.drawings[key] for key in keys}, "few")


def square(top: int, left: int, side: int, canvas: int = 100) -> np.ndarray:
    rgba = np.zeros((canvas, canvas, 4), np.uint8)
    rgba[top : top + side, left : left + side] = 255, 0, 0, 255
    return rgba


def test_fit_does_not_depend_on_place_and_size() -> None:
    first, second = fit(square(0, 70, 20), 64), fit(square(30, 10, 40), 64)
    np.testing.assert_allclose(first, second, atol=0.02)
    assert first.shape == (4, 64, 64)
    assert first[3, 32, 32] == first[0, 32, 32] == 1
    assert first[3, 0, 0] == 0


def test_fit_overlooks_a_speck_and_takes_nothing() -> None:
    speckled = square(40, 40, 30)
    speckled[2, 2] = 9, 9, 9, 120
    np.testing.assert_allclose(fit(speckled, 64), fit(square(40, 40, 30), 64), atol=0.02)
    assert not fit(np.zeros((32, 64, 4), np.uint8), 64).any()


def test_batches_are_valid_pictures_with_some_that_show_nothing(data: JudgeData) -> None:
    inputs, nouns, looks = data.batch(40)
    assert inputs.shape == (40, 4, INPUT_PX, INPUT_PX)
    assert inputs.isfinite().all()
    assert inputs.min() >= 0
    assert inputs.max() <= 1.001
    assert (nouns == data.other).sum() == 8
    assert set(looks.tolist()) <= {0, 1, 2}


def test_the_same_seed_gives_the_same_batches() -> None:
    few = pack_of("sun", "moon")
    first, second = (JudgeData(few, seed=5).batch(8) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_every_way_to_spoil_changes_the_picture(data: JudgeData) -> None:
    pictures, others = data.sources[:6], data.sources[-6:]
    for way in (data._blobs, data._halves, data._two_things, data._melted, data._shuffled):
        spoilt = way(pictures, others)
        assert spoilt.shape == (6, 4, SOURCE_PX, SOURCE_PX)
        assert (spoilt - pictures).abs().mean() > 0.02


def test_blur_keeps_the_sum_and_zero_keeps_the_picture() -> None:
    x = torch.zeros(2, 4, 33, 33)
    x[:, :, 16, 16] = 1
    blurred = gaussian_blur(x, torch.tensor([0.0, 2.0]))
    assert torch.equal(blurred[0], x[0])
    assert blurred[1, 0].sum() == pytest.approx(1, abs=1e-4)
    assert blurred[1, 0, 16, 16] < 0.1


def test_the_backdrop_shows_where_a_layer_lets_it_through() -> None:
    x = torch.zeros(1, 4, 2, 2)
    x[0, :, 0, 0] = torch.tensor([0.25, 0.0, 0.0, 0.5])
    shown = on_backdrop(x, (1.0, 1.0, 1.0))
    assert shown[0, :, 0, 0].tolist() == [0.75, 0.5, 0.5, 0.5]


def test_training_learns_and_the_checkpoint_answers_alike(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = JudgeNet()
    objective = JudgeObjective(net, pack_of("sun", "moon", "house"), batch=16, seed=1)
    options = argparse.Namespace(steps=20, minutes=1e9, lr=3e-3, decay=0.6)
    steps = train(objective, options, warmup=5)
    assert steps == 20
    report = objective.state["report"]
    assert set(report) >= {"mixture, noun", "mixture, other", "blur 0.0, noun", "blur 0.0, look"}
    assert report["blur 0.0, noun"] > 0.6
    path = tmp_path / "judge.safetensors"
    save_net(net, path, report, "abc")
    layers = [square(10, 10, 60), square(0, 0, 0), np.full((96, 64, 4), 200, np.uint8)]
    first, second = Judge(net).judge(layers), Judge.load(path, "abc").judge(layers)
    assert [v.empty for v in first] == [False, True, False]
    assert first[1].noun is None
    for one, two in zip(first, second, strict=True):
        np.testing.assert_allclose(one.noun_shares, two.noun_shares, atol=1e-5)
        assert one.noun_shares.sum() == pytest.approx(1, abs=1e-4)
        assert one.noun is None or one.noun in FIRST.noun_names
    assert Judge(net).judge([]) == []
    # A pack that was made anew between training and evaluation once cost all fish.
    with pytest.raises(ValueError, match="other sprites"):
        Judge.load(path, "def")
    going_on, metadata = load_net(path)
    assert metadata["sprites"] == "abc"
    for name, value in net.state_dict().items():
        assert torch.equal(going_on.state_dict()[name], value)


def test_a_missing_or_foreign_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="layerloom train judge"):
        Judge.load(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="train it again"):
        Judge.load(broken)


def test_a_judge_of_a_later_stage_says_so_in_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "judge.safetensors"
    net = JudgeNet(concepts_of(4))
    save_net(net, path, {}, "abc")
    verdict = Judge.load(path, stage=4).judge([square(10, 10, 60)])[0]
    assert verdict.noun_shares.shape == (280,)
    with pytest.raises(ValueError, match="of stage 4, not 3"):
        Judge.load(path, stage=3)


def test_the_kept_judge_answers_where_none_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge of the model card's figures comes with the repository; a trained one goes first."""
    monkeypatch.chdir(tmp_path)
    kept = judge_path(3)
    assert Judge.load(kept, stage=3).judge([square(10, 10, 60)])[0].noun_shares.shape == (201,)
    trained = Path("runs/judge/judge-3.safetensors")
    save_net(JudgeNet(concepts_of(3)), trained, {}, "abc")
    assert judge_path(3) == trained


def test_every_colour_of_a_thing_is_a_picture_of_its_own() -> None:
    pack = toy_pack()
    keys = (("car", "flat"), ("sun", "flat"))
    few = SpritePack({key: pack.drawings[key] for key in keys}, "few")
    assert len(JudgeData(few, 0).sources) == 1 + 11 + 1
