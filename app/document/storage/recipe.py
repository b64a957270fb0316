"""The recipe: how a picture came to be, as plain JSON values for exports and manifests.

Knows neither files nor windows.
"""

from __future__ import annotations

import json
from typing import Any

from app.document.contents import Contents
from app.document.layer import Layer

FORMAT = "layerloom-recipe"
VERSION = 1

_GENERATED = "trainedAlgorithmicMedia"
_WITH_OTHERS = "compositeWithTrainedAlgorithmicMedia"


def recipe_of(contents: Contents) -> dict[str, Any]:
    """Layout, prompt, settings and the record of every visible layer, bottom first."""
    settings = contents.settings
    return {
        "format": FORMAT,
        "version": VERSION,
        "canvas": [contents.canvas.width, contents.canvas.height],
        "grid": contents.grid,
        "background": contents.background_on,
        "prompt": contents.prompt,
        "settings": {
            "steps": settings.steps,
            "cfg_scale": settings.cfg_scale,
            "seed_mode": settings.seed_mode,
            "seed": settings.seed,
        },
        "layers": [_layer(contents, layer) for layer in contents.layers if layer.visible],
    }


def _layer(contents: Contents, layer: Layer) -> dict[str, Any]:
    return {
        "number": layer.number,
        "name": layer.name,
        "kind": layer.kind,
        "box": list(layer.region(contents.grid, contents.canvas).to_box()),
        "pinned_seed": layer.seed,
        "pixels": layer.pixel_hash,
        "record": layer.record,
    }


def png_texts(contents: Contents, *, with_recipe: bool) -> dict[str, str]:
    """Text chunks for an exported PNG; the kind of source always stands there."""
    texts = {"Software": "Layerloom"}
    if with_recipe:
        texts["Description"] = contents.prompt
        texts["layerloom"] = json.dumps(recipe_of(contents), sort_keys=True, ensure_ascii=False)
    kinds = {layer.kind for layer in contents.layers if layer.visible and layer.has_pixels}
    if "generated" in kinds:
        texts["XML:com.adobe.xmp"] = _xmp(_WITH_OTHERS if "imported" in kinds else _GENERATED)
    return texts


def _xmp(source: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/'
        f'{source}"/></rdf:RDF></x:xmpmeta>'
    )
