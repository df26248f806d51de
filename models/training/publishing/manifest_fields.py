"""The manifest's fields: none missing, none unknown, each of its type, as docs/model-manifest.md names them."""

import re

from training.refusal import RefusedError, refuse_unknown

PLAIN_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
MODEL_NAME = re.compile(r"[a-z0-9-]{1,64}")
DIGEST = re.compile(r"[0-9a-f]{64}")

TOP = {
    "schemaVersion": int,
    "name": str,
    "version": str,
    "surface": str,
    "description": str,
    "file": str,
    "sha256": str,
    "tasks": list,
    "output": dict,
    "inputs": list,
    "features": list,
    "valueModel": dict,
    "golden": dict,
    "provenance": dict,
}
TOP_OPTIONAL = {"role": str, "split": dict}
OUTPUT = {"name": str, "dtype": str, "shape": list}
INPUT = {"name": str, "dtype": str, "shape": list, "entity": str}
FEATURE = {
    "name": str,
    "entity": str,
    "input": str,
    "offset": int,
    "width": int,
    "encoding": dict,
    "default": list,
}
GOLDEN = {"file": str}
SPLIT = {"item": dict, "request": dict, "rowWidth": int}
GRAPH_FILE = {"file": str, "sha256": str}
DTYPES = ("float32", "int32")
ENTITIES = ("user", "item", "context", "row")
ROLES = ("student", "teacher")
# A hash's index, 1 to buckets, has to fit an int32.
BUCKETS_MAX = 2_147_483_646
ENCODINGS = {"number": {}, "hash": {"buckets": int}, "vocabulary": {"values": list}}


def fields(place: str, found: object, needed: dict[str, type], optional: dict[str, type] | None = None) -> None:
    """Refuses `found` unless it is an object of the needed fields and, at will, the optional ones."""
    known = needed | (optional or {})
    if not isinstance(found, dict):
        raise RefusedError(f"{place}: expected an object, found {type(found).__name__}")
    for name, value in found.items():
        refuse_unknown("field", name, known, place)
        # A JSON true is a Python int.
        if not isinstance(value, known[name]) or isinstance(value, bool):
            expected, got = known[name].__name__, type(value).__name__
            raise RefusedError(f'{place}: "{name}" should be of type {expected}, found {got}')
    for name in needed:
        if name not in found:
            raise RefusedError(f'{place}: "{name}" is missing')


def plain_file(place: str, name: str) -> None:
    """Refuses a file name that could lead out of the model's folder."""
    if not PLAIN_FILE.fullmatch(name):
        raise RefusedError(f'{place}: expected a plain file name inside the model\'s folder, found "{name}"')


def digest(place: str, text: str) -> None:
    """Refuses what is no SHA-256 in hex."""
    if not DIGEST.fullmatch(text):
        raise RefusedError(f'{place}: expected 64 hex digits, found "{text}"')


def _check_encoding(here: str, encoding: dict) -> None:
    kind = str(encoding.get("kind"))
    refuse_unknown("encoding", kind, ENCODINGS, here)
    fields(f"{here}.encoding", encoding, {"kind": str} | ENCODINGS[kind])
    buckets, values = encoding.get("buckets", 1), encoding.get("values", ["a"])
    if not 1 <= buckets <= BUCKETS_MAX:
        raise RefusedError(f"{here}.encoding: buckets should be from 1 to {BUCKETS_MAX}, found {buckets}")
    if not values or not all(isinstance(v, str) for v in values) or len(set(values)) < len(values):
        raise RefusedError(f"{here}.encoding: values should be at least one text, each once, found {values}")


def check_fields(place: str, manifest: object) -> None:
    """Refuses a manifest with a field missing, unknown or of the wrong type; `place` is its path, for the message."""
    fields(place, manifest, TOP, TOP_OPTIONAL)
    if manifest["schemaVersion"] != 1:
        raise RefusedError(f"{place}: expected schemaVersion 1, found {manifest['schemaVersion']}")
    if not MODEL_NAME.fullmatch(manifest["name"]):
        raise RefusedError(f'{place}: a model\'s name is [a-z0-9-]{{1,64}}, found "{manifest["name"]}"')
    refuse_unknown("role", manifest.get("role", "student"), ROLES, place)
    digest(f"{place}: sha256", manifest["sha256"])
    plain_file(f"{place}: file", manifest["file"])
    fields(f"{place}: output", manifest["output"], OUTPUT)
    fields(f"{place}: golden", manifest["golden"], GOLDEN)
    plain_file(f"{place}: golden.file", manifest["golden"]["file"])
    for k, one in enumerate(manifest["inputs"]):
        here = f"{place}: inputs[{k}]"
        fields(here, one, INPUT)
        for field, known in (("dtype", DTYPES), ("entity", ENTITIES)):
            refuse_unknown(field, one[field], known, here)
    for k, one in enumerate(manifest["features"]):
        here = f"{place}: features[{k}]"
        fields(here, one, FEATURE)
        _check_encoding(here, one["encoding"])
    if "split" in manifest:
        fields(f"{place}: split", manifest["split"], SPLIT)
        for name in ("item", "request"):
            here = f"{place}: split.{name}"
            fields(here, manifest["split"][name], GRAPH_FILE)
            plain_file(f"{here}.file", manifest["split"][name]["file"])
            digest(f"{here}.sha256", manifest["split"][name]["sha256"])
