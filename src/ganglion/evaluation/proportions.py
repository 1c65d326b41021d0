"""Shares of rows, and how sure they are.

    (p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n)

Wilson 1927, Journal of the American Statistical Association 22, 209-212.
"""

from __future__ import annotations

import math

from ganglion.evaluation.bootstrap import Estimate

Z95 = 1.959963984540054  # 95 % of a normal law lie within so many deviations


def wilson(share: float, n: float, *, z: float = Z95) -> tuple[float, float]:
    """Return the interval of a share that was found among n independent rows."""
    scale = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def proportion(n_held: int, n: int) -> Estimate:
    """Return the share of n rows of which something holds, with its 95 % interval."""
    share = n_held / n
    return Estimate(share, *wilson(share, n))
