"""RGBA layer autoencoder: premultiplied pixels <-> latents, each layer by itself.

A linear transform, the best one that PCA finds, carries the picture; the decoder refines it with a
convolutional residual that starts at zero. With a linear encoder the latents are fixed from the
first minute, and the linear decoder is the preview. Zero is transparent everywhere, so that the
zero padding of convolutions is what lies outside a box. No normalisation layers: they are
memory-bound on CPUs, and would couple distant pixels.

Shapes: B layers of one size, H W pixels, C latent channels, H/16 W/16 latent cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.art.positions import patchify, unpatchify

TOGETHER = 4  # layers that are decoded side by side; more are hardly faster


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoencoderConfig:
    """Sizes of the autoencoder."""

    cell_px: int = 16  # pixels per latent cell side. A token is 2 x 2 cells.
    channels: int = 48  # numbers per cell
    # channels at 1/16, 1/8, 1/4 and 1/2 of the resolution
    decoder_widths: tuple[int, int, int, int] = (224, 128, 80, 32)
    # residual blocks at those four resolutions
    decoder_depths: tuple[int, int, int, int] = (2, 2, 2, 1)

    def __post_init__(self) -> None:
        if self.cell_px != 16:
            raise ValueError(
                f"the three halvings after 1/4 make cells of 16 px, not {self.cell_px}"
            )


class ResidualBlock(nn.Module):
    """x + conv(act(conv(act(x)))), 3 x 3."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Encoder(nn.Module):
    """(B, 4, H, W) premultiplied in [0, 1] -> (B, C, H/16, W/16): a linear map."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.linear = nn.Conv2d(4, config.channels, config.cell_px, config.cell_px, bias=False)

    def forward(self, rgba: Tensor) -> Tensor:
        return self.linear(rgba)


class Decoder(nn.Module):
    """(B, C, H/16, W/16) -> (B, 4, H, W) premultiplied, not yet clamped."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        w16, w8, w4, w2 = config.decoder_widths
        d16, d8, d4, d2 = config.decoder_depths
        self.linear = nn.ConvTranspose2d(
            config.channels, 4, config.cell_px, config.cell_px, bias=False
        )
        self.conv_in = nn.Conv2d(config.channels, w16, 3, padding=1)
        self.blocks16 = nn.Sequential(*[ResidualBlock(w16) for _ in range(d16)])
        self.up8 = nn.Conv2d(w16, w8 * 4, 1)
        self.blocks8 = nn.Sequential(*[ResidualBlock(w8) for _ in range(d8)])
        self.up4 = nn.Conv2d(w8, w4 * 4, 1)
        self.base4 = nn.Conv2d(64, w4, 3, padding=1)
        self.blocks4 = nn.Sequential(*[ResidualBlock(w4) for _ in range(d4)])
        self.up2 = nn.Conv2d(w4, w2 * 4, 1)
        self.blocks2 = nn.Sequential(*[ResidualBlock(w2) for _ in range(d2)])
        self.up1 = nn.Conv2d(w2, 12 * 4, 1)
        # Convolutions behind the last upsampling: without them 4 px blocks stay visible.
        self.smooth = nn.Conv2d(12 + 4, 16, 3, padding=1)
        self.conv_out = nn.Conv2d(16, 4, 3, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        base = self.linear(latents)  # (B, 4, H, W)
        x = self.blocks16(self.conv_in(latents))  # (B, w16, H/16, W/16)
        x = self.blocks8(F.pixel_shuffle(self.up8(F.relu(x)), 2))  # (B, w8, H/8, W/8)
        x = F.pixel_shuffle(self.up4(F.relu(x)), 2)  # (B, w4, H/4, W/4)
        # The linear picture itself comes in here: the network mends it and need not redraw it.
        x = self.blocks4(x + self.base4(F.pixel_unshuffle(base, 4)))
        x = self.blocks2(F.pixel_shuffle(self.up2(F.relu(x)), 2))  # (B, w2, H/2, W/2)
        x = F.pixel_shuffle(self.up1(F.relu(x)), 2)  # (B, 12, H, W)
        x = F.relu(self.smooth(torch.cat([x, base], dim=1)))
        return base + self.conv_out(x)


class Autoencoder(nn.Module):
    """Encodes and decodes lists of layers of any sizes as one packed sequence of tokens.

    Latents have unit mean square over all channels; the scale is part of the linear maps.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self._same: dict[tuple[object, ...], bool] = {}  # see `decode_alike`
        self.init_weights()

    @property
    def token_px(self) -> int:
        return 2 * self.config.cell_px

    @property
    def token_width(self) -> int:
        return 4 * self.config.channels

    def init_weights(self) -> None:
        """Residual paths end in zeros: the untrained network is its linear transform."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                with torch.no_grad():
                    module.conv2.weight.mul_(0.3)
        nn.init.zeros_(self.decoder.conv_out.weight)

    def encode_pixels(self, rgba: Tensor) -> Tensor:
        """(B, 4, H, W) premultiplied in [0, 1], sides multiples of 32 -> latents."""
        return self.encoder(rgba)

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Latents -> (B, 4, H, W) premultiplied, unclamped (for losses)."""
        return self.decoder(latents)

    def encode(self, layers: Sequence[Tensor]) -> Tensor:
        """Layers, each (4, H_i, W_i) -> (N, 4C) tokens, layer after layer, row-major."""
        return torch.cat([patchify(self.encode_pixels(layer[None]))[0] for layer in layers])

    def preview(self, tokens: Tensor, h: int, w: int, size: int = 4) -> Tensor:
        """(h*w, 4C) tokens -> (4, h*2*size, w*2*size) rough premultiplied picture, linear map only.

        `size` pixels per side of a latent cell: the linear kernels are averaged down to it.
        """
        kernel = F.adaptive_avg_pool2d(self.decoder.linear.weight, size)  # (C, 4, size, size)
        latents = unpatchify(tokens[None], h, w)
        return clamp_premultiplied(F.conv_transpose2d(latents, kernel, stride=size)[0])

    def decode(self, tokens: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
        """(N, 4C) packed tokens; `sizes` (h, w) tokens per layer -> (4, 32h, 32w) each.

        Colours are valid: 0 <= rgb <= alpha <= 1. No layer's pixels depend on another layer's.
        """
        parts = tokens.split([h * w for h, w in sizes])
        return [self._decode(part[None], size)[0] for part, size in zip(parts, sizes, strict=True)]

    def decode_alike(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, h*w, 4C) tokens of layers of one `size` (h, w) -> (B, 4, 32h, 32w), as by `decode`.

        `TOGETHER` layers pass the network side by side, which is faster, where this gives the same
        bits as one by one. That depends on which kernels the processor and the shapes lead to, so
        the first group of each shape is decoded both ways and compared.
        """
        pixels: list[Tensor] = []
        for group in tokens.split(TOGETHER):
            key = (*size, torch.get_num_threads(), tokens.device.type, tokens.dtype)
            is_whole = len(group) == TOGETHER
            together = self._decode(group, size) if is_whole and self._same.get(key, True) else None
            if together is None or key not in self._same:
                alone = torch.cat([self._decode(layer[None], size) for layer in group])
                if together is not None:
                    self._same[key] = torch.equal(alone, together)
                together = alone
            pixels.append(together)
        return torch.cat(pixels)

    def _decode(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        latents = unpatchify(tokens, *size).contiguous(memory_format=torch.channels_last)
        return clamp_premultiplied(self.decode_latents(latents))


def channels_last(model: Autoencoder) -> Autoencoder:
    """Convolutions run up to twice as fast on CPUs in this memory format."""
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model


def clamp_premultiplied(rgba: Tensor) -> Tensor:
    """Force 0 <= rgb <= alpha <= 1 on (..., 4, H, W)."""
    alpha = rgba[..., 3:, :, :].clamp(0, 1)
    return torch.cat([rgba[..., :3, :, :].clamp(min=0).minimum(alpha), alpha], dim=-3)


def expected_composite_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared composite error over uniformly random backgrounds, in closed form.

    Both (B, 4, H, W) premultiplied in [0, 1]. For a background colour b uniform in [0, 1] the
    composite's error is P - b D with P the error of premultiplied colour and D that of alpha, so
    E = P^2 - 2 E[b] P D + E[b^2] D^2 = P^2 - P D + D^2 / 3 (AlphaVAE, arXiv:2507.09308).
    Never asks for a colour where alpha is 0.
    """
    p = predicted[:, :3] - target[:, :3]
    d = predicted[:, 3:] - target[:, 3:]
    return (p * p - p * d + d * d / 3).mean()
