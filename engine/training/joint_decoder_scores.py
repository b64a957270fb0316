"""What decoders of whole pictures are measured by: fidelity, and what an edit does to the others.

Every number comes from decoding held-out pictures as a product would: one call per picture.

Shapes: N tokens of all layers of a picture, C numbers per token.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.model.autoencoder import Autoencoder
from engine.model.joint_decoder import JointDecoder
from engine.pixels import to_opaque, to_straight
from engine.training.joint_decoder_data import Picture
from engine.training.reconstruction import NUM_BACKDROPS, fidelity, premultiply

RGB, ALPHA = "PSNR over random backdrops", "PSNR of alpha"


@dataclass(frozen=True, slots=True)
class PictureDecoder:
    """A decoder with a mending network in front of it; None = the decoder as it is shipped."""

    autoencoder: Autoencoder
    mender: JointDecoder | None = None

    @torch.inference_mode()
    def __call__(
        self, tokens: Tensor, ids: Tensor, sizes: Sequence[tuple[int, int]]
    ) -> list[Tensor]:
        """(N, C) tokens and (N, 3) ids -> per layer (4, 32 h, 32 w), premultiplied, valid."""
        if self.mender is not None:
            tokens = self.mender.mend(tokens, ids, [h * w for h, w in sizes])
        return self.autoencoder.decode(tokens, sizes)


def fidelity_at(
    decode: PictureDecoder, pictures: Sequence[Picture], level: float
) -> dict[str, float]:
    """Mean PSNR in dB over layers at a noise level, and processor seconds per picture.

    "decoded" is the decoder's output, "delivered" what users get, with alpha decided. Alpha is
    that of foregrounds: a background is delivered opaque, whatever its alpha.
    """
    rng = np.random.default_rng(0)
    rows: dict[str, list[float]] = {}
    seconds = []
    for number, picture in enumerate(pictures):
        noisy = picture.noised(level, number)
        began = time.process_time()
        layers = decode(noisy, picture.ids, picture.sizes)
        seconds.append(time.process_time() - began)
        for index, (true, layer) in enumerate(zip(picture.pixels, layers, strict=True)):
            is_background = picture.has_background and index == 0
            original, decoded = (x.movedim(0, -1).numpy() for x in (true, layer))
            straight = to_opaque(decoded) if is_background else to_straight(decoded)
            backdrops = rng.random((NUM_BACKDROPS, 3), dtype=np.float32)
            for what, pixels in (("decoded", decoded), ("delivered", premultiply(straight))):
                numbers = fidelity(original, pixels, backdrops)
                rows.setdefault(f"{RGB}, {what}", []).append(numbers[RGB])
                if not is_background:
                    rows.setdefault(f"{ALPHA}, {what}", []).append(numbers[ALPHA])
    means = {name: float(np.mean(values)) for name, values in rows.items()}
    # The first pictures warm up memory and kernels.
    return {**means, "seconds": float(np.median(seconds))}


def edit_effects(
    decode: PictureDecoder, pictures: Sequence[Picture], level: float
) -> dict[str, float]:
    """What changing the topmost layer does to the pixels of the others.

    The layer is emptied (the tokens of nothing, same box), and in a second try taken away. Bit by
    bit the decoder's output is compared; how large a change is, is told in delivered bytes,
    premultiplied.

    Returns:
        pictures: those with two layers or more. untouched: those in which all other layers
        stayed bit-identical both times. changed: share of the other layers' pixels with another
        byte when the layer is emptied, 0 to 1. largest: largest change of one of them, 0 to 255.
    """
    count = untouched = 0
    changed = pixels = largest = 0
    for number, picture in enumerate(pictures):
        if len(picture.sizes) < 2:
            continue
        count += 1
        noisy, last = picture.noised(level, number), picture.counts[-1]
        before = decode(noisy, picture.ids, picture.sizes)[:-1]
        emptied = noisy.clone()
        emptied[-last:] = 0  # the tokens of transparency
        after = decode(emptied, picture.ids, picture.sizes)[:-1]
        without = decode(noisy[:-last], picture.ids[:-last], picture.sizes[:-1])
        untouched += all(
            torch.equal(old, new)
            for others in (after, without)
            for old, new in zip(before, others, strict=True)
        )
        for old, new in zip(before, after, strict=True):
            # Premultiplied: straight colour jumps where alpha comes or goes, and nobody sees it.
            first, second = (
                premultiply(to_straight(x.movedim(0, -1).numpy())) * 255 for x in (old, new)
            )
            difference = np.abs(first - second).max(axis=-1)  # (32 h, 32 w)
            changed += int((difference > 0).sum())
            pixels += difference.size
            largest = max(largest, round(float(difference.max())))
    return {
        "pictures": count, "untouched": untouched, "changed": changed / max(1, pixels),
        "largest": largest,
    }  # fmt: skip
