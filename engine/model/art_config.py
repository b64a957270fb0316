"""Sizes and switches of the transformer: what a model file says of its architecture."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ARTConfig:
    """Sizes of the transformer. The defaults are the shipped model's."""

    token_width: int = 128  # numbers per image token, in and out
    text_width: int = 256  # numbers per text token from the text encoder
    width: int = 256
    heads: int = 4
    double_blocks: int = 2
    single_blocks: int = 6
    mlp_ratio: int = 4
    axes_dim: tuple[int, int, int] = (16, 24, 24)  # rotary dimensions of layer, row, column
    theta: float = 100.0  # positions stay below 64 cells; FLUX uses 10000
    pooled_width: int | None = None  # FLUX.1: CLIP's 768; ours: the token of the whole prompt
    guidance_embed: bool = False  # FLUX.1-dev: distilled guidance
    shared_modulation: bool = True
    region_features: bool = True
    planning: bool = False  # files of before it have no such weights
    word_modulation: bool = False  # a region's word modulates its tokens; nor have they these
    choices: int = 0  # numbers by which the seed decides for a background as a whole; nor these

    def __post_init__(self) -> None:
        if self.choices and not self.word_modulation:
            raise ValueError("choices modulate tokens: they need word_modulation")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        head_dim = self.width // self.heads
        if sum(self.axes_dim) != head_dim:
            raise ValueError(f"axes_dim {self.axes_dim} does not add up to head size {head_dim}")

    @classmethod
    def flux1(cls) -> ARTConfig:
        """FLUX.1-dev's sizes (`docs/art.md` 4.1)."""
        return cls(
            token_width=64, text_width=4096, width=3072, heads=24, double_blocks=19,
            single_blocks=38, axes_dim=(16, 56, 56), theta=10000.0, pooled_width=768,
            guidance_embed=True, shared_modulation=False, region_features=False,
        )  # fmt: skip

    def to_dict(self) -> dict:
        return asdict(self)
