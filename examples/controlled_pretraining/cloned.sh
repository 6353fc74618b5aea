#!/usr/bin/env bash
# Trains twelve models of English and its clone, studies each, and fits the slopes; goes on where it was stopped.
#
#     bash cloned.sh [SHARES] [SEEDS]        # by default "0.01 0.05 0.2 0.5" and "0 1 2"
#
# Run it in a folder with `data/cloned`, which `prepare.py` writes. Written are models/, runs/ and results/.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
for seed in ${2:-0 1 2}; do
    for share in ${1:-0.01 0.05 0.2 0.5}; do
        name=cloned-$share-$seed
        rest=$(python -c "print(1 - $share)")
        [ -f "models/$name/loss.csv" ] || python "$here/train.py" "$here/cloned.yaml" \
            --shares "{eng_Latn: $rest, kor_Hang: $share}" --seed "$seed" --out "models/$name"
        interlingua study "$here/study.yaml" --model "models/$name" --out "runs/$name"
    interlingua compare --model "models/$name" --corpus data/cloned/corpus --out "compared/$name" \
        --method identity --method centring --method procrustes --scoring cosine --max-blocks 1 --draws 1
    done
done
python "$here/slope.py" runs/cloned-* --models models --compared compared --language kor_Hang --out results/cloned
python "$here/figures.py" results/cloned --out results/cloned
