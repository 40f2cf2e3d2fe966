"""How costs grow with the number of vectors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def power_law(sizes: Sequence[int], costs: Sequence[float]) -> tuple[float, float]:
    """Fit cost = a · size^b by least squares on logarithms.

    Args:
        sizes: at least two different numbers of vectors.
        costs: what each cost, all above 0.

    Returns:
        a and b; b = 1 means that twice as many cost twice as much.

    Raises:
        ValueError: there are fewer than two sizes, or a cost of 0 or less.
    """
    if len(set(sizes)) < 2 or min(costs) <= 0:
        raise ValueError("a power law needs two sizes and costs above 0")
    b, log_a = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(np.exp(log_a)), float(b)


def bytes_per_vector(sizes: Sequence[int], megabytes: Sequence[float]) -> float:
    """The slope of memory over size, in bytes: what one more vector takes.

    Args:
        sizes: at least two different numbers of vectors.
        megabytes: the memory at each.
    """
    return float(np.polyfit(sizes, np.array(megabytes) * 1e6, 1)[0])


def growth_table(table: pd.DataFrame) -> pd.DataFrame:
    """The exponents of each set-up's costs, and the bytes that one more vector takes.

    Args:
        table: rows with ``name``, ``size``, ``p50``, ``ready_s`` and ``memory_mb``, one for each
            set-up and size.

    Returns:
        A row for each name with at least two sizes: ``search`` and ``ready`` (exponents),
        ``bytes/vector``.
    """
    rows = {}
    for name, costs in table.groupby("name", sort=False):
        if costs["size"].nunique() > 1:
            known = costs["memory_mb"].notna().all()  # not that of another machine
            rows[name] = {
                "search": power_law(costs["size"], costs["p50"])[1],
                "ready": power_law(costs["size"], costs["ready_s"])[1],
                "bytes/vector": bytes_per_vector(costs["size"], costs["memory_mb"])
                if known
                else np.nan,
            }
    return pd.DataFrame(rows).T
