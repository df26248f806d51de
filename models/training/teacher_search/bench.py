"""One seed's world, on which any number of teachers are judged by the home students that they teach."""

import time
from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from training.evaluation.metrics import predict
from training.examples import music_examples
from training.features.music_inputs import MusicInputs
from training.features.teacher_view import music_view, video_view
from training.logs.music_log import SURFACE_TASKS
from training.logs.video_log import VideoLog, draw_video_log
from training.scale import Scale
from training.students.plans import StudentPlan
from training.students.serving import ServingStudent
from training.students.training import train_student
from training.teacher.network import Teacher
from training.teacher.plan import TeacherPlan
from training.teacher.training import train_teacher
from training.teacher.zero_shot import teacher_logits
from training.world.simulation import draw_world

SURFACE = "home"
# Student task to the teacher's task that teaches it.
TASKS = {"click": "click", "completion": "watch_fraction", "like": "like"}
WEIGHT = 4.0
TIMED_CANDIDATES = 1_000
TIMED_RUNS = 5


class Bench:
    """Every student starts alike, sees the same rows in the same order, and is compared with the seed's control."""

    def __init__(self, seed: int, scale: Scale) -> None:
        self.seed, self.scale = seed, scale
        self.world = draw_world(seed, scale)
        self._video_log = draw_video_log(seed, scale, self.world.people, self.world.video_truth)
        # Both domains' mappings are checked here, before any training.
        self._video = video_view(self.world.people, self.world.videos)
        self._music = music_view(self.world.people, self.world.tracks)
        self._log = self.world.logs[SURFACE]
        self._inputs = MusicInputs(SURFACE, self.world.people, self.world.listening, self.world.tracks)
        self._held_out = music_examples(self.world.held_out[SURFACE], self._inputs)
        self.control = self._student_auc(StudentPlan("control", SURFACE, "none", ""), None)

    def teacher(self, plan: TeacherPlan, share: float) -> tuple[Teacher, dict[str, float], float]:
        """A teacher of the first `share` of the video log (its rows are in no order), its AUC on held-out video
        (without tasks of which a small log holds one outcome only), and the processor seconds of its training."""
        rows = round(share * len(self._video_log))
        part = VideoLog(*(getattr(self._video_log, f.name)[:rows] for f in fields(VideoLog)))
        began = time.process_time()
        teacher, auc = train_teacher(self.seed, self.scale.teacher_epochs, self._video, part, plan=plan)
        seconds = time.process_time() - began
        return teacher, {task: value for task, value in auc.items() if np.isfinite(value)}, seconds

    def labels(self, teacher: Teacher, hidden: tuple[str, ...] = (), surface: str = SURFACE, held_out: bool = False):
        """Teacher logits float32 [requests, SHOWN, TASKS] of a surface's log; `hidden` inputs are missing."""
        view = music_view(self.world.people, self.world.tracks, hidden) if hidden else self._music
        logs = self.world.held_out if held_out else self.world.logs
        return teacher_logits(teacher, view, logs[surface])

    @torch.no_grad()
    def label_milliseconds(self, teacher: Teacher) -> float:
        """Processor milliseconds to label 1,000 candidates: the least of a few runs, mapping not counted."""
        rows = np.arange(TIMED_CANDIDATES) % min(len(self.world.tracks), len(self.world.people.video_taste))
        inputs = self._music.inputs(rows, rows, rows, np.zeros(TIMED_CANDIDATES, np.int32))
        seconds = []
        for _ in range(TIMED_RUNS):
            began = time.process_time()
            teacher(*inputs)
            seconds.append(time.process_time() - began)
        return 1_000 * min(seconds)

    def gain(self, logits: np.ndarray, tasks: Mapping[str, str]) -> dict[str, float]:
        """Held-out AUC a task of the student that learns from these labels, minus the control's."""
        plan = StudentPlan("treated", SURFACE, "direct", "", {"weight": WEIGHT, "tasks": dict(tasks)})
        auc = self._student_auc(plan, logits)
        return {task: auc[task] - self.control[task] for task in auc}

    def _student_auc(self, plan: StudentPlan, logits: np.ndarray | None) -> dict[str, float]:
        examples = music_examples(self._log, self._inputs, logits)
        student = train_student(self.seed, plan, self.scale.student_epochs, examples)
        said = predict(ServingStudent(student), self._held_out)
        return {
            task: float(roc_auc_score(self._held_out.labels[:, column], said[:, column]))
            for column, task in enumerate(SURFACE_TASKS[SURFACE])
        }
