"""Model files of older versions: names of tensors and configs as they are called today.

Files up to "Layerloom small 9r" use other names, and their configs have switches for parts that
every model has today. Files without such a part cannot be used.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

PREFIXES = {
    "recogniser.": "context_classifier.",
    "art.img_mods.0.": "art.img_modulation.",
    "art.txt_mods.0.": "art.txt_modulation.",
    "art.single_mods.0.": "art.single_modulation.",
    "art.plan_in.": "art.word_in.",
    "art.plan_mod.": "art.word_modulation.",
    "art.plan_taken.": "art.taken_in.",
    "art.plan_query.": "art.assignment_query.",
    "art.plan_key.": "art.assignment_key.",
    "art.choice_in.": "art.seed_code_in.",
    "art.choice_mod.": "art.seed_code_modulation.",
}
DROPPED = ("art.plan_seen_query.", "art.plan_seen_key.")  # heads that only training used
# Switches of older configs, with the value that today's networks correspond to.
SWITCHES: dict[str, dict[str, Any]] = {
    "art": {
        "guidance_embed": False,
        "shared_modulation": True,
        "region_features": True,
        "planning": True,
        "word_modulation": True,
    },
    "autoencoder": {"encoder_widths": None},
}
TOO_OLD = "it was made for an older version of Layerloom"


def current_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file under today's names."""
    found = {}
    for name, tensor in tensors.items():
        prefix = next((old for old in PREFIXES if name.startswith(old)), "")
        if not name.startswith(DROPPED):
            found[PREFIXES.get(prefix, "") + name[len(prefix) :]] = tensor
    return found


def current_configs(configs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The configs of a file under today's names; ValueError where it lacks a part."""
    found = {name: dict(config) for name, config in configs.items()}
    if "recogniser" in found:
        found["context_classifier"] = found.pop("recogniser")
    for network, switches in SWITCHES.items():
        for name, value in switches.items():
            if found[network].pop(name, value) != value:
                raise ValueError(f"{TOO_OLD} ({network}: {name})")
    art = found["art"]
    if art.pop("pooled_width", art["text_width"]) != art["text_width"]:
        raise ValueError(f"{TOO_OLD} (art: pooled_width)")
    if "choices" in art:
        art["seed_signs"] = art.pop("choices")
    return found


def current_card(card: dict[str, Any]) -> dict[str, Any]:
    """The card of a file with today's fields. Raises ValueError as `current_configs`."""
    found = dict(card)
    if found.pop("most_tokens", 0) and not found.get("side_tokens"):
        raise ValueError(f"{TOO_OLD} (card: most_tokens)")
    return found
