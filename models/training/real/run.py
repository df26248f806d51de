"""One seed: split, statistics, teacher, students at every share of the training users, figures."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from training.evaluation.metrics import predict
from training.examples import Examples
from training.randomness import fix_threads, stream
from training.real.artist_inputs import ArtistInputs
from training.real.domain import Domain, shared_vocabulary
from training.real.observed import observe_artists, observe_movies
from training.real.ranking_metrics import proxy_metrics
from training.real.requests import TAKEN, TAKEN_SOURCE, RequestMaker, Requests
from training.real.statistics import measure
from training.real.students import CONTROL, TASKS, TREATED, UNLABELLED_TOO, artist_examples, filled_epoch
from training.real.teacher import MAPPING, teacher_logits, train_teacher
from training.real.teacher import TASKS as TEACHER_TASKS
from training.refusal import RefusedError
from training.students.serving import ServingStudent
from training.students.training import train_student

SHARES = (0.01, 0.1, 1.0)
TEST_SHARE, VALIDATION_SHARE, SOURCE_TEST_SHARE = 0.2, 0.2, 0.1
COLUMNS = [TEACHER_TASKS.index(MAPPING[task]) for task in TASKS]


@dataclass(frozen=True)
class Split:
    """Users of the artists' domain, disjoint; `training` is in the order in which shares take them."""

    training: np.ndarray
    test: np.ndarray


def split_users(seed: int, domain: Domain, test_share: float) -> Split:
    """A random split; it depends on the seed and the number of users alone."""
    order = stream(seed, f"{domain.name} split by user").permutation(domain.users)
    tested = round(test_share * domain.users)
    return Split(order[tested:], order[:tested])


def check(movies: Domain, artists: Domain, smallest_share: float) -> None:
    """Raises RefusedError for sets that cannot be learned from, before anything is trained."""
    if not shared_vocabulary(movies, artists):
        raise RefusedError("the two sets: expected at least one tag string in both, found none")
    for domain in (movies, artists):
        if domain.users < 10:
            raise RefusedError(f"{domain.name}: expected at least 10 users, found {domain.users}")
    learners = round(smallest_share * (1 - TEST_SHARE) * artists.users)
    if learners < 4:
        raise RefusedError(
            f"artists: expected a share of {smallest_share:.0%} to leave at least 4 training users, "
            f"found {learners} of {artists.users}"
        )


def mask(users: np.ndarray, count: int) -> np.ndarray:
    """bool [count], true at those users."""
    chosen = np.zeros(count, bool)
    chosen[users] = True
    return chosen


def run_seed(seed: int, movies: Domain, artists: Domain, shares: tuple[float, ...], epochs: int) -> dict:
    """Figures of one seed: the teacher's AUC at home and zero-shot, and each student's metrics a share."""
    fix_threads()
    vocabulary = shared_vocabulary(movies, artists)
    split, observed = split_users(seed, artists, TEST_SHARE), observe_artists(seed, artists)
    statistics = measure(artists, observed, mask(split.training, artists.users), vocabulary)
    maker = RequestMaker(seed, artists, observed, statistics, TAKEN)
    # What cannot be learned from or measured on is refused here, before the teacher is trained.
    test = maker.labelled(split.test)
    _check_outcomes("artists", "test users", test, TASKS)
    learned_from = {share: _share(maker, split.training, share) for share in shares}
    teacher, source_auc = _source(seed, movies, vocabulary)
    inputs = ArtistInputs(artists, observed, statistics)

    def examples(requests: Requests, held_back: bool = False) -> Examples:
        return artist_examples(inputs, requests, teacher_logits(teacher, statistics, requests), held_back)

    measured = examples(test)
    unlabelled = examples(maker.unlabelled(split.training))
    zero_shot = _aucs(measured.teacher[:, COLUMNS], test, TASKS)
    figures = {"seed": seed, "teacher": {"movies": source_auc, "artists": zero_shot}, "shares": {}}
    for share, (training, validation) in learned_from.items():
        learned = [filled_epoch(examples(training)), examples(validation, held_back=True)]
        metrics = {}
        for plan in (CONTROL, *TREATED):
            parts = [*learned, unlabelled] if plan.name in UNLABELLED_TOO else learned
            student = ServingStudent(train_student(seed, plan, epochs, Examples.concatenate(parts)))
            metrics[plan.name] = proxy_metrics(predict(student, measured), test)
        counts = {"requests": len(training.user), "candidates": len(training.item), "validation": len(validation.user)}
        figures["shares"][f"{share:g}"] = {"training": counts, "students": metrics}
    return figures


def _share(maker: RequestMaker, users: np.ndarray, share: float) -> tuple[Requests, Requests]:
    """Training and validation requests of the first share of users; it goes on taking users until each proxy has
    both outcomes to learn from, which only the smallest shares ever lack."""
    count = round(share * len(users))
    held_back = max(1, round(VALIDATION_SHARE * count))
    validation = maker.labelled(users[:held_back])
    for end in range(count, len(users) + 1):
        training = maker.labelled(users[held_back:end])
        if len(validation.user) and len(training.user) and _both_outcomes(training.labels).all():
            return training, validation
    raise RefusedError(
        f"artists: expected both outcomes of {', '.join(TASKS)} in a share of {share:.0%}, found one alone"
    )


def _check_outcomes(domain: str, whose: str, requests: Requests, tasks: tuple[str, ...]) -> None:
    both = _both_outcomes(requests.labels)
    if not both.all():
        task = tasks[int(np.argmin(both))]
        raise RefusedError(f"{domain}: expected both outcomes of {task!r} among the {whose}' labels, found one or none")


def _both_outcomes(labels: np.ndarray) -> np.ndarray:
    """bool [tasks]; NaN labels are no outcome."""
    return (labels == 0).any(axis=0) & (labels == 1).any(axis=0)


def _source(seed: int, movies: Domain, vocabulary: tuple[str, ...]):
    split, observed = split_users(seed, movies, SOURCE_TEST_SHARE), observe_movies(movies)
    statistics = measure(movies, observed, mask(split.training, movies.users), vocabulary)
    maker = RequestMaker(seed, movies, observed, statistics, TAKEN_SOURCE)
    training = maker.labelled(split.training)
    _check_outcomes("movies", "training users", training, TEACHER_TASKS)
    teacher = train_teacher(seed, statistics, training)
    test = maker.labelled(split.test)
    return teacher, _aucs(teacher_logits(teacher, statistics, test), test, TEACHER_TASKS)


def _aucs(logits: np.ndarray, requests: Requests, tasks: tuple[str, ...]) -> dict[str, float | None]:
    """AUC a task; None where the test users have but one kind of label."""
    figures = {}
    for column, task in enumerate(tasks):
        labels = requests.labels[:, column]
        known = ~np.isnan(labels)
        both = len(np.unique(labels[known])) == 2
        figures[task] = float(roc_auc_score(labels[known], logits[known, column])) if both else None
    return figures
