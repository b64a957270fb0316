"""Planning: regions decide which word they show, surest first, the same for the same seeds."""

from __future__ import annotations

import torch

from engine.models.art.assignment import ASSIGNMENT_T, assign_any, to_tokens, words_shown
from engine.models.art.model import UNDECIDED
from engine.models.art.positions import inner_coordinates, place_on_canvas, region_ids
from tests.engine.tiny import TINY_ART, layer, picture, tiny_generator, tiny_model

BOXES = [(0, 0, 64, 64), (96, 32, 192, 96), (128, 128, 192, 256)]


def test_spread_gives_every_token_its_regions_word() -> None:
    owner = torch.tensor([[0, 0, 1, -1, 2]])
    shows = torch.tensor([4, UNDECIDED, 0])
    assert to_tokens(shows, owner).tolist() == [[4, 4, UNDECIDED, UNDECIDED, 0]]


def plan(seeds: list[int], words: int = 6) -> tuple[list[int], list[torch.Tensor]]:
    torch.manual_seed(0)
    art = tiny_model().art
    ids = torch.cat([region_ids(2 + i, b, 32) for i, b in enumerate(BOXES)])[None]
    sizes = [((b[3] - b[1]) // 32, (b[2] - b[0]) // 32) for b in BOXES]
    inner = torch.cat([inner_coordinates(*s) for s in sizes])[None]
    places = [place_on_canvas(b, (256, 256)).expand(h * w, 4)
              for b, (h, w) in zip(BOXES, sizes, strict=True)]  # fmt: skip
    place = torch.cat(places)[None]
    owner = torch.cat([torch.full((h * w,), i) for i, (h, w) in enumerate(sizes)])[None]
    txt = torch.randn(1, words, TINY_ART.text_width)
    noise = torch.randn(1, ids.shape[1], TINY_ART.token_width)
    seen = []

    vec = art.vec(torch.full((1,), ASSIGNMENT_T), txt[:, 0])

    def point(shows: torch.Tensor) -> torch.Tensor:
        so_far = to_tokens(shows, owner)
        seen.append(so_far)
        conditioning = art.with_assignment(art.condition(ids, inner, place, txt), txt, so_far)
        return art.assignment_logits(art.begin(noise, conditioning, vec), owner, 3)[0]

    return assign_any(point, seeds), seen


def test_one_region_more_is_decided_in_each_pass() -> None:
    shows, seen = plan([1, 2, 3])
    assert [int((s[0] != UNDECIDED).any()) for s in seen] == [0, 1, 1]
    decided = [len({int(i) for i in (s[0] != UNDECIDED).nonzero()}) for s in seen]
    assert decided[0] < decided[1] < decided[2]
    assert all(0 <= word < 6 for word in shows)


def test_equal_seeds_give_equal_plans_and_other_seeds_others() -> None:
    assert plan([1, 2, 3])[0] == plan([1, 2, 3])[0]
    assert len({tuple(plan([s, s + 1, s + 2])[0]) for s in range(0, 60, 3)}) > 1


def test_two_regions_of_one_pass_avoid_the_same_word() -> None:
    """More regions than passes: several decide at once, without having read each other."""
    equal = torch.tensor([[2.0, 1.9, 1.8, -9.0, -9.0, -9.0]] * 8)

    shows = assign_any(lambda so_far: equal, [7] * 8)
    assert len(set(shows[:2])) == 2
    assert set(shows) <= {0, 1, 2}


def test_results_name_words_of_the_prompt() -> None:
    generator = tiny_generator()
    request = picture(layer(0, (0, 0, 256, 256)), layer(1, (0, 0, 64, 64)), prompt="a red dog")
    done = generator.run(request)
    assert all(r.word in (None, "red", "dog", "a") for r in done.results)


def test_words_that_a_region_shows_are_marked() -> None:
    """That is how the next region to decide knows what is left."""
    art = tiny_model().art
    box = (0, 0, 64, 32)
    ids = torch.cat([region_ids(number, box, 32) for number in (2, 3)])[None]
    inner = inner_coordinates(1, 2).repeat(2, 1)[None]
    place = place_on_canvas(box, (256, 256)).expand(1, 4, 4)
    txt = torch.randn(1, 3, TINY_ART.text_width)
    plain = art.condition(ids, inner, place, txt)
    undecided = art.with_assignment(plain, txt, torch.full((1, 4), UNDECIDED))
    decided = art.with_assignment(plain, txt, torch.tensor([[1, 1, UNDECIDED, UNDECIDED]]))
    changed = (undecided.txt != decided.txt).any(dim=-1)
    assert changed.tolist() == [[False, True, False]]
    assert (undecided.offset != decided.offset).any(-1).tolist() == [[True, True, False, False]]


def test_clean_layers_keep_their_words() -> None:
    logits = torch.tensor([[[9.0, 0, 0, 0], [0, 9, 0, 0], [0, 0.1, 0, 0.1]]])
    assert words_shown(logits).tolist() == [[0, 1, 0, 0]]
