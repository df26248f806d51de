"""Makes every report again: `python -m training.reports`, run in models/."""

import argparse
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from training.command_line import MODELS, make_folders, new_parser, one_sentence, parsed
from training.real.__main__ import SMOKE_SHARES, read_sets
from training.real.run import SHARES
from training.refusal import RefusedError


@dataclass(frozen=True)
class Report:
    """One report: the page it makes under reports/, the question it answers, and the command."""

    page: str
    question: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What one command took: seconds on the wall, and of processor time of all its processes."""

    wall: float
    processor: float


REPORTS = (
    Report("techniques", "how the teacher may have a say, for both rankers", ("training.compare", "--jobs", "2")),
    Report("shift", "what of a stale teacher's bias each technique serves", ("training.shift", "--jobs", "2")),
    Report("mapping", "which teacher inputs music has, what hiding each costs", ("training.mapping", "--jobs", "2")),
    Report("search", "the teacher worth having within a budget", ("training.search",)),
)
REAL = "the recipe on public data: a movie teacher, artist students"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = new_parser(
        "training.reports",
        "Run every report's command, one after the other, and write what each took to reports/README.md.",
        "each report in little: whether it runs, not how well",
    )
    parser.add_argument(
        "--movielens", type=Path, metavar="FOLDER", help="ml-latest-small, for real-data.md (default: left out)"
    )
    parser.add_argument(
        "--lastfm", type=Path, metavar="FOLDER", help="HetRec 2011 Last.fm, for real-data.md (default: left out)"
    )
    options = parsed(parser, argv, "reports-smoke", "reports")
    if (options.movielens is None) != (options.lastfm is None):
        parser.error("--movielens and --lastfm: expected both or neither, for the one report needs both sets")
    return options


def chosen(options: argparse.Namespace) -> list[tuple[Report, list[str]]]:
    """Each report with its command's arguments; real data only where its folders are given."""
    reports = [(report, list(report.command)) for report in REPORTS]
    if options.movielens:
        real = Report(
            "real-data", REAL, ("training.real", "--movielens", "FOLDER", "--lastfm", "FOLDER", "--jobs", "2")
        )
        folders = [
            "training.real",
            "--movielens",
            options.movielens.resolve(),
            "--lastfm",
            options.lastfm.resolve(),
            "--jobs",
            "2",
        ]
        reports.append((real, [str(f) for f in folders]))
    return reports


def run(command: list[str]) -> Cost:
    """Runs one command to its end; a CalledProcessError if it fails."""
    began, before = time.monotonic(), _children()
    subprocess.run([sys.executable, "-m", *command], check=True, cwd=MODELS)
    return Cost(time.monotonic() - began, _children() - before)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def page(costs: list[tuple[Report, Cost]], smoke: bool) -> str:
    """reports/README.md: a line a report, and the whole set."""
    flag = " --smoke" if smoke else ""
    lines = [
        "# Reports",
        "",
        f"Written by `python -m training.reports{flag}` (in `models/`), which runs the commands below one after the "
        f"other; times are of that run, on {os.cpu_count()} cores.",
        "",
        "| report | question | command | minutes | of processor time |",
        "|---|---|---|--:|--:|",
    ]
    for report, cost in costs:
        command = f"python -m {' '.join(report.command)}{flag}"
        minutes = f"{cost.wall / 60:.1f} | {cost.processor / 60:.1f}"
        lines.append(f"| [{report.page}.md]({report.page}.md) | {report.question} | `{command}` | {minutes} |")
    wall, processor = (sum(getattr(c, side) for _, c in costs) / 60 for side in ("wall", "processor"))
    lines.append(f"| **all of them** | | | **{wall:.1f}** | **{processor:.1f}** |")
    if not any(report.page == "real-data" for report, _ in costs):
        lines += ["", "Left out: real-data.md, which needs `--movielens FOLDER --lastfm FOLDER`."]
    return "\n".join(lines) + "\n"


@one_sentence("training.reports")
def main(argv: list[str] | None = None) -> None:
    """Checks what the last report will need, then runs one after the other and writes what each took."""
    options = arguments(argv)
    reports = chosen(options)
    if options.movielens:
        read_sets(options.movielens, options.lastfm, min(SMOKE_SHARES if options.smoke else SHARES))
    else:
        print("real-data.md is left out: it needs --movielens FOLDER --lastfm FOLDER", flush=True)
    make_folders(options.out, "reports", "training/results")
    costs = []
    for place, (report, command) in enumerate(reports, 1):
        print(f"{place} of {len(reports)}: {report.page}", flush=True)
        flags = ["--smoke"] if options.smoke else []
        try:
            costs.append((report, run([*command, *flags, "--out", str(options.out.resolve())])))
        except subprocess.CalledProcessError as error:
            raise RefusedError(f"{command[0]} ended with status {error.returncode}") from None
        print(f"{report.page} took {costs[-1][1].wall:.0f} s", flush=True)
    (options.out / "reports" / "README.md").write_text(page(costs, options.smoke))
    print(f"wrote {options.out / 'reports' / 'README.md'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
