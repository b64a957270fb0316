"""Sprites: the art that the models learn from, packed into one file.

`layerloom train sprites` fetches pinned npm packages, checks their sha256, renders every drawing of
every noun and look (`concepts.drawings_of`) and packs tight RGBA crops as lossless WebP bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from safetensors import safe_open
from safetensors.numpy import save_file

from engine.training.data.concepts import (
    FIRST,
    STAGES,
    Concepts,
    concepts_of,
    data_rows,
    drawings_of,
    stage_path,
)
from engine.training.data.pixels import recolour, recolour_main

DEFAULT_SPRITES = Path("runs/sprites.safetensors")
RENDER_PX = 288
MAX_BYTES = 48 * 2**20


@dataclass(frozen=True, slots=True)
class ArtPackage:
    """A pinned npm package: its tarball's sha256 and what must be said of it."""

    spec: str
    sha256: str
    licence: str
    credit: str


def art_packages() -> dict[str, ArtPackage]:
    return {row.pop("set"): ArtPackage(**row) for row in data_rows("packages.tsv")}


# Sets of one black on transparent: their insides are painted white.
LINE_ART = frozenset({"fluent-emoji-high-contrast"})


class SpritePack:
    """Tight crops of at most `RENDER_PX`, (h, w, 4) uint8 straight, by (noun, look)."""

    def __init__(
        self, drawings: dict[tuple[str, str], tuple[np.ndarray, ...]], sha256: str
    ) -> None:
        self.drawings, self.sha256 = drawings, sha256  # of the packed file
        self.sprites = {key: first for key, (first, *_) in drawings.items()}
        # as packs from stage 4 on do
        self.has_further_drawings = any(len(options) > 1 for options in drawings.values())

    def coloured(self, noun: str, look: str, colour: str | None, number: int = 0) -> np.ndarray:
        """One drawing, (h, w, 4) uint8 straight, in a colour or (None) as it is.

        Packs of one drawing each are recoloured by hue, as the models of their stages have learned.
        """
        rgba = self.drawings[noun, look][number]
        if colour is None:
            return rgba
        return recolour_main(rgba, colour) if self.has_further_drawings else recolour(rgba, colour)

    def aspects(self) -> dict[tuple[str, str], float]:
        return {name: rgba.shape[1] / rgba.shape[0] for name, rgba in self.sprites.items()}

    def check(self, concepts: Concepts) -> SpritePack:
        """Itself. Raises ValueError where it lacks art that scenes of this stage may ask for."""
        for noun in concepts.nouns:
            for look in concepts.looks:
                if look not in noun.without and (noun.name, look) not in self.sprites:
                    raise ValueError(
                        f"the sprites have no {look} {noun.name}: "
                        f"run `layerloom train sprites --stage {concepts.stage}` first"
                    )
        return self

    @classmethod
    def load(cls, path: Path) -> SpritePack:
        """Read a pack. Raises FileNotFoundError naming the command that makes one."""
        if not path.exists():
            raise FileNotFoundError(f"no sprites at {path}: run `layerloom train sprites` first")
        drawings: dict[tuple[str, str], tuple[np.ndarray, ...]] = {}
        with safe_open(path, framework="np") as pack:
            # "noun|look" is the first drawing, "noun|look|1" the second; names sort in this order.
            for key in sorted(pack.keys()):
                noun, look = key.split("|")[:2]
                image = Image.open(io.BytesIO(pack.get_tensor(key).tobytes()))
                rgba = np.asarray(image.convert("RGBA"))
                drawings[noun, look] = (*drawings.get((noun, look), ()), rgba)
        return cls(drawings, hashlib.sha256(path.read_bytes()).hexdigest())


def fetch_package(package: ArtPackage, folder: Path) -> Path:
    """Have npm fetch the pinned tarball into `folder` once, and check its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    name, version = package.spec.rsplit("@", 1)
    path = folder / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not path.exists():
        command = ["npm", "pack", "--silent", package.spec, "--pack-destination", str(folder)]
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        except FileNotFoundError:
            raise RuntimeError(f"npm is needed to fetch {package.spec}; install Node.js") from None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise RuntimeError(f"{path} has sha256 {digest}, expected {package.sha256}; delete it")
    return path


def tight(rgba: np.ndarray) -> np.ndarray:
    """Crop to alpha > 8/255 and clear the colour of invisible pixels."""
    rgba = rgba.copy()
    rgba[rgba[..., 3] <= 8] = 0
    rows, cols = np.nonzero(rgba[..., 3].any(1))[0], np.nonzero(rgba[..., 3].any(0))[0]
    return rgba[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]


def fill_inside(rgba: np.ndarray) -> np.ndarray:
    """Paint white behind everything that the outside cannot reach: line art becomes a cut-out."""
    alpha = Image.fromarray(rgba[..., 3])
    ground = Image.new("L", (alpha.width + 2, alpha.height + 2), 0)
    ground.paste(alpha.point(lambda value: 255 if value > 96 else 0), (1, 1))
    ImageDraw.floodfill(ground, (0, 0), 128)
    inside = np.asarray(ground)[1:-1, 1:-1] != 128
    picture = rgba.astype(np.float32)
    share = picture[..., 3:] / 255
    whitened = np.concatenate(
        [picture[..., :3] * share + 255 * (1 - share), np.full_like(share, 255)], axis=-1
    )
    return np.round(np.where(inside[..., None], whitened, picture)).astype(np.uint8)


def render_svg(icons: dict, name: str) -> np.ndarray:
    """Render one icon of an iconify set to (RENDER_PX, RENDER_PX, 4) uint8."""
    import resvg_py  # only needed to make the pack

    alias = icons.get("aliases", {}).get(name, {})
    icon = icons["icons"][alias.get("parent", name)] | alias
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    left, top = icon.get("left", 0), icon.get("top", 0)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{RENDER_PX}" height="{RENDER_PX}">'
        f"{icon['body']}</svg>"
    )
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=RENDER_PX, height=RENDER_PX))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def render_icons(art_set: str, tarball: Path, icons: Iterable[str]) -> dict[str, np.ndarray]:
    """Icons of a package by name, (h, w, 4) uint8 straight. KeyError: the set lacks one."""
    with tarfile.open(tarball) as archive:
        if art_set == "fluent-3d":
            files = {Path(m.name).name: m for m in archive.getmembers() if m.name.endswith("webp")}
            pictures = {}
            for icon in icons:
                member = archive.extractfile(files[icon])
                assert member is not None
                pictures[icon] = np.asarray(Image.open(member).convert("RGBA"))
            return pictures
        member = archive.extractfile("package/icons.json")
        assert member is not None
        table = json.load(member)
    pictures = {icon: render_svg(table, icon) for icon in icons}
    if art_set in LINE_ART:
        return {name: fill_inside(rgba) for name, rgba in pictures.items()}
    return pictures


def main(argv: list[str]) -> int:
    """`layerloom train sprites`: fetch, render, pack the nouns and looks of a stage."""
    parser = argparse.ArgumentParser(prog="layerloom train sprites", description=__doc__)
    parser.add_argument("--stage", type=int, choices=STAGES, default=FIRST.stage,
                        help="of the vocabulary")  # fmt: skip
    parser.add_argument("--out", type=Path, help="runs/sprites-STAGE.safetensors by default")
    parser.add_argument("--packages", type=Path, default=Path("runs/packages"))
    args = parser.parse_args(argv)
    concepts = concepts_of(args.stage)
    out = args.out or stage_path(DEFAULT_SPRITES, args.stage)
    drawings = drawings_of(concepts)
    tensors: dict[str, np.ndarray] = {}
    used = {drawing.art_set for drawing in drawings}
    packages = {name: package for name, package in art_packages().items() if name in used}
    for art_set, package in packages.items():
        tarball = fetch_package(package, args.packages)
        wanted = [drawing for drawing in drawings if drawing.art_set == art_set]
        pictures = render_icons(art_set, tarball, dict.fromkeys(d.icon for d in wanted))
        for drawing in wanted:
            data = io.BytesIO()
            Image.fromarray(tight(pictures[drawing.icon])).save(
                data, "WEBP", lossless=True, method=6
            )
            tensors[drawing.key] = np.frombuffer(data.getvalue(), np.uint8)
    credits = [f"{p.credit} ({p.licence}, {p.spec}; rendered)" for p in packages.values()]
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out, metadata={"credits": json.dumps(credits)})
    size = out.stat().st_size
    print(f"{len(tensors)} sprites, {size / 2**20:.1f} MiB -> {out}")
    if size > MAX_BYTES:
        print("error: the pack is over 48 MiB; use fewer nouns or looks")
        return 1
    return 0
