"""The model file: one safetensors with everything a model is. Strict in both directions.

Metadata holds the configs, the vocabulary, how to sample, the licences of the art and a SHA-256
over all tensors as stored.

Weights are stored in 16 or 8 bits and used in the device's precision. In 8 bits, a matrix row (the
first axis; all further axes flattened) is stored as whole numbers from -127 to 127 and one float32
scale, the largest magnitude of the row divided by 127. Vectors, small tensors and the linear maps
between pixels and latents stay in half precision: latents must not change with the storage.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import WeightsError
from engine.loading import StageReport, silent
from engine.model_files import check_readable, default_path
from engine.models.art.assignment import ContextClassifier, ContextClassifierConfig
from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.models.art.model import ART, ARTConfig
from engine.models.art.older_files import current_card, current_configs, current_names
from engine.models.art.refiner import Refiner, RefinerConfig
from engine.models.art.text import TextConfig, TextEncoder
from engine.prompts.result import Vocabulary

FORMAT = "layerloom-model"
NETWORKS: dict[str, tuple[Any, Any]] = {  # by the name that their tensors begin with in the file
    "autoencoder": (Autoencoder, AutoencoderConfig),
    "text": (TextEncoder, TextConfig),
    "art": (ART, ARTConfig),
    "context_classifier": (ContextClassifier, ContextClassifierConfig),
    "refiner": (Refiner, RefinerConfig),
}
HALF, EIGHT_BITS = "1", "2"  # versions of the format, by how they store matrices
SCALE = ".row_scale"
LARGEST = 127
FEWEST = 4096  # numbers of a tensor that is worth rows of 8 bits
EXACT = ("autoencoder.encoder.", "autoencoder.decoder.linear.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a model file says of itself, apart from its sizes."""

    name: str
    nouns: tuple[str, ...]
    looks: tuple[str, ...]
    colours: tuple[str, ...]
    backgrounds: tuple[str, ...]
    canvases: tuple[tuple[int, int], ...]
    base_scale: int  # grid cells per token side of the two full-canvas entries
    mu: float  # shift of the sampling schedule, the same for any number of layers
    steps: int
    cfg_scale: float
    credits: tuple[str, ...]  # the licences of the art that it learned from
    training: str
    # of the vocabulary that it was trained for; files from before there were stages are of the
    # first
    stage: int = 1
    # of a foreground's longer side, whatever its size (`layout.foreground_grid`); 0 = one token per
    # grid cell
    side_tokens: int = 0
    mirrors: bool = False  # every other seed shows a foreground mirrored (`sampling.is_mirrored`)
    thing_codes: bool = False  # the seed names the drawing of a foreground (`sampling.thing_code`)
    # height of the steps between cells that are evened out, in units of a channel
    # (`models.art.smoothing`); 0 = none
    deblocking: float = 0.0
    # how unlike colours are that are evened out (`models.art.smoothing`), likewise
    smoothing: float = 0.0
    # of a job with finished layers (`GenerateRequest.is_edit`). Files that do not say so make no
    # worse layers there with 1 than with `steps`: what a first step leaves open is the background
    # and the common look, and both are there.
    edit_steps: int = 1

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.nouns, self.looks, self.colours, self.backgrounds)


@dataclass(slots=True)
class Model:
    """The networks and their card, in evaluation mode.

    Transformers in training have no context classifier and no refiner. Without a classifier the
    words of context layers are unknown, and a new layer may repeat one of them. Without a refiner
    layers are decoded as predicted.
    """

    autoencoder: Autoencoder
    text: TextEncoder
    art: ART
    card: ModelCard
    file_hash: str
    context_classifier: ContextClassifier | None = None
    refiner: Refiner | None = None

    def networks(self) -> dict[str, Any]:
        """By their names in `NETWORKS`."""
        found = {name: getattr(self, name) for name in NETWORKS}
        return {name: network for name, network in found.items() if network is not None}

    def parameters(self) -> int:
        networks = self.networks().values()
        return sum(p.numel() for network in networks for p in network.parameters())


def tensors_hash(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes, types and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_model(path: Path, model: Model, *, bits: int = 16) -> str:
    """Write a model file, in 16 or 8 bits (else ValueError); returns the hash of its tensors."""
    if bits not in (16, 8):
        raise ValueError(f"weights are stored in 16 or 8 bits, not in {bits}")
    full = {
        f"{prefix}.{name}": value.detach().cpu()
        for prefix, network in model.networks().items()
        for name, value in network.state_dict().items()
    }
    tensors = to_half(full) if bits == 16 else to_8_bits(full)
    digest = tensors_hash(tensors)
    metadata = {
        "format": FORMAT,
        "version": HALF if bits == 16 else EIGHT_BITS,
        "sha256": digest,
        "card": json.dumps(asdict(model.card)),
        **{name: json.dumps(asdict(each.config)) for name, each in model.networks().items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=metadata)
    return digest


def load_model(path: Path | None = None, report: StageReport = silent) -> Model:
    """Read a model file on the CPU in float32; `report` gets parts read and built, 0 to 1.

    Raises WeightsError: missing, damaged, of another format, or not exactly this architecture.
    """
    path = path or default_path()
    check_readable(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            names = list(file.keys())
            tensors = {}
            for count, name in enumerate(names, 1):
                tensors[name] = file.get_tensor(name)
                report("file", count / len(names))
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"The model file {path.name} cannot be read: {error}.") from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path.name} is not a Layerloom model file.")
    if metadata.get("version") not in (HALF, EIGHT_BITS):
        raise WeightsError(
            f"{path.name} has format {metadata.get('version')}; this program reads "
            f"{HALF} and {EIGHT_BITS}.",
            "Update Layerloom, or install the model that came with it.",
        )
    if tensors_hash(tensors) != metadata.get("sha256"):
        raise WeightsError(f"The model file {path.name} is damaged (checksum differs).")
    try:
        return _build(tensors, metadata, report)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path.name} does not fit this program: {error}.") from error


def _tuples(value):  # type: ignore[no-untyped-def]
    """JSON lists back to tuples, all the way down."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _config(text: str) -> dict:
    return {name: _tuples(value) for name, value in json.loads(text).items()}


def _build(stored: dict[str, Tensor], metadata: dict[str, str], report: StageReport) -> Model:
    tensors = current_names(to_float(stored))
    parts = {*NETWORKS, "recogniser"} & set(metadata)
    configs = current_configs({name: _config(metadata[name]) for name in parts})
    all_numbers = sum(tensor.numel() for tensor in tensors.values())
    loaded_numbers = 0
    networks = {}
    for name, (kind, sizes) in NETWORKS.items():
        if name not in configs:
            continue
        networks[name] = kind(sizes(**configs[name]))
        start = f"{name}."
        part = {k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)}
        networks[name].load_state_dict(part, strict=True)
        networks[name].eval().requires_grad_(False)
        loaded_numbers += sum(tensor.numel() for tensor in part.values())
        report("networks", loaded_numbers / max(1, all_numbers))
    card = ModelCard(**current_card(_config(metadata["card"])))
    model = Model(**networks, card=card, file_hash=metadata["sha256"])
    extra = [k for k in tensors if k.split(".")[0] not in model.networks()]
    if extra:
        raise ValueError(f"unexpected tensors {extra[:3]}")
    return model


# ---- storage of numbers ----


def to_half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.half().contiguous() for name, value in tensors.items()}


def to_8_bits(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Large matrices as int8, each with a float32 `NAME.row_scale`; the rest as float16.

    Raises ValueError: a tensor's name ends like that of a scale.
    """
    stored: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name.endswith(SCALE):
            raise ValueError(f"the name {name} is reserved for the scales of 8-bit rows")
        if value.ndim < 2 or value.numel() < FEWEST or name.startswith(EXACT):
            stored[name] = value.half().contiguous()
            continue
        rows = value.float().flatten(1)  # (R, numbers of a row)
        scale = rows.abs().amax(dim=1) / LARGEST  # (R,)
        steps = rows / scale.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
        stored[name] = steps.round().clamp(-LARGEST, LARGEST).to(torch.int8).view_as(value)
        stored[name + SCALE] = scale
    return stored


def to_float(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of `to_half` or `to_8_bits` in float32."""
    tensors = {}
    for name, value in stored.items():
        if name.endswith(SCALE):
            continue
        tensors[name] = value.float()
        if value.dtype == torch.int8:
            scale = stored[name + SCALE]
            tensors[name] *= scale.view(-1, *[1] * (value.ndim - 1))
    return tensors
