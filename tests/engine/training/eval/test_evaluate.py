"""Evaluation on constructed pictures: real art scores about 100 %, wrong art scores low."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.api import Finished, GenerateRequest, LayerResult
from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.models.checkpoint import save_model
from engine.training.data.concepts import BY_NAME
from engine.training.data.scenes import Scene, SceneSettings, Thing, evaluation_scenes
from engine.training.data.sprites import SpritePack
from engine.training.eval.evaluate import evaluate, main
from engine.training.eval.judges import JudgeNet, Verdict
from engine.training.eval.metrics import (
    Rate,
    Scores,
    add_scores,
    box_fill,
    composite_psnr,
    composition,
    found,
    has_colour,
    inside_box,
    layer_kinds,
    look_agreement,
    one_look,
    psnr,
    reconstruct_bytes,
    reconstruction_numbers,
    score_picture,
    soft_alpha_share,
)
from engine.training.eval.report import (
    Tile,
    contact_sheet,
    flatten,
    rate_text,
    stack_layers,
    update_page,
    write_report,
)
from engine.training.eval.tasks import KINDS, Setup, draw_scenery, draw_thing, make_task
from engine.training.trainers.judge import save_net
from tests.engine.tiny import tiny_model
from tests.engine.training.toy_art import TOY, ToyJudge, save_pack, toy_pack

NO_SHARES = np.zeros(len(TOY.nouns) + 1, np.float32)


def seen(*nouns: str | None, look: str = "flat") -> list[Verdict]:
    """Verdicts by noun; None is no single thing, "" an empty layer."""
    return [Verdict(noun or None, 0.9, noun == "", look, NO_SHARES) for noun in nouns]


@pytest.fixture(scope="module")
def pack() -> SpritePack:
    return toy_pack()


@pytest.fixture(scope="module")
def judge(pack: SpritePack) -> ToyJudge:
    return ToyJudge(pack)


@pytest.fixture(scope="module")
def scenes(pack: SpritePack) -> list[Scene]:
    return evaluation_scenes(12, 3, SceneSettings(concepts=TOY, aspects=pack.aspects()))


def total(scenes: Sequence[Scene], judge: ToyJudge, layers: list[list[np.ndarray]]) -> Scores:
    scores = [score_picture(s, own, judge(own)) for s, own in zip(scenes, layers, strict=True)]
    return add_scores(scores)


def test_real_art_scores_full_marks(pack: SpritePack, judge: ToyJudge, scenes: list[Scene]) -> None:
    layers = [[draw_thing(pack, thing) for thing in scene.things] for scene in scenes]
    scores = total(scenes, judge, layers)
    for name in ("things found", "layers wanted", "alpha inside its box", "sky and ground"):
        assert scores[name].share == pytest.approx(1, abs=0.04), name
    for name in ("named look", "one look per picture", "named colours"):
        assert scores[name].total > 5, name
        assert scores[name].share == pytest.approx(1, abs=0.04), name
    for name in ("layers repeated", "layers foreign", "layers unclear", "layers empty"):
        assert scores[name].share == pytest.approx(0, abs=0.04), name
    assert 0.7 < (scores["box filled"].share or 0) <= 1
    assert (scores["sky and ground by chance"].share or 1) < 0.9


def test_wrong_art_scores_low(pack: SpritePack, judge: ToyJudge, scenes: list[Scene]) -> None:
    """Another scene's things, in colours and looks that nobody asked for."""
    names = [name for name, _ in pack.sprites]
    rng = np.random.default_rng(0)
    wrong = []
    for scene in scenes:
        looks = ["glossy" if scene.look == "flat" else "flat"] * len(scene.things)
        nouns = rng.choice(names, len(scene.things))
        others = [
            Thing(noun, look, None, False, thing.box, thing.rect)
            for noun, look, thing in zip(nouns, looks, scene.things, strict=True)
        ]
        wrong.append([draw_thing(pack, thing) for thing in others])
    scores = total(scenes, judge, wrong)
    assert (scores["things found"].share or 0) < 0.3
    assert (scores["layers foreign"].share or 0) > 0.6
    assert (scores["named look"].share or 0) < 0.1


def test_shuffled_layers_stand_in_the_wrong_places(
    pack: SpritePack, judge: ToyJudge, scenes: list[Scene]
) -> None:
    scores = []
    for scene in scenes:
        verdicts = judge([draw_thing(pack, thing) for thing in scene.things])
        scores.append(composition(scene, verdicts[1:] + verdicts[:1]))
    summed = add_scores(scores)
    shuffled, chance = summed["sky and ground"].share, summed["sky and ground by chance"].share
    assert shuffled is not None
    assert chance is not None
    assert shuffled < 0.9
    assert abs(shuffled - chance) < 0.2


def test_every_layer_is_of_exactly_one_kind() -> None:
    verdicts = seen("dog", "dog", "car", None, "", "cat")
    kinds = layer_kinds(["dog", "cat", "sun"], verdicts)
    assert {name.split()[1]: rate.hits for name, rate in kinds.items()} == {
        "wanted": 2, "repeated": 1, "foreign": 1, "unclear": 1, "empty": 1,
    }  # fmt: skip
    assert found(["dog", "cat", "sun"], verdicts) == Rate(2, 3)
    assert found(["dog", "dog", "dog"], verdicts) == Rate(2, 3)
    assert found([], verdicts).share is None


def test_looks_are_judged_on_things_only() -> None:
    mixed = seen("dog", "cat") + seen("sun", look="3d") + seen(None, "")
    assert look_agreement("flat", mixed) == Rate(2, 3)
    assert one_look(mixed) == Rate(2, 3)
    assert one_look(seen("dog", None)) == Rate()


@pytest.mark.parametrize(
    ("rgb", "colour", "expected"),
    [
        ((255, 0, 0), "red", True),
        ((255, 0, 60), "red", True),
        ((255, 0, 0), "blue", False),
        ((20, 60, 220), "blue", True),
    ],
)
def test_colour_is_the_main_hue(rgb: tuple[int, int, int], colour: str, expected: bool) -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[8:32, 8:32] = *rgb, 255
    rgba[0:6] = 0, 255, 0, 0  # invisible, so of no account
    rgba[8:14, 8:14] = 0, 255, 0, 255  # a small part in another colour
    assert has_colour(rgba, colour) is expected


def test_nothing_visible_has_no_colour() -> None:
    assert not has_colour(np.zeros((32, 32, 4), np.uint8), "red")


def test_sky_and_ground_need_suitable_boxes() -> None:
    high, low = (0, 0, 128, 128), (0, 320, 128, 512)
    assert BY_NAME["sun"].band == "sky"
    assert BY_NAME["dog"].band == "ground"
    things = tuple(
        Thing(noun, "flat", None, False, box, (0.0, 0.0, 9.0, 9.0))
        for noun, box in (("sun", high), ("dog", low), ("apple", high))
    )
    scene = Scene((512, 512), "", None, "flat", False, things)
    assert composition(scene, seen("sun", "dog", "apple"))["sky and ground"] == Rate(2, 2)
    swapped = composition(scene, seen("dog", "sun", "apple"))
    assert swapped["sky and ground"] == Rate(0, 2)
    assert swapped["sky and ground by chance"] == Rate(2 / 3 + 1 / 3, 2)
    assert composition(scene, seen("cat", None, "apple"))["sky and ground"].total == 0


def test_box_fill_and_size() -> None:
    rgba = np.zeros((64, 128, 4), np.uint8)
    assert box_fill(rgba) == 0
    rgba[16:48, 32:64, 3] = 255
    assert box_fill(rgba) == 0.5
    assert inside_box([rgba, rgba], [(0, 0, 128, 64), (0, 0, 64, 128)]) == Rate(1, 2)


def test_fidelity_numbers() -> None:
    first, second = np.zeros((4, 4, 4)), np.zeros((4, 4, 4))
    assert psnr(first, second) == math.inf
    assert psnr(first, first + 0.1) == pytest.approx(20)
    second[..., :] = 0.5  # premultiplied half white: a grey backdrop hides it
    assert composite_psnr(first, second, np.full((1, 3), 1.0)) == math.inf
    assert composite_psnr(first, second, np.full((1, 3), 0.0)) == pytest.approx(6.02, abs=0.01)
    assert soft_alpha_share(np.array([0.0, 0.5, 1.0, 1.0])) == pytest.approx(1 / 3)


def test_the_autoencoder_is_measured_at_any_size(pack: SpritePack, scenes: list[Scene]) -> None:
    torch.manual_seed(0)
    layers = [draw_thing(pack, thing) for thing in scenes[0].things][:2]
    numbers = reconstruction_numbers(Autoencoder(AutoencoderConfig()).eval(), layers)
    assert numbers["layers"] == len(layers)
    assert 0 < numbers["PSNR over random backdrops, dB, decoded"] < 40
    assert 0 <= numbers["soft share of visible pixels, original"] < 1
    soft = {
        what: numbers[f"soft share of visible pixels, {what}"] for what in ("decoded", "delivered")
    }
    assert soft["delivered"] < soft["decoded"], "delivered layers have their alpha decided"


def test_tasks_show_boxes_and_words_only(pack: SpritePack, scenes: list[Scene]) -> None:
    scene = next(s for s in scenes if s.background is not None and len(s.things) > 2)
    whole = make_task("whole", 7, scene, pack, 1)
    assert all(layer.is_target for layer in whole.request.layers)
    assert [layer.kind for layer in whole.request.layers][:2] == ["background", "foreground"]
    assert whole.request.prompt == scene.prompt
    fill = make_task("fill", 7, scene, pack, 1)
    (target,) = fill.targets
    clean = [layer for layer in fill.request.layers if not layer.is_target]
    assert len(clean) == len(scene.things)
    assert fill.wanted == (scene.things[target].noun,)
    for layer in clean:
        assert layer.pixels is not None
        x0, y0, x1, y1 = layer.box
        assert layer.pixels.shape == (y1 - y0, x1 - x0, 4)
    change = make_task("change", 7, scene, pack, 1)
    assert change.replaced == scene.things[change.targets[0]].noun
    assert change.wanted[0] not in {thing.noun for thing in scene.things}
    assert change.wanted[0] in change.request.prompt.lower()
    again = make_task("change", 7, scene, pack, 1)
    assert again.request.prompt == change.request.prompt
    assert again.wanted == change.wanted


def test_synonyms_replace_every_noun_that_has_one(pack: SpritePack, scenes: list[Scene]) -> None:
    for number, scene in enumerate(scenes):
        task = make_task("synonyms", number, scene, pack, 1)
        have = {thing.noun for thing in scene.things if BY_NAME[thing.noun].synonyms}
        assert set(task.wanted) == have
        for noun in have:
            spoken = BY_NAME[noun].synonyms
            assert any(word in task.request.prompt.lower() for word in spoken), (noun, task)


class ArtGenerator:
    """A perfect generator, or a blind one that draws the same thing everywhere."""

    def __init__(self, pack: SpritePack, scenes: Sequence[Scene], blind: bool = False) -> None:
        self.pack, self.scenes, self.blind = pack, scenes, blind
        self.wanted: dict[int, str] = {}

    def run(self, request: GenerateRequest) -> Finished:
        scene = self.scenes[request.job_id]
        results = []
        for layer in request.layers:
            if not layer.is_target:
                continue
            x0, y0, x1, y1 = layer.box
            rng = np.random.default_rng(request.job_id)
            scenery = scene if not self.blind else replace(scene, background="snow")
            rgba = draw_scenery(scenery, rng)
            if layer.kind == "foreground":
                thing = scene.things[layer.layer_id - 1]
                noun = "crown" if self.blind else thing.noun
                rgba = draw_thing(
                    self.pack,
                    Thing(noun, thing.look, thing.colour, thing.flip, thing.box, thing.rect),
                )
            assert rgba is not None
            assert rgba.shape == (y1 - y0, x1 - x0, 4)
            results.append(
                LayerResult(
                    layer_id=layer.layer_id, kind=layer.kind, box=layer.box, seed=0, rgba=rgba
                )
            )
        return Finished(
            job_id=request.job_id, results=tuple(results), steps=1, cfg_scale=1.0,
            clean_colours=False, seconds=0.5, cache_hits=0, cache_misses=0, unknown_words=(),
            model_name="art", model_hash="0", device="cpu", precision="fp32", threads=1,
            torch_version="0",
        )  # fmt: skip


def test_a_perfect_and_a_blind_generator(
    pack: SpritePack, judge: ToyJudge, scenes: list[Scene], tmp_path: Path
) -> None:
    few = scenes[:9]
    artist, blind_artist = ArtGenerator(pack, few), ArtGenerator(pack, few, blind=True)
    setup = Setup(generator=artist, judging=judge, pack=pack, concepts=TOY, out=tmp_path)
    # The decoder is that of an autoencoder that loses everything.
    sections, numbers = evaluate(setup, few, KINDS, np.zeros_like)
    assert numbers["whole"]["generated"]["named background"].share > 0.95
    assert numbers["whole"]["generated"]["named background"].total > 3
    assert numbers["whole"]["another prompt"]["named background"].share < 0.9
    assert numbers["whole"]["real art"]["things found"].share > 0.95
    assert numbers["whole"]["real art, decoded"]["layers empty"].share == 1
    assert numbers["whole"]["generated"]["things found"].share > 0.95
    assert numbers["whole"]["another prompt"]["things found"].share < 0.5
    assert numbers["single"]["missing thing filled in"].share > 0.85
    # This generator ignores the changed word: the old thing comes back.
    assert numbers["single"]["changed word gives the new thing"].share < 0.2
    assert numbers["single"]["changed word leaves the old thing"].share > 0.8
    assert numbers["seconds"]["seconds per whole task, median"] == 0.5
    assert "| things found |" in sections[0]
    sheets = sorted(path.name for path in (tmp_path / "sheets").iterdir())
    assert sheets == sorted(f"{kind}-0{page}.png" for kind in KINDS for page in (1, 2))
    with Image.open(tmp_path / "sheets" / "whole-01.png") as sheet:
        assert sheet.width > 300
    _, blind = evaluate(replace(setup, generator=blind_artist), few, ["whole"])
    assert blind["whole"]["generated"]["things found"].share < 0.2
    assert blind["whole"]["generated"]["named background"].share < 0.5


def test_contact_sheet_shows_transparency_on_grey() -> None:
    layer = np.zeros((32, 64, 4), np.uint8)
    layer[:, :32] = 255, 0, 0, 255
    assert flatten(layer)[0, 40].tolist() == [168, 168, 168]
    sheet = contact_sheet([("a row", [Tile(layer, "one\ntwo", 64, [(0, 0, 32, 32)])]), ("b", [])])
    assert sheet.mode == "RGB"
    assert (255, 0, 0) in {color for _, color in sheet.getcolors(100_000) or []}
    assert contact_sheet([]).size[1] == 1


def test_stack_layers_puts_the_last_on_top() -> None:
    red = np.full((32, 32, 4), (255, 0, 0, 255), np.uint8)
    blue = np.full((16, 16, 4), (0, 0, 255, 128), np.uint8)
    picture = stack_layers((64, 32), [red, blue], [(0, 0, 32, 32), (16, 16, 32, 32)])
    assert picture.shape == (32, 64, 4)
    assert picture[0, 0].tolist() == [255, 0, 0, 255]
    assert picture[20, 20].tolist() == [127, 0, 128, 255]
    assert picture[0, 40].tolist() == [0, 0, 0, 0]


def test_rates_and_their_interval() -> None:
    assert rate_text(None) == rate_text(Rate()) == "–"
    assert rate_text(Rate(60, 100)) == "60.0 % (50–69, n 100)"
    assert Rate(1, 2) + Rate(1.5, 3) == Rate(2.5, 5)
    low, high = Rate(0, 20).interval() or (1, 0)
    assert low == 0
    assert high == pytest.approx(0.161, abs=0.001)


def test_the_card_is_changed_between_its_markers_only(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# A\n<!-- evaluation:begin -->\nold\n<!-- evaluation:end -->\nrest\n")
    update_page(card, "evaluation", "new\n")
    text = card.read_text()
    assert "old" not in text
    assert text.startswith("# A\n<!-- evaluation:begin -->\n\nnew\n")
    assert text.endswith("<!-- evaluation:end -->\nrest\n")
    card.write_text("no markers")
    with pytest.raises(ValueError, match="nothing was written"):
        update_page(card, "evaluation", "new")
    assert card.read_text() == "no markers"


def test_the_report_is_plain_json(tmp_path: Path) -> None:
    write_report(tmp_path, ["| a |"], {"x": Rate(1, 2), "y": {"z": math.inf}, "n": "text"})
    content = json.loads((tmp_path / "report.json").read_text())
    assert content == {"x": {"hits": 1, "total": 2, "share": 0.5}, "y": {"z": None}, "n": "text"}
    assert (tmp_path / "report.md").read_text() == "| a |\n"


def test_without_sprites_the_command_says_how_to_make_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quick", "--sprites", str(tmp_path / "none.safetensors")]) == 1
    assert "layerloom train sprites" in capsys.readouterr().err


def test_the_whole_command_on_the_tiny_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two pictures by an untrained model, judged by an untrained judge: everything is written."""
    sprites, judge = tmp_path / "sprites.safetensors", tmp_path / "judge.safetensors"
    save_pack(toy_pack(), sprites)
    save_net(JudgeNet(), judge, {}, SpritePack.load(sprites).sha256)
    weights, card = tmp_path / "tiny.safetensors", tmp_path / "card.md"
    model = tiny_model()
    model.card = replace(model.card, stage=TOY.stage)
    save_model(weights, model)
    card.write_text("<!-- evaluation:begin --><!-- evaluation:end -->")
    out = tmp_path / "out"
    paths = ["--sprites", sprites, "--judge", judge, "--weights", weights, "--out", out]
    options = ["--card", card, "--n", 2, "--device", "cpu", "--threads", 1]
    options += ["--sweep", "1", "2:1.5"]
    assert main([str(word) for word in (*paths, *options)]) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["whole"]["generated"]["alpha inside its box"]["share"] == 1
    assert report["single"]["missing thing filled in"]["total"] == 2
    assert [(row["steps"], row["guidance"]) for row in report["sweep"]] == [(1, 1), (2, 1.5)]
    assert all(row["things found"]["total"] > 1 for row in report["sweep"])
    assert {"real art", "real art, decoded", "another prompt"} < set(report["whole"])
    assert "| things found |" in card.read_text()
    assert sorted(path.name for path in (out / "sheets").iterdir()) == sorted(
        f"{kind}-01.png" for kind in KINDS
    )
    assert "things found:" in capsys.readouterr().out


def test_real_art_goes_through_the_tokens_that_the_model_draws_on():
    """The control that says what a perfect generator would score; and the art at that size."""
    pack = toy_pack()
    thing = next(
        t for s in evaluation_scenes(3, 5, SceneSettings(aspects=pack.aspects())) for t in s.things
    )
    layer = draw_thing(pack, thing)
    decoded = reconstruct_bytes(Autoencoder(AutoencoderConfig()).eval(), layer, (4, 3))
    assert decoded.shape == layer.shape and decoded.dtype == np.uint8
    larger = draw_thing(pack, thing, (2 * layer.shape[0], 2 * layer.shape[1]))
    assert larger.shape == (2 * layer.shape[0], 2 * layer.shape[1], 4)
    halved = larger[::2, ::2, 3].astype(float) / 255
    assert np.abs(halved - layer[..., 3] / 255).mean() < 0.06, "the same art, twice as large"
