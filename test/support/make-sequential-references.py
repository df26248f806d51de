"""Reference numbers for looks before the end, families, health, interleaving, off-policy, triggers and calibration.

    pip install scipy==1.17.1 statsmodels==0.15.0
    python test/support/make-sequential-references.py > test/support/sequential-references.json

Another way to the same number wherever there is one: group-sequential bounds are integrated on the scale of the Brownian
motion by Simpson's rule on a dense grid (the code: Gauss-Legendre on the scale of z), estimates from logged propensities
are regressions with errors clustered by unit, the delta method is a derivative by complex steps.
"""

import json
import sys

import numpy
import scipy
import statsmodels
import statsmodels.api
from scipy import optimize, special, stats
from scipy.stats import _ksstats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.multivariate import test_mvmean_2indep

random = numpy.random.default_rng(20261126)


def plain(values):
    return [float(value) for value in values]


def upper_normal():
    return [{"z": z, "probability": float(stats.norm.sf(z))} for z in [-8, -2, -0.3, 0, 1e-9, 0.7, 1.96, 4, 9, 20, 37]]


def critical_normal():
    tails = [1e-300, 1e-100, 1e-20, 1e-9, 1e-4, 0.01, 0.025, 0.2, 0.4, 0.6, 0.9, 0.999]
    return [{"probability": p, "z": float(stats.norm.isf(p))} for p in tails]


def upper_f():
    return [
        {"statistic": f, "numerator": a, "denominator": b, "pValue": float(stats.f.sf(f, a, b))}
        for f in [0.01, 0.5, 1, 3, 12, 60]
        for a in [1, 2, 5]
        for b in [3, 40, 1e5]
    ]


def upper_binomial():
    return [
        {"successes": k, "trials": n, "share": p, "pValue": float(stats.binom.sf(k - 1, n, p))}
        for k, n in [(0, 5), (5, 5), (3, 5), (60, 100), (99, 100), (5200, 10000), (9000, 10000), (520000, 1000000)]
        for p in [0.5, 0.1]
        if stats.binom.sf(k - 1, n, p) > 1e-290
    ]


def benjamini_hochberg():
    sets = [[0.01, 0.04, 0.03, 0.005], [0.2], [0.05, 0.05, 0.05], [1e-20, 0.9, 0.6], [0.3, 0.0, 1.0], plain(random.random(12) ** 3)]
    return [{"pValues": ps, "adjusted": plain(multipletests(ps, method="fdr_bh")[1])} for ps in sets]


def always_valid_bound():
    """The one-sided sequence in the paper's own symbols: t units, rho, sigma the spread of one influence."""
    cases = []
    for units, error, estimate, alpha, tuned in [
        (200, 0.2, 0.1, 0.05, 10000),
        (10000, 0.02, 0.09, 0.025, 50000),
        (250000, 0.004, 0.004, 0.1, 100000),
        (1000000, 0.001, 0.2, 0.05, 1000000),
    ]:
        rho = numpy.sqrt((-2 * numpy.log(2 * alpha) + numpy.log(-2 * numpy.log(2 * alpha) + 1)) / tuned)
        sigma = error * numpy.sqrt(units)
        grown = numpy.sqrt(units * rho**2 + 1)
        inside = 2 * (units * rho**2 + 1) / (units**2 * rho**2)
        margin = sigma * numpy.sqrt(inside * numpy.log(1 + grown / (2 * alpha)))
        exponent = (estimate / sigma) ** 2 / inside
        level = grown / 2 * numpy.exp(-exponent) / -numpy.expm1(-exponent)
        cases.append(
            {
                "units": units,
                "standardError": error,
                "estimate": estimate,
                "alpha": alpha,
                "tunedUnits": tuned,
                "low": float(estimate - margin),
                "pValue": float(min(1, level)),
            }
        )
    return cases


class Brownian:
    """Paths of a Brownian motion with drift that no look has stopped, as a density on a grid of its value B."""

    points = 1201

    def __init__(self, drift):
        self.drift, self.time, self.grid, self.mass = drift, 0.0, numpy.zeros(1), numpy.ones(1)

    def above(self, time, bound):
        return float(self.mass @ special.ndtr(-self._standard(time, bound)))

    def below(self, time, bound):
        return float(self.mass @ special.ndtr(self._standard(time, bound)))

    def keep(self, time, low, high):
        middle, spread = self.drift * time, numpy.sqrt(time)
        low, high = max(low * spread, middle - 9 * spread), min(high * spread, middle + 9 * spread)
        grid = numpy.linspace(low, high, self.points)
        weights = numpy.ones(self.points)
        weights[1:-1:2], weights[2:-1:2] = 4, 2
        weights *= (high - low) / (self.points - 1) / 3
        gained = time - self.time
        kernel = numpy.exp(-((grid[:, None] - self.grid[None, :] - self.drift * gained) ** 2) / (2 * gained))
        self.time, self.grid, self.mass = time, grid, kernel @ self.mass * weights / numpy.sqrt(2 * numpy.pi * gained)

    def _standard(self, time, bound):
        gained = time - self.time
        return (bound * numpy.sqrt(time) - self.grid - self.drift * gained) / numpy.sqrt(gained)


def spent(spending, time, alpha):
    if time >= 1:
        return alpha
    if spending == "pocock":
        return alpha * numpy.log(1 + (numpy.e - 1) * time)
    return 2 * stats.norm.sf(stats.norm.isf(alpha / 2) / numpy.sqrt(time))


def bounds_of(times, alpha, sides, spending, ended):
    paths, bounds, before = Brownian(0), [], 0.0
    for look, time in enumerate(times):
        total = alpha / sides if ended and look == len(times) - 1 else spent(spending, time, alpha / sides)
        bound = optimize.brentq(lambda z: numpy.log(paths.above(time, z)) - numpy.log(total - before), 0, 15, xtol=1e-13)
        bounds.append(float(bound))
        before = total
        paths.keep(time, -bound if sides == 2 else -numpy.inf, bound)
    return bounds


def tails(times, bounds, sides, drift, last):
    """Of each look, above; of the last, with `last` for its bound, above and below."""
    paths, above, below = Brownian(drift), [], 0.0
    for time, bound in zip(times[:-1], bounds[:-1]):
        above.append(paths.above(time, bound))
        below += paths.below(time, -bound) if sides == 2 else 0
        paths.keep(time, -bound if sides == 2 else -numpy.inf, bound)
    return above + [paths.above(times[-1], last)], below + paths.below(times[-1], last)


def group_sequential():
    designs = [
        ([0.5, 1], 0.05, 2, "pocock", False),
        ([1 / 3, 2 / 3, 1], 0.025, 1, "obrien-fleming", False),
        ([0.2, 0.4, 0.6, 0.8, 1], 0.05, 2, "obrien-fleming", False),
        ([0.2, 0.4, 0.6, 0.8, 1], 0.05, 2, "pocock", False),
        ([0.11, 0.13, 0.6, 0.97], 0.1, 2, "obrien-fleming", True),
        ([0.3, 0.5, 1.2], 0.01, 1, "pocock", False),
        ([0.25, 0.7], 0.05, 1, "pocock", False),
    ]
    cases = []
    for times, alpha, sides, spending, ended in designs:
        bounds = bounds_of(times, alpha, sides, spending, ended)
        drift = 2.7
        above = tails(times, bounds, sides, drift, bounds[-1])[0]
        seen, error = bounds[-1] + 0.3, 0.04

        def upper(at):
            return sum(tails(times, bounds, sides, at, seen)[0])

        nothing = upper(0), tails(times, bounds, sides, 0, seen)[1]
        scale = error * numpy.sqrt(times[-1])
        level = alpha / sides
        solve = lambda f: float(scale * optimize.brentq(f, -2, 12, xtol=1e-9))
        cases.append(
            {
                "fractions": times,
                "alpha": alpha,
                "sides": sides,
                "spending": spending,
                "ended": ended,
                "bounds": bounds,
                "drift": drift,
                "above": plain(above),
                "stagewise": {
                    "estimate": seen * error,
                    "standardError": error,
                    "pValue": float(nothing[0] if sides == 1 else min(1, 2 * min(nothing))),
                    "median": solve(lambda at: upper(at) - 0.5),
                    "ciLow": solve(lambda at: upper(at) - level),
                    "ciHigh": solve(lambda at: upper(at) - 1 + level),
                },
            }
        )
    return cases


def not_worse():
    cases = []
    samples = [
        ("means", random.normal(10, 2, 60), random.normal(10.1, 3, 80)),
        ("negative", random.normal(-8, 1, 30), random.normal(-7.9, 1, 40)),
        ("far in the tail", random.normal(5, 0.1, 60), random.normal(6, 0.1, 60)),
    ]
    for name, control, treated in samples:
        for goal in ["increase", "decrease"]:
            for kind, size in [("absolute", 0.3), ("relative", 0.05), ("absolute", 0)]:
                sign = 1 if goal == "increase" else -1
                factor = 1 - sign * size * numpy.sign(control.mean()) if kind == "relative" else 1
                allowed = control * factor - (sign * size if kind == "absolute" else 0)
                better = stats.ttest_ind(sign * treated, sign * allowed, equal_var=False, alternative="greater")
                worse = stats.ttest_ind(sign * treated, sign * allowed, equal_var=False, alternative="less")
                cases.append(
                    {
                        "name": name,
                        "control": plain(control),
                        "treated": plain(treated),
                        "goal": goal,
                        "kind": kind,
                        "size": size,
                        "alpha": 0.05,
                        "low": float(better.confidence_interval(0.95).low),
                        "high": float(worse.confidence_interval(0.95).high),
                        "pValue": float(better.pvalue),
                        "pValueWorse": float(worse.pvalue),
                    }
                )
    return cases


def covariates():
    cases = []
    for name, units, shift in [("alike", (40, 55), 0), ("shifted", (60, 50), 0.4), ("far apart", (80, 90), 3)]:
        mixing = random.normal(size=(3, 3))
        control, treated = (random.normal(size=(size, 3)) @ mixing for size in units)
        treated = treated + shift
        test = test_mvmean_2indep(treated, control)
        spread = numpy.sqrt((treated.var(0, ddof=1) + control.var(0, ddof=1)) / 2)
        cases.append(
            {
                "name": name,
                "control": [plain(row) for row in control],
                "treated": [plain(row) for row in treated],
                "standardised": plain((treated.mean(0) - control.mean(0)) / spread),
                "statistic": float(test.statistic),
                "degreesOfFreedom": plain(test.df),
                "pValue": float(test.pvalue),
            }
        )
    return cases


def strata():
    weights = [1, 1, 2]
    units = [[100, 120, 215], [500, 500, 1000], [30, 80, 90], [9, 8, 22]]
    shares = numpy.array(weights) / sum(weights)
    ps = [stats.chisquare(row, shares * sum(row)).pvalue for row in units]
    return {"weights": weights, "units": units, "pValues": plain(ps), "adjusted": plain(multipletests(ps, method="holm")[1])}


def exposure():
    cases = []
    for assigned, exposed in [((1000, 1010), (950, 900)), ((50000, 25000), (49000, 24510)), ((300, 310, 290), (200, 250, 200))]:
        lost = numpy.array(assigned) - numpy.array(exposed)
        test = stats.chi2_contingency([exposed, lost], correction=False)
        cases.append({"assigned": assigned, "exposed": exposed, "statistic": float(test.statistic), "pValue": float(test.pvalue)})
    return cases


def skewness():
    sets = [plain(random.lognormal(0, 1, 40)), plain(random.normal(1e6, 1, 30)), [0, 0, 0, 0, 1]]
    return [{"values": values, "skewness": float(stats.skew(values))} for values in sets]


def interleaving():
    cases = []
    for units, rate, lean in [(30, 2, 0.5), (200, 1, 0.6), (500, 4, 0.45), (3000, 3, 0.7)]:
        credit = random.poisson(rate, units)
        first = random.binomial(credit, lean)
        second = credit - first
        wins, losses = int((first > second).sum()), int((second > first).sum())
        seen = credit > 0
        preference = (first[seen] - second[seen]) / credit[seen]
        test = stats.ttest_1samp(preference, 0)
        interval = test.confidence_interval(0.95)
        trials = wins + losses
        mixed = special.betaln(wins + 50, losses + 50) - special.betaln(50, 50)
        log = lambda p: mixed - special.xlogy(wins, p) - special.xlog1py(losses, -p)
        middle = wins / trials
        cases.append(
            {
                "first": [int(value) for value in first],
                "second": [int(value) for value in second],
                "sign": float(stats.binomtest(wins, trials, 0.5).pvalue),
                "preference": {
                    "estimate": float(preference.mean()),
                    "ciLow": float(interval.low),
                    "ciHigh": float(interval.high),
                    "statistic": float(test.statistic),
                    "pValue": float(test.pvalue),
                },
                "alwaysValid": {
                    "pValue": float(min(1, numpy.exp(-log(0.5)))),
                    "low": float(optimize.brentq(lambda p: log(p) - numpy.log(20), 1e-12, middle, xtol=1e-14)),
                    "high": float(optimize.brentq(lambda p: log(p) - numpy.log(20), middle, 1 - 1e-12, xtol=1e-14)),
                },
            }
        )
    return cases


def off_policy():
    cases = []
    for units in [12, 60]:
        unit = numpy.repeat(numpy.arange(units), random.integers(1, 6, units))
        rows = len(unit)
        propensity = random.uniform(0.1, 0.9, rows)
        target = random.uniform(0, 1, rows)
        reward = random.normal(1 + random.normal(size=units)[unit], 1)
        logged, over = reward + random.normal(size=rows), random.normal(1, 1, rows)
        w = target / propensity
        grouped = {"cov_type": "cluster", "cov_kwds": {"groups": unit}}
        ones = numpy.ones(rows)
        ips = statsmodels.api.OLS(w * reward, ones).fit(**grouped)
        snips = statsmodels.api.WLS(reward, ones, weights=w).fit(**grouped)
        robust = statsmodels.api.OLS(over + w * (reward - logged), ones).fit(**grouped)
        mean = statsmodels.api.OLS(w, ones).fit(**grouped)
        by_unit = numpy.bincount(unit, w)
        cases.append(
            {
                "unit": [int(value) for value in unit],
                "propensity": plain(propensity),
                "target": plain(target),
                "reward": plain(reward),
                "logged": plain(logged),
                "over": plain(over),
                "effectiveDecisions": float(w.sum() ** 2 / (w**2).sum()),
                "effectiveUnits": float(by_unit.sum() ** 2 / (by_unit**2).sum()),
                **{
                    name: {"value": float(fit.params[0]), "standardError": float(fit.bse[0])}
                    for name, fit in [("ips", ips), ("snips", snips), ("doublyRobust", robust), ("meanWeight", mean)]
                },
            }
        )
    return cases


def dilution():
    """The delta method with every derivative by a complex step."""
    cases = []
    for name, is_mean in [("mean", True), ("ratio", False)]:
        def draw(size, lift):
            x = numpy.ones(size) if is_mean else random.integers(1, 20, size).astype(float)
            return numpy.column_stack([x, x * random.uniform(0.1, 0.4, size) + lift * x])

        groups = {"treated": draw(40, 0.05), "control": draw(45, 0), "treatedOthers": draw(70, 0), "controlOthers": draw(65, 0)}
        t, c = groups["treated"], groups["control"]
        others = numpy.vstack([groups["treatedOthers"], groups["controlOthers"]])
        units = len(t) + len(c) + len(others)
        rate = (len(t) + len(c)) / units
        at = numpy.concatenate([t.mean(0), c.mean(0), others.mean(0), [rate]])
        covariance = numpy.zeros((7, 7))
        for place, group in [(0, t), (2, c), (4, others)]:
            covariance[place : place + 2, place : place + 2] = numpy.cov(group.T) / len(group)
        covariance[6, 6] = rate * (1 - rate) / units

        def over(p, place):
            x, y = (p[6] * p[place + i] + (1 - p[6]) * p[4 + i] for i in (0, 1))
            return y / x

        results = {}
        for kind, f in [
            ("absolute", lambda p: over(p, 0) - over(p, 2)),
            ("relative", lambda p: over(p, 0) / over(p, 2) - 1),
        ]:
            slope = numpy.array([f(at + 1e-30j * one).imag / 1e-30 for one in numpy.eye(7)])
            error = float(numpy.sqrt(slope @ covariance @ slope))
            half = stats.t.isf(0.025, min(len(t), len(c)) - 1) * error
            estimate = float(f(at))
            results[kind] = {"estimate": estimate, "standardError": error, "ciLow": float(estimate - half), "ciHigh": float(estimate + half)}
        cases.append({"name": name, **{key: [plain(row) for row in value] for key, value in groups.items()}, "triggerRate": rate, **results})
    return cases


def kolmogorov():
    """Up to 140 values kstwo is exact; above, it approximates, and its exact inner function is called."""
    cases = []
    for n in [1, 2, 5, 20, 100, 140, 400, 1000]:
        for x in [0.3, 0.6, 0.9, 1.2, 1.36, 1.63, 1.95, 2.3, 3, 4]:
            d = x / numpy.sqrt(n)
            if not 0.5 / n < d < 1 or (n == 1000 and x < 1.3):
                continue
            p = stats.kstwo.sf(d, n) if n <= 140 or x > 2.1 else 1 - _ksstats._kolmogn_DMTW(n, d, cdf=True)
            if n > 140 and x > 2.1:
                p = 2 * special.smirnov(n, d)
            cases.append({"distance": float(d), "count": n, "pValue": float(p)})
    asymptotic = [
        {"distance": float(x / numpy.sqrt(n)), "count": n, "pValue": float(stats.kstwobign.sf(x))}
        for n in [1001, 100000]
        for x in [0.2, 0.4, 0.7, 1, 1.36, 2, 4, 10]
    ]
    return {"exact": cases, "asymptotic": asymptotic}


def uniformity():
    cases = []
    for name, values in [("uniform", random.random(100)), ("leaning", random.random(120) ** 1.4), ("narrow", 0.3 + 0.4 * random.random(110))]:
        test = stats.kstest(values, "uniform")
        cases.append({"name": name, "pValues": plain(values), "statistic": float(test.statistic), "pValue": float(test.pvalue)})
    return cases


json.dump(
    {
        "madeWith": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": numpy.__version__},
        "upperNormal": upper_normal(),
        "criticalNormal": critical_normal(),
        "upperF": upper_f(),
        "upperBinomial": upper_binomial(),
        "benjaminiHochberg": benjamini_hochberg(),
        "alwaysValidBound": always_valid_bound(),
        "groupSequential": group_sequential(),
        "notWorse": not_worse(),
        "covariates": covariates(),
        "strata": strata(),
        "exposure": exposure(),
        "skewness": skewness(),
        "interleaving": interleaving(),
        "offPolicy": off_policy(),
        "dilution": dilution(),
        "kolmogorov": kolmogorov(),
        "uniformity": uniformity(),
    },
    sys.stdout,
    indent=1,
)
