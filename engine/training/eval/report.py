"""The evaluation's report: contact sheets for the eye, one markdown table, one JSON of its numbers.

Sheets are rows of small RGBA pictures with captions. Pictures are (h, w, 4) uint8, straight alpha.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.training.eval.metrics import Rate, Scores

Box = tuple[int, int, int, int]

PAPER = (250, 250, 250)
INK = (40, 40, 40)
BACKDROP = 168  # grey behind transparent pixels: both white and black things show on it
OUTLINE = (255, 0, 200)
GAP = 6
LINE = 13


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a sheet, fitted into a square; the boxes are outlined in its own pixels."""

    rgba: np.ndarray
    caption: str = ""
    side: int = 112
    boxes: Sequence[Box] = ()


def flatten(rgba: np.ndarray, backdrop: int = BACKDROP) -> np.ndarray:
    """(h, w, 4) straight -> (h, w, 3) uint8 on a grey."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.round(rgba[..., :3] * alpha + backdrop * (1 - alpha)).astype(np.uint8)


def stack_layers(
    canvas: tuple[int, int], layers: Sequence[np.ndarray], boxes: Sequence[Box]
) -> np.ndarray:
    """Composite layers, bottom to top, each as large as its box: (h, w, 4) uint8 straight."""
    picture = np.zeros((canvas[1], canvas[0], 4), np.float32)
    for rgba, (x0, y0, x1, y1) in zip(layers, boxes, strict=True):
        top = rgba.astype(np.float32) / 255
        top[..., :3] *= top[..., 3:]
        picture[y0:y1, x0:x1] = top + picture[y0:y1, x0:x1] * (1 - top[..., 3:])
    picture[..., :3] /= np.maximum(picture[..., 3:], 1e-6)
    return np.round(picture.clip(0, 1) * 255).astype(np.uint8)


def contact_sheet(rows: Sequence[tuple[str, Sequence[Tile]]]) -> Image.Image:
    """Rows, each a title above its tiles, left to right; as wide as the widest."""
    font = ImageFont.load_default(size=11)
    heights = []
    for _, tiles in rows:
        lines = [tile.side + LINE * len(tile.caption.split("\n")) for tile in tiles]
        heights.append(LINE + GAP + max(lines, default=0) + 2 * GAP)
    width = max([GAP + sum(tile.side + GAP for tile in tiles) for _, tiles in rows], default=GAP)
    sheet = Image.new("RGB", (width, max(1, sum(heights))), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = 0
    for (title, tiles), height in zip(rows, heights, strict=True):
        draw.text((GAP, top + 2), _cut(title, width - 2 * GAP, font), INK, font)
        left = GAP
        for tile in tiles:
            y = top + LINE + GAP
            _paste(sheet, tile, (left, y))
            for line in tile.caption.split("\n"):
                draw.text((left, y + tile.side + 1), _cut(line, tile.side, font), INK, font)
                y += LINE
            left += tile.side + GAP
        top += height
    return sheet


def save_sheet(rows: Sequence[tuple[str, Sequence[Tile]]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows).save(path)


def _paste(sheet: Image.Image, tile: Tile, corner: tuple[int, int]) -> None:
    picture = Image.fromarray(flatten(tile.rgba))
    draw = ImageDraw.Draw(picture)
    for x0, y0, x1, y1 in tile.boxes:
        draw.rectangle(
            (x0, y0, x1 - 1, y1 - 1), outline=OUTLINE, width=max(1, picture.width // 256)
        )
    ratio = tile.side / max(picture.size)
    size = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    place = (tile.side - size[0]) // 2, (tile.side - size[1]) // 2
    sheet.paste(picture, (corner[0] + place[0], corner[1] + place[1]))


def _cut(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


# ---- pages ----


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def rate_text(rate: Rate | None) -> str:
    """ "61.3 % (57-65, n 512)"; a dash where nothing was counted."""
    if rate is None or rate.share is None:
        return "–"
    low, high = rate.interval() or (0.0, 0.0)
    return f"{100 * rate.share:.1f} % ({100 * low:.0f}–{100 * high:.0f}, n {rate.total})"


def rates_table(columns: Mapping[str, Scores]) -> str:
    """One row per metric, one column per source."""
    names = dict.fromkeys(name for scores in columns.values() for name in scores)
    rows = [[name, *(rate_text(scores.get(name)) for scores in columns.values())] for name in names]
    return markdown_table(["", *columns], rows)


def numbers_table(title: str, values: Mapping[str, float | str]) -> str:
    texts = {n: v if isinstance(v, str) else f"{v:.2f}" for n, v in values.items()}
    return markdown_table([title, ""], list(texts.items()))


def as_json(value: Any) -> Any:
    """Rates as objects, infinities as None, everything else as it is."""
    if isinstance(value, Rate):
        return {"hits": round(value.hits, 3), "total": value.total, "share": value.share}
    if isinstance(value, Mapping):
        return {key: as_json(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_json(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_report(folder: Path, sections: Sequence[str], numbers: Mapping[str, Any]) -> str:
    """Write `report.md` and `report.json` into a folder; returns the markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(sections) + "\n"
    (folder / "report.md").write_text(text, encoding="utf-8")
    content = json.dumps(as_json(numbers), indent=1, sort_keys=True) + "\n"
    (folder / "report.json").write_text(content, encoding="utf-8")
    return text


def around_markers(page: Path, name: str) -> tuple[str, str]:
    """The text of a page up to the first marker of a name, and from the second one on.

    Raises ValueError: the page lacks the markers.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no '{begin}' … '{end}'; nothing was written into it")
    return before + begin, end + after


def update_page(page: Path, name: str, text: str) -> None:
    """Put `text` between two markers of a page. Raises as `around_markers`."""
    before, after = around_markers(page, name)
    page.write_text(f"{before}\n\n{text.strip()}\n\n{after}", encoding="utf-8")
