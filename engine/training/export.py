"""Puts a trained autoencoder and transformer into one model file: `layerloom train ship`.

Takes the averaged weights of both runs, or the transformer's last ones. The shipped file is only
worth replacing when the evaluation says so; this command writes, it does not judge.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from engine.model_files import default_path
from engine.models.art.refiner import Refiner, RefinerConfig
from engine.models.checkpoint import Model, ModelCard, load_model, save_model
from engine.training.data.concepts import concepts_of, stage_path, thing_codes
from engine.training.data.scenes import OTHER_CANVASES
from engine.training.data.sprites import DEFAULT_SPRITES
from engine.training.trainers.loop import load_run, part_of
from engine.training.trainers.text_to_layers import TextToLayers, art_config, text_config
from engine.training.trainers.transformer import load_autoencoder

DEFAULT_AUTOENCODER = Path("runs/autoencoder")
BASE_SCALE = 2
SMOOTHING = 0.04


def load_transformer(run: Path, averaged: bool = True) -> tuple[TextToLayers, dict]:
    """The averaged (or the last) weights of a transformer run, and its state."""
    tensors, state = load_run(run, "transformer")
    model = TextToLayers(text_config(state), art_config(state))
    model.load_state_dict(part_of(tensors, "ema" if averaged else "model"))
    return model.eval().requires_grad_(False), state


def credits_of(sprites: Path) -> tuple[str, ...]:
    """What has to be said of the art in a pack."""
    with safe_open(sprites, framework="np") as pack:
        return tuple(json.loads(pack.metadata()["credits"]))


def blend(old: dict[str, Tensor], new: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of the new weights and the rest of the old ones that they were trained from.

    Between the two is a network that has most of what was gained and has lost little (Wortsman et
    al., "Robust fine-tuning of zero-shot models", CVPR 2022).
    """
    return {key: old[key].lerp(new[key].to(old[key].dtype), share) for key in old}


def update_model(args: argparse.Namespace) -> int:
    """Write a model file with a new decoder for the same latents, a refiner, or fewer bits."""
    model = load_model(args.transformer)
    if args.autoencoder is not None:
        replace_decoder(model, args)
    if args.refiner is not None:
        add_refiner(model, args.refiner)
    if args.name is not None:
        model.card = replace(model.card, name=args.name)
    if args.smoothing is not None:
        model.card = replace(model.card, smoothing=args.smoothing)
    return write(model, args)


def replace_decoder(model: Model, args: argparse.Namespace) -> None:
    """The decoder of a run or of another file. The latents must be the same.

    Raises:
        ValueError: the other autoencoder has other latents.
    """
    autoencoder = load_autoencoder(args.autoencoder)
    if not torch.equal(model.autoencoder.encoder.linear.weight.half(),
                       autoencoder.encoder.linear.weight.half()):  # fmt: skip
        raise ValueError(f"{args.autoencoder} encodes otherwise than {args.transformer}")
    sprites = args.sprites or stage_path(DEFAULT_SPRITES, model.card.stage)
    steps = "; another decoder"
    if args.autoencoder.is_dir():
        steps = f"; decoder {load_run(args.autoencoder, 'autoencoder')[1]['step']} steps more"
    training = model.card.training.split("; decoder")[0] + steps
    credits = tuple(dict.fromkeys([*model.card.credits, *credits_of(sprites)]))
    model.card = replace(model.card, training=training, credits=credits)
    model.autoencoder.load_state_dict(
        blend(model.autoencoder.state_dict(), autoencoder.state_dict(), args.blend)
    )


def add_refiner(model: Model, run: Path) -> None:
    """The averaged weights of a run of `layerloom train refiner`.

    Raises:
        FileNotFoundError: there is no such run.
    """
    tensors, state = load_run(run, "refiner")
    refiner = Refiner(RefinerConfig(**state["refiner"]))
    refiner.load_state_dict(part_of(tensors, "ema"))
    model.refiner = refiner.eval().requires_grad_(False)
    training = f"{model.card.training.split('; refiner')[0]}; refiner {state['step']} steps"
    model.card = replace(model.card, training=training)


def write(model: Model, args: argparse.Namespace) -> int:
    digest = save_model(args.out, model, bits=args.bits)
    print(f"{args.out.stat().st_size / 2**20:.1f} MiB, sha256 of tensors {digest} -> {args.out}")
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="layerloom train ship", description=__doc__)
    add = parser.add_argument
    add("--sprites", type=Path, help="by default those of the run's stage")
    add("--autoencoder", type=Path, help="run folder or model file; by default runs/autoencoder, "
        "or a model file's own decoder")  # fmt: skip
    add("--transformer", type=Path, default=Path("runs/transformer"),
        help="run folder, or a model file in which the parts given here are replaced")  # fmt: skip
    add("--refiner", type=Path, help="run folder of `layerloom train refiner`")
    add("--bits", type=int, choices=(16, 8), default=16, help="in which matrices are stored")
    add("--out", type=Path, default=default_path())
    add("--name", help="by default a model file's own, else Layerloom small 1")
    add("--steps", type=int, default=2)
    add("--edit-steps", type=int, default=1, help="of layers next to finished things")
    add("--guidance", type=float, default=1.0)
    add("--mu", type=float, default=1.5)
    add("--last", action="store_true", help="not the average: better where a run's end decayed in "
        "fewer steps than it averages")  # fmt: skip
    add("--mirrors", action=argparse.BooleanOptionalAction, default=True, help="every other seed "
        "shows things mirrored; the network learned them one way round")  # fmt: skip
    add("--deblocking", type=float, default=0.3)
    add("--smoothing", type=float,
        help="0.04 by default; a model file's own if it gets a decoder")  # fmt: skip
    add("--blend", type=float, default=1.0, help="of the new decoder in a model file's own")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Write the model file from two runs, or from a model file and a run of its autoencoder."""
    args = parse(argv)
    if args.transformer.is_file():
        return update_model(args)
    autoencoder = load_autoencoder(args.autoencoder or DEFAULT_AUTOENCODER)
    networks, state = load_transformer(args.transformer, averaged=not args.last)
    concepts = concepts_of(state["stage"])
    sprites = args.sprites or stage_path(DEFAULT_SPRITES, concepts.stage)
    card = ModelCard(
        name=args.name or "Layerloom small 1",
        stage=concepts.stage,
        nouns=concepts.noun_names,
        looks=concepts.looks,
        colours=concepts.colours,
        backgrounds=concepts.background_names,
        canvases=((512, 512), *OTHER_CANVASES),
        base_scale=BASE_SCALE,
        side_tokens=state["side_tokens"],
        mirrors=args.mirrors,
        thing_codes=thing_codes(concepts) > 0,
        smoothing=SMOOTHING if args.smoothing is None else args.smoothing,
        deblocking=args.deblocking,
        mu=args.mu,
        steps=args.steps,
        edit_steps=args.edit_steps,
        cfg_scale=args.guidance,
        credits=credits_of(sprites),
        training=f"{state['step']} steps, {state['elapsed'] / 3600:.1f} hours of wall time",
    )
    model = Model(autoencoder, networks.text, networks.art, card, "")
    if args.refiner is not None:
        add_refiner(model, args.refiner)
    write(model, args)
    print("next: `layerloom train recogniser`, which this file is still without")
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
