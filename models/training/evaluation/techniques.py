"""One seed of the comparison: the same world, teacher and log for every student."""

import time

import numpy as np

from training.evaluation.metrics import predict
from training.evaluation.quality import quality
from training.examples import Examples, music_examples
from training.features.music_inputs import MusicInputs
from training.features.teacher_view import music_view, video_view
from training.logs.music_log import SHOWN, MusicLog
from training.logs.unlabelled import draw_unlabelled, unlabelled_examples
from training.logs.video_log import draw_video_log
from training.scale import Scale
from training.students.plans import StudentPlan
from training.students.serving import ServingStudent
from training.students.training import train_student
from training.teacher.training import train_teacher
from training.teacher.zero_shot import teacher_logits
from training.techniques import technique_of
from training.techniques.augmentation import Augmentation
from training.world.items import NEW_RELEASE_AGE_DAYS_MAX
from training.world.simulation import World, draw_world

LOW_ACTIVITY_SHARE = 0.25


def compare_seed(seed: int, scale: Scale, plans: tuple[StudentPlan, ...]) -> dict:
    """{"seed", "seconds" of processor time, "students": name to `<slice>/<task>/<metric>` to number or None}."""
    began = time.process_time()
    world = draw_world(seed, scale)
    # Both domains' mappings are checked here, before any training.
    video, music = video_view(world.people, world.videos), music_view(world.people, world.tracks)
    teacher, _ = train_teacher(
        seed, scale.teacher_epochs, video, draw_video_log(seed, scale, world.people, world.video_truth)
    )
    figures = {}
    for surface in dict.fromkeys(p.surface for p in plans):
        inputs = MusicInputs(surface, world.people, world.listening, world.tracks)
        log = world.logs[surface]
        examples = music_examples(log, inputs, teacher_logits(teacher, music, log))
        held_out = music_examples(world.held_out[surface], inputs)
        for plan in (p for p in plans if p.surface == surface):
            learned = examples
            technique = technique_of(plan, examples.tasks, examples.teacher_tasks)
            if isinstance(technique, Augmentation):
                requests = max(1, round(technique.unlabelled_share * len(log)))
                more = draw_unlabelled(seed, surface, requests, world)
                learned = Examples.concatenate([examples, unlabelled_examples(more, inputs, teacher, world)])
            student = ServingStudent(train_student(seed, plan, scale.student_epochs, learned))
            figures[plan.name] = slices(world, world.held_out[surface], held_out, predict(student, held_out))
    return {"seed": seed, "seconds": time.process_time() - began, "students": figures}


def slices(world: World, log: MusicLog, held_out: Examples, said: np.ndarray) -> dict[str, float | None]:
    """Figures of all items, of new releases, and of the quarter of the app's listeners that plays least."""
    plays = world.people.weekly_plays[: len(world.listening.tracks)]
    quiet = plays <= np.quantile(plays, LOW_ACTIVITY_SHARE)
    request = np.repeat(np.arange(len(log)), SHOWN)
    masks = {
        "all": np.ones(len(request), dtype=bool),
        "new": world.tracks.age_days[log.item.ravel()] <= NEW_RELEASE_AGE_DAYS_MAX,
        "quiet": quiet[log.user][request],
    }
    return {
        f"{name}/{task}/{metric}": value
        for name, mask in masks.items()
        for column, task in enumerate(held_out.tasks)
        for metric, value in quality(held_out.labels[mask, column], said[mask, column], request[mask]).items()
    }
