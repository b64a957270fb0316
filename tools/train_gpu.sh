#!/usr/bin/env bash
# One command on a machine with a GPU and torch, numpy, pillow and safetensors: trains the transformer
# for the minutes given, from the shipped weights, then the recogniser, and leaves a whole model file,
# in one piece and in parts under 16 MiB (`cat layerloom.part-* > layerloom.safetensors` joins them).
# The packed sprites of stage 3 must be in runs/sprites-3.safetensors, those of stage 4 in
# runs/sprites-4.safetensors (`layerloom train sprites` makes them where npm and resvg_py are
# installed). A second call with the same OUT resumes the first one.
#
#   tools/train_gpu.sh [MINUTES=7] [OUT=runs]
#
# STAGE=4                grows the vocabulary first; else the stage is that of the shipped weights
# CONFIG='{"width": ..}' trains a transformer of other sizes from nothing, see docs/training.md
# SIDE=6                 tokens along a thing's longer side: finer drawings, dearer steps
# DECODER=3              trains the decoder for so many minutes before
# REFINER=3              trains the refiner for so many minutes after, and stores the file in 8 bits
# SMOKE=1                runs a few steps of everything, to check the recipe on a CPU
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-7}
out=${2:-runs}
model=resources/model/layerloom.safetensors
python=${PYTHON:-python3}
run() {  # MODULE [OPTIONS]: a trainer without the rest of the program
    "$python" -c 'import importlib, sys
raise SystemExit(importlib.import_module(f"engine.training.{sys.argv[1]}").main(sys.argv[2:]))' "$@"
}
stage=$("$python" -c 'from engine.models.checkpoint import load_model
print(load_model().card.stage)')
words=(--start-from "$model")
if [[ ${CONFIG:-} ]]; then
    words=(--config "$CONFIG" --stage "${STAGE:-$stage}")
elif [[ ${STAGE:-$stage} != "$stage" ]]; then
    words=(--grow-from "$model" --stage "$STAGE")
fi
stage=${STAGE:-$stage}
sprites=runs/sprites-$stage.safetensors
test -f "$sprites" || { echo "$sprites is missing" >&2; exit 2; }
sizes=(--batch 256 --workers 12 --max-tokens 400)
mix=(--lr 1e-3 --decay 0.6 --size 1.35 --side-tokens "${SIDE:-4}" --variety 0 --most-things 8
    --open-looks 0 --named-looks 0.8 --first-look 0.1 --background-share 0.4 --background-weight 16
    --edit-share 0.2 --colour-share 0.75 --stranger-share 0.05 --pure-share 0.85 --huber 0.25 --repeat-share 0.15 --crowd-share 0.03)
steps=(--minutes "$minutes" --steps 1000000)
decoding=(--batch 64 --minutes "${DECODER:-0}" --steps 100000)
seeing=(--batch 128 --steps 1000 --workers 12)
refining=(--batch 1024 --pool 60000 --workers 12 --minutes "${REFINER:-0}" --steps 1000000)
if [[ ${SMOKE:-} ]]; then
    sizes=(--batch 2 --workers 1 --max-tokens 120)
    steps=(--steps 2)
    decoding=(--batch 2 --steps 2)
    seeing=(--batch 2 --steps 2)
    refining=(--batch 2 --pool 8 --workers 0 --steps 2)
fi
coder=$model
if [[ ${DECODER:-} ]]; then
    coder=$out/autoencoder
    run trainers.autoencoder --run "$coder" --sprites "$sprites" \
        --start-from "$model" --delivered 1 --lr 5e-4 "${decoding[@]}"
fi
run trainers.transformer --run "$out/transformer" --autoencoder "$coder" \
    --sprites "$sprites" "${steps[@]}" "${mix[@]}" "${sizes[@]}" "${words[@]}"
run export --autoencoder "$coder" --sprites "$sprites" \
    --transformer "$out/transformer" --out "$out/layerloom.safetensors" --last
run trainers.context_classifier --weights "$out/layerloom.safetensors" \
    --sprites "$sprites" "${seeing[@]}"
if [[ ${REFINER:-} ]]; then
    run trainers.refiner --run "$out/refiner" --sprites "$sprites" \
        --weights "$out/layerloom.safetensors" "${refining[@]}"
    run export --transformer "$out/layerloom.safetensors" \
        --refiner "$out/refiner" --bits 8 --out "$out/layerloom.safetensors"
fi
split -b 15M "$out/layerloom.safetensors" "$out/layerloom.part-"
