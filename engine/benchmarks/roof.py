"""How near a step comes to what this machine can multiply, and where the rest of it goes.

The roof is measured, not quoted: every matrix product that a step asks for is repeated alone, at
its own shape, right beside the step. Their sum is the time that a step of nothing but matrix
products would take.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile

from engine.benchmarks.context import Context
from engine.benchmarks.flops import Product, ProductCounter, total_flops
from engine.benchmarks.measure import alternate, ratios, summary
from engine.benchmarks.pictures import box_side, equal_boxes, finished_pixels, picture
from engine.benchmarks.report import Cell, Section, Table
from engine.benchmarks.step import Step
from engine.models.art.backbone import art_of

LAYERS, QUICK_LAYERS = (10, 50), (10,)
ROUNDS_BEFORE = 2  # until allocator and caches are warm

TEXT = (
    "*Useful* counts the operations of linear maps and attention, as torch was asked for them. "
    "*Alone* repeats the same products at the same shapes with nothing around them, in turn with "
    "the step: linear maps as they are, attention as its two batched products without the "
    "softmax. *Share of the roof* is alone / step. The second table is torch's profiler over the "
    "same step; its own cost inflates small operations a little."
)
GROUPS = {
    "linear maps": ("addmm", "linear", "aten::mm", "matmul"),
    "attention": ("attention", "bmm", "softmax"),
    "copies and joins": ("copy", "cat", "contiguous", "clone", "repeat", "split"),
    "norms": ("norm",),
    "activations": ("gelu", "silu"),
    "rotation": ("complex", "view_as_real"),
    "sums and products": ("mul", "add", "addcmul", "sub", "div"),
}


def alone(product: Product, device: torch.device) -> Callable[[], object]:
    """The same product by itself; attention as scores and sums, without the softmax."""
    if product.kind == "linear":
        rows, width_in, width_out = product.shape
        x, weight = torch.rand(rows, width_in), torch.rand(width_out, width_in)
        bias = torch.rand(width_out)
        x, weight, bias = x.to(device), weight.to(device), bias.to(device)
        return lambda: F.linear(x, weight, bias)
    batch, queries, keys, head = product.shape
    q, k = torch.rand(batch, queries, head).to(device), torch.rand(batch, keys, head).to(device)
    v, scores = torch.rand(batch, keys, head).to(device), torch.empty(0, device=device)
    out = torch.empty(0, device=device)

    def both() -> None:
        torch.bmm(q, k.mT, out=scores.resize_(batch, queries, keys))
        torch.bmm(scores, v, out=out.resize_(batch, queries, head))

    return both


def repeated(work: Callable[[], object], count: int) -> Callable[[], None]:
    """`count` calls as one."""

    def calls() -> None:
        with torch.no_grad():
            for _ in range(count):
                work()

    return calls


def group_of(operation: str) -> str:
    """The name in `GROUPS` that a profiled operation counts to."""
    name = operation.lower()
    return next((g for g, parts in GROUPS.items() if any(p in name for p in parts)), "other")


def where_time_goes(step: Step) -> dict[str, float]:
    """Share of the profiled time per group, largest first."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        step()
    spent: defaultdict[str, float] = defaultdict(float)
    for event in profiler.key_averages():
        spent[group_of(event.key)] += event.self_cpu_time_total
    whole = sum(spent.values())
    return {g: t / whole for g, t in sorted(spent.items(), key=lambda item: -item[1])}


def cases(context: Context) -> Iterator[tuple[str, Step]]:
    """Label and step of whole pictures, and of one layer beside finished ones."""
    counts = context.layers(LAYERS, QUICK_LAYERS) or [context.most_layers]
    for layers in counts:
        whole = picture(equal_boxes(layers))
        yield f"{layers} layers of {box_side(layers)} px", Step(context.generator, whole)
    layers = counts[0]
    done = finished_pixels(context.generator, picture(equal_boxes(layers)))
    del done[1]
    edit = picture(equal_boxes(layers), done)
    yield f"1 of {layers} layers of {box_side(layers)} px", Step(context.generator, edit)


def bench(context: Context) -> Section:
    """Steps against their own products."""
    roofs: list[list[Cell]] = []
    shapes: list[list[Cell]] = []
    shares: dict[str, dict[str, float]] = {}
    for label, step in cases(context):
        context.say(f"roof: {label}")
        with ProductCounter() as counter:
            step()
        found: Counter[Product] = counter.found
        works: dict[str, Callable[[], object]] = {"step": step}
        named = {f"{p.kind} {' x '.join(map(str, p.shape))}": p for p in found}
        device = art_of(context.generator).device
        for name, product in named.items():
            works[name] = repeated(alone(product, device), found[product])
        alternate(works, ROUNDS_BEFORE)
        taken = alternate(works, context.runs)
        sums = [sum(taken[name][i] for name in named) for i in range(context.runs)]
        flops = total_flops(found)
        roofs.append([
            label, step.sequence, f"{flops / 1e9:.1f}", summary(taken["step"]), summary(sums),
            summary([flops / t / 1e9 for t in taken["step"]]),
            summary([flops / t / 1e9 for t in sums]),
            ratios([100 * t for t in sums], taken["step"]),
        ])  # fmt: skip
        for name, product in sorted(named.items(), key=lambda item: -item[1].flops):
            total = product.flops * found[product]
            if total < 0.01 * flops:
                continue  # the tables need no dust
            shapes.append([label, name, found[product], f"{100 * total / flops:.0f} %",
                           summary([total / t / 1e9 for t in taken[name]])])  # fmt: skip
        shares[label] = where_time_goes(step)
    names = list(dict.fromkeys(name for share in shares.values() for name in share))
    rest: list[list[Cell]] = [
        [name, *(f"{100 * share.get(name, 0):.1f} %" for share in shares.values())]
        for name in names
    ]
    return Section("roof", "How near to the roof", TEXT, [
        Table("A step against its own matrix products", [
            "picture", "tokens", "10^9 operations", "step, s", "alone, s", "useful GFLOP/s",
            "alone GFLOP/s", "share of the roof, %"], roofs),
        Table("Where the step's time goes (profiler)", ["", *shares], rest),
        Table("The products alone (those of at least 1 % of the operations)", [
            "picture", "product", "times", "of the operations", "alone GFLOP/s"], shapes, labels=2),
    ])  # fmt: skip
