"""The judge: what it is fed, what it answers, and how its checkpoint is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.training.concepts import FIRST, concepts_of
from engine.training.judge import (
    Judge,
    JudgeNet,
    judge_path,
    load_net,
    save,
    train_judge,
    validate,
)
from engine.training.judge_data import (
    INPUT_PX,
    SOURCE_PX,
    JudgeData,
    fit,
    gaussian_blur,
    on_backdrop,
    to_bytes,
)
from engine.training.sprites import SpritePack
from tests.engine.training.toy_art import toy_pack


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def data() -> JudgeData:
    return JudgeData(toy_pack(), seed=1)


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
    pack = toy_pack()
    few = SpritePack(dict(list(pack.sprites.items())[:6]), "few")
    first, second = (JudgeData(few, seed=5).batch(8) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_every_way_to_spoil_changes_the_picture(data: JudgeData) -> None:
    pictures, others = data.sources[:6], data.sources[40:46]
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


def test_backdrop_and_bytes_go_together() -> None:
    x = torch.zeros(1, 4, 2, 2)
    x[0, :, 0, 0] = torch.tensor([0.25, 0.0, 0.0, 0.5])
    shown = on_backdrop(x, (1.0, 1.0, 1.0))
    assert shown[0, :, 0, 0].tolist() == [0.75, 0.5, 0.5, 0.5]
    assert to_bytes(x[0])[0, 0].tolist() == [128, 0, 0, 128]
    assert to_bytes(x[0])[1, 1].tolist() == [0, 0, 0, 0]


def test_training_learns_and_the_checkpoint_answers_alike(tmp_path: Path) -> None:
    pack = toy_pack()
    few = {key: rgba for key, rgba in pack.sprites.items() if key[0] in ("sun", "moon", "house")}
    data = JudgeData(SpritePack(few, "few"), seed=1)
    torch.manual_seed(0)
    net = JudgeNet()
    steps = train_judge(net, data, steps=16, minutes=5, batch=16, lr=2e-3)
    assert steps == 16
    assert validate(net, data, 4, 0.0)["noun"] > 0.6
    path = tmp_path / "judge.safetensors"
    save(net, path, {"steps": steps}, "abc")
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
    assert validate(going_on, data, 4, 0.0)["noun"] > 0.6


def test_training_ends_when_the_minutes_are_over(data: JudgeData) -> None:
    net = JudgeNet()
    assert train_judge(net, data, steps=100, minutes=0.00001, batch=4, lr=1e-3) <= 1


def test_a_missing_or_foreign_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="layerloom train judge"):
        Judge.load(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="train it again"):
        Judge.load(broken)


def test_a_judge_of_a_later_stage_says_so_in_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "judge.safetensors"
    net = JudgeNet(concepts_of(2))
    save(net, path, {}, "abc")
    verdict = Judge.load(path, stage=2).judge([square(10, 10, 60)])[0]
    assert verdict.noun_shares.shape == (121,)
    with pytest.raises(ValueError, match="of stage 2, not 1"):
        Judge.load(path, stage=1)


def test_the_kept_judge_answers_where_none_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge of the model card's figures comes with the repository; a trained one goes first."""
    monkeypatch.chdir(tmp_path)
    kept = judge_path(3)
    assert Judge.load(kept, stage=3).judge([square(10, 10, 60)])[0].noun_shares.shape == (201,)
    trained = Path("runs/judge/judge-3.safetensors")
    save(JudgeNet(concepts_of(3)), trained, {}, "abc")
    assert judge_path(3) == trained


def test_pictures_of_a_later_stage_come_in_neutral_colours_too() -> None:
    pack = toy_pack()
    few = SpritePack({key: pack.sprites[key] for key in (("car", "flat"), ("sun", "flat"))}, "few")
    assert len(JudgeData(few, 0).sources) == 1 + 7 + 1
    assert len(JudgeData(few, 0, concepts_of(2)).sources) == 1 + 11 + 1
