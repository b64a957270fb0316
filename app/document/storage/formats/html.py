"""HTML: a page that shows each layer as an element with its looks.

Either a folder with the page and a picture per layer (SVG where a layer has shapes, else PNG), or
one file that has the pictures in it. No script and no address outside: it works from a stick and
without network.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.storage.atomic import Disk, write_bytes, write_folder
from app.document.storage.formats.layer_files import files_of
from app.document.storage.formats.options import HTML_FILES, ExportOptions
from app.document.storage.formats.shapes import mix_blend_mode, short_number
from app.document.storage.formats.svg import layer_svg
from app.document.storage.png import encoded_pictures
from app.document.vectors.tracing import layer_shapes
from app.document.words import shown_name

INDEX = "index.html"
_SVG = "image/svg+xml"
_PARALLAX_CELLS = 9

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="Layerloom">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ margin: 0; }}
.picture {{ position: relative; isolation: isolate; overflow: hidden; width: {width}px;
  max-width: 100%; aspect-ratio: {width} / {height}; }}
.picture img {{ position: absolute; }}
[hidden] {{ display: none; }}
{css}</style>
</head>
<body>
<div class="picture" role="group" aria-label="{title}">
{body}</div>
</body>
</html>
"""


def export_html(
    contents: Contents, path: Path, options: ExportOptions, disk: Disk | None = None
) -> None:
    """A page and pictures in an empty or new folder, or one file named `.html`."""
    if path.suffix.lower() in HTML_FILES and not path.is_dir():
        addresses = {
            layer.id: f"data:{kind};base64,{b64encode(data).decode()}"
            for layer, kind, data in _pictures(contents)
        }
        write_bytes(path, page_of(contents, options, addresses).encode(), disk=disk)
    else:
        write_folder(path, _members(contents, options), disk=disk)


def _members(contents: Contents, options: ExportOptions) -> Iterator[tuple[str, bytes]]:
    files = files_of(contents)
    for layer, kind, data in _pictures(contents):
        if kind == _SVG:
            files[layer.id] = files[layer.id].removesuffix(".png") + ".svg"
        yield files[layer.id], data
    addresses = {layer: _address(file) for layer, file in files.items()}
    yield INDEX, page_of(contents, options, addresses).encode()


def _pictures(contents: Contents) -> Iterator[tuple[Layer, str, bytes]]:
    """Each layer with pixels: as SVG where it has shapes, which are sharp at any size."""
    for layer in contents.layers:
        if layer.image is None:
            continue
        if layer_shapes(layer).vectors is not None:
            yield layer, _SVG, layer_svg(layer).encode()
        else:
            yield layer, "image/png", encoded_pictures.png(layer.image).data


def page_of(contents: Contents, options: ExportOptions, addresses: Mapping[int, str]) -> str:
    """The page for these contents, bottom layer first.

    Args:
        addresses: where the picture of each layer is, by layer id.
    """
    layers = [layer for layer in contents.layers if layer.image is not None]
    body = "".join(_element(layer, addresses[layer.id], contents) for layer in layers)
    css = ""
    if options.parallax:
        body += "".join('<i class="cell"></i>\n' for _ in range(_PARALLAX_CELLS**2))
        css = _parallax(len(layers))
    title = contents.prompt if options.with_recipe and contents.prompt.strip() else "Picture"
    return _PAGE.format(
        title=escape(" ".join(title.split())),
        width=contents.canvas.width,
        height=contents.canvas.height,
        css=css,
        body=body,
    )


def _element(layer: Layer, address: str, contents: Contents) -> str:
    width, height = contents.canvas.width, contents.canvas.height
    rect = layer.rect
    style = (
        f"left:{_percent(rect.x, width)};top:{_percent(rect.y, height)};"
        f"width:{_percent(rect.width, width)};height:{_percent(rect.height, height)}"
    )
    if layer.opacity < 1:
        style += f";opacity:{short_number(layer.opacity, 4)}"
    mode = mix_blend_mode(layer.blend)
    if mode:
        style += f";mix-blend-mode:{mode}"
    hidden = "" if layer.visible else " hidden"
    source, alt = escape(address), escape(shown_name(layer))
    return f'<img src="{source}" alt="{alt}" style="{style}"{hidden}>\n'


def _percent(part: int, whole: int) -> str:
    return short_number(100 * part / whole, 5) + "%"


def _address(file: str) -> str:
    """A relative address: only what would mean something in it is written otherwise."""
    for char, code in (("%", "%25"), ("#", "%23"), ("?", "%3F")):
        file = file.replace(char, code)
    return f"./{file}"


def _parallax(count: int) -> str:
    """Rules that shift each layer by its depth, by the cell that the pointer is in."""
    side = 100 / _PARALLAX_CELLS
    rules = [
        ".picture img { transition: translate 0.3s; "
        "translate: calc(var(--x, 0) * var(--depth, 0)) calc(var(--y, 0) * var(--depth, 0)); }",
        f".cell {{ position: absolute; width: {side:.5f}%; height: {side:.5f}%; }}",
        "@media (prefers-reduced-motion: reduce) { .picture img { translate: none; } }",
    ]
    for place in range(count):
        depth = 0.4 * (place + 1) / max(1, count)
        rules.append(f".picture img:nth-of-type({place + 1}) {{ --depth: {depth:.3f}%; }}")
    middle = _PARALLAX_CELLS // 2
    for cell in range(_PARALLAX_CELLS**2):
        row, column = divmod(cell, _PARALLAX_CELLS)
        at = f".cell:nth-of-type({cell + 1})"
        rules.append(f"{at} {{ left: {column * side:.5f}%; top: {row * side:.5f}%; }}")
        rules.append(f".picture:has({at}:hover) {{ --x: {middle - column}; --y: {middle - row}; }}")
    return "\n".join(rules) + "\n"
