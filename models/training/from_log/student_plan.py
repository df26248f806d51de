"""Which student is trained: the plan of its name, or one of its own for a new name."""

from dataclasses import replace

from training.refusal import RefusedError, nearest
from training.students.plans import PLANS, StudentPlan


def student_plan(name: str, surface: str, technique: str | None, options: dict[str, object]) -> StudentPlan:
    """A known name's technique and options stand where none are given; another technique takes the options of the
    first plan that has it, else its own defaults."""
    known = next((p for p in PLANS if p.name == name), None)
    if known and known.surface != surface:
        raise RefusedError(f'--name {name} is a student of surface "{known.surface}", and --surface says "{surface}"')
    if known is None and technique is None:
        near = nearest(name, [p.name for p in PLANS])
        raise RefusedError(f'--technique is needed for the new student "{name}"{near}')
    if known is None or technique not in (None, known.technique):
        base = known or StudentPlan(name, surface, technique, f"{surface.capitalize()} ranker made from the log.")
        like = next((p for p in PLANS if p.technique == technique and p.surface == surface), None)
        known = replace(base, technique=technique, options=dict(like.options) if like else {})
    return replace(known, options={**known.options, **options})
