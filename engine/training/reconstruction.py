"""How much of a layer survives the autoencoder: fidelity of colour, of alpha and of soft edges.

Measured apart from generation, on real art. Needs the autoencoder only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.models.art.autoencoder import Autoencoder
from engine.pixels import fit, resample, to_straight
from engine.training.metrics import composite_psnr, psnr, soft_alpha_share

NUM_BACKDROPS = 8


@torch.inference_mode()
def reconstruct(autoencoder: Autoencoder, rgba: np.ndarray) -> np.ndarray:
    """(h, w, 4) premultiplied float32 -> the same after encoding and decoding.

    Sides that are no multiples of a token are padded with transparency, and cut again.
    """
    h, w = rgba.shape[:2]
    step = autoencoder.token_px
    padded = np.pad(rgba, ((0, -h % step), (0, -w % step), (0, 0)))
    device = next(autoencoder.parameters()).device
    pixels = torch.from_numpy(padded).movedim(-1, 0).to(device)
    size = padded.shape[0] // step, padded.shape[1] // step
    decoded = autoencoder.decode(autoencoder.encode([pixels]), [size])[0]
    return decoded.movedim(0, -1).float().cpu().numpy()[:h, :w]


def premultiply(layer: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8 straight -> float32 premultiplied in [0, 1]."""
    pixels = layer.astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def reconstruct_bytes(
    autoencoder: Autoencoder, layer: np.ndarray, tokens: tuple[int, int]
) -> np.ndarray:
    """A layer as the best generator would deliver it: (h, w, 4) uint8 straight in and out.

    Args:
        tokens: rows and columns that the model draws it on.
    """
    rows, cols = (count * autoencoder.token_px for count in tokens)
    drawn = reconstruct(autoencoder, resample(premultiply(layer), (rows, cols)))
    return fit(drawn, (layer.shape[0], layer.shape[1]))


def fidelity(original: np.ndarray, pixels: np.ndarray, backdrops: np.ndarray) -> dict[str, float]:
    """PSNR in dB of (h, w, 4) premultiplied layers over (n, 3) backdrops, and of their alpha.

    At most 99: equal pictures would give infinity, which no mean survives.
    """
    return {
        "PSNR over random backdrops": min(99.0, composite_psnr(original, pixels, backdrops)),
        "PSNR of alpha": min(99.0, psnr(original[..., 3], pixels[..., 3])),
    }


def reconstruction_numbers(
    autoencoder: Autoencoder, layers: Sequence[np.ndarray], seed: int = 0
) -> dict[str, float]:
    """Means over layers, each (h, w, 4) uint8 straight, as large as it is drawn.

    Returns:
        PSNR in dB over random backdrops, PSNR of alpha, and the share of soft pixels, 0 to 1: of
        the decoder's output, and of layers as they are delivered, with alpha decided
        (`engine.pixels.to_straight`).
    """
    rng = np.random.default_rng(seed)
    rows: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        rows.setdefault(name, []).append(value)

    for layer in layers:
        original = premultiply(layer)
        backdrops = rng.random((NUM_BACKDROPS, 3), dtype=np.float32)
        decoded = reconstruct(autoencoder, original)
        delivered = premultiply(to_straight(decoded))
        note("soft share of visible pixels, original", soft_alpha_share(original[..., 3]))
        for what, pixels in (("decoded", decoded), ("delivered", delivered)):
            for name, value in fidelity(original, pixels, backdrops).items():
                note(f"{name}, dB, {what}", value)
            note(f"soft share of visible pixels, {what}", soft_alpha_share(pixels[..., 3]))
    means = {name: float(np.mean(values)) for name, values in rows.items()}
    return {"layers": float(len(layers)), **means}
