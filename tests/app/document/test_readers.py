"""Readers against any input at all: a value or one of our own errors, nothing else."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.document import Document, Size, UserError
from app.document.contents import content_hash
from app.document.storage.incoming import layers_from_bytes
from app.document.storage.journal.records import applied, document_out, frame, parse_frames
from app.document.storage.layout import contents_of, parse_layout
from app.document.storage.ora.file import load_project
from app.document.storage.ora.project import ProjectError, json_bytes, read_project
from app.document.storage.ora.stack_xml import StackError, read_stack
from app.document.storage.png import PngError, decode_png, png_text
from app.session.settings import Settings, load_settings
from tests.app.document.examples import design

quick = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
numbers = st.one_of(
    st.integers(-(2**40), 2**40), st.floats(), st.sampled_from([0, 1, -1, 2**31, 2**63, 1e308])
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8))
keys = st.sampled_from(
    "format version reads_from canvas grid background background_on prompt settings next_number "
    "layers detached members boxes box name seed kind rect src pixels trim visible locked opacity "
    "blend record candidates set drop order number".split()
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(keys, inner, max_size=6),
        st.sampled_from(["layerloom", "layerloom-layout", "layerloom-recipe", "generated"]),
    ),
    max_leaves=20,
)


@quick
@given(st.one_of(st.text(max_size=60), values.map(repr), values.map(lambda v: json.dumps(v))))
def test_layouts(text: str) -> None:
    try:
        layout = parse_layout(text, canvas=Size(96, 64), grid=16)
    except UserError as error:
        assert error.what and error.kept  # noqa: PT017
    else:
        Document(contents_of(layout)).content_hash()


@quick
@given(values)
def test_recipes(value: Any) -> None:
    recipe = {"format": "layerloom-recipe", "layers": value, "canvas": [64, 64]}
    try:
        parse_layout(json.dumps(recipe), canvas=Size(96, 64), grid=16)
    except UserError as error:
        assert error.what  # noqa: PT017


@quick
@given(st.dictionaries(keys, values, max_size=6))
def test_document_json(changes: dict[str, Any]) -> None:
    """A valid document with some values replaced by anything."""
    whole = {**document_out(design().contents), **changes}
    try:
        project = read_project(json.dumps(whole).encode())
    except ProjectError:
        return
    assert len(content_hash(project.base)) == 64


@quick
@given(st.dictionaries(keys, values, max_size=4))
def test_journal_records(record: dict[str, Any]) -> None:
    """Whatever a record says: it fits, or the replay ends there."""
    try:
        read_project(json_bytes(applied(document_out(design().contents), record)))
    except (ProjectError, ValueError, TypeError):
        return


@quick
@given(st.lists(st.dictionaries(st.text(max_size=3), scalars.filter(lambda v: v == v)), max_size=4),
       st.binary(max_size=40))  # fmt: skip
def test_frames_read_back_and_end_at_damage(rows: list[dict[str, Any]], rest: bytes) -> None:
    good = []
    for row in rows:
        try:
            good.append((row, frame(row)))
        except ValueError:  # infinity, lone surrogates
            continue
    data = b"".join(each for _, each in good)
    found = parse_frames(data + rest)
    assert list(found.values)[: len(good)] == [row for row, _ in good]
    assert found.is_damaged or not rest or len(found.values) > len(good)


@quick
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode())))
def test_stack_xml(data: bytes) -> None:
    for text in (data, b'<image w="8" h="8"><stack>' + data + b"</stack></image>"):
        try:
            read_stack(text)
        except StackError:
            continue


@quick
@given(st.binary(max_size=200))
def test_png(data: bytes) -> None:
    for each in (data, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + data):
        for read in (decode_png, lambda png: png_text(png, "layerloom")):
            try:
                read(each)
            except PngError:
                continue


@quick
@given(
    st.dictionaries(
        st.sampled_from(["mimetype", "stack.xml", "data/a.png", "layerloom/document.json", "../x"]),
        st.one_of(
            st.binary(max_size=60),
            st.just(b'<image w="8" h="8"><stack><layer src="data/a.png"/></stack></image>'),
            st.just(b"image/openraster"),
        ),
    )
)
def test_archives(members: dict[str, bytes]) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    try:
        layers_from_bytes(stream.getvalue())
    except UserError as error:
        assert "the clipboard" in str(error)  # noqa: PT017


@quick
@given(st.one_of(st.binary(max_size=100), st.dictionaries(
    st.sampled_from([*Settings.__dataclass_fields__]), values).map(lambda v: json.dumps(v).encode())
))  # fmt: skip
def test_settings(tmp_path: Path, data: bytes) -> None:
    """Unreadable settings are set aside and defaults used."""
    path = tmp_path / "settings.json"
    path.write_bytes(data)
    loaded, trouble = load_settings(path)
    assert isinstance(loaded, Settings)
    if trouble:
        assert (tmp_path / "settings.damaged").read_bytes() == data


@quick
@given(st.binary(max_size=300))
def test_files_of_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.ora"
    path.write_bytes(data)
    try:
        load_project(path)
    except UserError as error:
        assert "x.ora" in str(error)  # noqa: PT017
    assert path.read_bytes() == data
