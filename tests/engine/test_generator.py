"""The pipeline on a tiny real model: pictures, edits, and what the cache may not change."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.api import GenerateRequest, Preview, Progress, Started
from engine.cache import pixel_hash
from engine.errors import Cancelled, LayoutError, RequestError
from engine.models.art.attention import KeyValue
from engine.models.art.backbone import art_of
from engine.models.art.positions import region_ids
from engine.pipeline import LayerPipeline
from engine.sampling import region_choice, region_noise
from tests.engine.tiny import layer, picture, random_pixels, tiny_generator

FULL, LEFT, RIGHT, LOW = (0, 0, 256, 256), (0, 0, 96, 96), (128, 32, 224, 128), (64, 160, 160, 256)


@pytest.fixture(scope="module")
def generator() -> LayerPipeline:
    return tiny_generator()


def pixels_of(finished) -> list[np.ndarray]:
    return [result.rgba for result in finished.results]


def edit(**context) -> GenerateRequest:
    """Regenerate the layer at LEFT over finished layers: {number: (box, pixels)}."""
    boxes = {0: FULL, 1: LEFT, 2: RIGHT, 3: LOW}
    layers = []
    for number, box in boxes.items():
        given = context.get(f"l{number}", (box, random_pixels(box, number)))
        if given is not None:
            layers.append(layer(number, given[0], None if number == 1 else given[1]))
    return picture(*layers)


def test_a_picture_has_every_layer_in_its_box(generator):
    finished = generator.run(picture(layer(0, FULL), layer(1, LEFT), layer(2, RIGHT)))
    assert [r.rgba.shape for r in finished.results] == [(256, 256, 4), (96, 96, 4), (96, 96, 4)]
    assert (finished.results[0].rgba[..., 3] == 255).all(), "a background is opaque"
    for result in finished.results:
        assert result.rgba.dtype == np.uint8
        assert not result.rgba[result.rgba[..., 3] == 0].any(), "no colour where alpha is 0"


def test_the_same_request_gives_the_same_bytes(generator):
    request = picture(layer(0, FULL), layer(1, LEFT))
    first, second = generator.run(request), generator.run(request)
    assert [p.tobytes() for p in pixels_of(first)] == [p.tobytes() for p in pixels_of(second)]


def test_another_seed_gives_another_layer(generator):
    one = generator.run(picture(layer(1, LEFT, seed=1)))
    two = generator.run(picture(layer(1, LEFT, seed=2)))
    assert not np.array_equal(pixels_of(one)[0], pixels_of(two)[0])


@pytest.mark.parametrize("changed", ["nothing", "moved", "reordered", "hidden", "prompt"])
def test_cached_equals_uncached(changed):
    """Rule 7 of docs/art.md 6.3: to rounding. The cache holds the very tensors that the uncached
    path computes in each step, and rotates them alike, so that here even the bytes are equal; the
    bound allows one step of 8 bits, since float32 sums may be ordered otherwise for another batch
    of keys."""
    generator = tiny_generator()
    generator.run(edit())  # fills the cache
    request = {
        "nothing": edit(),
        "moved": edit(l2=((96, 64, 192, 160), random_pixels(RIGHT, 2))),
        "reordered": picture(*[edit().layers[i] for i in (0, 3, 1, 2)]),
        "hidden": edit(l3=None),
        "prompt": picture(*edit().layers, prompt="a castle"),
    }[changed]
    cached = generator.run(request)
    assert cached.cache_misses == 0, "nothing had to be computed anew"
    assert cached.cache_hits == len(request.layers) - 1
    generator.cache.clear()
    uncached = generator.run(request)
    difference = np.abs(pixels_of(cached)[0].astype(int) - pixels_of(uncached)[0]).max()
    assert difference <= 1


def test_the_cache_tells_an_edit_from_its_neighbours():
    """A layer with other pixels is computed anew; all others are found."""
    generator = tiny_generator()
    generator.run(edit())
    finished = generator.run(edit(l2=(RIGHT, random_pixels(RIGHT, 77))))
    assert (finished.cache_hits, finished.cache_misses) == (2, 1)


def test_an_edit_depends_on_its_context(generator):
    one = generator.run(edit())
    two = generator.run(edit(l2=(RIGHT, random_pixels(RIGHT, 78))))
    assert not np.array_equal(pixels_of(one)[0], pixels_of(two)[0])


def test_an_edit_returns_its_target_alone_and_leaves_the_others(generator):
    """Neighbours' pixels are never written."""
    request = edit()
    before = [pixel_hash(la.pixels) for la in request.layers if la.pixels is not None]
    finished = generator.run(request)
    assert [r.layer_id for r in finished.results] == [1]
    assert before == [pixel_hash(la.pixels) for la in request.layers if la.pixels is not None]


def test_adding_a_box_is_the_same_path(generator):
    """A new box on a finished picture is a target among clean layers."""
    base = edit().layers
    done = [la for la in base if la.pixels is not None]
    finished = generator.run(picture(*done, layer(4, (192, 192, 256, 256))))
    assert [r.layer_id for r in finished.results] == [4]


def test_a_layer_s_pixels_do_not_depend_on_another_layer_s_decoding(generator):
    tokens = torch.randn(4 + 6, art_of(generator).model.art.config.token_width)
    sizes = [(2, 2), (2, 3)]
    both = art_of(generator).model.autoencoder.decode(tokens, sizes)
    alone = art_of(generator).model.autoencoder.decode(tokens[:4], sizes[:1])
    assert torch.equal(both[0], alone[0])


def test_no_background_no_problem(generator):
    finished = generator.run(picture(layer(1, LEFT)))
    assert [r.kind for r in finished.results] == ["foreground"]


def test_fifty_boxes_run_to_the_end(generator):
    boxes = [
        (32 * (i % 8), 32 * (i // 8), 32 * (i % 8) + 32, 32 * (i // 8) + 32) for i in range(50)
    ]
    finished = generator.run(picture(*[layer(i + 1, box) for i, box in enumerate(boxes)]))
    assert len(finished.results) == 50


class SlowClock:
    """Each step takes a second, each preview as long as the test says; nothing else any time."""

    def __init__(self, preview_s: float = 0.0) -> None:
        self.now, self.preview_s = 10.0, preview_s
        self.events: list[object] = []

    def emit(self, event: object) -> None:
        self.events.append(event)
        self.now += {Progress: 1.0, Preview: self.preview_s}.get(type(event), 0.0)

    def previews(self) -> list[Preview]:
        return [event for event in self.events if isinstance(event, Preview)]


def test_events_arrive_in_order(generator, monkeypatch):
    """One Started, progress to the end, previews of every target in between."""
    clock = SlowClock()
    events = clock.events
    monkeypatch.setattr(generator, "clock", lambda: clock.now)
    generator.run(picture(layer(0, FULL), layer(1, LEFT)), emit=clock.emit)
    assert isinstance(events[0], Started)
    assert events[0].total_steps == 4
    assert [e.step for e in events if isinstance(e, Progress)] == [1, 2, 3, 4]
    previews = [e for e in events if isinstance(e, Preview)]
    assert [p.layer_id for p in previews] == [0, 1, 0, 1]
    assert previews[1].rgba.shape == (24, 24, 4)


def test_previews_keep_to_their_budget(generator, monkeypatch):
    """Each k-th step; dear ones take a twentieth of the run's time, all targets together."""
    request = picture(layer(0, FULL), layer(1, LEFT), steps=30, preview_every=3)
    cheap, dear = SlowClock(), SlowClock(preview_s=0.2)
    for clock in (cheap, dear):
        monkeypatch.setattr(generator, "clock", lambda clock=clock: clock.now)
        generator.run(request, emit=clock.emit)
    assert len(cheap.previews()) == 2 * 9  # after 3, 6, ... 27 of 30 steps
    assert 4 <= len(dear.previews()) < 18
    assert 0.2 * len(dear.previews()) <= 0.05 * (dear.now - 10.0)


def test_previews_can_be_off(generator):
    events = []
    generator.run(picture(layer(1, LEFT), preview_every=0), emit=events.append)
    assert not any(isinstance(e, Preview) for e in events)


@pytest.mark.parametrize("allowed", range(9))
def test_cancel_between_any_two_network_calls(generator, allowed):
    """Whatever the moment, `Cancelled` and nothing else."""
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > allowed

    with pytest.raises(Cancelled):
        generator.run(edit(), should_stop=stop)
    assert len(asked) == allowed + 1


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (picture(layer(1, LEFT), canvas=(250, 256)), LayoutError, "multiple of 64"),
        (picture(layer(1, (40, 0, 40, 96))), LayoutError, "empty"),
        (picture(layer(1, (0, 0, 512, 96))), LayoutError, "leaves the canvas"),
        (picture(layer(1, LEFT, random_pixels(LEFT))), RequestError, "nothing to generate"),
        (picture(layer(1, LEFT), layer(0, FULL)), RequestError, "comes first"),
        (picture(layer(0, LEFT)), LayoutError, "whole canvas"),
        (picture(layer(1, LEFT), steps=0), RequestError, "Steps"),
        (picture(layer(1, LEFT), task="restyle"), RequestError, "no task 'restyle'"),
        (picture(layer(1, LEFT), cfg_scale=float("nan")), RequestError, "Guidance"),
        (picture(layer(1, LEFT), layer(2, RIGHT, random_pixels(LOW)[:9])), RequestError, "needs"),
        (picture(*[layer(i + 1, LEFT) for i in range(51)]), LayoutError, "50 layers, not 51"),
    ],
)
def test_bad_requests_are_refused_before_anything_runs(generator, request_, error, words):
    events = []
    with pytest.raises(error, match=words):
        generator.run(request_, emit=events.append)
    assert events == []


def test_boxes_grow_to_the_grid_with_their_pixels(generator):
    """Documents keep canvas pixels; off the grid, the result is that of the next larger boxes."""
    inner, outer = (3, 40, 50, 70), (0, 32, 64, 96)
    pixels = random_pixels(inner)
    padded = np.zeros((64, 64, 4), np.uint8)
    padded[8:38, 3:50] = pixels
    typed = generator.run(picture(layer(1, (130, 5, 200, 90)), layer(2, inner, pixels)))
    grown = generator.run(picture(layer(1, (128, 0, 224, 96)), layer(2, outer, padded)))
    assert typed.results[0].box == (128, 0, 224, 96)
    assert np.array_equal(typed.results[0].rgba, grown.results[0].rgba)


def test_odd_canvases_have_a_whole_background(generator):
    finished = generator.run(picture(layer(0, (0, 0, 192, 128)), canvas=(192, 128)))
    assert finished.results[0].rgba.shape == (128, 192, 4)
    assert len(region_ids(1, (0, 0, 192, 128), 32, 2)) == 6


def test_the_cache_holds_what_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views of larger tensors would hold several times the memory that the budget allows."""
    generator = tiny_generator()
    held: list[KeyValue] = []
    get = generator.cache.get
    monkeypatch.setattr(generator.cache, "get", lambda *args: held.append(e := get(*args)) or e)
    box = (0, 0, 64, 64)
    generator.run(picture(layer(1, box, random_pixels(box)), layer(2, (96, 96, 160, 160))))
    assert held
    for kv in held:
        assert all(x.untyped_storage().nbytes() == x.nbytes for x in (kv.k, kv.v))


def test_the_text_of_the_last_prompt_is_kept_and_only_that(generator):
    def read(prompt):
        return art_of(generator).encode_prompt(picture(layer(1, LEFT), prompt=prompt))

    first = read("a red dog")
    assert read("a red dog") is first
    other = read("a castle")
    assert other.words != first.words
    torch.testing.assert_close(read("a red dog").text, first.text)


def test_joined_layers_of_the_last_request_serve_the_same_request_alone() -> None:
    """Made anew and anew, a layer finds its neighbours joined; moved or cleared they are not."""
    generator = tiny_generator()
    made = random_pixels(RIGHT, 2), random_pixels(LOW, 3)
    first = picture(layer(1, RIGHT, made[0]), layer(2, LOW, made[1]), layer(3, LEFT))
    reader, room = art_of(generator).context, 40

    def read(request):
        context = [r for r in art_of(generator).regions(request) if not r.request.is_target]
        return reader.read(context, room, lambda: None)

    one = read(first)
    assert read(first) is one
    swapped = picture(layer(2, LOW, made[1]), layer(1, RIGHT, made[0]), layer(3, LEFT))
    another = read(swapped)
    assert another is not one
    again = read(first)
    assert again is not one
    for mine, theirs in zip(again.keys, one.keys, strict=True):
        length = mine.length
        assert torch.equal(mine.k[:, :, :length], theirs.k[:, :, :length])
        assert torch.equal(mine.v[:, :, :length], theirs.v[:, :, :length])
    generator.cache.clear()
    assert read(first) is not again


def test_the_seed_chooses_for_a_background_as_a_whole(generator, monkeypatch):
    """Seeds with the same choice give the same picture where the noise is the same, others not."""
    monkeypatch.setattr(
        "engine.models.art.backbone.region_noise",
        lambda seed, h, w, width: region_noise(1, h, w, width),
    )
    monkeypatch.setattr(
        "engine.models.art.assignment.assign_any", lambda point, seeds, **more: [0] * len(seeds)
    )

    def made(seed: int) -> np.ndarray:
        return pixels_of(generator.run(picture(layer(0, FULL, seed=seed))))[0]

    choices = {seed: tuple(region_choice(seed, 4).tolist()) for seed in range(1, 90)}
    same = next(s for s in choices if s > 1 and choices[s] == choices[1])
    other = next(s for s in choices if choices[s] != choices[1])
    assert np.array_equal(made(1), made(same))
    assert not np.array_equal(made(1), made(other))


def test_the_time_left_counts_what_precedes_the_first_step(monkeypatch):
    """The assignment takes as long as steps do; a prediction without it begins far too low."""
    generator = tiny_generator()
    now = [0.0]
    monkeypatch.setattr(generator, "clock", lambda: now[0])
    begin = art_of(generator).begin

    def slow(*args):
        now[0] += 100.0
        return begin(*args)

    monkeypatch.setattr(art_of(generator), "begin", slow)
    events = []
    generator.run(picture(layer(1, LEFT), steps=2), emit=events.append)
    left = [event.seconds_left for event in events if isinstance(event, Progress)]
    assert left == [200.0, 50.0, 0.0]
