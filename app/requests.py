"""From a document's contents to the engine's request: who is a target, who is context.

Pure functions on immutable values, shared by window and command line. Knows the engine's face and
no widget.
"""

from __future__ import annotations

from collections.abc import Collection

from app.document.contents import Contents, seed_for
from app.document.layer import Layer
from engine import GenerateRequest, LayerRequest

PICTURE_KINDS = ("box", "generated")


def picture_targets(contents: Contents) -> list[Layer]:
    """What Generate makes: visible, unlocked boxes and generated layers; the background if on."""
    return [layer for layer in contents.layers if is_target_possible(layer)]


def is_target_possible(layer: Layer) -> bool:
    """Whether a job may replace the layer's pixels: what is hidden or locked stays as it is."""
    return layer.visible and not layer.locked and layer.kind in PICTURE_KINDS


def request_for(
    contents: Contents,
    targets: Collection[Layer],
    *,
    job_id: int,
    picture_seed: int,
    preview_every: int = 1,
) -> GenerateRequest:
    """The job that makes `targets`; every other visible layer with pixels is context.

    Args:
        targets: layers of `contents`, at least one.
        picture_seed: from which the seeds of unpinned targets are derived.
        preview_every: as in `GenerateRequest`.

    Returns:
        a request whose layer ids are those of the document, bottom to top.
    """
    ids = {layer.id for layer in targets}
    layers = []
    for layer in contents.layers:
        region = layer.region(contents.grid, contents.canvas)
        is_target = layer.id in ids
        if not is_target and not (layer.visible and layer.has_pixels):
            continue
        layers.append(
            LayerRequest(
                layer_id=layer.id,
                kind="background" if layer.is_background else "foreground",
                box=region.to_box(),
                seed=seed_for(layer, picture_seed) if is_target else 0,
                pixels=None if is_target else layer.region_pixels(contents.grid, contents.canvas),
            )
        )
    return GenerateRequest(
        job_id=job_id,
        canvas=(contents.canvas.width, contents.canvas.height),
        prompt=" ".join(contents.prompt.split()),
        layers=tuple(layers),
        steps=contents.settings.steps,
        cfg_scale=contents.settings.cfg_scale,
        preview_every=preview_every,
    )
