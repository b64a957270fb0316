"""Pinned words of layers: one undo step, in every file, in names, records and requests."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.document import Document, DocumentError, Rect, Size, new_contents
from app.document.commands import AddBox, SetShows
from app.document.contents import Contents
from app.document.layer import MAX_SHOWS, Layer
from app.document.staleness import kept_as_is, outdated
from app.document.storage.errors import StorageError
from app.document.storage.layout import contents_of, format_layout, parse_layout
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.recipe import recipe_text
from app.document.words import layer_names, shown_name
from app.session.jobs import build_request, plan
from app.session.records import job_of, records_for, request_from_record
from app.testing import finished
from tests.app.painted import fill

CANVAS = Size(256, 256)


def document(*shows: str) -> Document:
    made = Document(new_contents(CANVAS, prompt="a cat and a dog"))
    for place, word in enumerate(shows):
        AddBox(Rect(64 * place, 0, 64, 64), shows=word).do(made)
    return made


def words(contents: Contents) -> list[str]:
    return [layer.shows for layer in contents.foregrounds]


def test_pinning_is_one_step_with_the_prompt() -> None:
    made = document("", "dog")
    first = made.foregrounds[0].id
    before = made.contents
    command = SetShows({first: " \u200bblue\n cat "}, prompt="a blue cat and a dog")
    command.do(made)
    assert words(made.contents) == ["\u200bblue cat", "dog"]
    assert made.prompt == "a blue cat and a dog"
    command.undo(made)
    assert made.contents == before


def test_a_word_is_short_and_the_background_has_none() -> None:
    made = document("")
    with pytest.raises(DocumentError, match="60 characters"):
        SetShows({made.foregrounds[0].id: "x" * (MAX_SHOWS + 1)}).do(made)
    with pytest.raises(DocumentError, match="background"):
        SetShows({made.background.id: "cat"}).do(made)


def test_a_box_is_called_by_its_word_until_it_is_painted_or_named() -> None:
    made = document("sunflower", "sunflower", "")
    assert list(layer_names(made.foregrounds).values()) == ["Sunflower", "Sunflower 2", "Layer 3"]
    layer = replace(made.foregrounds[0], name="My flower")
    assert shown_name(layer) == "My flower"


def test_files_keep_the_word(tmp_path) -> None:
    made = document("blue cat", "")
    save_project(made.contents, tmp_path / "pinned.ora")
    assert words(load_project(tmp_path / "pinned.ora").contents) == ["blue cat", ""]
    text = format_layout(made.contents)
    assert [box.get("shows") for box in json.loads(text)["boxes"]] == ["blue cat", None]
    assert words(contents_of(parse_layout(text, canvas=CANVAS, grid=1))) == ["blue cat", ""]
    recipe = parse_layout(recipe_text(made.contents), canvas=CANVAS, grid=1)
    assert words(contents_of(recipe)) == ["blue cat", ""]


@pytest.mark.parametrize("word", [7, ["cat"], "x" * (MAX_SHOWS + 1), True])
def test_a_layout_with_a_word_that_is_none_is_refused(word) -> None:
    text = json.dumps({"boxes": [{"box": [0, 0, 64, 64], "shows": word}]})
    with pytest.raises(StorageError, match="'shows' of box 1"):
        parse_layout(text, canvas=CANVAS, grid=1)


def test_requests_and_records_have_the_word_and_give_it_back() -> None:
    made = document("cat", "")
    request = build_request(made.contents, plan(made.contents, "empty"), 1, 5)
    assert [layer.shows for layer in request.layers if layer.kind == "foreground"] == ["cat", ""]
    numbers = {layer.id: layer.number for layer in made.layers}
    record = next(iter(records_for(request, finished(request), numbers).values()))
    again = request_from_record(record, 2, lambda pixel_hash: None)
    assert [layer.shows for layer in again.layers] == ["cat", ""]
    other = build_request(document("dog", "").contents, plan(made.contents, "empty"), 1, 5)
    unpinned = {**record, "layers": [{**e, "shows": "dog"} for e in record["layers"]]}
    assert job_of(unpinned) != job_of(record)
    assert other.prompt == request.prompt


def painted(word: str) -> tuple[Contents, Layer]:
    made = document(word)
    fill(made, word="dog")
    return made.contents, made.foregrounds[0]


def test_another_pinned_word_makes_the_picture_outdated_until_it_is_kept() -> None:
    contents, layer = painted("cat")
    assert outdated(layer, contents) == "word"
    assert outdated(replace(layer, record=kept_as_is(layer, contents)), contents) == ""
    assert outdated(replace(layer, shows="Dog"), contents) == ""
    gone = replace(contents, prompt="a house")
    assert outdated(replace(layer, shows=""), gone) == "prompt"
    assert outdated(replace(layer, shows="dog"), gone) == ""  # pinned words need no prompt


def test_a_finished_layer_says_only_what_it_shows() -> None:
    contents, layer = painted("cat")
    planned = replace(plan(contents, "picture"), targets=(), context=(layer,))
    (context,) = build_request(contents, planned, 1, 5).layers
    assert context.shows == ""
    contents, layer = painted("dog")
    planned = replace(planned, context=(layer,))
    (context,) = build_request(contents, planned, 1, 5).layers
    assert context.shows == "dog"
