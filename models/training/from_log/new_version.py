"""From a data directory to a student, its figures and its folder."""

import argparse
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.evaluation.metrics import predict
from training.examples import Examples
from training.export.model_folder import VERSION, export_model
from training.features.music_features import SCHEMAS
from training.from_log.catalogue import EntityTable
from training.from_log.catalogue_inputs import CatalogueInputs
from training.from_log.chosen_rows import ChosenRows, choose_rows, inverse_propensity, the_experiment
from training.from_log.held_out import held_out_metrics
from training.from_log.joined_log import read_log
from training.from_log.labels import check_labels, check_teacher_tasks
from training.from_log.segments import LABEL, LabelFiles, LogFiles, label_files, log_files
from training.from_log.served import served_rows, unknown_users
from training.from_log.student_examples import student_examples
from training.from_log.student_plan import student_plan
from training.from_log.time_parts import TimeParts, time_parts
from training.logs.music_log import SURFACE_TASKS
from training.refusal import RefusedError
from training.students.plans import StudentPlan
from training.students.serving import ServingStudent
from training.students.training import train_student
from training.techniques import technique_of


def _options(options: argparse.Namespace) -> dict[str, object]:
    given = {"weight": options.weight, "temperature": options.temperature, "tasks": options.teacher_tasks}
    return {name: value for name, value in given.items() if value is not None}


def _per_candidate(examples: Examples, of_request: np.ndarray) -> np.ndarray:
    return np.repeat(of_request, np.diff(examples.start))


def _weights(options: argparse.Namespace, propensity: np.ndarray) -> np.ndarray:
    if options.weights == "none":
        return np.ones(len(propensity), np.float32)
    return inverse_propensity(propensity, options.clip)


def _parts(examples: Examples, chosen: ChosenRows, parts: TimeParts, options: argparse.Namespace):
    """(examples to learn from and stop by, of the arms asked for; examples of the held-out part, of every arm)."""
    learnt = np.flatnonzero(chosen.learns & ~parts.held_out)
    held = np.flatnonzero(parts.held_out)
    learning = replace(
        examples.take(learnt),
        weight=_weights(options, chosen.propensity[learnt]),
        validation=parts.validation[learnt],
    )
    held_out = replace(examples.take(held), weight=_weights(options, chosen.propensity[held]))
    stopping = _per_candidate(learning, learning.validation)
    for name, labels in (
        ("training", learning.labels[~stopping]),
        ("validation", learning.labels[stopping]),
        ("held-out", held_out.labels),
    ):
        check_labels(name, examples.tasks, labels)
    return learning, held_out, held


def make_from_log(options: argparse.Namespace) -> dict:
    """Trains, measures and exports; returns the manifest's provenance. Refuses before any training."""
    _check_out(options.out)
    surface, tasks, schema = options.surface, SURFACE_TASKS[options.surface], SCHEMAS[options.surface]
    plan = student_plan(options.name, surface, options.technique, _options(options))
    files = log_files(options.from_log)
    labelled = label_files(options.from_log, options.teacher)
    if plan.treated and labelled is None:
        command = LABEL.format(options.from_log)
        raise RefusedError(
            f'technique "{plan.technique}" learns from teacher labels and there are none; run `{command}`'
        )
    log = read_log(surface, tasks, files, labelled if plan.treated else None)
    if len(log) == 0:
        raise RefusedError(f'{options.from_log / "warehouse"}: the log has no request of surface "{surface}"')
    technique = technique_of(plan, tasks, log.teacher_tasks)
    served = served_rows(schema, log)
    unknown = unknown_users(log, served)
    chosen = choose_rows(log, the_experiment(log, options.experiment), options.arm_rows, plan.name, unknown)
    users, items = (EntityTable(schema, e, options.world / f"{e}s.parquet") for e in ("user", "item"))
    examples = student_examples(schema, tasks, log, chosen.rows, users, items, served)
    parts = time_parts(log.at_ms[chosen.rows], options.validation, options.held_out)
    learning, held_out, held = _parts(examples, chosen, parts, options)
    coverage = float((~np.isnan(learning.teacher)).any(axis=1).mean()) if plan.treated else None
    if coverage == 0:
        raise RefusedError(
            f"no logged item that is learnt from has a teacher label; run `{LABEL.format(options.from_log)}`"
        )
    if plan.treated:
        check_teacher_tasks(log.teacher_tasks, learning.teacher)
    student = ServingStudent(train_student(options.seed, plan, options.epochs, learning))
    metrics = held_out_metrics(
        tasks,
        predict(student, held_out),
        held_out.labels,
        _per_candidate(held_out, held_out.weight),
        _per_candidate(held_out, chosen.arm[held]),
    )
    provenance = {
        "seed": options.seed,
        "data": f"{len(files.segments)} log segments, {files.segments[0]} to {files.segments[-1]}: "
        f"{len(log)} {surface} requests",
        "technique": plan.technique,
        "options": dict(plan.options),
        "auxiliaryTasks": list(technique.auxiliary_tasks),
        "teacher": _teacher(labelled, coverage) if plan.treated else None,
        "log": _log(
            files,
            log_requests=len(log),
            chosen=chosen,
            served=served,
            learning=learning,
            held=len(held),
            options=options,
        ),
        "offlineMetrics": metrics,
    }
    _export(options, plan, student, CatalogueInputs(schema, users, items), provenance)
    return provenance


def _teacher(labelled: LabelFiles, coverage: float) -> dict:
    return {
        "name": labelled.teacher,
        "version": labelled.version,
        "labelledSegments": len(labelled.segments),
        "coverage": coverage,
    }


def _log(
    files: LogFiles, log_requests: int, chosen: ChosenRows, served: dict, learning: Examples, held: int, options
) -> dict:
    return {
        "segments": list(files.segments),
        "requests": log_requests,
        "leftOut": chosen.left_out,
        "asServed": int(sum(int(row) in served for row in chosen.rows)),
        "experiment": chosen.experiment,
        "armRows": options.arm_rows,
        "arms": list(chosen.arms),
        "trainingRequests": int((~learning.validation).sum()),
        "validationRequests": int(learning.validation.sum()),
        "heldOutRequests": held,
        "weights": options.weights,
        "clip": options.clip if options.weights == "propensity" else None,
    }


def _check_out(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RefusedError(f"--out {out}: expected a new or an empty folder, found one that holds something")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(f"--out {out}: expected a place for a folder, found {error.strerror}") from None


def _export(
    options: argparse.Namespace,
    plan: StudentPlan,
    student: ServingStudent,
    inputs: CatalogueInputs,
    provenance: dict,
) -> None:
    """Writes beside --out and renames: a folder of that name is whole."""
    work = Path(tempfile.mkdtemp(prefix=".train-", dir=options.out.parent))
    try:
        export_model(work, options.seed, plan, student, inputs, provenance)
        os.rename(work / plan.name / str(VERSION), options.out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
