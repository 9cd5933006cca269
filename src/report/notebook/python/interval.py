import math


def t_quantile(degrees):
    """The t with P(|T| <= t) = 95 % for Student's T, by bisection (Abramowitz and Stegun 1964, 26.7.3-4)."""
    low, high = 1.9, 13.0
    for _ in range(50):
        t = (low + high) / 2
        angle = math.atan(t / math.sqrt(degrees))
        cos, odd = math.cos(angle), degrees % 2
        term, inside = cos if odd else 1.0, 0.0
        for k in range(odd, degrees - 1, 2):
            inside += term
            term *= cos**2 * (k + 1) / (k + 2)
        inside *= math.sin(angle)
        low, high = (t, high) if (2 / math.pi * (angle + inside) if odd else inside) < 0.95 else (low, t)
    return high


def interval(values):
    """The mean and the ends of its 95 % interval; fewer than two values have none."""
    values, n = values.to_numpy(float), len(values)
    mean = values.cumsum()[-1] / n if n else math.nan  # added in order, as the program does
    half = t_quantile(n - 1) * values.std(ddof=1) / math.sqrt(n) if n > 1 else math.nan
    return float(mean), float(mean - half), float(mean + half)
