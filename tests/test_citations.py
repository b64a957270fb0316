"""What comments and pages cite is in the repository, so that a reader can look it up."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("app", "engine", "tests", "tools", "docs", "resources")
ENDINGS = {".py", ".md", ".toml", ".sh"}
PAGE = re.compile(r"[\w./-]*\w\.md\b")
SECTION = re.compile(r"docs/art\.md`? ([1-9]\d?(?:\.\d+)?)")
# Files that the program or a test writes, which are no part of the repository.
WRITTEN = {"report.md", "page.md", "card.md"}
# Codes of requirements that only a list outside the repository explains.
CODE = re.compile(r"\b(?:GE|UN|MS|REL|UI|LA|LY|CA|RE|PR|SV|IO|PL|ME)\d{1,2}\b")


@cache
def texts() -> list[tuple[Path, int, str]]:
    """Path, number and text of every line of the repository's sources and pages."""
    files = [file for file in ROOT.iterdir() if file.suffix in ENDINGS]
    for folder in FOLDERS:
        files += [file for file in (ROOT / folder).rglob("*") if file.suffix in ENDINGS]
    return [
        (file, number, line)
        for file in sorted(files)
        if file != Path(__file__).resolve()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    ]


def exists(name: str, file: Path) -> bool:
    """Whether a cited page is there, seen from the root, from `docs` or from the citing file."""
    return any((folder / name).is_file() for folder in (ROOT, ROOT / "docs", file.parent))


def test_every_cited_page_is_in_the_repository() -> None:
    absent = [
        f"{file.relative_to(ROOT)}:{number}: {name}"
        for file, number, line in texts()
        for name in PAGE.findall(line)
        if name not in WRITTEN and not exists(name, file)
    ]
    assert not absent, "\n".join(absent)


def test_every_cited_section_of_the_method_is_there() -> None:
    page = (ROOT / "docs" / "art.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^#{2,3} ([1-9]\d?(?:\.\d+)?)\.? ", page, re.MULTILINE))
    cited = [
        (f"{file.relative_to(ROOT)}:{number}", section)
        for file, number, line in texts()
        for section in SECTION.findall(line)
    ]
    assert len(cited) >= 20
    absent = [f"{place}: section {section}" for place, section in cited if section not in headings]
    assert not absent, "\n".join(absent)


def test_the_product_cites_no_requirement_by_its_code() -> None:
    """The benches keep theirs: they are the names of rows in `docs/benchmarks.md`."""
    found = []
    for file, number, line in texts():
        folder, *inner = file.relative_to(ROOT).parts
        if folder in ("app", "engine") and inner[0] != "benchmarks" and CODE.search(line):
            found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("see `docs/art.md` 6.3", ["docs/art.md"]),
        ("(ux.md 4)", ["ux.md"]),
        ("from [the card](../model_card.md)", ["../model_card.md"]),
        ("a name in .mdx, or readmd", []),
    ],
)
def test_names_of_pages_are_found_in_a_line(line: str, names: list[str]) -> None:
    assert PAGE.findall(line) == names
