"""Trains the RGBA autoencoder: `layerloom train autoencoder`.

Starts from the best linear transform (PCA of 16 px cells, uncentred, so that transparent is zero)
and learns the residuals. A linear encoder never changes after that start, so that the latents of a
shipped model stay valid while its decoder goes on learning.

Shapes: B layers, C latent channels, (h, w) tokens of 2 x 2 cells.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engine.models.art.autoencoder import (
    Autoencoder,
    AutoencoderConfig,
    channels_last,
    clamp_premultiplied,
    expected_composite_error,
)
from engine.models.checkpoint import load_model
from engine.pixels import EMPTY_ALPHA, SOLID_ALPHA
from engine.training.data.backgrounds import draw_background
from engine.training.data.concepts import BACKGROUNDS_BY_NAME, FIRST, stage_path
from engine.training.data.pixels import over, place, resize_sprite, rotate_hue
from engine.training.data.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.trainers.loop import (
    Objective,
    RunFolder,
    add_loop_options,
    prepare,
    save,
    train,
)
from engine.training.trainers.optim import Muon, mixed_precision

WHITENING = 0.5  # 0 keeps PCA's variances, 1 makes all equal; between, detail counts but less
PCA_LAYERS, HELD_OUT = 600, 48
SHEET = 12  # layers on the picture of a run


class AutoencoderObjective(Objective):
    """Reconstruction of layers from their latents."""

    def __init__(self, args: argparse.Namespace, step: int, state: dict) -> None:
        self.device = torch.device(args.device)
        self.model: Autoencoder = channels_last(Autoencoder(AutoencoderConfig())).to(self.device)
        self.averaged: Autoencoder = channels_last(Autoencoder(AutoencoderConfig()))
        self.averaged.to(self.device)
        # PCA stays as it is: under a learning rate that suits the residuals it only gets worse.
        # Muon was no better than AdamW on these convolutions in 120 steps, and cost a quarter more.
        self.model.encoder.linear.requires_grad_(False)
        self.model.decoder.linear.requires_grad_(False)
        self.optimizer = Muon([], (p for p in self.model.parameters() if p.requires_grad))
        self.state, self.noise, self.delivered = state, args.noise, args.delivered
        crops = LayerCrops(args.sprites, batch=HELD_OUT, size=args.crop, seed=10_001)
        self.held_out = next(iter(crops)).to(self.device)
        data = LayerCrops(args.sprites, batch=args.batch, size=args.crop, seed=args.seed + step)
        self.crops = iter(DataLoader(data, batch_size=None, num_workers=1, prefetch_factor=4))

    def batch(self) -> tuple[Tensor, Tensor]:
        """Latents, and the pixels that they stand for."""
        crops = next(self.crops).to(self.device, memory_format=torch.channels_last)
        latents = self.model.encode_pixels(crops)
        sigma = torch.rand(len(crops), 1, 1, 1, device=self.device) * self.noise
        # No gradient may shrink the noise by inflating the latents.
        return latents + sigma * latents.detach().std() * torch.randn_like(latents), crops

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor | float]]:
        latents, crops = batch
        with mixed_precision(self.device):
            decoded = self.model.decode_latents(latents)
        decoded = decoded.float()
        loss = reconstruction_loss(decoded, crops)
        if self.delivered:
            loss = loss + self.delivered * reconstruction_loss(deliver(decoded), crops)
        return loss, {"loss": loss}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """PSNR in dB of premultiplied RGBA and of alpha, over cells that are not empty.

        Of the decoder's output, and of what is delivered.
        """
        model, crops = self.averaged, self.held_out
        output = model.decode_latents(model.encode_pixels(crops))
        size = model.config.cell_px
        mask = F.interpolate(F.max_pool2d(crops[:, 3:], size).gt(0).float(), scale_factor=size)
        count = mask.sum()

        def psnr(channels: Tensor) -> float:
            mean = channels.sum() / (count * channels.shape[1])
            return round(-10 * torch.log10(mean).item(), 2)

        result = {}
        for prefix, pixels in (("", clamp_premultiplied(output)), ("delivered_", deliver(output))):
            error = (pixels - crops).square() * mask
            result |= {f"{prefix}rgba_db": psnr(error), f"{prefix}alpha_db": psnr(error[:, 3:])}
        return result

    @torch.no_grad()
    def picture(self, folder: Path) -> None:
        """Originals above their reconstructions, on grey."""
        crops = self.held_out[:SHEET]
        output = self.averaged.decode_latents(self.averaged.encode_pixels(crops))
        save_rows([list(crops), list(clamp_premultiplied(output))], 0.6, folder / "sheet.png")


def save_rows(rows: list[list[Tensor]], backdrop: float, path: Path) -> None:
    """Rows of (4, h, w) premultiplied layers over a grey 0 to 1, each in a cell of equal size."""
    side = max(max(layer.shape[1:]) for row in rows for layer in row)
    sheet = torch.zeros(4, side * len(rows), side * max(map(len, rows)))
    for y, row in enumerate(rows):
        for x, layer in enumerate(row):
            h, w = layer.shape[1:]
            sheet[:, y * side : y * side + h, x * side : x * side + w] = layer
    rgb = (sheet[:3] + (1 - sheet[3:]) * backdrop).clamp(0, 1).mul(255).round().byte()
    Image.fromarray(rgb.permute(1, 2, 0).numpy()).save(path)


@torch.no_grad()
def start_from_pca(model: Autoencoder, crops: Tensor) -> float:
    """Set the linear paths and the latents' scale from (B, 4, H, W) crops; returns dB of PSNR."""
    size, channels = model.config.cell_px, model.config.channels
    cells = crops.unfold(2, size, size).unfold(3, size, size)  # (B, 4, h, w, 16, 16)
    cells = cells.permute(0, 2, 3, 1, 4, 5).reshape(-1, 4 * size * size)
    cells = cells[cells[:, 3 * size * size :].amax(dim=1) > 0]  # empty cells teach nothing
    _, vectors = torch.linalg.eigh(cells.T @ cells / len(cells))
    basis = vectors.flip(1)[:, :channels]  # (1024, C)
    deviation = (cells @ basis).std(dim=0)
    scale = deviation.pow(WHITENING)
    scale = scale * (deviation / scale).square().mean().sqrt()  # unit mean square
    model.encoder.linear.weight.copy_((basis / scale).T.reshape(channels, 4, size, size))
    model.decoder.linear.weight.copy_((basis * scale).T.reshape(channels, 4, size, size))
    rest = cells - cells @ basis @ basis.T
    return -10 * torch.log10(rest.square().mean()).item()


def reconstruction_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Expected composite error + L1 and edges on a random background per crop."""
    backdrop = torch.rand(len(target), 3, 1, 1, device=target.device)

    def on_backdrop(rgba: Tensor) -> Tensor:
        return rgba[:, :3] + (1 - rgba[:, 3:]) * backdrop

    difference = on_backdrop(predicted) - on_backdrop(target)
    alpha = predicted[:, 3:] - target[:, 3:]
    both = torch.cat([difference, alpha], dim=1)
    edges = both.diff(dim=2).abs().mean() + both.diff(dim=3).abs().mean()
    return 4 * expected_composite_error(predicted, target) + both.abs().mean() + edges


def deliver(rgba: Tensor) -> Tensor:
    """(B, 4, H, W) premultiplied -> with alpha decided as `engine.pixels.to_straight` does."""
    rgba = clamp_premultiplied(rgba)
    alpha = rgba[:, 3:]
    decided = ((alpha - EMPTY_ALPHA) / (SOLID_ALPHA - EMPTY_ALPHA)).clamp(0, 1)
    colour = (rgba[:, :3] / alpha.clamp(min=0.05)).clamp(max=1)
    return torch.cat([colour * decided, decided], dim=1)


def main(argv: list[str]) -> int:
    """Train until `--minutes` or `--steps` are over; resumes from the run's last checkpoint."""
    parser = argparse.ArgumentParser(prog="layerloom train autoencoder", description=__doc__)
    add = parser.add_argument
    add_loop_options(parser, steps=2000, batch=12, lr=8e-4, decay=0.4, run=Path("runs/autoencoder"))
    add("--sprites", type=Path, default=stage_path(DEFAULT_SPRITES, FIRST.stage))
    add("--start-from", type=Path, help="model file to begin a new run with")
    add("--crop", type=int, default=128)
    add("--noise", type=float, default=0.05, help="largest latent noise")
    add("--delivered", type=float, default=0.0,
        help="weight of the same loss on what users get, with alpha decided")  # fmt: skip
    args = parser.parse_args(argv)
    prepare(args)
    run = RunFolder(args.run)
    loaded = run.load()
    state = loaded[1] if loaded else {}
    objective = AutoencoderObjective(args, state.get("step", 0), state)
    if loaded is not None:
        objective.resume(loaded[0])
    else:
        if args.start_from:
            start = load_model(args.start_from).autoencoder
            objective.model.load_state_dict(start.state_dict())
            objective.begin()
        else:
            data = LayerCrops(args.sprites, batch=PCA_LAYERS, size=args.crop, seed=10_002)
            psnr = start_from_pca(objective.model, next(iter(data)).to(objective.device))
            objective.begin()
            run.log(step=0, pca_db=round(psnr, 2), **objective.validate())
        state |= {"step": 0, "elapsed": 0.0}
        save(objective, run)  # a linear encoder is final from here: the transformer can start
    train(objective, args, run, average=0.998, check_every=250)
    return 0


# ---- layers as they are drawn ----


class LayerCrops(IterableDataset[Tensor]):
    """Batches (B, 4, size, size) of premultiplied crops in [0, 1]."""

    def __init__(self, sprites: Path, *, batch: int, size: int, seed: int) -> None:
        self.sprites, self.batch, self.size, self.seed = sprites, batch, size, seed

    def __iter__(self) -> Iterator[Tensor]:
        info = get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        pack = SpritePack.load(self.sprites)
        pictures = list(pack.sprites.values())
        backgrounds: list[np.ndarray] = []
        while True:
            if len(backgrounds) < 64 or rng.random() < 0.1:
                drawn = random_background(rng, self.size)
                backgrounds = [*backgrounds[-255:], drawn]
            crops = [self._crop(rng, pictures, backgrounds) for _ in range(self.batch)]
            yield torch.from_numpy(np.stack(crops)).movedim(-1, 1).contiguous()

    def _crop(
        self, rng: np.random.Generator, pictures: list[np.ndarray], backgrounds: list[np.ndarray]
    ) -> np.ndarray:
        kind = rng.random()
        if kind < 0.1:
            return backgrounds[rng.integers(len(backgrounds))]
        layer = random_layer(rng, pictures, self.size)
        if kind < 0.2:  # composites: several layers over a background
            for _ in range(rng.integers(3)):
                layer = over(random_layer(rng, pictures, self.size), layer)
            return over(layer, backgrounds[rng.integers(len(backgrounds))])
        return layer


def random_layer(rng: np.random.Generator, pictures: list[np.ndarray], size: int) -> np.ndarray:
    """One (size, size, 4) premultiplied crop of a sprite at a random scale and place."""
    rgba = pictures[rng.integers(len(pictures))]
    if rng.random() < 0.3:
        rgba = rotate_hue(rgba, rng.uniform(0, 360))
    longest = int(np.exp(rng.uniform(np.log(56), np.log(272))))
    ratio = longest / max(rgba.shape[:2])
    stretch = np.exp(rng.normal(0, 0.06))
    w = max(8, round(rgba.shape[1] * ratio * stretch))
    h = max(8, round(rgba.shape[0] * ratio / stretch))
    sprite = resize_sprite(rgba, (w, h), flip=bool(rng.random() < 0.5))
    x = int(rng.integers(min(0, size - w), max(0, size - w) + 1))
    y = int(rng.integers(min(0, size - h), max(0, size - h) + 1))
    return place(sprite, (x, y), (size, size))


def random_background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random (size, size, 4) opaque crop of a background at the scale it is encoded at."""
    names = list(BACKGROUNDS_BY_NAME)
    full = draw_background(names[rng.integers(len(names))], (256, 256), rng)
    x, y = rng.integers(0, 256 - size + 1, 2)
    crop = full[y : y + size, x : x + size].astype(np.float32) / 255
    return np.concatenate([crop, np.ones_like(crop[..., :1])], axis=-1)
