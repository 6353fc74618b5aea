#!/usr/bin/env bash
# Trains four models of five real languages, studies each, and fits the slopes; goes on where it was stopped.
#
#     bash real.sh [MODELS]        # by default "0 1 2 3", which is also the seed of each
#
# English has half of the tokens, and each other language 30, 13, 5 and 2 % once: over the four models a share says
# nothing of the language. Run it in a folder with `data/real`, which `prepare.py` writes.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
shares=(0.3 0.13 0.05 0.02)
for model in ${1:-0 1 2 3}; do
    share() { echo "${shares[($1 + model) % 4]}"; }
    mixed="{eng_Latn: 0.5, deu_Latn: $(share 0), spa_Latn: $(share 1), fra_Latn: $(share 2), jpn_Jpan: $(share 3)}"
    [ -f "models/real-$model/loss.csv" ] || python "$here/train.py" "$here/real.yaml" \
        --shares "$mixed" --seed "$model" --out "models/real-$model"
    interlingua study "$here/study-real.yaml" --model "models/real-$model" --out "runs/real-$model"
    interlingua compare --model "models/real-$model" --corpus data/real/corpus --out "compared/real-$model" \
        --method identity --method centring --method procrustes --scoring cosine --max-blocks 1 --draws 1
done
python "$here/slope.py" runs/real-* --models models --compared compared --out results/real \
    --language deu_Latn --language spa_Latn --language fra_Latn --language jpn_Jpan
python "$here/figures.py" results/real --out results/real
