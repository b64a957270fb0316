"""Assignment: each named thing in as many regions as the prompt says, the rest empty."""

from __future__ import annotations

import torch

from engine.models.art.assignment import EMPTY, NamedThings, Slots, assign_named, layers_show
from engine.models.art.model import UNDECIDED

SEEDS = list(range(7))


def logits(rows: list[list[float]]) -> torch.Tensor:
    return torch.tensor(rows)


def assigned(scores: torch.Tensor, slots: Slots, **more: tuple[int, ...]) -> list[int]:
    return assign_named(lambda shows: scores, SEEDS[: len(scores)], NamedThings(slots, **more))


def test_two_things_in_seven_boxes_leave_five_empty() -> None:
    scores = torch.zeros(7, 4)
    scores[2, 1] = scores[5, 3] = 20.0
    shows = assigned(scores, Slots((1, 3), (1, 1)))
    assert shows == [EMPTY, EMPTY, 1, EMPTY, EMPTY, 3, EMPTY]


def test_a_count_is_how_many_boxes_show_it() -> None:
    shows = assigned(torch.randn(6, 5), Slots((2, 4), (3, 1)))
    assert sorted(shows) == [EMPTY, EMPTY, 2, 2, 2, 4]


def test_the_network_decides_which_box_shows_what() -> None:
    scores = torch.full((3, 4), -10.0)
    for region, token in ((0, 3), (1, 1), (2, 2)):
        scores[region, token] = 10.0
    assert assigned(scores, Slots((1, 2, 3), (1, 1, 1))) == [3, 1, 2]


def test_more_things_than_boxes_fill_all_boxes() -> None:
    shows = assigned(torch.randn(2, 6), Slots((1, 2, 5), (1, 4, 1)))
    assert len(shows) == 2
    assert set(shows) <= {1, 2, 5}


def test_words_that_name_no_thing_are_never_chosen() -> None:
    scores = torch.full((2, 5), -30.0)
    scores[:, 0] = scores[:, 4] = 30.0  # sure of what is not to be drawn
    assert assigned(scores, Slots((2,), (1,))).count(2) == 1
    assert assigned(scores, Slots((), ())) == [EMPTY, EMPTY]


def test_the_background_shows_its_own_word_and_takes_no_thing() -> None:
    scores = torch.full((3, 5), 0.0)
    scores[0, 1] = 50.0
    shows = assigned(scores, Slots((1, 2), (1, 1), background=4), scenery=(0,))
    assert shows[0] == 4
    assert sorted(shows[1:]) == [1, 2]
    assert assigned(scores, Slots((1, 2), (1, 1)), scenery=(0,))[0] == 0


def test_what_finished_layers_show_is_not_needed_again() -> None:
    scores = torch.zeros(1, 4)
    scores[0, 1] = 1.5  # less than what a taken thing loses
    slots = Slots((1, 2), (1, 1))
    assert assigned(scores, slots) == [1]
    assert assigned(scores, slots, shown=(1,)) == [2]
    assert assigned(scores, slots, shown=(1, 2)) == [EMPTY]
    assert assigned(scores, Slots((1, 2), (2, 1)), shown=(1, 2)) == [1]


def test_a_layer_taken_for_the_wrong_thing_empties_no_box() -> None:
    """Two things in two boxes: the second is made whatever the first was recognised as."""
    assert assigned(torch.zeros(1, 3), Slots((1, 2), (1, 1)), shown=(0,))[0] in (1, 2)
    assert assigned(torch.zeros(1, 3), Slots((1, 2), (1, 1)), shown=(2,)) == [1]


def test_later_regions_read_what_the_surest_decided() -> None:
    read: list[int] = []

    def point(shows: torch.Tensor) -> torch.Tensor:
        read.append(int((shows != UNDECIDED).sum()))
        return torch.randn(6, 7)

    assign_named(point, SEEDS[:6], NamedThings(Slots((1, 2, 3, 4, 5, 6), (1,) * 6)))
    assert read == [0, 2, 4, 5]
    read.clear()
    assign_named(point, SEEDS[:6], NamedThings(Slots((1,), (1,))))
    assert read == [0], "one thing takes one pass, however many boxes there are"


def test_layers_show_named_things_only_and_only_surely() -> None:
    sure = logits([[0.0, 9.0, 0.0, 0.0], [0.0, 0.0, 9.0, 0.0], [0.5, 0.6, 0.5, 0.5]])[None]
    assert layers_show(sure, Slots((1, 3), (1, 1))) == [1, 0, 0]
