"""A real model of tiny sizes with random weights: every path of the engine in milliseconds."""

from __future__ import annotations

import numpy as np
import torch

from engine.api import Box, GenerateRequest, LayerRequest
from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.models.art.backbone import ARTBackbone
from engine.models.art.model import ART, ARTConfig
from engine.models.art.refiner import Refiner, RefinerConfig
from engine.models.art.text import TextConfig, TextEncoder
from engine.models.checkpoint import Model, ModelCard
from engine.pipeline import LayerPipeline

TINY_ART = ARTConfig(
    token_width=32, text_width=32, width=64, heads=2, double_blocks=1, single_blocks=2,
    axes_dim=(8, 12, 12),
)  # fmt: skip
TINY_AUTOENCODER = AutoencoderConfig(
    channels=8, decoder_widths=(16, 16, 8, 8), decoder_depths=(1, 1, 1, 1)
)
TINY_TEXT = TextConfig(
    vocabulary=("red", "dog", "castle"), width=32, heads=2, depth=1, near_words=3
)

TINY_REFINER = RefinerConfig(token_width=32, text_width=32, width=32, heads=2, blocks=2)


def tiny_refiner(seed: int = 0) -> Refiner:
    """Random weights everywhere: unlike an untrained refiner it changes its input."""
    torch.manual_seed(seed)
    refiner = Refiner(TINY_REFINER)
    refiner.init_weights()
    with torch.no_grad():
        for parameter in refiner.parameters():
            if parameter.abs().max() == 0:
                parameter.normal_(std=0.05)
    return refiner.eval().requires_grad_(False)


def tiny_model(seed: int = 0) -> Model:
    """Random weights everywhere, also where training starts at zero, so that nothing is idle."""
    torch.manual_seed(seed)
    autoencoder, text, art = Autoencoder(TINY_AUTOENCODER), TextEncoder(TINY_TEXT), ART(TINY_ART)
    text.init_weights()
    art.init_weights()
    with torch.no_grad():
        for parameter in (*art.parameters(), *autoencoder.parameters(), *text.parameters()):
            if parameter.abs().max() == 0:
                parameter.normal_(std=0.05)
    for network in (autoencoder, text, art):
        network.eval().requires_grad_(False)
    card = ModelCard(
        name="tiny", nouns=("dog", "castle"), looks=("flat",), colours=("red",),
        backgrounds=("blue sky",), canvases=((256, 256),), base_scale=2, mu=0.5, steps=3,
        edit_steps=3, cfg_scale=2.0, credits=("nobody",), training="none",
    )  # fmt: skip
    return Model(autoencoder, text, art, card, "tiny-hash")


def tiny_generator(seed: int = 0, cache_bytes: int = 2**28) -> LayerPipeline:
    return pipeline_of(tiny_model(seed), cache_bytes=cache_bytes)


def pipeline_of(model: Model, *, cache_bytes: int | None = None) -> LayerPipeline:
    """A pipeline on one thread of the CPU."""
    backbone = ARTBackbone(model, torch.device("cpu"), torch.float32, cache_bytes)
    return LayerPipeline(backbone, threads=1)


def layer(number: int, box: Box, pixels: np.ndarray | None = None, seed: int = 1) -> LayerRequest:
    kind = "background" if number == 0 else "foreground"
    return LayerRequest(layer_id=number, kind=kind, box=box, seed=seed + number, pixels=pixels)


def picture(
    *layers: LayerRequest, canvas: tuple[int, int] = (256, 256), prompt: str = "a red dog", **more
) -> GenerateRequest:
    return GenerateRequest(job_id=1, canvas=canvas, prompt=prompt, layers=layers, **more)


def random_pixels(box: Box, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rgba = rng.integers(0, 256, (box[3] - box[1], box[2] - box[0], 4), dtype=np.uint8)
    rgba[rgba[..., 3] == 0] = 0
    return rgba
