"""Does ONNX Runtime answer the golden inputs as the recipe did: the whole graph, and the two halves of a split?"""

import json
from pathlib import Path

import numpy as np
import onnxruntime

from training.export.split import ITEM_ROW, ITEM_ROWS
from training.refusal import RefusedError

TOLERANCE_MAX = 1e-4
DTYPES = {"float32": np.float32, "int32": np.int32}
Feed = dict[str, np.ndarray]


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises types of its own for each kind of damage.
        raise RefusedError(f"{path}: ONNX Runtime cannot load it ({str(error).splitlines()[0]})") from error


def _golden(path: Path, manifest: dict) -> tuple[Feed, np.ndarray, float]:
    dtypes = {i["name"]: DTYPES[i["dtype"]] for i in manifest["inputs"]}
    try:
        golden = json.loads(path.read_text())
        given = golden["inputs"]
        if set(given) != set(dtypes):
            raise RefusedError(f"{path}: expected the inputs {sorted(dtypes)}, found {sorted(given)}")
        feed = {n: np.array(t["data"], dtypes[n]).reshape(t["dims"]) for n, t in given.items()}
        wanted = np.array(golden["output"]["data"], np.float64).reshape(golden["output"]["dims"])
        tolerance = float(golden["tolerance"])
    except RefusedError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise RefusedError(f"{path}: no golden inputs and answers as docs/model-manifest.md lays them out") from error
    if not 0 < tolerance <= TOLERANCE_MAX:
        raise RefusedError(
            f"{path}: expected a tolerance above 0 and of at most {TOLERANCE_MAX:.0e}, found {tolerance}"
        )
    if wanted.shape != (len(feed[_row_input(manifest)]), len(manifest["tasks"])) or wanted.size == 0:
        raise RefusedError(
            f"{path}: expected a probability a candidate and task, found an output of {list(wanted.shape)}"
        )
    return feed, wanted, tolerance


def _row_input(manifest: dict) -> str:
    return next(i["name"] for i in manifest["inputs"] if i["entity"] == "row")


def _check_signature(path: Path, graph: onnxruntime.InferenceSession, manifest: dict) -> None:
    kinds = {"float32": "tensor(float)", "int32": "tensor(int32)"}
    wanted = {i["name"]: (kinds[i["dtype"]], i["shape"][1:]) for i in manifest["inputs"]}
    found = {i.name: (i.type, list(i.shape[1:])) for i in graph.get_inputs()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            is_, said = found.get(name, "missing"), wanted.get(name, "nothing")
            raise RefusedError(f'{path}: input "{name}" is {is_}, the manifest says {said}')
    outputs = [o.name for o in graph.get_outputs()]
    if outputs != [manifest["output"]["name"]]:
        raise RefusedError(f'{path}: expected the one output "{manifest["output"]["name"]}", found {outputs}')


def _answer(path: Path, graph: onnxruntime.InferenceSession, feed: Feed) -> list[np.ndarray]:
    wanted = [i.name for i in graph.get_inputs()]
    missing = [name for name in wanted if name not in feed]
    if missing:
        raise RefusedError(f'{path}: its input "{missing[0]}" is none of the model\'s')
    try:
        return graph.run(None, {name: feed[name] for name in wanted})
    except Exception as error:  # As above.
        raise RefusedError(f"{path}: ONNX Runtime cannot run it on the golden inputs") from error


def _compare(path: Path, answer: np.ndarray, wanted: np.ndarray, tolerance: float) -> float:
    if answer.shape != wanted.shape:
        raise RefusedError(f"{path}: answers {list(answer.shape)} to the golden inputs, expected {list(wanted.shape)}")
    difference = float(np.abs(answer - wanted).max())
    # A NaN fails, too.
    if not difference <= tolerance:
        raise RefusedError(f"{path}: differs from the golden answers by {difference:.2e}, more than {tolerance:.0e}")
    return difference


def check_parity(folder: Path, manifest: dict) -> float:
    """The largest difference from the golden answers; refuses one above the golden file's tolerance."""
    feed, wanted, tolerance = _golden(folder / manifest["golden"]["file"], manifest)
    path = folder / manifest["file"]
    graph = _open(path)
    _check_signature(path, graph, manifest)
    largest = _compare(path, _answer(path, graph, feed)[0], wanted, tolerance)
    if "split" in manifest:
        largest = max(largest, _split(folder, manifest, feed, wanted, tolerance))
    return largest


def _split(folder: Path, manifest: dict, feed: Feed, wanted: np.ndarray, tolerance: float) -> float:
    """The item graph makes a row an item, here one a candidate; the request graph finds them in a slab out of order."""
    item, request = (folder / manifest["split"][name]["file"] for name in ("item", "request"))
    rows = _answer(item, _open(item), feed)[0]
    width = manifest["split"]["rowWidth"]
    if rows.shape != (len(wanted), width):
        raise RefusedError(f"{item}: expected a row of {width} numbers a candidate, found {list(rows.shape)}")
    backwards = np.arange(len(rows), dtype=np.int32)[::-1].copy()
    asked = feed | {ITEM_ROWS: rows[backwards], ITEM_ROW: backwards}
    return _compare(request, _answer(request, _open(request), asked)[0], wanted, tolerance)
