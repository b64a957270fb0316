"""The transformer: FLUX.1's shapes, isolation of clean layers, and the exactness of their cache."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from engine.models.art.attention import (
    KeyValue,
    KeyValueBuffer,
    Packing,
    attention,
    rotate,
    rotations,
)
from engine.models.art.model import (
    ART,
    UNDECIDED,
    ARTConfig,
    DoubleBlock,
    ExpandedModulation,
    RegionConditioning,
    SingleBlock,
)
from engine.models.art.positions import inner_coordinates, place_on_canvas, region_ids
from tests.engine.tiny import TINY_ART, tiny_model

# Two orders of summation of some hundred float32 products differ by this much; anything larger
# means that the numbers are not the same numbers.
ROUNDING = {"rtol": 1e-4, "atol": 2e-5}


@pytest.fixture(scope="module")
def art() -> ART:
    torch.set_num_threads(1)
    return tiny_model().art


def packed(boxes, first=2, canvas=(256, 256)):
    ids = torch.cat([region_ids(first + i, b, 32) for i, b in enumerate(boxes)])[None]
    sizes = [((b[3] - b[1]) // 32, (b[2] - b[0]) // 32) for b in boxes]
    inner = torch.cat([inner_coordinates(*s) for s in sizes])[None]
    place = torch.cat(
        [
            place_on_canvas(b, canvas).expand(h * w, 4)
            for b, (h, w) in zip(boxes, sizes, strict=True)
        ]
    )[None]
    return ids, inner, place


def test_blocks_of_flux1_sizes_have_flux1_shapes():
    """docs/art.md 4.1: the blocks, built on the meta device, have FLUX.1-dev's parameter shapes."""
    d = 3072
    with torch.device("meta"):
        blocks = torch.nn.ModuleDict({"two": DoubleBlock(d, 24, 4), "one": SingleBlock(d, 24, 4)})
    shapes = {name: tuple(p.shape) for name, p in blocks.named_parameters()}
    expected: dict[str, tuple[int, ...]] = {
        "one.linear1.weight": (7 * d, d),
        "one.linear2.weight": (d, 5 * d),
    }
    for side in ("img", "txt"):
        stream = f"two.{side}"
        expected[f"{stream}.qkv.weight"] = (3 * d, d)
        expected[f"{stream}.proj.weight"] = (d, d)
        expected[f"{stream}.mlp.in_layer.weight"] = (4 * d, d)
        expected[f"{stream}.mlp.out_layer.weight"] = (d, 4 * d)
    expected |= {
        name.removesuffix("weight") + "bias": shape[:1] for name, shape in list(expected.items())
    }
    for norm in ("one.norm", "two.img.norm", "two.txt.norm"):
        expected[f"{norm}.query"] = expected[f"{norm}.key"] = (128,)
    assert shapes == expected


def conditioned(art, ids, inner, place, txt, plan, seen=None, seed_code=None):
    """Conditioning with an assignment."""
    plain = art.condition(ids, inner, place, txt, seed_code=seed_code)
    return art.with_assignment(plain, txt, plan, seen)


def test_config_checks_its_arithmetic():
    with pytest.raises(ValueError, match="axes_dim"):
        ARTConfig(width=64, heads=2, axes_dim=(8, 8, 8))
    with pytest.raises(ValueError, match="multiple of heads"):
        ARTConfig(width=65, heads=2)


def test_rotation_depends_on_differences_only():
    ids = torch.tensor([[[2.0, 3, 4], [2, 5, 9]]])
    q, k = torch.randn(1, 1, 2, 32), torch.randn(1, 1, 2, 32)

    def scores(shift):
        pe = rotations(ids + torch.tensor(shift), (8, 12, 12), 100.0)[:, None]
        return rotate(q, pe) @ rotate(k, pe).mT

    torch.testing.assert_close(scores([0.0, 0, 0]), scores([5.0, 7, 30]), **ROUNDING)


def test_permuting_layers_with_their_ids_permutes_the_output(art):
    """docs/art.md 10: order alone decides nothing, ids do."""
    boxes = [(0, 0, 64, 64), (96, 32, 192, 96)]
    ids, inner, place = packed(boxes)
    tokens = torch.randn(1, ids.shape[1], TINY_ART.token_width)
    txt, vec = torch.randn(1, 5, 32), art.vec(torch.tensor([0.6]))
    out = art(tokens, art.condition(ids, inner, place, txt), vec)
    order = torch.cat([torch.arange(4, ids.shape[1]), torch.arange(4)])
    frame = art.condition(ids[:, order], inner[:, order], place[:, order], txt)
    torch.testing.assert_close(art(tokens[:, order], frame, vec), out[:, order], **ROUNDING)


def test_clean_keys_do_not_depend_on_where_the_layer_is(art):
    """docs/art.md 6.3, rule 2: moving by whole cells and reordering re-rotate, nothing more."""
    here = region_ids(2, (0, 0, 96, 64), 32)[None]
    there = region_ids(9, (128, 160, 224, 224), 32)[None]
    inner = inner_coordinates(2, 3)[None]
    tokens = torch.randn(1, 6, TINY_ART.token_width)
    for a, b in zip(
        art.encode_context(tokens, here, inner),
        art.encode_context(tokens, there, inner),
        strict=True,
    ):
        torch.testing.assert_close(a.k, b.k, **ROUNDING)
        torch.testing.assert_close(a.v, b.v, **ROUNDING)


def test_clean_layers_in_one_sequence_equal_each_alone(art):
    """What training does with a whole batch is what the cache stores layer by layer."""
    boxes = [(0, 0, 64, 64), (96, 32, 192, 96)]
    ids, inner, _ = packed(boxes)
    tokens = torch.randn(1, ids.shape[1], TINY_ART.token_width)
    together = art.encode_context(tokens, ids, inner, (4, 6))
    for part in (slice(0, 4), slice(4, 10)):
        alone = art.encode_context(tokens[:, part], ids[:, part], inner[:, part])
        for a, b in zip(together, alone, strict=True):
            torch.testing.assert_close(a.k[:, :, part], b.k, **ROUNDING)
            torch.testing.assert_close(a.v[:, :, part], b.v, **ROUNDING)


def test_pictures_in_one_sequence_equal_each_alone(art):
    """A training batch: other sizes, other words, other noise levels, other clean layers."""
    pictures = [packed([(0, 0, 64, 64)]), packed([(96, 32, 192, 96), (0, 96, 64, 128)])]
    texts, levels = (3, 5), torch.tensor([0.4, 0.9])
    finished = packed([(32, 128, 96, 192), (128, 128, 160, 160)])  # the second picture reads both
    tokens = [torch.randn(1, p[0].shape[1], TINY_ART.token_width) for p in pictures]
    words = [torch.randn(1, count, 32) for count in texts]
    stored = art.encode_context(torch.randn(1, 5, 32), *finished[:2], (4, 1))
    clean = art.rotate_context(stored, finished[0])
    images = tuple(p[0].shape[1] for p in pictures)
    one = [torch.cat(parts, dim=1) for parts in zip(*pictures, strict=True)]
    frame = art.condition(*one, torch.cat(words, dim=1), packing=Packing(texts, images, (0, 5)))
    together = art(torch.cat(tokens, dim=1), frame, art.vec(levels), context=clean)
    for i, out in enumerate(together.split(images, dim=1)):
        alone = art(
            tokens[i], art.condition(*pictures[i], words[i]), art.vec(levels[i : i + 1]),
            context=clean if i else None,
        )  # fmt: skip
        torch.testing.assert_close(out, alone, **ROUNDING)


def test_noisy_layers_read_the_clean_ones(art):
    ids, inner, place = packed([(0, 0, 64, 64)])
    tokens, txt = torch.randn(1, 4, TINY_ART.token_width), torch.randn(1, 3, 32)
    vec = art.vec(torch.tensor([0.4]))
    clean_ids = region_ids(3, (96, 96, 160, 160), 32)[None]
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        stored = art.encode_context(torch.randn(1, 4, 32), clean_ids, inner)
        clean: list[KeyValue] = art.rotate_context(stored, clean_ids)
        results.append(art(tokens, art.condition(ids, inner, place, txt), vec, context=clean))
    results.append(art(tokens, art.condition(ids, inner, place, txt), vec))
    assert not torch.allclose(results[0], results[1])
    assert not torch.allclose(*results[1:])


def test_passes_side_by_side_equal_each_alone(art):
    """Both guidance branches share the matrices and nothing else."""
    ids, inner, place = packed([(0, 0, 64, 64), (96, 32, 192, 96)])
    tokens = torch.randn(1, ids.shape[1], TINY_ART.token_width)
    vec = art.vec(torch.tensor([0.4]))
    clean_ids = region_ids(3, (96, 96, 160, 160), 32)[None]
    stored = art.encode_context(torch.randn(1, 4, 32), clean_ids, inner[:, :4])
    clean = art.rotate_context(stored, clean_ids)
    plan = torch.tensor([[2] * 4 + [UNDECIDED] * (ids.shape[1] - 4)])
    frames = [
        conditioned(art, ids, inner, place, torch.randn(1, 5, 32), plan),
        art.condition(ids, inner, place, torch.randn(1, 1, 32)),
    ]
    both = art(tokens.repeat(1, 2, 1), frames[0].packed_with(frames[1]), vec, context=clean)
    for frame, out in zip(frames, both.chunk(2, dim=1), strict=True):
        torch.testing.assert_close(out, art(tokens, frame, vec, context=clean), **ROUNDING)


def test_a_buffer_of_clean_keys_equals_joining_them_in_every_block(art):
    """Also where passes of other lengths wrote behind the clean keys before."""
    ids, inner, place = packed([(0, 0, 64, 64), (96, 32, 192, 96)])
    tokens = torch.randn(1, ids.shape[1], TINY_ART.token_width)
    vec = art.vec(torch.tensor([0.4]))
    clean_ids = region_ids(3, (96, 96, 160, 160), 32)[None]
    joined = art.rotate_context(
        art.encode_context(torch.randn(1, 4, 32), clean_ids, inner[:, :4]), clean_ids
    )
    room = 5 + ids.shape[1]
    buffers = [
        KeyValueBuffer(F.pad(kv.k, (0, 0, 0, room)), F.pad(kv.v, (0, 0, 0, room)), 4)
        for kv in joined
    ]
    frames = [art.condition(ids, inner, place, torch.randn(1, count, 32)) for count in (5, 1, 5)]
    for frame in [frames[0].packed_with(frames[1]), *frames]:
        noisy = tokens.repeat(1, len(frame.packing.texts), 1)
        expected = art(noisy, frame, vec, context=joined)
        torch.testing.assert_close(art(noisy, frame, vec, context=buffers), expected, **ROUNDING)


def test_words_that_a_region_shows_are_marked_in_the_text(art):
    ids, inner, place = packed([(0, 0, 64, 64), (96, 32, 192, 96)])
    txt = torch.randn(1, 4, 32)
    plan = torch.tensor([[2] * 4 + [UNDECIDED] * (ids.shape[1] - 4)])
    plain = art.condition(ids, inner, place, txt)
    marked = conditioned(art, ids, inner, place, txt, plan, torch.tensor([[0.0, 0, 0, 1]]))
    assert (marked.txt != plain.txt).any(dim=-1).tolist() == [[False, False, True, True]]


def spread(mods) -> list[ExpandedModulation]:
    return [mod.expand() for mod in mods]


def test_regions_are_told_apart_by_their_layer_and_their_picture():
    """Also where two pictures meet in layers of the same number."""
    layer = torch.tensor([[1.0, 1, 2, 2, 2, 2, 2, 3]])
    told = RegionConditioning.zero(layer, (4, 4), 5)
    assert told.regions.tolist() == [[0, 0, 1, 1, 2, 2, 2, 3]]
    assert told.first.tolist() == [0, 2, 4, 7]
    more = told.plus(told.of_regions(torch.arange(8.0)[None, :, None].expand(-1, -1, 5)))
    assert more.values[:, 0].tolist() == [0, 2, 4, 7]
    both = more.packed_with(told)
    assert both.regions[0, 8:].tolist() == [4, 4, 5, 5, 6, 6, 6, 7]
    assert both.first.tolist() == [0, 2, 4, 7, 8, 10, 12, 15]
    two = RegionConditioning.zero(layer.view(2, 4), (4,), 5)
    assert two.regions.tolist() == [[0, 0, 1, 1], [2, 2, 2, 3]]


def test_a_regions_word_modulates_its_own_tokens(art):
    """And nothing else: neither the text nor a region that has not decided, nor clean layers."""
    ids, inner, place = packed([(0, 0, 64, 64), (96, 32, 192, 96)])
    txt, vec = torch.randn(1, 4, 32), art.vec(torch.tensor([0.9]))
    plan = torch.tensor([[2] * 4 + [UNDECIDED] * (ids.shape[1] - 4)])
    plain, told = (
        art.condition(ids, inner, place, txt),
        conditioned(art, ids, inner, place, txt, plan),
    )
    rows = plain.packing.segment_ids(1, vec.device)
    without, with_word = (art._modulations(vec, rows, frame) for frame in (plain, told))
    for (img, text), (img_told, text_told) in zip(without[0], with_word[0], strict=True):
        for a, b in zip(spread(img), spread(img_told), strict=True):
            assert not torch.equal(a.scale[:, :4], b.scale[:, :4])
            torch.testing.assert_close(a.scale[:, 4:], b.scale[:, 4:], **ROUNDING)
        assert torch.equal(text[0].expand().scale, text_told[0].expand().scale)
    for a, b in zip(spread(without[1]), spread(with_word[1]), strict=True):
        torch.testing.assert_close(a.gate[:, :4], b.gate[:, :4], **ROUNDING)  # the text
        assert not torch.equal(a.gate[:, 4:8], b.gate[:, 4:8])
        torch.testing.assert_close(a.gate[:, 8:], b.gate[:, 8:], **ROUNDING)


def test_a_single_block_maps_attention_and_mlp_as_if_they_were_joined():
    """Two products instead of one over a copy: equal up to the order of the sums."""
    torch.manual_seed(0)
    block = SingleBlock(64, 1, 4)
    x, attended, hidden = torch.randn(2, 5, 64), torch.randn(2, 5, 64), torch.randn(2, 5, 256)
    mod = ExpandedModulation(*torch.randn(3, 2, 1, 64))
    joined = torch.cat([attended, F.gelu(hidden)], dim=-1)
    expected = x + mod.gate * block.linear2(joined)
    torch.testing.assert_close(block.update(x, attended, hidden, mod), expected)


def test_attention_in_bfloat16_has_the_gradients_of_float32() -> None:
    """Training on CPUs with bfloat16 takes plain products where generation takes the fused ones."""
    torch.manual_seed(0)
    full = [torch.randn(1, 2, 12, 32, requires_grad=True) for _ in range(3)]
    half = [x.detach().bfloat16().requires_grad_() for x in full]
    outputs = [attention(*full), attention(*half)]
    assert torch.allclose(outputs[1].float(), outputs[0], atol=0.03)
    for output in outputs:
        output.float().square().sum().backward()
    for x, y in zip(full, half, strict=True):
        assert torch.allclose(y.grad.float(), x.grad, atol=0.03 * x.grad.abs().max().item())


def test_what_a_seed_chose_reaches_its_region_alone(art):
    """In the first input of its tokens and in what modulates them, beside the region's word."""
    ids, inner, place = packed([(0, 0, 64, 64), (96, 32, 192, 96)])
    txt, plan = torch.randn(1, 4, 32), torch.tensor([[2] * ids.shape[1]])
    code = torch.zeros(1, ids.shape[1], TINY_ART.seed_signs)
    none = conditioned(art, ids, inner, place, txt, plan)
    zeros = conditioned(art, ids, inner, place, txt, plan, seed_code=code)
    assert torch.equal(none.regions.values, zeros.regions.values)
    code[:, :4] = 1
    chosen = conditioned(art, ids, inner, place, txt, plan, seed_code=code)
    assert not torch.equal(none.offset[:, :4], chosen.offset[:, :4])
    assert torch.equal(none.offset[:, 4:], chosen.offset[:, 4:])
    assert not torch.equal(none.regions.values[0], chosen.regions.values[0])
    assert torch.equal(none.regions.values[1], chosen.regions.values[1])
    undecided = art.condition(ids, inner, place, txt, seed_code=code)
    assert not torch.equal(chosen.regions.values, undecided.regions.values), "the word counts, too"
