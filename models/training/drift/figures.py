"""Intervals over seeds of the drift's figures, and the claims that they decide."""

from dataclasses import dataclass

from training.evaluation.intervals import Interval, t_interval


def values(results: dict, arm: str, figure: str, period: int = -1) -> list[float]:
    """One number a seed."""
    return [run["arms"][arm][period][figure] for run in results["runs"]]


def interval(results: dict, arm: str, figure: str, period: int = -1) -> Interval:
    """The arm's figure."""
    return t_interval(values(results, arm, figure, period))


def difference(results: dict, arm: str, other: str, figure: str) -> Interval:
    """The arm's figure minus the other's in the last period, paired by seed."""
    pairs = zip(values(results, arm, figure), values(results, other, figure), strict=True)
    return t_interval([a - b for a, b in pairs])


def leak(results: dict, technique: str, task: str) -> Interval:
    """Of the bias that the teacher trained once has over the continuous one, the share that the technique serves: 0 is
    none, 1 is all. A ratio a seed, in the last period."""

    def extra(name: str) -> list[float]:
        pairs = (values(results, f"{policy}/{name}", f"{task}/bias") for policy in ("once", "continuous"))
        return [stale - fresh for stale, fresh in zip(*pairs, strict=True)]

    return t_interval([served / taught for served, taught in zip(extra(technique), extra("teacher"), strict=True)])


@dataclass(frozen=True)
class Claim:
    """`arm`'s figure is said to be greater than `other`'s in the last period."""

    words: str
    arm: str
    other: str
    figure: str

    def verdict(self, of: Interval) -> str:
        """What the interval of the difference says of the claim."""
        if of.mean - of.half_width > 0:
            return "holds"
        return "contradicted" if of.mean + of.half_width < 0 else "not shown"


CONTROL = "none/control"
CLAIMS = (
    Claim("A teacher trained once comes to promise too much", "once/teacher", "continuous/teacher", "click/bias"),
    Claim("Plain direct serves that bias", "once/direct", "continuous/direct", "click/bias"),
    Claim("Direct at rate serves some of it", "once/direct at rate", "continuous/direct at rate", "click/bias"),
    Claim("Auxiliary serves some of it", "once/auxiliary", "continuous/auxiliary", "click/bias"),
    Claim("Plain direct serves more of it than auxiliary", "once/direct", "once/auxiliary", "click/bias"),
    Claim(
        "Updating continuously rather than in steps lowers plain direct's bias",
        "stepwise/direct",
        "continuous/direct",
        "click/bias",
    ),
    Claim(
        "Stale tastes, not only a stale rate, are served by direct at rate",
        "once/direct at rate",
        "continuous/direct at rate",
        "click/spread",
    ),
    Claim("... and by auxiliary", "once/auxiliary", "continuous/auxiliary", "click/spread"),
    Claim(
        "Of a stale teacher's tastes, direct at rate serves more than auxiliary",
        "once/direct at rate",
        "once/auxiliary",
        "click/spread",
    ),
    Claim("A stale teacher, auxiliary: still ranks better than none", "once/auxiliary", CONTROL, "click/auc"),
    Claim("A stale teacher, direct at rate: still ranks better than none", "once/direct at rate", CONTROL, "click/auc"),
    Claim("A stale teacher, plain direct: still ranks better than none", "once/direct", CONTROL, "click/auc"),
    Claim("A stale teacher: auxiliary ranks better than plain direct", "once/auxiliary", "once/direct", "click/auc"),
    Claim("A fresh teacher, direct at rate: ranks better than none", "continuous/direct at rate", CONTROL, "click/auc"),
    Claim("A fresh teacher, auxiliary: ranks better than none", "continuous/auxiliary", CONTROL, "click/auc"),
    Claim(
        "A fresh teacher: direct at rate ranks better than auxiliary",
        "continuous/direct at rate",
        "continuous/auxiliary",
        "click/auc",
    ),
    Claim(
        "A fresh rather than a stale teacher ranks better, direct at rate",
        "continuous/direct at rate",
        "once/direct at rate",
        "click/auc",
    ),
)
