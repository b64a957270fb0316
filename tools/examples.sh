#!/usr/bin/env bash
# Paints the finished example with the shipped model. Run it whenever the model file changes.
#
#   tools/examples.sh [SEED=1]
set -euo pipefail
cd "$(dirname "$0")/.."
layout=resources/examples/beach-day.json
prompt=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["prompt"])' "$layout")
./dev run generate --prompt "$prompt" --layout "$layout" --seed "${1:-1}" --out "${layout%.json}.ora"
rm -f "${layout%.json}.ora~"  # the file from before is in the history
