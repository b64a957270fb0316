#!/usr/bin/env bash
# One command on a machine with a GPU and torch, numpy, pillow and safetensors: trains decoder and
# transformer for the minutes given, from the shipped weights where there are some, and leaves
# checkpoints in files under 16 MiB. The packed sprites must lie in runs/sprites.safetensors
# (`layerloom train sprites` makes them where npm and resvg_py are at hand).
#
#   tools/train_gpu.sh [MINUTES=18] [OUT=runs]
#
# SMOKE=1 runs a few steps of everything, to check the recipe on a CPU.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-18}
out=${2:-runs}
model=resources/model/layerloom.safetensors
python=${PYTHON:-python3}
sizes=(--batch 256 --workers 12 --max-tokens 400)
decoder=(--batch 64 --minutes "$((minutes / 5 + 1))" --steps 100000)
steps=1000000
if [[ ${SMOKE:-} ]]; then
    sizes=(--batch 2 --workers 1 --max-tokens 120)
    decoder=(--batch 2 --steps 2)
    steps=2
fi
start=()
[[ -f $model ]] && start=(--start-from "$model")
test -f runs/sprites.safetensors || { echo "runs/sprites.safetensors is missing" >&2; exit 2; }
"$python" -m engine.training.autoencoder --run "$out/autoencoder" "${decoder[@]}" "${start[@]}"
"$python" -m engine.training.transformer --run "$out/transformer" --autoencoder "$out/autoencoder" \
    --minutes "$minutes" --steps "$steps" --decay 0.3 "${sizes[@]}" "${start[@]}"
"$python" -m engine.training.ship --autoencoder "$out/autoencoder" \
    --transformer "$out/transformer" --out "$out/layerloom.safetensors"
