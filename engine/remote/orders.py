"""Orders: one picture of a server for each layer that a request asks for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

import numpy as np

from engine.api import GenerateRequest, LayerRequest, LayerResult, NotPlaced
from engine.layout import check_request
from engine.prompts.open_text import OpenPrompt, read_open_prompt
from engine.remote.api import Connection, PictureJob, RemoteError
from engine.remote.fitting import fit_background, fit_cut_out, picture_size
from engine.remote.ledger import fingerprint
from engine.remote.phrases import (
    Phrases,
    assign_phrases,
    background_prompt,
    layer_prompt,
    negative_prompt,
)
from engine.remote.pictures import MAX_SIDE

MOST_FOREGROUNDS = 50
NOTHING_NAMED = "the prompt names no thing"
ALL_PLACED = "every thing that the prompt names has a box already"


@dataclass(slots=True)
class Order:
    """One layer of a request and the picture for it.

    Attributes:
        word: what the layer shows, for its record; None for the background.
        mark: `ledger.fingerprint` of the job.
        loose: the same without the seed.
        is_under_way: the server has the job from an earlier run.
        rgba: the picture in its box, (h, w, 4) uint8; None before it arrived.
    """

    layer: LayerRequest
    job: PictureJob
    word: str | None
    mark: str
    loose: str
    is_under_way: bool = False
    rgba: np.ndarray | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """The layer in messages."""
        return "the background" if self.word is None else f"'{self.word}'"

    def take_over(self, mark: str, seed: int, key: str = "") -> None:
        """Wait for a picture that was asked for before, under its own seed."""
        self.mark = mark
        self.job = replace(self.job, seed=seed, key=key or self.job.key)

    def fit(self, picture: np.ndarray) -> None:
        """Take in the picture as it arrived, (h, w, 4) uint8.

        Raises:
            RemoteError: of kind "picture": nothing is seen in a cut-out.
        """
        box = self.layer.box
        if self.layer.kind == "background":
            self.rgba = fit_background(picture, (box[2] - box[0], box[3] - box[1]))
            return
        try:
            self.rgba = fit_cut_out(picture, box)
        except ValueError as error:
            raise RemoteError(
                "picture",
                f"The picture for {self.title} is empty.",
                "Try again with another seed, or describe the thing in other words.",
            ) from error


@dataclass(frozen=True, slots=True)
class OrderList:
    """The orders of one request, in its order, and what is made of its prompt."""

    orders: tuple[Order, ...]
    prompt: OpenPrompt
    not_placed: tuple[NotPlaced, ...]


def order_pictures(request: GenerateRequest, connection: Connection) -> OrderList:
    """What a server is to be asked for.

    Raises:
        LayoutError, RequestError: the request cannot be made.
    """
    check_request(request, 1, MOST_FOREGROUNDS, MAX_SIDE)
    prompt = read_open_prompt(request.prompt)
    phrases = assign_phrases(request, prompt)
    orders = [
        _order(layer, request, prompt, phrases, connection)
        for layer in request.layers
        if layer.is_target and (layer.kind == "background" or layer.layer_id in phrases.by_layer)
    ]
    return OrderList(tuple(orders), prompt, phrases.not_placed)


def _order(
    layer: LayerRequest,
    request: GenerateRequest,
    prompt: OpenPrompt,
    phrases: Phrases,
    connection: Connection,
) -> Order:
    is_background = layer.kind == "background"
    width, height = picture_size(layer.box)
    phrase = None if is_background else phrases.by_layer[layer.layer_id]
    job = PictureJob(
        key=str(uuid.uuid4()),
        prompt=background_prompt(prompt) if phrase is None else layer_prompt(phrase, prompt),
        negative=negative_prompt(prompt, is_background=is_background),
        width=width,
        height=height,
        seed=layer.seed,
        alpha=not is_background,
        steps=request.steps,
    )
    loose = fingerprint(replace(job, seed=0), connection)
    word = None if phrase is None else phrase.word
    return Order(layer, job, word, fingerprint(job, connection), loose)


def results_of(request: GenerateRequest, made: OrderList) -> tuple[LayerResult, ...]:
    """One result per target of the request; boxes without a phrase are transparent."""
    order_of = {order.layer.layer_id: order for order in made.orders}
    why = ALL_PLACED if made.prompt.check.objects else NOTHING_NAMED
    return tuple(
        _result(layer, order_of.get(layer.layer_id), why)
        for layer in request.layers
        if layer.is_target
    )


def _result(layer: LayerRequest, order: Order | None, why: str) -> LayerResult:
    x0, y0, x1, y1 = layer.box
    rgba = np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
    if order is not None:
        assert order.rgba is not None  # the run has ended well
        rgba = order.rgba
    return LayerResult(
        layer_id=layer.layer_id,
        kind=layer.kind,
        box=layer.box,
        seed=layer.seed if order is None else order.job.seed,
        rgba=rgba,
        word=None if order is None else order.word,
        left_empty=why if order is None else None,
    )
