"""Where a model comes from, for its manifest: everything needed to make it again or to doubt it."""

from dataclasses import asdict

from training.logs.listening import LOG_DAYS
from training.logs.music_log import SHOWN, SURFACE_TASKS
from training.logs.video_log import TASKS
from training.scale import Scale
from training.students.plans import StudentPlan
from training.teacher.network import HIDDEN
from training.techniques import technique_of


def teacher_provenance(seed: int, scale: Scale, figures: dict) -> dict:
    """The teacher's own provenance. Its AUCs are on held-out video: of music it has seen nothing."""
    return {
        "seed": seed,
        "data": f"simulated world of seed {seed}: {scale.video_impressions} logged video impressions",
        "domain": "video",
        "zeroShot": True,
        "hidden": list(HIDDEN),
        "scale": asdict(scale),
        "offlineMetrics": {f"video/{task}/auc": auc for task, auc in figures["teacher"].items()},
    }


def provenance(seed: int, scale: Scale, plan: StudentPlan, figures: dict) -> dict:
    """The manifest's `provenance`. Offline metrics are this seed's own, held out."""
    impressions = SHOWN * (scale.home_requests if plan.surface == "home" else scale.radio_requests)
    teacher = {
        "name": "video-teacher",
        "domain": "video",
        "zeroShot": True,
        "hidden": list(HIDDEN),
        "trainedOnImpressions": scale.video_impressions,
        "auc": figures["teacher"],
    }
    technique = technique_of(plan, SURFACE_TASKS[plan.surface], TASKS)
    return {
        "seed": seed,
        "data": f"simulated world of seed {seed}: {impressions} logged {plan.surface} impressions of {LOG_DAYS} days",
        "technique": plan.technique,
        "softLossWeight": plan.options.get("weight", 0.0),
        "auxiliaryTasks": list(technique.auxiliary_tasks),
        "teacher": teacher if plan.treated else None,
        "scale": asdict(scale),
        "offlineMetrics": figures["students"][plan.name],
    }
