"""Do the manifest's tasks, inputs and features fit together? The server asks the same at its start."""

import math
from collections import Counter

from training.refusal import RefusedError

DTYPE_OF_ENCODING = {"number": "float32", "hash": "int32", "vocabulary": "int32"}


def _unique(place: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise RefusedError(f'{place}: "{name}" stands there {times} times')


def check_tasks(place: str, manifest: dict) -> None:
    """Refuses tasks that repeat and an output of another width."""
    tasks, shape = manifest["tasks"], manifest["output"]["shape"]
    if not tasks or not all(isinstance(t, str) and t for t in tasks):
        raise RefusedError(f"{place}: tasks should be at least one name, found {tasks}")
    _unique(f"{place}: tasks", tasks)
    if shape != ["candidates", len(tasks)] or manifest["output"]["dtype"] != "float32":
        wanted = f'float32 ["candidates", {len(tasks)}]'
        raise RefusedError(f"{place}: output should be {wanted}, one column a task, found {shape}")


def _place(place: str, feature: dict, inputs: dict[str, dict]) -> None:
    name, kind = feature["name"], feature["encoding"]["kind"]
    one = inputs.get(feature["input"])
    if one is None:
        raise RefusedError(f'{place}: feature "{name}" fills the unknown input "{feature["input"]}"')
    if (one["entity"], one["dtype"]) != (feature["entity"], DTYPE_OF_ENCODING[kind]):
        raise RefusedError(
            f'{place}: feature "{name}" ({kind} of {feature["entity"]}) does not fit '
            f'input "{one["name"]}" ({one["dtype"]} of {one["entity"]})'
        )
    longest, wanted = feature["width"], float if kind == "number" else str
    fits = len(feature["default"]) == longest if kind == "number" else len(feature["default"]) <= longest
    typed = all(isinstance(v, (int, wanted)) if wanted is float else isinstance(v, str) for v in feature["default"])
    if (
        longest < 1
        or not fits
        or not typed
        or any(isinstance(v, float) and not math.isfinite(v) for v in feature["default"])
    ):
        raise RefusedError(f'{place}: the default of feature "{name}" does not fit its {longest} columns of {kind}')


def check_columns(place: str, manifest: dict) -> None:
    """Refuses inputs of which a column is filled by no feature or by two, and a missing `request_row`."""
    inputs = {i["name"]: i for i in manifest["inputs"]}
    _unique(f"{place}: inputs", [i["name"] for i in manifest["inputs"]])
    _unique(f"{place}: features", [f"{f['entity']}.{f['name']}" for f in manifest["features"]])
    rows = [i for i in manifest["inputs"] if i["entity"] == "row"]
    if [(i["dtype"], i["shape"]) for i in rows] != [("int32", ["candidates"])]:
        raise RefusedError(
            f'{place}: expected exactly one input of entity row, int32 ["candidates"], found {len(rows)}'
        )
    filled: dict[str, Counter] = {name: Counter() for name in inputs}
    for feature in manifest["features"]:
        _place(place, feature, inputs)
        columns = range(feature["offset"], feature["offset"] + feature["width"])
        filled[feature["input"]].update(columns)
    for one in manifest["inputs"]:
        if one["entity"] == "row":
            continue
        rows_of = "candidates" if one["entity"] == "item" else "requests"
        if len(one["shape"]) != 2 or one["shape"][0] != rows_of or not isinstance(one["shape"][1], int):
            raise RefusedError(f'{place}: the shape of input "{one["name"]}" should be ["{rows_of}", width]')
        for column in range(max([one["shape"][1], *(c + 1 for c in filled[one["name"]])])):
            times = filled[one["name"]][column] if column < one["shape"][1] else -1
            if times != 1:
                said = {0: "no feature", -1: "a feature though there is no such column"}.get(times, f"{times} features")
                raise RefusedError(f'{place}: column {column} of input "{one["name"]}" is filled by {said}')
