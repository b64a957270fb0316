"""The table of drawings: what it names, that sets are pinned, and that early stages know none."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from engine.training.data.concepts import (
    DRAWINGS,
    FIRST_WITH_DRAWINGS,
    LOOKS,
    STAGES,
    concepts_of,
    data_rows,
    drawings_of,
)
from engine.training.data.sprites import art_packages, render_icons

LAST = concepts_of(STAGES[-1])
PACKAGES = art_packages()


@pytest.mark.parametrize("stage", STAGES)
def test_every_noun_has_drawings_in_every_look_that_it_has_art_in(stage: int) -> None:
    concepts = concepts_of(stage)
    numbers: dict[tuple[str, str], list[int]] = {}
    for drawing in drawings_of(concepts):
        numbers.setdefault((drawing.noun, drawing.look), []).append(drawing.number)
        assert drawing.art_set in PACKAGES
        assert drawing.icon
    wanted = {(n.name, look) for n in concepts.nouns for look in concepts.looks}
    wanted -= {(n.name, look) for n in concepts.nouns for look in n.without}
    assert set(numbers) == wanted
    for key, found in numbers.items():
        # Packs are read in the order of the numbers, so that none may be missing.
        assert found == list(range(len(found))), key
        assert len(found) <= DRAWINGS
        assert len(found) == 1 or stage >= FIRST_WITH_DRAWINGS


def test_first_drawings_of_the_old_nouns_stay() -> None:
    old = {drawing.key: drawing for drawing in drawings_of(concepts_of(3))}
    new = {drawing.key: drawing for drawing in drawings_of(LAST)}
    assert {key: new[key] for key in old} == old


def test_four_of_five_nouns_have_three_flat_drawings() -> None:
    counts = Counter(d.noun for d in drawings_of(LAST) if d.look == "flat")
    assert sum(count >= 3 for count in counts.values()) >= 0.8 * len(LAST.nouns)


def test_the_table_names_known_nouns_once_and_no_scene() -> None:
    rows = data_rows("drawings.tsv")
    names = {row["label"]: row for row in data_rows("concepts.tsv")}
    labels = {noun.name: noun.label for noun in LAST.nouns}
    assert len({(row["noun"], row["look"], row["drawing"]) for row in rows}) == len(rows)
    assert {row["noun"] for row in rows} <= set(labels)
    assert {row["look"] for row in rows} <= set(LOOKS)
    for row in rows:
        usual = names[labels[row["noun"]]]
        bleeding = usual["full_bleed_in"].split("|")
        assert row["set"] not in bleeding or row["icon"] != usual[row["set"]]
    icons = Counter((d.art_set, d.icon) for d in drawings_of(LAST))
    assert max(icons.values()) == 1  # no two nouns look the same


def toy_package(path: Path) -> Path:
    square = '<rect width="10" height="10" fill="#f00"/>'
    table = {"width": 16, "height": 16, "icons": {"box": {"body": square}}}
    table["aliases"] = {"crate": {"parent": "box"}}
    data = json.dumps(table).encode()
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("package/icons.json")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return path


def test_icons_are_rendered_by_name_and_by_second_name(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    package = toy_package(tmp_path / "toy.tgz")
    pictures = render_icons("noto-v1", package, ["box", "crate"])
    assert pictures["box"][5, 5].tolist() == [255, 0, 0, 255]
    assert pictures["box"][-5, -5, 3] == 0
    assert (pictures["box"] == pictures["crate"]).all()
    with pytest.raises(KeyError):
        render_icons("noto-v1", package, ["barrel"])


def test_no_set_is_share_alike() -> None:
    assert {package.licence for package in PACKAGES.values()} <= {"MIT", "Apache-2.0", "CC BY 4.0"}
    credits = (Path(__file__).parents[4] / "THIRD_PARTY_ART.md").read_text(encoding="utf-8")
    for package in PACKAGES.values():
        name, version = package.spec.rsplit("@", 1)
        assert f"`{name}` {version}" in credits
