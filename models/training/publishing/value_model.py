"""Does the value model make sense: its fields, the tasks it weighs, and the features that its diversity goes by?"""

import json
from collections.abc import Collection
from pathlib import Path

import pyarrow.parquet as pq

from training.publishing.manifest_fields import fields
from training.refusal import RefusedError, nearest, refuse_unknown

KINDS = ("weighted-sum", "weighted-product")
NEEDED = {"kind": str, "weights": dict}
OPTIONAL = {"powers": dict, "diversity": list}
# As src/schema/value-model.ts has them.
STEP_FIELDS = ("by", "decay", "floor")
STEPS_MAX = 4
POWER_MAX = 100
BY_MAX = 128


def _finite(value: object) -> bool:
    """Is it a number that a float can hold? JSON knows no other, and a JSON true is a Python int."""
    try:
        return not isinstance(value, bool) and isinstance(value, int | float) and abs(float(value)) < float("inf")
    except OverflowError:
        return False


def _check_step(here: str, step: object) -> None:
    if not isinstance(step, dict):
        raise RefusedError(f"{here}: expected an object, found {type(step).__name__}")
    for name in step:
        refuse_unknown("field", name, STEP_FIELDS, here)
    for name in ("by", "decay"):
        if name not in step:
            raise RefusedError(f'{here}: "{name}" is missing')
    if not isinstance(step["by"], str) or not 1 <= len(step["by"]) <= BY_MAX:
        raise RefusedError(f"{here}: by should be the name of an item feature, found {step['by']}")
    for name in ("decay", "floor"):
        share = step.get(name, 0)
        if not _finite(share) or not 0 <= share <= 1:
            raise RefusedError(f"{here}: {name} should be a number from 0 to 1, found {share}")


def check_value_model(place: str, manifest: dict) -> None:
    """Refuses weights and powers that are none, or of unknown tasks, and diversity steps that are none or repeat."""
    model, here = manifest["valueModel"], f"{place}: valueModel"
    fields(here, model, NEEDED, OPTIONAL)
    refuse_unknown("kind", model["kind"], KINDS, here)
    weights = model["weights"]
    if not weights:
        raise RefusedError(f"{here}.weights should weigh at least one task, found none")
    for task, weight in weights.items():
        refuse_unknown("task", task, manifest["tasks"], f"{here}.weights")
        if not _finite(weight):
            raise RefusedError(f'{here}: the weight of "{task}" should be a finite number, found {weight}')
    if "powers" in model:
        _check_powers(here, model)
    steps = model.get("diversity", [])
    if len(steps) > STEPS_MAX:
        raise RefusedError(f"{here}.diversity should have at most {STEPS_MAX} steps, found {len(steps)}")
    for k, step in enumerate(steps):
        _check_step(f"{here}.diversity[{k}]", step)
        if step["by"] in (earlier["by"] for earlier in steps[:k]):
            raise RefusedError(f'{here}.diversity[{k}]: expected one step a feature, found a second by "{step["by"]}"')


def _check_powers(here: str, model: dict) -> None:
    if model["kind"] == "weighted-product":
        raise RefusedError(f"{here}: a weighted-product has no powers, for its weights are the powers")
    if not model["powers"]:
        raise RefusedError(f"{here}.powers should raise at least one task, or be left out, found none")
    for task, power in model["powers"].items():
        if task not in model["weights"]:
            wanted = f'expected a task that has a weight, found "{task}"'
            raise RefusedError(f"{here}.powers: {wanted}{nearest(task, model['weights'])}")
        if not _finite(power) or not 0 < power <= POWER_MAX:
            wanted = f"a number above 0 and of at most {POWER_MAX}"
            raise RefusedError(f'{here}: the power of "{task}" should be {wanted}, found {power}')


def _of_items(manifest: object) -> set[str]:
    """The item features that a manifest declares; none where it is no manifest or its model is a teacher."""
    try:
        if manifest.get("role") == "teacher":
            return set()
        return {f["name"] for f in manifest["features"] if f["entity"] == "item" and f["name"] != "id"}
    except (AttributeError, KeyError, TypeError):
        return set()


def _of_repository(repository: Path) -> set[str]:
    known: set[str] = set()
    for path in repository.glob("[!.]*/*/manifest.json"):
        try:
            known |= _of_items(json.loads(path.read_text()))
        except (OSError, ValueError):
            continue
    return known


def _of_world(world: Path) -> set[str]:
    path = world / "items.parquet"
    try:
        return {name for name in pq.read_schema(path).names if name != "id"}
    except (OSError, ValueError) as error:
        raise RefusedError(f"{path}: is no Parquet file that can be read; --world names its folder") from error


def check_diversity(place: str, manifest: dict, repository: Path, world: Path) -> None:
    """Refuses a step by what no student reads of an item and the world has no column of: the server would not start.

    A teacher orders nothing, and the server does not ask this of it.
    """
    if manifest.get("role") == "teacher":
        return
    names = [step["by"] for step in manifest["valueModel"].get("diversity", [])]
    own: Collection[str] = _of_items(manifest)
    if all(name in own for name in names):
        return
    known = sorted({*own, *_of_repository(repository), *_of_world(world)})
    for k, name in enumerate(names):
        refuse_unknown("item feature", name, known, f"{place}: valueModel.diversity[{k}].by")
