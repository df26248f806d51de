"""Reference numbers for the tests of src/statistics and of rankings' agreement, from SciPy and statsmodels.

    pip install scipy==1.17.1 statsmodels==0.15.0
    python test/support/make-statistics-references.py > test/support/statistics-references.json

Wherever the libraries have another way to the same number, that way is taken: the delta method for ratios is a
weighted regression with a robust variance, and CUPED's theta the slope of an analysis of covariance.
"""

import json
import sys

import numpy
import scipy
import statsmodels
import statsmodels.api
from scipy import stats
from statsmodels.stats.multitest import multipletests

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
    },
    sys.stdout,
    indent=1,
)
