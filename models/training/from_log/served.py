"""Features as they were served, from the log: what the model's tensors held, whatever the files say now."""

import json
import re

import mmh3
import numpy as np

from training.features.schema import Feature, Hash, Number, Schema
from training.from_log.joined_log import JoinedLog

# What the log holds in place of a user's id where it is configured so; no file can have it.
_PSEUDONYM = re.compile(r"hmac:[A-Za-z0-9_-]{22}")


def encoding_name(feature: Feature) -> str:
    """The name that the log gives a feature's encoding: equal names mean the same by the same values."""
    encoding = feature.encoding
    if isinstance(encoding, Number):
        return "number"
    if isinstance(encoding, Hash):
        return f"hash:{encoding.buckets}"
    words = json.dumps(list(encoding.values), ensure_ascii=False, separators=(",", ":"))
    return f"vocabulary:{len(encoding.values)}:{mmh3.hash(words.encode(), 0, signed=False):08x}"


def _matching(schema: Schema, model: dict) -> dict[tuple[str, str], dict] | None:
    """By entity and name the served feature of each of the schema's; None if one was not served, or not so."""
    found = {(f["entity"], f["feature"], f["encoding"], f["width"]): f for f in model["features"]}
    wanted = {(f.entity, f.name): (f.entity, f.name, encoding_name(f), f.width) for f in schema.features}
    if not all(key in found for key in wanted.values()):
        return None
    return {name: found[key] for name, key in wanted.items()}


def served_rows(schema: Schema, log: JoinedLog) -> dict[int, dict[tuple[str, str], dict]]:
    """The requests of which the log has every feature of the schema, for all items that were shown."""
    rows = {}
    for row, models in enumerate(log.served):
        shown = int(log.start[row + 1] - log.start[row])
        for model in models or ():
            matching = _matching(schema, model) if model["item_rows"] >= shown else None
            if matching is not None:
                rows[row] = matching
                break
    return rows


def unknown_users(log: JoinedLog, served: dict[int, dict]) -> np.ndarray:
    """bool [requests]: the user is a pseudonym and its features were not logged; looked up, it would be a stranger."""
    return np.array([bool(_PSEUDONYM.fullmatch(u or "")) and r not in served for r, u in enumerate(log.user)], bool)


def put_served(
    schema: Schema,
    served: dict[int, dict[tuple[str, str], dict]],
    rows: np.ndarray,
    counts: np.ndarray,
    request_inputs: dict[str, np.ndarray],
    item_inputs: dict[str, np.ndarray],
) -> None:
    """Overwrites the inputs of these requests, and of their items, with what was served; the others stay."""
    ends = np.cumsum(counts)
    for at, row in enumerate(rows):
        features = served.get(int(row))
        if features is None:
            continue
        items = slice(int(ends[at] - counts[at]), int(ends[at]))
        for one in schema.inputs:
            for feature in one.features:
                said = features[(feature.entity, feature.name)]
                values = said["numbers"] if said["numbers"] is not None else said["indices"]
                columns = one.columns(feature.name)
                matrix = np.array(values, one.dtype).reshape(-1, feature.width)
                if feature.entity == "item":
                    item_inputs[one.name][items, columns] = matrix[: counts[at]]
                else:
                    request_inputs[one.name][at, columns] = matrix[0]
