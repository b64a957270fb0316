"""OpenRaster files as other programs write them, made in code, and what their layers look like.

The renderer is not ours: full-size arrays in double precision, one formula after the other as they
stand in OpenRaster 0.0.5 and W3C Compositing and Blending Level 1.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from PIL import Image

from app.document.storage.png import encode_png
from tests.app.document.test_composite import MIXING, blended, mixed_colour

WIDTH, HEIGHT = 32, 32

SEPARABLE = (
    *("multiply", "screen", "overlay", "darken", "lighten", "color-dodge", "color-burn"),
    *("hard-light", "soft-light", "difference", "plus", "exclusion"),
)
BLENDING = (*SEPARABLE, *MIXING)
# Share of the source and of the backdrop, by the other's alpha.
PORTER_DUFF = {
    "src-over": (lambda ab: 1.0, lambda a: 1 - a),
    "clear": (lambda ab: 0.0, lambda a: 0.0),
    "src": (lambda ab: 1.0, lambda a: 0.0),
    "dst": (lambda ab: 0.0, lambda a: 1.0),
    "dst-over": (lambda ab: 1 - ab, lambda a: 1.0),
    "src-in": (lambda ab: ab, lambda a: 0.0),
    "dst-in": (lambda ab: 0.0, lambda a: a),
    "src-out": (lambda ab: 1 - ab, lambda a: 0.0),
    "dst-out": (lambda ab: 0.0, lambda a: 1 - a),
    "src-atop": (lambda ab: ab, lambda a: 1 - a),
    "dst-atop": (lambda ab: 1 - ab, lambda a: a),
    "xor": (lambda ab: 1 - ab, lambda a: 1 - a),
}
MASKS = tuple(name for name in PORTER_DUFF if name != "src-over")


@dataclass
class Node:
    """A layer with a picture, or a group; children topmost first, as in the file."""

    name: str
    pixels: np.ndarray | None = None
    x: int = 0
    y: int = 0
    opacity: float = 1.0
    op: str = "src-over"
    visible: bool = True
    isolation: str | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def is_isolated(self) -> bool:
        return self.isolation == "isolate" or self.opacity < 1 or self.op != "src-over"


def rendered(nodes: Sequence[Node], width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """The picture: (h, w, 4) premultiplied, 0 to 1, double precision."""
    ground = np.zeros((height, width, 4))
    for node in reversed(nodes):
        ground = _onto(ground, node)
    return ground


def _onto(ground: np.ndarray, node: Node) -> np.ndarray:
    if not node.visible:
        return ground
    height, width = ground.shape[:2]
    if node.pixels is None and not node.is_isolated:
        for child in reversed(node.children):
            ground = _onto(ground, child)
        return ground
    if node.pixels is None:
        source = rendered(node.children, width, height)
    else:
        source = np.zeros((height, width, 4))
        for y, x in np.ndindex(node.pixels.shape[:2]):
            if 0 <= y + node.y < height and 0 <= x + node.x < width:
                pixel = node.pixels[y, x] / 255
                source[y + node.y, x + node.x] = [*(pixel[:3] * pixel[3]), pixel[3]]
    return _met(ground, source * node.opacity, node.op)


def _met(ground: np.ndarray, source: np.ndarray, op: str) -> np.ndarray:
    below, above = ground[..., 3:], source[..., 3:]
    colour = source[..., :3]
    if op in BLENDING:
        both = np.argwhere((below[..., 0] > 0) & (above[..., 0] > 0))
        colour = colour.copy()
        for y, x in both:
            b = tuple(ground[y, x, :3] / ground[y, x, 3])
            s = tuple(source[y, x, :3] / source[y, x, 3])
            if op in MIXING:
                mixed = mixed_colour(op, b, s)
            else:
                mode = "add" if op == "plus" else op
                pairs = zip(b, s, strict=True)
                mixed = tuple(blended(mode, min(1.0, one), min(1.0, two)) for one, two in pairs)
            share = below[y, x, 0]
            colour[y, x] = above[y, x, 0] * ((1 - share) * np.array(s) + share * np.array(mixed))
    of_source, of_ground = PORTER_DUFF.get(op, PORTER_DUFF["src-over"])
    source = np.concatenate([colour, above], axis=-1)
    return source * of_source(below) + ground * of_ground(above)


def premultiplied(pixels: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8 as the renderer's values."""
    values = pixels / 255
    values[..., :3] *= values[..., 3:]
    return values


def blob(source: random.Random, *, is_opaque: bool = False) -> np.ndarray:
    """A small picture of soft colours and any alpha."""
    rng = np.random.default_rng(source.randrange(2**32))
    height, width = source.randrange(4, 25), source.randrange(4, 25)
    pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    if is_opaque:
        pixels[..., 3] = 255
    elif source.random() < 0.5:
        pixels[: height // 2, :, 3] = 0
    return pixels


def ground_layer(source: random.Random) -> Node:
    """Opaque all over the canvas, as most pictures have it."""
    rng = np.random.default_rng(source.randrange(2**32))
    pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    return Node("ground", pixels)


def tree(source: random.Random, ops: Sequence[str], depth: int = 3) -> list[Node]:
    """A random tree: groups of all isolations within groups, hidden ones, offsets, opacities."""

    def looks() -> dict[str, object]:
        return {
            "opacity": source.choice((1.0, 1.0, 0.5, 0.25, 0.8)),
            "op": source.choice(ops) if source.random() < 0.5 else "src-over",
            "visible": source.random() > 0.1,
        }

    def node(level: int, number: int) -> Node:
        name = f"n{level}.{number}.{source.randrange(1000)}"
        if level < depth and source.random() < 0.5:
            return Node(
                name,
                isolation=source.choice((None, "auto", "isolate")),
                children=[node(level + 1, each) for each in range(source.randrange(0, 4))],
                **looks(),  # type: ignore[arg-type]
            )
        pixels = blob(source, is_opaque=source.random() < 0.3)
        x, y = source.randrange(-8, WIDTH - 4), source.randrange(-8, HEIGHT - 4)
        return Node(name, pixels, x, y, **looks())  # type: ignore[arg-type]

    return [node(0, each) for each in range(source.randrange(1, 4))]


def stack_xml(nodes: Sequence[Node], width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """`stack.xml` of a tree; pictures are called by their layer's name."""

    def element(node: Node) -> str:
        attributes = {"name": node.name, "composite-op": f"svg:{node.op}"}
        attributes |= {"opacity": str(node.opacity)}
        attributes |= {} if node.visible else {"visibility": "hidden"}
        attributes |= {} if node.isolation is None else {"isolation": node.isolation}
        if node.pixels is not None:
            attributes |= {"x": str(node.x), "y": str(node.y), "src": f"data/{node.name}.png"}
        text = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
        if node.pixels is not None:
            return f"<layer {text}/>"
        return f"<stack {text}>{''.join(map(element, node.children))}</stack>"

    inside = "".join(map(element, nodes))
    return f'<image w="{width}" h="{height}"><stack>{inside}</stack></image>'.encode()


def members_of_tree(nodes: Sequence[Node]) -> dict[str, bytes]:
    """All members of the file, in their order."""

    def pictures(nodes: Sequence[Node]) -> dict[str, bytes]:
        found = {}
        for node in nodes:
            if node.pixels is not None:
                found[f"data/{node.name}.png"] = png_of(node.pixels)
            found |= pictures(node.children)
        return found

    merged = rendered(nodes)
    alpha = merged[..., 3:]
    colour = np.divide(merged[..., :3], alpha, out=np.zeros((HEIGHT, WIDTH, 3)), where=alpha > 0)
    straight = np.concatenate([colour.clip(0, 1), alpha], axis=-1)
    return {
        "mimetype": b"image/openraster",
        "stack.xml": stack_xml(nodes),
        **pictures(nodes),
        "mergedimage.png": encode_png(np.floor(straight * 255 + 0.5).astype(np.uint8)),
    }


def png_of(pixels: np.ndarray, **more: object) -> bytes:
    """A PNG by Pillow, with whatever it can put into one."""
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG", **more)
    return stream.getvalue()


def write_ora(path: Path, members: dict[str, bytes]) -> Path:
    """A zip with these members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path
