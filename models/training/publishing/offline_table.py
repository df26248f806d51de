"""The offline table of a model: `provenance.offlineMetrics`, checked, and laid out as offline.md beside the model.

Metrics are named `<slice>/<task>/<metric>`, as in `all/click/auc`; every task has at least one over all requests.
"""

import math

from training.refusal import RefusedError, refuse_unknown

ALL = "all"
PARTS = 3


def check_offline_metrics(place: str, manifest: dict) -> None:
    """Refuses a model that nobody measured, or measured in numbers that are none."""
    metrics = manifest["provenance"].get("offlineMetrics")
    here = f"{place}: provenance.offlineMetrics"
    if not isinstance(metrics, dict) or not metrics:
        raise RefusedError(f"{here} should hold the offline metrics of every task, found none")
    for name, value in metrics.items():
        parts = name.split("/")
        if len(parts) != PARTS:
            raise RefusedError(f'{here}: a metric is named slice/task/metric, found "{name}"')
        refuse_unknown("task", parts[1], manifest["tasks"], f'{here}, "{name}"')
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise RefusedError(f'{here}: "{name}" should be a finite number, found {value}')
    for task in manifest["tasks"]:
        if not any(name.startswith(f"{ALL}/{task}/") for name in metrics):
            raise RefusedError(f'{here}: no metric of task "{task}" over all requests ("{ALL}/{task}/…")')


def offline_table(manifest: dict) -> str:
    """Markdown: a row a slice and task, a column a metric; figures as the manifest has them, to four places."""
    metrics = {tuple(name.split("/")): value for name, value in manifest["provenance"]["offlineMetrics"].items()}
    columns = list(dict.fromkeys(metric for _, _, metric in metrics))
    rows = list(dict.fromkeys((one, task) for one, task, _ in metrics))
    lines = [
        f"# Offline metrics of {manifest['name']} {manifest['version']}",
        "",
        "From `provenance.offlineMetrics` of the manifest, which says what they were measured on.",
        "",
        "| slice | task | " + " | ".join(columns) + " |",
        "|---|---|" + "--:|" * len(columns),
    ]
    for one, task in rows:
        cells = (metrics.get((one, task, column)) for column in columns)
        lines.append(f"| {one} | {task} | " + " | ".join("" if c is None else f"{c:.4f}" for c in cells) + " |")
    return "\n".join(lines) + "\n"
