"""Natural prompts: what people type, with what it should give; for the evaluation only.

The prompts are data, in `natural.tsv`, in two halves: the first to look at, the second to report.
Boxes are placed as training places those of the things named; boxes of words that cannot be drawn
and spare ones lie where something of a usual size would.

Columns of natural.tsv: half, boxes, background, look, things, undrawable, negated, prompt. A thing
is "name*count:colour"; the first of "a/b" that the vocabulary has is meant, and one that it lacks
cannot be drawn; the count "+" means any number from one on.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from engine.api import Box, GenerateRequest, LayerResult
from engine.prompts.lexicon import Lexicon, lexicon_of
from engine.training.data.concepts import BY_NAME, Concepts, Noun
from engine.training.data.scenes import place_things
from engine.training.data.sprites import SpritePack
from engine.training.eval.judges import BackgroundJudge, Verdict
from engine.training.eval.metrics import Rate, Scores, add_scores
from engine.training.eval.report import Tile, save_sheet, stack_layers
from engine.training.eval.tasks import CANVAS, Setup, request_of
from engine.words import tokenize

HALVES = (1, 2)
NATURAL = "natural"  # the name of the task
ANYTHING = Noun("", "", (), "any", 2)
PAGE = 8  # pictures per contact sheet
ANY_NUMBER = 0


@dataclass(frozen=True, slots=True)
class NaturalPrompt:
    """One prompt, and what it should give with some vocabulary."""

    prompt: str
    boxes: int
    things: dict[str, int]  # noun -> how many; `ANY_NUMBER` for "balloons"
    undrawable: tuple[str, ...]  # words as typed that should get no box
    negated: tuple[str, ...]  # words as typed that should not be drawn
    backgrounds: tuple[str, ...]  # any of them is right; empty = none is named

    @property
    def least(self) -> int:
        return sum(max(1, count) for count in self.things.values())

    @property
    def spare(self) -> int:
        """Boxes that should stay empty."""
        is_open = ANY_NUMBER in self.things.values()
        return 0 if is_open else max(0, self.boxes - self.least)


@cache
def natural_prompts(half: int, concepts: Concepts) -> tuple[NaturalPrompt, ...]:
    """The prompts of a half, 1 or 2, as a vocabulary should draw them."""
    path = Path(__file__).with_name("natural.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(_prompt(row, concepts) for row in rows if int(row["half"]) == half)


def _prompt(row: dict[str, str], concepts: Concepts) -> NaturalPrompt:
    things: dict[str, int] = {}
    unknown: list[str] = []
    for text in filter(None, row["things"].split(";")):
        names, _, count = text.split(":")[0].partition("*")
        name = next((each for each in names.split("/") if each in concepts.noun_names), None)
        if name is None:
            unknown += [form for each in names.split("/") for form in _forms(each)]
        else:
            number = ANY_NUMBER if count == "+" else int(count or 1)
            things[name] = things.get(name, 0) + number
    typed = [word for word in unknown if _says(row["prompt"], word)]
    known = set(concepts.background_names)
    return NaturalPrompt(
        row["prompt"],
        int(row["boxes"]),
        things,
        (*filter(None, row["undrawable"].split(";")), *typed),
        tuple(filter(None, row["negated"].split(";"))),
        tuple(name for name in row["background"].split("/") if name in known),
    )


def _forms(name: str) -> tuple[str, ...]:
    return (name, *BY_NAME[name].synonyms) if name in BY_NAME else (name,)


def _says(prompt: str, words: str) -> bool:
    """Whether a prompt has these words one after the other, the last one perhaps in the plural."""
    said, asked = tokenize(prompt), tokenize(words)
    ends = {asked[-1], asked[-1] + "s", asked[-1] + "es"}
    return any(
        said[at : at + len(asked) - 1] == asked[:-1] and said[at + len(asked) - 1] in ends
        for at in range(len(said) - len(asked) + 1)
    )


def natural_request(
    number: int, prompt: NaturalPrompt, pack: SpritePack | None, seed: int, *, reading: int = 2
) -> GenerateRequest:
    """Boxes and prompt; the same arguments give the same request."""
    return request_of(
        prompt.prompt,
        _boxes(number, prompt, pack),
        seed_of=lambda layer: seed * 1_000_003 + number * 64 + layer if layer else seed,
        job_id=number,
        has_background=True,
        reading=reading,
        spare_boxes="empty",
    )


def _boxes(number: int, prompt: NaturalPrompt, pack: SpritePack | None) -> list[Box]:
    """As many boxes as the prompt has, those of its things where training would put them."""
    names = [name for name, count in prompt.things.items() for _ in range(max(1, count))]
    nouns = [BY_NAME[name] for name in names][: prompt.boxes]
    grows = [BY_NAME[name] for name, count in prompt.things.items() if count == ANY_NUMBER]
    while len(nouns) < prompt.boxes:
        nouns.append(grows[len(nouns) % len(grows)] if grows else ANYTHING)
    aspects = {} if pack is None else pack.aspects()
    ratios = [aspects.get((noun.name, "flat"), 1.0) for noun in nouns]
    for attempt in range(40):
        rng = np.random.default_rng([number, attempt])
        placed = place_things(rng, CANVAS, nouns, ratios, 0.97**attempt, 1.0)
        if len(placed) == prompt.boxes:
            return [entry.box for entry in placed]
    raise ValueError(f"{prompt.boxes} boxes do not fit: {prompt.prompt}")


def score(
    prompt: NaturalPrompt,
    results: Sequence[LayerResult],
    verdicts: Sequence[Verdict],
    lexicon: Lexicon,
) -> Scores:
    """What came of one prompt; results and verdicts are of the foregrounds."""
    seen = Counter(verdict.noun for verdict in verdicts if verdict.noun is not None)
    wanted = Counter({name: max(1, count) for name, count in prompt.things.items()})
    possible = min(wanted.total(), prompt.boxes)
    hits = min((wanted & seen).total(), possible)
    scores: Scores = {}
    if possible:
        scores["things found"] = Rate(hits, possible)
        scores["whole pictures"] = Rate(hits == possible, 1)
    shown = [tokenize(r.word or "") for r in results if r.left_empty is None]
    words = {word for each in shown for word in each}
    if prompt.undrawable:
        forms = [form for name in prompt.things for form in _forms(name)]
        theirs = {word for form in forms for word in tokenize(form)}
        drawn = sum(bool((words - theirs) & set(tokenize(each))) for each in prompt.undrawable)
        scores["undrawable words that got a box"] = Rate(drawn, len(prompt.undrawable))
    if prompt.spare:
        empty = sum(verdict.empty for verdict in verdicts)
        scores["spare boxes empty"] = Rate(min(empty, prompt.spare), prompt.spare)
    counted = {name: count for name, count in prompt.things.items() if count > 1}
    if counted and prompt.boxes >= prompt.least:
        right = sum(seen[name] == count for name, count in counted.items())
        scores["counts right"] = Rate(right, len(counted))
    if prompt.negated:
        nouns = [_noun(each, lexicon) for each in prompt.negated]
        right = sum(
            not words & set(tokenize(each)) and (noun is None or not seen[noun])
            for each, noun in zip(prompt.negated, nouns)
        )
        scores["negation right"] = Rate(right, len(prompt.negated))
    return scores


def _noun(words: str, lexicon: Lexicon) -> str | None:
    meaning = lexicon.meanings(tuple(tokenize(words))).get("noun")
    return None if meaning is None else meaning.name


def evaluate_natural(setup: Setup, half: int, most: int | None = None) -> Scores:
    """Draw and judge at most so many prompts of a half; contact sheets come as they are made."""
    concepts = setup.concepts
    lexicon = lexicon_of(concepts.vocabulary)
    naming = BackgroundJudge(concepts=concepts)
    found: list[Scores] = []
    rows: list[tuple[str, list[Tile]]] = []
    for number, prompt in enumerate(natural_prompts(half, concepts)[:most]):
        request = natural_request(number, prompt, setup.pack, setup.seed, reading=setup.reading)
        finished = setup.generator.run(request)
        background, results = finished.results[0], finished.results[1:]
        verdicts = setup.judging([result.rgba for result in results])
        scores = score(prompt, results, verdicts, lexicon)
        if prompt.backgrounds:
            is_right = naming(background.rgba) in prompt.backgrounds
            scores["named background"] = Rate(is_right, 1)
        found.append(scores)
        rows.append(_sheet_row(prompt, finished.results, verdicts))
        if len(rows) == PAGE:
            save_sheet(rows, setup.sheets / f"natural-{half}-{number // PAGE + 1:02}.png")
            rows = []
            print(f"natural: {number + 1}", flush=True)
    if rows:
        save_sheet(rows, setup.sheets / f"natural-{half}-rest.png")
    return add_scores(found)


def _sheet_row(
    prompt: NaturalPrompt, results: Sequence[LayerResult], verdicts: Sequence[Verdict]
) -> tuple[str, list[Tile]]:
    boxes = [result.box for result in results]
    picture = stack_layers(CANVAS, [result.rgba for result in results], boxes)
    tiles = [Tile(picture, "", 240, boxes[1:])]
    for result, verdict in zip(results[1:], verdicts, strict=True):
        seen = "empty" if verdict.empty else verdict.noun or "?"
        tiles.append(Tile(result.rgba, f"{seen}\n({result.word or '-'})"))
    return prompt.prompt, tiles
