"""Small tidy tables of a study, of which the tests of claims know what becomes."""

import itertools

import numpy as np
import pandas as pd

CODES = ["eng_Latn", "spa_Latn", "fra_Latn", "deu_Latn", "ita_Latn", "jpn_Jpan"]
TARGETS = ["spa_Latn", "fra_Latn", "deu_Latn", "jpn_Jpan"]
ORIGINAL = {"condition": "original", "target": None, "kind": None, "k": 0}


def edit(condition, target, k=100):
    return {"condition": condition, "target": target, "kind": "set-to-mean", "k": k}


def generation(before, after, n=200):
    rows = [{**ORIGINAL, "target": target, "n": n, "share": before} for target in TARGETS]
    rows += [{**edit("steered", target), "n": n, "share": after} for target in TARGETS]
    return pd.DataFrame(rows)


def perplexity(*values, error=0.01):
    """Return log perplexities of the original, and with k = 100, 200, ..."""
    rows = []
    for target in TARGETS:
        rows.append({**ORIGINAL, "target": target, "log_perplexity": values[0], "standard_error": error})
        for i, value in enumerate(values[1:], start=1):
            rows.append({**edit("steered", target, 100 * i), "log_perplexity": value, "standard_error": error})
    return pd.DataFrame(rows[::-1])  # order is nothing to rely on


def geometry(change, noise=0.02):
    random = np.random.default_rng(0)
    rows = []
    for a, b in itertools.combinations(CODES, 2):
        pair = {"measure": "distance", "language": a, "other": b}
        value = 0.6 + 0.1 * random.random()
        rows.append({**ORIGINAL, **pair, "value": value})
        for target in TARGETS:
            rows.append({**edit("steered", target), **pair, "value": value + change + noise * random.normal()})
    return pd.DataFrame(rows)


def retrieval(target_gain, other_gain, random_gain=0.0, noise=0.01, targets=TARGETS):
    random = np.random.default_rng(0)
    rows = []
    for a, b in itertools.product(CODES, CODES):
        pair = {"query": a, "candidate": b, "n": 100}
        before = 1.0 if a == b else 0.2 + 0.1 * random.random()
        rows.append({**ORIGINAL, **pair, "top1": before})
        for target in targets:
            for condition in ("steered", "random"):
                gain = random_gain if condition == "random" else target_gain if a == target else other_gain
                value = before + gain + noise * random.normal()
                rows.append({**edit(condition, target), **pair, "top1": before if a == b else value})
    return pd.DataFrame(rows)


def paraphrase(pre, post, mixed, n=500):
    rows = [{**ORIGINAL, "condition": "pre", "language": code, "n": n, "top1": pre} for code in CODES]
    for target, (condition, value) in itertools.product(TARGETS, (("post", post), ("mixed", mixed))):
        rows += [{**edit(condition, target), "language": code, "n": n, "top1": value} for code in CODES]
    return pd.DataFrame(rows)


def correlation(post, pre=-0.5, distances=0.6, gain=0.0, width=0.1, defined=True, **columns):
    """Return correlations that are alike for every target, with intervals of a width."""
    values = {"acc_post ~ d_post": post, "acc_pre ~ d_pre": pre, "d_post ~ d_pre": distances}
    values["gain ~ d_pre - d_post"] = gain
    rows = []
    for i, target in enumerate(TARGETS):
        for name, r in values.items():
            r = r + 0.01 * i
            found = {"r": r, "low": r - width, "high": r + width} if defined else {}
            rows.append({**edit("steered", target), "correlation": name, "candidates": 5, "defined": defined, **found})
    table = pd.DataFrame(rows, columns=[*rows[0], "r", "low", "high"] if not defined else None)
    return table.assign(**columns)


def overlap(shared, k=1000):
    pairs = itertools.combinations(CODES, 2)
    return pd.DataFrame([{"language": a, "other": b, "k": k, "shared": shared} for a, b in pairs])


def spread(table, column, changes, conditions=("steered", "post", "mixed")):
    """Return a table in which the rows of an edit differ between targets, by one change each."""
    by_target = dict(zip(TARGETS, changes, strict=True))
    steered = table.condition.isin(conditions)
    return table.assign(
        **{column: table[column].where(~steered, table[column] + table.target.map(by_target).fillna(0))}
    )


def landed(experts, random):
    """Return a table `cross_space` in which so many of the five other languages land where the target was."""
    rows = []
    for target, condition in itertools.product([None, *TARGETS], ("original", "steered", "random")):
        if (target is None) != (condition == "original"):
            continue
        columns = ORIGINAL if target is None else edit(condition, target)
        others = [code for code in CODES if code != target]
        there = others[: {"original": 0, "steered": experts, "random": random}[condition]]
        for a, b in itertools.product(CODES, CODES):
            near = (b == target) if a in there else (a == b)
            rows.append({**columns, "language": a, "other": b, "distance": 0.1 if near else 0.5, "top1": 0.2})
    return pd.DataFrame(rows)


def bitext(gain, n=500):
    rows = []
    for corpus, code in itertools.product(("tatoeba", "bucc"), CODES[1:]):
        for a, b in ((code, "eng_Latn"), ("eng_Latn", code)):
            pair = {"corpus": corpus, "query": a, "candidate": b, "n": n}
            rows.append({**ORIGINAL, **pair, "top1": 0.3})
            rows += [{**edit("steered", target), **pair, "top1": 0.3 + gain} for target in TARGETS]
    return pd.DataFrame(rows)


def quality(auroc, k=100):
    return pd.DataFrame({"language": CODES, "k": k, "mean_auroc": auroc, "lowest_auroc": auroc - 0.1})


def several_k(*gains):
    """Return retrieval at k = 100, 200, ..., each with its gain from the target."""
    tables = [retrieval(gain, 0.0) for gain in gains]
    edited = [t[t.condition == "steered"].assign(k=100 * (i + 1)) for i, t in enumerate(tables)]
    return pd.concat([tables[0][tables[0].condition == "original"], *edited], ignore_index=True)


def with_random(table, **values):
    """Return a table in which random neurons have what the experts have, or other values."""
    steered = table[table.condition == "steered"]
    return pd.concat([table, steered.assign(condition="random", **values)], ignore_index=True)


def drawn(table, gains, match="uniform"):
    """Return further draws of random neurons, each of which changes every top-1 by a number."""
    original = table[table.condition == "original"].drop(columns=["condition", "target", "kind", "k"])
    edits = [
        original.assign(target=target, kind="set-to-mean", k=100, match=match, draw=i, top1=original.top1 + gain)
        for target in TARGETS
        for i, gain in enumerate(gains, start=1)
    ]
    return pd.concat(edits, ignore_index=True)
