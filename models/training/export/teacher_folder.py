"""Writes the teacher as a model of the repository: it labels the log and serves nobody."""

from pathlib import Path

from training.export.digest import sha256, write_json
from training.export.golden import write_golden
from training.export.graph import export_graph
from training.export.manifest import OUTPUT, manifest
from training.export.parity import REQUESTS, example, largest_difference
from training.export.teacher_graph import HalfSeeded, TeacherGraph
from training.features.music_inputs import MusicInputs
from training.features.teacher_mapping import music_inputs, teacher_schema
from training.logs.video_log import TASKS
from training.teacher.network import Teacher
from training.world.simulation import World

NAME = "video-teacher"
VERSION = 1
DESCRIPTION = "Video ranker that labels music's log; music's features are mapped to its inputs inside the graph."
# Every manifest has a value model; a teacher's orders nothing.
VALUE_MODEL = {"click": 1.0}


def export_teacher(
    repository: Path, seed: int, teacher: Teacher, world: World, provenance: dict, requests: int = REQUESTS
) -> float:
    """Writes `<repository>/video-teacher/<version>/` and returns the largest difference from PyTorch over `requests`
    random requests. Raises ArithmeticError above the tolerance."""
    mapped = music_inputs(world.tracks)
    graph = TeacherGraph(teacher, mapped, teacher_schema(mapped))
    read = MusicInputs("video", world.people, world.listening, world.tracks, graph.schema)
    folder = repository / NAME / str(VERSION)
    folder.mkdir(parents=True, exist_ok=True)
    path, asked, schema = folder / "model.onnx", HalfSeeded(read), graph.schema
    names = [i.name for i in schema.inputs] + ["request_row"]
    rows = [i.rows for i in schema.inputs] + ["candidates"]
    export_graph(graph, example(asked), names, rows, [OUTPUT], path)
    difference = largest_difference(seed, graph, asked, path, requests)
    write_golden(folder / "golden.json", graph, asked)
    content = manifest(NAME, VERSION, DESCRIPTION, schema, TASKS, sha256(path), VALUE_MODEL, provenance)
    write_json(folder / "manifest.json", {"role": "teacher"} | content)
    return difference
