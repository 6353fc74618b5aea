import numpy as np
import pandas as pd
import pytest

import interlingua as il
from interlingua.errors import InputError


def test_the_summary_equals_counting_by_hand(experts):
    ks = (10, 50)
    table = il.overlap(
        pd.concat([experts.overlap(k) for k in ks]),
        pd.concat([experts.summary(k) for k in ks]),
        neurons=len(experts.neurons),
    ).set_index("k")
    for k in ks:
        order = np.argsort(-experts.auroc, axis=1, kind="stable")[:, :k]
        shares = [
            len(set(order[i].tolist()) & set(order[j].tolist())) / k
            for i in range(len(order))
            for j in range(i + 1, len(order))
        ]
        best = np.take_along_axis(experts.auroc, order, axis=1)
        row = table.loc[k]
        assert row.pairs == len(shares) == 6
        assert row.mean_share == pytest.approx(np.mean(shares))
        assert row.max_share == max(shares) > 0
        assert row.chance == k / len(experts.neurons)
        assert row.mean_auroc == pytest.approx(best.mean())
        assert row.lowest_auroc == best.min()
        assert row.languages == 4


def test_k_of_nothing_is_left_out(experts):
    table = il.overlap(experts.overlap(0), experts.summary(0))
    assert table.empty


def test_tables_of_different_k_are_an_error(experts):
    with pytest.raises(InputError, match=r"k = \[5\], experts of k = \[6\]"):
        il.overlap(experts.overlap(5), experts.summary(6))
    with pytest.raises(InputError, match="more than the 3 neurons"):
        il.overlap(experts.overlap(5), experts.summary(5), neurons=3)
    assert il.overlap(experts.overlap(5), experts.summary(5)).chance.isna().all()
