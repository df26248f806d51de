"""Writes one version of one model: reference graph, its two halves, manifest, golden; all held for parity."""

from pathlib import Path

from training.export.digest import sha256, write_json
from training.export.golden import write_golden
from training.export.graph import export_graph
from training.export.manifest import OUTPUT, manifest
from training.export.parity import REQUESTS, example, largest_difference
from training.export.split_files import export_split, split_difference
from training.export.value_models import VALUE_MODELS
from training.features.music_inputs import MusicInputs
from training.logs.music_log import SURFACE_TASKS
from training.students.plans import StudentPlan
from training.students.serving import ServingStudent

VERSION = 1


def export_model(
    repository: Path,
    seed: int,
    plan: StudentPlan,
    student: ServingStudent,
    inputs: MusicInputs,
    provenance: dict,
    requests: int = REQUESTS,
) -> tuple[float, float]:
    """Writes `<repository>/<name>/<version>/`; returns the largest difference of the reference graph from PyTorch and
    of the two halves from the reference graph, over `requests` random requests each."""
    folder = repository / plan.name / str(VERSION)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    schema = inputs.schema
    export_graph(
        student,
        example(inputs),
        [i.name for i in schema.inputs] + ["request_row"],
        [i.rows for i in schema.inputs] + ["candidates"],
        [OUTPUT],
        path,
    )
    from_pytorch = largest_difference(seed, student, inputs, path, requests)
    split = export_split(folder, student, inputs)
    from_reference = split_difference(seed, schema, inputs, folder, requests)
    write_golden(folder / "golden.json", student, inputs)
    tasks, weights = SURFACE_TASKS[plan.surface], VALUE_MODELS[plan.surface]
    content = manifest(plan.name, VERSION, plan.description, schema, tasks, sha256(path), weights, provenance)
    write_json(folder / "manifest.json", content | {"split": split})
    return from_pytorch, from_reference
