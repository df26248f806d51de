"""Reference numbers for the tests of src/statistics and of rankings' agreement, from SciPy and statsmodels.

    pip install scipy==1.17.1 statsmodels==0.15.0
    python test/support/make-statistics-references.py > test/support/statistics-references.json

Wherever the libraries have another way to the same number, that way is taken: the delta method for ratios is a
weighted regression with a robust variance, CUPED's theta the slope of an analysis of covariance, post-stratification a saturated
model with HC2 errors, and Fieller's set the lifts that a test does not reject.
"""

import json
import sys

import numpy
import scipy
import statsmodels
import statsmodels.api
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.proportion import test_proportions_2indep as score_test

random = numpy.random.default_rng(20261122)


def plain(values):
    return [float(value) for value in values]


def two_sided_t():
    statistics = [0, 1e-6, 0.1, 0.5, 1, 1.96, 2.5758, 3.5, 5, 8, 12, 20, 36]
    degrees = [1, 1.5, 2, 3.7, 10, 29.4, 98, 250.3, 1000, 12345.6, 1e6]
    return [
        {"statistic": t, "degreesOfFreedom": df, "pValue": float(2 * stats.t.sf(abs(t), df))}
        for t in statistics
        for df in degrees
    ]


def critical_t():
    alphas = [0.99, 0.9, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 1e-6, 1e-10]
    degrees = [1, 1.5, 2, 3.7, 10, 29.4, 98, 250.3, 1000, 12345.6, 1e6, 1e8]
    return [
        {"alpha": alpha, "degreesOfFreedom": df, "critical": float(stats.t.isf(alpha / 2, df))}
        for alpha in alphas
        for df in degrees
    ]


def upper_chi_square():
    statistics = [0, 1e-9, 0.01, 0.5, 1, 3.841, 10.83, 30, 100, 300, 1000]
    return [
        {"statistic": x, "degreesOfFreedom": k, "pValue": float(stats.chi2.sf(x, k))}
        for x in statistics
        for k in [1, 2, 3, 4, 9, 30]
    ]


def welch(name, control, treated, alpha):
    result = stats.ttest_ind(treated, control, equal_var=False)
    interval = result.confidence_interval(1 - alpha)
    base = abs(control.mean())
    variance = treated.var(ddof=1) / len(treated) / base**2
    variance += treated.mean() ** 2 * control.var(ddof=1) / len(control) / base**4
    half = stats.t.isf(alpha / 2, result.df) * variance**0.5
    lift = (treated.mean() - control.mean()) / base
    return {
        "name": name,
        "alpha": alpha,
        "control": plain(control),
        "treated": plain(treated),
        "difference": {
            "estimate": float(treated.mean() - control.mean()),
            "ciLow": float(interval.low),
            "ciHigh": float(interval.high),
            "statistic": float(result.statistic),
            "degreesOfFreedom": float(result.df),
            "pValue": float(result.pvalue),
        },
        "relative": {"estimate": float(lift), "ciLow": float(lift - half), "ciHigh": float(lift + half)},
    }


def welch_cases():
    normal = random.normal
    return [
        welch("equal spread", normal(10, 2, 40), normal(10.5, 2, 40), 0.05),
        welch("unequal spread and size", normal(3, 1, 12), normal(4, 6, 55), 0.1),
        welch("two units an arm", normal(1, 1, 2), normal(2, 1, 2), 0.05),
        welch("a p-value far in the tail", normal(5, 0.1, 60), normal(6, 0.1, 60), 0.05),
        welch("a large mean against a small spread", normal(1e9, 1, 30), normal(1e9 + 1, 1, 30), 0.05),
        welch("negative control", normal(-8, 1, 30), normal(-7, 1, 30), 0.05),
        welch("rare proportion", 1.0 * (random.random(400) < 0.05), 1.0 * (random.random(300) < 0.08), 0.05),
        welch("skewed", random.lognormal(0, 1.5, 80), random.lognormal(0.2, 1.5, 90), 0.01),
    ]


def ratio_cases():
    cases = []
    for name, units in [("few units", 15), ("many units", 120)]:
        views = random.integers(1, 30, units).astype(float)
        clicks = random.binomial(views.astype(int), random.beta(2, 8, units)).astype(float)
        fit = statsmodels.api.WLS(clicks / views, numpy.ones(units), weights=views).fit(cov_type="HC1")
        cases.append(
            {
                "name": name,
                "numerators": plain(clicks),
                "denominators": plain(views),
                "value": float(fit.params[0]),
                "standardError": float(fit.bse[0]),
            }
        )
    return cases


def cuped_cases():
    cases = []
    for name, slope, sizes in [("strong", 0.9, (60, 70)), ("weak, three arms", 0.2, (40, 50, 45))]:
        before = [random.normal(10, 3, size) for size in sizes]
        after = [slope * x + random.normal(0.3 * arm, 2, len(x)) for arm, x in enumerate(before)]
        x, y = numpy.concatenate(before), numpy.concatenate(after)
        arm = numpy.repeat(numpy.arange(len(sizes)), sizes)
        dummies = [1.0 * (arm == one) for one in range(len(sizes))]
        fit = statsmodels.api.OLS(y, numpy.column_stack([*dummies, x])).fit()
        theta = fit.params[-1]
        adjusted = y - theta * (x - x.mean())
        variances = [adjusted[arm == one].var(ddof=1) / size for one, size in enumerate(sizes)]
        raw = [y[arm == one].var(ddof=1) / size for one, size in enumerate(sizes)]
        cases.append(
            {
                "name": name,
                "before": [plain(values) for values in before],
                "after": [plain(values) for values in after],
                "theta": float(theta),
                "values": plain(fit.params[:-1] + theta * x.mean()),
                "variances": plain(variances),
                "varianceReduction": float(1 - sum(variances) / sum(raw)),
            }
        )
    return cases


def holm_cases():
    sets = [[0.01, 0.04, 0.03, 0.005], [0.2], [0.05, 0.05, 0.05], [1e-20, 0.9, 0.6], [0.3, 0.0, 1.0]]
    return [{"pValues": ps, "adjusted": plain(multipletests(ps, method="holm")[1])} for ps in sets]


def sample_ratio_cases():
    cases = [([5012, 4970], [1, 1]), ([900, 4100], [0.2, 0.8]), ([100, 101, 250], [1, 1, 2]), ([60000, 50000], [1, 1])]
    result = []
    for units, weights in cases:
        expected = numpy.array(weights) / sum(weights) * sum(units)
        test = stats.chisquare(units, expected)
        result.append(
            {"units": units, "weights": weights, "statistic": float(test.statistic), "pValue": float(test.pvalue)}
        )
    return result


def always_valid_cases():
    """Waudby-Smith et al., eq. 9, in the paper's own symbols: t units, rho, sigma the spread of one influence."""
    cases = []
    for units, error, estimate, alpha in [(200, 0.2, 0.1, 0.05), (10000, 0.02, 0.09, 0.05), (250000, 0.004, 0.004, 0.1)]:
        rho = numpy.sqrt((-2 * numpy.log(alpha) + numpy.log(-2 * numpy.log(alpha) + 1)) / 10000)
        sigma = error * numpy.sqrt(units)
        inside = 2 * (units * rho**2 + 1) / (units**2 * rho**2)
        margin = sigma * numpy.sqrt(inside * numpy.log(numpy.sqrt(units * rho**2 + 1) / alpha))
        level = numpy.sqrt(units * rho**2 + 1) * numpy.exp(-((estimate / sigma) ** 2) / inside)
        cases.append(
            {
                "units": units,
                "standardError": error,
                "estimate": estimate,
                "alpha": alpha,
                "ciLow": float(estimate - margin),
                "ciHigh": float(estimate + margin),
                "pValue": float(min(1, level)),
            }
        )
    return cases


def kendall_cases():
    """Last of all, so that the cases before it keep their draws."""
    pairs = []
    for size, levels in [(5, 3), (12, 1000), (40, 4), (120, 20)]:
        one = random.integers(0, levels, size).astype(float)
        pairs.append((f"{size} of {levels} levels", one, one + random.integers(0, levels, size)))
    pairs.append(("all agree", numpy.arange(7.0), numpy.arange(7.0) ** 2))
    pairs.append(("turned round", numpy.arange(7.0), -numpy.arange(7.0)))
    cases = [
        {"name": name, "one": plain(one), "other": plain(other), "tau": float(stats.kendalltau(one, other).statistic)}
        for name, one, other in pairs
    ]
    assert not any(numpy.isnan(case["tau"]) for case in cases)
    return cases


def noncentral_t():
    """Not where t and noncentrality have unlike signs, nor below 1e-14: there SciPy's own digits are lost."""
    cases = [
        {"statistic": t, "degreesOfFreedom": df, "noncentrality": nc, "upper": float(stats.nct.sf(t, df, nc))}
        for df in [1, 2, 4.5, 10, 50, 300, 1e4, 1e6]
        for nc in [0, 0.5, 2.8, 6, 15]
        for t in [-8, -2, 0, 0.3, 1.96, 2.8, 5, 12, 20, 40]
    ]
    return [case for case in cases if case["upper"] > 1e-14]


def fieller_cases():
    """The ends are the lifts at which the t test of T - r C turns, found by search."""
    cases = []
    for name, t, c, alpha in [
        ("control far from zero", (11, 0.04, 80), (10, 0.05, 90), 0.05),
        ("control two errors from zero", (0.5, 0.01, 40), (0.25, 0.012, 55), 0.05),
        ("negative control", (-3, 0.2, 25), (-4, 0.3, 20), 0.1),
        ("unbounded outside", (2.0, 0.04, 60), (0.1, 0.01, 60), 0.05),
        ("everything", (0.1, 0.04, 60), (0.1, 0.01, 60), 0.05),
    ]:
        (tv, tvar, tn), (cv, cvar, cn) = t, c
        df = (tvar + cvar) ** 2 / (tvar**2 / (tn - 1) + cvar**2 / (cn - 1))
        critical = stats.t.isf(alpha / 2, df)
        excess = lambda r: abs(tv - r * cv) - critical * (tvar + r * r * cvar) ** 0.5
        grid = numpy.concatenate([-numpy.logspace(6, -6, 4000), numpy.logspace(-6, 6, 4000)])
        signs = [excess(r) > 0 for r in grid]
        turns = [
            optimize.brentq(excess, a, b, xtol=1e-15, rtol=1e-15)
            for a, b, one, other in zip(grid, grid[1:], signs, signs[1:])
            if one != other
        ]
        sign = numpy.sign(cv)
        kind = "everything" if not turns else "outside" if not signs[0] else "bounded"
        cases.append(
            {
                "name": name,
                "alpha": alpha,
                "treated": {"value": tv, "variance": tvar, "units": tn},
                "control": {"value": cv, "variance": cvar, "units": cn},
                "kind": kind,
                "ends": sorted(float(sign * (turn - 1)) for turn in turns),
            }
        )
    return cases


def adjusted_cases():
    """Several covariates: the analysis of covariance. Ratios: the same on each arm's linear form."""
    cases = []
    for name, ratio in [("mean, missing pasts", False), ("ratio, missing pasts", True)]:
        rows, linear, values, arm_of = [], [], [], []
        for arm, units in enumerate((70, 90)):
            taste = random.gamma(4, 0.05, units)
            views = random.poisson(20 * random.gamma(3, 1 / 3, units)) + 1.0
            past_views = random.poisson(views) + 1.0
            clicks, past = random.binomial(views.astype(int), taste * (1 + 0.1 * arm)), random.binomial(
                past_views.astype(int), taste
            )
            new = random.random(units) < 0.3
            table = numpy.column_stack(
                [clicks, views, numpy.where(new, 0, past), numpy.where(new, 0, past_views), new]
            ).astype(float)
            value = clicks.mean() / views.mean() if ratio else clicks.mean()
            rows.append(table)
            values.append(value)
            linear.append((clicks - value * views) / views.mean() if ratio else clicks.astype(float))
            arm_of += [arm] * units
        y, x = numpy.concatenate(linear), numpy.concatenate(rows)[:, 2:]
        dummies = [1.0 * (numpy.array(arm_of) == one) for one in range(2)]
        theta = statsmodels.api.OLS(y, numpy.column_stack([*dummies, x])).fit().params[2:]
        adjusted = [one - table[:, 2:] @ theta for one, table in zip(linear, rows)]
        variances = [one.var(ddof=1) / len(one) for one in adjusted]
        raw = [one.var(ddof=1) / len(one) for one in linear]
        cases.append(
            {
                "name": name,
                "ratio": ratio,
                "rows": [[plain(row) for row in table] for table in rows],
                "thetas": plain(theta),
                "values": plain(
                    value - (table[:, 2:].mean(axis=0) - x.mean(axis=0)) @ theta for value, table in zip(values, rows)
                ),
                "variances": plain(variances),
                "varianceReduction": float(1 - sum(variances) / sum(raw)),
            }
        )
    return cases


def post_stratified_case():
    """A saturated model: a mean for each arm and stratum, with HC2 errors, which are s^2 / n in each."""
    stratum = random.integers(0, 4, 260)
    arm = random.integers(0, 2, 260)
    y = random.normal(2 * stratum, 1 + stratum) + 0.5 * arm
    cells = numpy.column_stack([1.0 * ((arm == a) & (stratum == k)) for a in range(2) for k in range(4)])
    fit = statsmodels.api.OLS(y, cells).fit(cov_type="HC2")
    shares = numpy.bincount(stratum) / len(stratum)
    contrasts = [numpy.concatenate([shares, 0 * shares]), numpy.concatenate([0 * shares, shares])]
    return {
        "values": [[plain(y[(arm == a) & (stratum == k)]) for k in range(4)] for a in range(2)],
        "means": plain(contrast @ fit.params for contrast in contrasts),
        "variances": plain(contrast @ fit.cov_params() @ contrast for contrast in contrasts),
    }


def winsorised_case():
    arms = [random.lognormal(0, 2, (units, 2)).round(4) for units in (150, 170)]
    return {
        "arms": [[plain(row) for row in arm] for arm in arms],
        "at": [winsorised_at(arms, quantile) for quantile in (0.9, 0.99)],
    }


def winsorised_at(arms, quantile):
    """The cap is the bucket edge above the pooled quantile; NumPy then clips."""
    pooled = numpy.sort(numpy.concatenate([arm[:, 0] for arm in arms]))
    exact = pooled[int(numpy.ceil(quantile * len(pooled))) - 1]
    cap = 1.01 ** numpy.ceil(numpy.log(exact) / numpy.log(1.01))
    clipped = [numpy.column_stack([numpy.minimum(arm[:, 0], cap), arm[:, 1]]) for arm in arms]
    return {
        "quantile": quantile,
        "cap": float(cap),
        "means": [plain(arm.mean(axis=0)) for arm in clipped],
        "covariances": [plain(numpy.cov(arm.T)[numpy.tril_indices(2)]) for arm in clipped],
    }


def quantile_cases():
    """From the raw events: robust variances of a weighted regression at the two edges around the quantile."""
    cases = []
    for quantile, units in [(0.5, 40), (0.9, 100), (0.95, 150)]:
        sizes = random.integers(1, 20, units)
        speed = random.normal(4, 0.4, units)
        events = [random.lognormal(mean, 0.6, size).round(2) for mean, size in zip(speed, sizes)]
        pooled = numpy.sort(numpy.concatenate(events))
        index = lambda value: int(numpy.ceil(numpy.log(value) / numpy.log(1.01)))
        buckets = numpy.array([index(value) for value in pooled])

        def at(share):
            wanted = share * len(pooled)
            bucket = buckets[int(numpy.ceil(wanted)) - 1]
            below, inside = (buckets < bucket).sum(), (buckets == bucket).sum()
            part = (wanted - below) / inside
            return bucket, part, 1.01 ** (bucket - 1) + part * (1.01**bucket - 1.01 ** (bucket - 1))

        def variance(last):
            below = numpy.array([sum(index(value) <= last for value in of) for of in events], dtype=float)
            fit = statsmodels.api.WLS(below / sizes, numpy.ones(units), weights=1.0 * sizes).fit(cov_type="HC1")
            return fit.bse[0] ** 2

        bucket, part, value = at(quantile)
        sigma = ((1 - part) * variance(bucket - 1) + part * variance(bucket)) ** 0.5
        error = (at(quantile + sigma)[2] - at(quantile - sigma)[2]) / 2
        cases.append(
            {
                "quantile": quantile,
                "events": [plain(of) for of in events],
                "value": float(value),
                "standardError": float(error),
                "exact": float(numpy.quantile(pooled, quantile)),
            }
        )
    return cases


def heterogeneity_cases():
    cases = []
    for name, effects, errors in [
        ("alike", [0.1, 0.12, 0.08], [0.05, 0.04, 0.06]),
        ("unlike", [0.5, -0.3, 0.1, 0.0], [0.1, 0.12, 0.05, 0.2]),
        ("far in the tail", [5.0, -5.0, 0.1], [0.2, 0.3, 0.1]),
    ]:
        fit = combine_effects(numpy.array(effects), numpy.array(errors) ** 2, method_re="dl")
        days = numpy.arange(len(effects)) * 2.0
        design = statsmodels.api.add_constant(days)
        line = statsmodels.api.WLS(effects, design, weights=1 / numpy.array(errors) ** 2).fit(cov_type="fixed scale")
        cases.append(
            {
                "name": name,
                "effects": effects,
                "errors": errors,
                "pooled": float(fit.mean_effect_fe),
                "pooledError": float(fit.sd_eff_w_fe),
                "statistic": float(fit.q),
                "pValue": float(stats.chi2.sf(fit.q, len(effects) - 1)),
                "inconsistency": float(max(0, 1 - (len(effects) - 1) / fit.q)),
                "slope": float(line.params[1]),
                "slopeError": float(line.bse[1]),
                "slopePValue": float(line.pvalues[1]),
            }
        )
    return cases


def slope_case():
    """One least-squares line a unit."""
    days = [0, 1, 2, 4, 7]
    rows = (random.normal(0, 1, (60, 1)) + random.normal(0, 1, (60, 5)) - 0.2 * numpy.array(days)).round(3)
    slopes = numpy.array([numpy.polyfit(days, row, 1)[0] for row in rows])
    return {
        "days": days,
        "rows": [plain(row) for row in rows],
        "value": float(slopes.mean()),
        "variance": float(slopes.var(ddof=1) / len(slopes)),
    }


def score_statistic(treated, control, difference):
    """At the likeliest shares that differ so, where the likelihood's derivative turns.

    statsmodels takes the roots of a cubic whose linear coefficient has control's events where Farrington and Manning have
    control's units, so that its shares are not quite the likeliest and its ends are off in the third digit.
    """
    (te, tn), (ce, cn) = treated, control
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    slope = lambda q: (
        (te / (q + difference) if te else 0)
        - ((tn - te) / (1 - q - difference) if tn - te else 0)
        + (ce / q if ce else 0)
        - ((cn - ce) / (1 - q) if cn - ce else 0)
    )
    inner = (low + 1e-14, high - 1e-14)
    if slope(inner[0]) <= 0:
        q = low
    elif slope(inner[1]) >= 0:
        q = high
    else:
        q = optimize.brentq(slope, *inner, xtol=1e-16, rtol=1e-15)
    p = q + difference
    variance = (p * (1 - p) / tn + q * (1 - q) / cn) * (tn + cn) / (tn + cn - 1)
    return (te / tn - ce / cn - difference) / variance**0.5


def proportion_cases():
    cases = []
    for treated, control, alpha in [
        ((45, 300), (30, 320), 0.05),
        ((1, 500), (9, 480), 0.05),
        ((0, 40), (6, 35), 0.1),
        ((700, 1000), (400, 1000), 0.01),
        ((20, 20), (12, 20), 0.05),
    ]:
        low, high = proportion_confint(*treated, alpha=alpha, method="wilson")
        z, gap = stats.norm.isf(alpha / 2), treated[0] / treated[1] - control[0] / control[1]
        ends = [
            optimize.brentq(
                lambda d: score_statistic(treated, control, d) - side * z, *bracket, xtol=1e-15, rtol=1e-14
            )
            for side, bracket in [(1, (-1 + 1e-6, gap - 1e-9)), (-1, (gap + 1e-9, 1 - 1e-6))]
        ]
        test = score_test(*treated, *control, value=0, method="score", compare="diff", correction=True)
        if 0 < treated[0] < treated[1]:
            library = confint_proportions_2indep(
                *treated, *control, method="score", compare="diff", alpha=alpha, correction=True
            )
            assert numpy.allclose(ends, library, atol=3e-3), (ends, library)
        cases.append(
            {
                "treated": {"events": treated[0], "units": treated[1]},
                "control": {"events": control[0], "units": control[1]},
                "alpha": alpha,
                "wilson": [float(low), float(high)],
                "ciLow": float(ends[0]),
                "ciHigh": float(ends[1]),
                "statistic": float(test.statistic),
                "pValue": float(test.pvalue),
            }
        )
    return cases


def power_cases():
    """statsmodels' pooled t test in equal arms; in unequal ones the noncentral t with Welch's degrees of freedom."""
    cases = []
    for effect in [0.02, 0.1, 0.25, 0.8]:
        for units in [6, 30, 250, 20000]:
            for alpha in [0.05, 0.01, 0.0001]:
                for margin in [False, True]:
                    power = TTestIndPower().power(
                        effect, units, alpha, ratio=1, alternative="larger" if margin else "two-sided"
                    )
                    if numpy.isnan(power):
                        # The tail on the wrong side, which SciPy cannot say, is far below 1e-16.
                        power = stats.nct.sf(stats.t.isf(alpha / 2, 2 * units - 2), 2 * units - 2, effect * (units / 2) ** 0.5)
                    cases.append(
                        {"effect": effect, "perArm": units, "alpha": alpha, "oneSided": margin, "power": float(power)}
                    )
    return cases


def unequal_power_cases():
    cases = []
    for control, treated, effect in [(900, 100, 0.3), (50, 20, 0.8), (5000, 15000, 0.05)]:
        a, b = 1 / treated, 1 / control
        df = (a + b) ** 2 / (a * a / (treated - 1) + b * b / (control - 1))
        critical, shift = stats.t.isf(0.025, df), effect / (a + b) ** 0.5
        power = stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift)
        pooled = TTestIndPower().power(effect, treated, 0.05, ratio=control / treated)
        cases.append(
            {
                "control": control,
                "treated": treated,
                "effect": effect,
                "power": float(power),
                "pooled": float(pooled),
            }
        )
    return cases


def sample_size_cases():
    cases = []
    for effect, power, alpha in [(0.05, 0.8, 0.05), (0.1, 0.9, 0.05), (0.5, 0.8, 0.01), (0.02, 0.95, 0.001)]:
        excess = lambda units: TTestIndPower().power(effect, units, alpha) - power
        # Around the normal approximation: far above it SciPy's noncentral t is NaN.
        near = 2 * ((stats.norm.isf(alpha / 2) + stats.norm.ppf(power)) / effect) ** 2
        size = optimize.brentq(excess, near / 2, near + 50, xtol=1e-9, rtol=1e-14)
        cases.append({"effect": effect, "power": power, "alpha": alpha, "perArm": float(size)})
    return cases


def exact_proportion_power_cases():
    """Every outcome of two binomials, and whether Welch's test of zeros and ones rejects."""
    cases = []
    for base, lifted, units in [(0.1, 0.2, 200), (0.01, 0.03, 800), (0.5, 0.6, 400), (0.005, 0.02, 500)]:
        counts = numpy.arange(units + 1)
        share = counts / units
        variance = share * (1 - share) / (units - 1)
        t, c = share[:, None], share[None, :]
        tv, cv = variance[:, None], variance[None, :]
        with numpy.errstate(divide="ignore", invalid="ignore"):
            statistic = (t - c) / (tv + cv) ** 0.5
            df = (tv + cv) ** 2 / (tv**2 / (units - 1) + cv**2 / (units - 1))
            rejects = numpy.abs(statistic) > stats.t.isf(0.025, df)
        chances = stats.binom.pmf(counts, units, lifted)[:, None] * stats.binom.pmf(counts, units, base)[None, :]
        cases.append({"base": base, "lifted": lifted, "perArm": units, "power": float((chances * rejects).sum())})
    return cases


json.dump(
    {
        "madeWith": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": numpy.__version__},
        "twoSidedT": two_sided_t(),
        "criticalT": critical_t(),
        "upperChiSquare": upper_chi_square(),
        "welch": welch_cases(),
        "ratio": ratio_cases(),
        "cuped": cuped_cases(),
        "holm": holm_cases(),
        "sampleRatio": sample_ratio_cases(),
        "alwaysValid": always_valid_cases(),
        "kendall": kendall_cases(),
        "noncentralT": noncentral_t(),
        "fieller": fieller_cases(),
        "adjusted": adjusted_cases(),
        "postStratified": post_stratified_case(),
        "winsorised": winsorised_case(),
        "quantile": quantile_cases(),
        "heterogeneity": heterogeneity_cases(),
        "slope": slope_case(),
        "proportions": proportion_cases(),
        "power": power_cases(),
        "unequalPower": unequal_power_cases(),
        "sampleSize": sample_size_cases(),
        "exactProportionPower": exact_proportion_power_cases(),
    },
    sys.stdout,
    indent=1,
    allow_nan=False,
)
