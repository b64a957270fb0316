#!/usr/bin/env bash
# One command on a machine with a GPU and torch, numpy, pillow and safetensors: trains decoder and
# transformer for the minutes given, from the shipped weights where there are some, and leaves
# checkpoints in files under 16 MiB. The packed sprites must lie in runs/sprites.safetensors, those
# of stage 2 in runs/sprites-2.safetensors and so on (`layerloom train sprites` makes them where npm and
# resvg_py are at hand).
#
#   tools/train_gpu.sh [MINUTES=18] [OUT=runs]
#
# STAGE=3 grows the vocabulary first; without it the stage is that of the shipped weights. SMOKE=1 runs a few steps of everything, to check the recipe on
# a CPU.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-18}
out=${2:-runs}
model=resources/model/layerloom.safetensors
python=${PYTHON:-python3}
begun=1  # the stage of the shipped weights
[[ -f $model ]] && begun=$("$python" -c 'from engine.weights import load_model
print(load_model().card.stage)')
stage=${STAGE:-$begun}
sprites=runs/sprites.safetensors
[[ $stage != 1 ]] && sprites=runs/sprites-$stage.safetensors
sizes=(--batch 256 --workers 12 --max-tokens 400)
mix=(--lr 8e-4 --decay 0.5 --size 1.35 --most-tokens 6 --variety 0 --most-things 8
    --composite-share 0 --background-share 0.4)
decoder=(--batch 64 --delivered 1 --lr 5e-4 --minutes "$((minutes / 5 + 1))" --steps 100000)
steps=1000000
seeing=()
if [[ ${SMOKE:-} ]]; then
    sizes=(--batch 2 --workers 1 --max-tokens 120)
    decoder=(--batch 2 --delivered 1 --steps 2)
    steps=2
    seeing=(--batch 2 --steps 2)
fi
coder=() words=()
[[ -f $model ]] && coder=(--start-from "$model") words=(--start-from "$model")
[[ -f $model && $stage != "$begun" ]] && words=(--grow-from "$model" --stage "$stage")
test -f "$sprites" || { echo "$sprites is missing" >&2; exit 2; }
"$python" -m engine.training.autoencoder --run "$out/autoencoder" --sprites "$sprites" \
    "${decoder[@]}" "${coder[@]}"
"$python" -m engine.training.transformer --run "$out/transformer" --autoencoder "$out/autoencoder" \
    --sprites "$sprites" --minutes "$minutes" --steps "$steps" "${mix[@]}" "${sizes[@]}" "${words[@]}"
"$python" -m engine.training.ship --autoencoder "$out/autoencoder" --sprites "$sprites" \
    --transformer "$out/transformer" --out "$out/layerloom.safetensors" \
    --last --mu 1.5 --steps 2 --guidance 1
"$python" -m engine.training.recogniser --weights "$out/layerloom.safetensors" \
    --sprites "$sprites" "${seeing[@]}"
