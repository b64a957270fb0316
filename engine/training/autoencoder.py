"""Trains the RGBA autoencoder: `layerloom train autoencoder`.

Starts from the best linear transform (PCA of 16 px cells, uncentred, so that transparent is zero)
and learns the residuals. A linear encoder never changes after that start, so that the latents of a
shipped model stay valid while its decoder goes on learning.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from engine.models.art.autoencoder import (
    Autoencoder,
    AutoencoderConfig,
    channels_last,
    clamp_premultiplied,
    expected_composite_error,
)
from engine.models.checkpoint import load_model
from engine.pixels import EMPTY_ALPHA, SOLID_ALPHA
from engine.training.layer_data import LayerCrops
from engine.training.optim import Muon, learning_rate, update_ema
from engine.training.precision import mixed_precision
from engine.training.predicted_layers import PredictedLayers
from engine.training.run_folder import RunFolder

WHITENING = 0.5  # 0 keeps PCA's variances, 1 makes all equal; between, detail counts but less


@torch.no_grad()
def start_from_pca(model: Autoencoder, crops: Tensor) -> float:
    """Set the linear paths and the latents' scale from (B, 4, H, W) crops; returns dB of PSNR."""
    size, channels = model.config.cell_px, model.config.channels
    cells = crops.unfold(2, size, size).unfold(3, size, size)  # (B, 4, h, w, 16, 16)
    cells = cells.permute(0, 2, 3, 1, 4, 5).reshape(-1, 4 * size * size)
    cells = cells[cells[:, 3 * size * size :].amax(dim=1) > 0]  # empty cells teach nothing
    _, vectors = torch.linalg.eigh(cells.T @ cells / len(cells))
    basis = vectors.flip(1)[:, :channels]  # (1024, C)
    deviation = (cells @ basis).std(dim=0)
    scale = deviation.pow(WHITENING)
    scale = scale * (deviation / scale).square().mean().sqrt()  # unit mean square
    model.encoder.linear.weight.copy_((basis / scale).T.reshape(channels, 4, size, size))
    model.decoder.linear.weight.copy_((basis * scale).T.reshape(channels, 4, size, size))
    rest = cells - cells @ basis @ basis.T
    return -10 * torch.log10(rest.square().mean()).item()


def reconstruction_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Expected composite error + L1 and edges on a random background per crop."""
    backdrop = torch.rand(len(target), 3, 1, 1, device=target.device)

    def on_backdrop(rgba: Tensor) -> Tensor:
        return rgba[:, :3] + (1 - rgba[:, 3:]) * backdrop

    difference = on_backdrop(predicted) - on_backdrop(target)
    alpha = predicted[:, 3:] - target[:, 3:]
    both = torch.cat([difference, alpha], dim=1)
    edges = both.diff(dim=2).abs().mean() + both.diff(dim=3).abs().mean()
    return 4 * expected_composite_error(predicted, target) + both.abs().mean() + edges


def deliver(rgba: Tensor) -> Tensor:
    """(B, 4, H, W) premultiplied -> with alpha decided as `engine.pixels.to_straight` does."""
    rgba = clamp_premultiplied(rgba)
    alpha = rgba[:, 3:]
    decided = ((alpha - EMPTY_ALPHA) / (SOLID_ALPHA - EMPTY_ALPHA)).clamp(0, 1)
    colour = (rgba[:, :3] / alpha.clamp(min=0.05)).clamp(max=1)
    return torch.cat([colour * decided, decided], dim=1)


@torch.no_grad()
def validate(model: Autoencoder, crops: Tensor) -> dict[str, float]:
    """PSNR in dB of premultiplied RGBA and of alpha, over cells that are not empty.

    Of the decoder's output, and of what is delivered.
    """
    output = model.decode_latents(model.encode_pixels(crops))
    decoded = clamp_premultiplied(output)
    size = model.config.cell_px
    mask = torch.nn.functional.max_pool2d(crops[:, 3:], size)
    mask = torch.nn.functional.interpolate(mask.gt(0).float(), scale_factor=size)
    error = (decoded - crops).square() * mask
    delivered = (deliver(output) - crops).square() * mask
    count = mask.sum()

    def psnr(channels: Tensor) -> float:
        mean = channels.sum() / (count * channels.shape[1])
        return round(-10 * torch.log10(mean).item(), 2)

    return {
        "rgba_db": psnr(error), "alpha_db": psnr(error[:, 3:]),
        "delivered_rgba_db": psnr(delivered), "delivered_alpha_db": psnr(delivered[:, 3:]),
    }  # fmt: skip


def save_picture(model: Autoencoder, crops: Tensor, path: Path) -> None:
    """Originals above their reconstructions, on grey."""
    from PIL import Image

    with torch.no_grad():
        decoded = clamp_premultiplied(model.decode_latents(model.encode_pixels(crops)))
    rows = [
        torch.cat(list(batch[:, :3] + (1 - batch[:, 3:]) * 0.6), dim=2)
        for batch in (crops, decoded)
    ]
    sheet = torch.cat(rows, dim=1).clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(sheet).save(path)


def main(argv: list[str]) -> int:
    """Train until `--minutes` or `--steps` are over; resumes from the run's last checkpoint."""
    parser = argparse.ArgumentParser(prog="layerloom train autoencoder", description=__doc__)
    parser.add_argument("--sprites", type=Path, default=Path("runs/sprites.safetensors"))
    parser.add_argument("--run", type=Path, default=Path("runs/autoencoder"))
    parser.add_argument("--start-from", type=Path, help="model file to begin a new run with")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--noise", type=float, default=0.05, help="largest latent noise")
    parser.add_argument(
        "--delivered",
        type=float,
        default=0.0,
        help="weight of the same loss on what users get, with alpha decided",
    )
    parser.add_argument(
        "--predicted", type=Path, help="model file: learn on the layers that it predicts, too"
    )
    parser.add_argument("--predicted-share", type=float, default=0.5, help="of the batches")
    parser.add_argument("--predicted-layers", type=int, default=4_000, help="that are made")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    device = torch.device(args.device)
    run = RunFolder(args.run)
    model = channels_last(Autoencoder(AutoencoderConfig())).to(device)
    held_out = next(iter(LayerCrops(args.sprites, batch=48, size=args.crop, seed=10_001)))
    held_out = held_out.to(device)
    averaged = channels_last(Autoencoder(AutoencoderConfig())).to(device)
    step, elapsed = 0, 0.0
    loaded = run.load()
    if loaded is None and args.start_from:
        model.load_state_dict(load_model(args.start_from).autoencoder.state_dict())
        ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    elif loaded is None:
        first = next(iter(LayerCrops(args.sprites, batch=600, size=args.crop, seed=10_002)))
        psnr = start_from_pca(model, first.to(device))
        run.log(step=0, pca_db=round(psnr, 2), **validate(model, held_out))
        ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    else:
        tensors, state = loaded
        model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        ema = {k[4:]: v.to(device) for k, v in tensors.items() if k.startswith("ema.")}
        step, elapsed = state["step"], state["elapsed"]
    # PCA stays as it is: under a learning rate that suits the residuals it only gets worse. Muon
    # was no better than AdamW on these convolutions in 120 steps, and cost a quarter more.
    model.encoder.linear.requires_grad_(False)
    model.decoder.linear.requires_grad_(False)
    optimizer = Muon([], (p for p in model.parameters() if p.requires_grad), lr=args.lr)
    if loaded is not None:
        optimizer.load_state(
            {k[10:]: v.to(device) for k, v in loaded[0].items() if k.startswith("optimizer.")}
        )

    def save() -> None:
        tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in ema.items()}
        tensors |= {f"optimizer.{k}": v for k, v in optimizer.state().items()}
        run.save(tensors, {"step": step, "elapsed": elapsed})

    if loaded is None:
        save()  # a linear encoder is final from here: the transformer can start training
    data = LayerCrops(args.sprites, batch=args.batch, size=args.crop, seed=args.seed + step)
    batches = iter(DataLoader(data, batch_size=None, num_workers=1, prefetch_factor=4))
    predicted: Iterator[tuple[Tensor, Tensor]] | None = None
    if args.predicted:
        made = PredictedLayers(load_model(args.predicted), args.sprites, batch=args.batch,
                               layers=args.predicted_layers, seed=args.seed + step)  # fmt: skip
        predicted = iter(made)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    started = last_save = time.monotonic()
    losses: list[float] = []
    minutes_left = True
    while step < args.steps and minutes_left and not stopping:
        progress = max(step / args.steps, (time.monotonic() - started) / 60 / args.minutes)
        lr = learning_rate(int(progress * args.steps), args.steps, args.lr, 50, 0.4)
        if predicted is not None and torch.rand(()) < args.predicted_share:
            latents, crops = (part.to(device) for part in next(predicted))
            latents = latents.contiguous(memory_format=torch.channels_last)
        else:
            crops = next(batches).to(device, memory_format=torch.channels_last)
            latents = model.encode_pixels(crops)
            sigma = torch.rand(len(crops), 1, 1, 1, device=device) * args.noise
            # No gradient may shrink the noise by inflating the latents.
            latents = latents + sigma * latents.detach().std() * torch.randn_like(latents)
        with mixed_precision(device):
            decoded = model.decode_latents(latents)
        decoded = decoded.float()
        loss = reconstruction_loss(decoded, crops)
        if args.delivered:
            loss = loss + args.delivered * reconstruction_loss(deliver(decoded), crops)
        loss.backward()
        optimizer.step(lr)
        update_ema(ema, model, min(0.998, (step + 1) / (step + 20)))
        losses.append(loss.item())
        step += 1
        minutes_left = (time.monotonic() - started) / 60 < args.minutes
        if step % 50 == 0:
            elapsed_now = elapsed + time.monotonic() - started
            run.log(step=step, loss=round(sum(losses) / len(losses), 5), lr=lr,
                    seconds=round(elapsed_now, 1))  # fmt: skip
            losses.clear()
        if step % 250 == 0:
            averaged.load_state_dict(ema)
            run.log(step=step, **validate(averaged, held_out))
        if time.monotonic() - last_save > 240:
            save()
            averaged.load_state_dict(ema)
            save_picture(averaged, held_out[:12], run.path / "sheet.png")
            last_save = time.monotonic()
    elapsed += time.monotonic() - started
    save()
    averaged.load_state_dict(ema)
    run.log(step=step, done=1, **validate(averaged, held_out))
    save_picture(averaged, held_out[:12], run.path / "sheet.png")
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
