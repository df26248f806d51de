"""One seed from its world to its measured students."""

from dataclasses import dataclass

from training.evaluation.demo_power import demo_power
from training.evaluation.live import draw_situations, expected_outcomes
from training.evaluation.metrics import predict, task_metrics
from training.examples import Examples, music_examples
from training.features.music_inputs import MusicInputs
from training.features.teacher_view import music_view, video_view
from training.logs.music_log import SURFACE_TASKS
from training.logs.video_log import draw_video_log
from training.scale import Scale
from training.students.plans import PLANS, StudentPlan
from training.students.serving import ServingStudent
from training.students.training import train_student
from training.teacher.network import Teacher
from training.teacher.training import train_teacher
from training.teacher.zero_shot import teacher_logits
from training.world.items import NEW_RELEASE_AGE_DAYS_MAX
from training.world.simulation import World, draw_world


@dataclass(frozen=True)
class Run:
    """What one seed made, and its figures as the results file keeps them."""

    world: World
    teacher: Teacher
    inputs: dict[str, MusicInputs]
    students: dict[str, ServingStudent]
    figures: dict


def run_seed(seed: int, scale: Scale) -> Run:
    """World, teacher, zero-shot labels, students, held-out metrics, expected live effect."""
    world = draw_world(seed, scale)
    video = video_view(world.people, world.videos)
    # Both domains' mappings are checked here, before any training.
    music = music_view(world.people, world.tracks)
    log = draw_video_log(seed, scale, world.people, world.video_truth)
    teacher, teacher_auc = train_teacher(seed, scale.teacher_epochs, video, log)
    labels = {s: teacher_logits(teacher, music, world.logs[s]) for s in SURFACE_TASKS}
    inputs = {s: MusicInputs(s, world.people, world.listening, world.tracks) for s in SURFACE_TASKS}
    examples = {s: music_examples(world.logs[s], inputs[s], labels[s]) for s in SURFACE_TASKS}
    students = {
        p.name: ServingStudent(train_student(seed, p, scale.student_epochs, examples[p.surface])) for p in PLANS
    }
    held_out = {s: music_examples(world.held_out[s], inputs[s]) for s in SURFACE_TASKS}
    figures = {
        "seed": seed,
        "teacher": teacher_auc,
        "students": {p.name: _metrics(world, held_out[p.surface], p, students[p.name]) for p in PLANS},
        "live": {s: _live(seed, s, world, inputs[s], students, scale) for s in SURFACE_TASKS},
    }
    return Run(world, teacher, inputs, students, figures)


def _metrics(world: World, held_out: Examples, plan: StudentPlan, student: ServingStudent) -> dict:
    log = world.held_out[plan.surface]
    new = world.tracks.age_days[log.item.ravel()] <= NEW_RELEASE_AGE_DAYS_MAX
    return task_metrics(plan.surface, predict(student, held_out), held_out.labels, new)


def _live(
    seed: int, surface: str, world: World, inputs: MusicInputs, students: dict[str, ServingStudent], scale: Scale
) -> dict:
    situations = draw_situations(seed, surface, world, scale.live_listeners)
    control, treated = (
        expected_outcomes(surface, students[p.name], inputs, world, situations)
        for p in sorted((p for p in PLANS if p.surface == surface), key=lambda p: p.treated)
    )
    activity = world.people.activity(scale.listeners)
    outcomes = {task: demo_power(surface, activity, control, treated, task) for task in SURFACE_TASKS[surface]}
    new = {"control": control["new"].mean(), "treated": treated["new"].mean()}
    outcomes["completion of new releases"] = {**new, "lift": new["treated"] / new["control"] - 1}
    return outcomes
