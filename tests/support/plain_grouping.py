"""Grouping as one reads it: person by person, keypoint by keypoint. Slow on purpose; what `ppdet.codecs` is held against.

`tools/benchmark.py group` times it beside the codec. Maps are heat (K, H, W) and tags (K, H, W, T) at input size.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

COCO_ORDER = [0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16]


@dataclass(frozen=True)
class Rules:
    order: list[int]
    max_people: int = 30
    detection_threshold: float = 0.1
    tag_threshold: float = 1.0
    ignore_too_much: bool = False
    matching: str = "bounded"


@dataclass
class Person:
    key: float
    keypoints: dict = field(default_factory=dict)  # keypoint -> [x, y, score]
    tags: list = field(default_factory=list)

    def mean_tag(self) -> np.ndarray:
        total = np.zeros_like(self.tags[0])
        for tag in self.tags:
            total = total + tag
        return total / len(self.tags)


def top_peaks(heat: np.ndarray, count: int) -> list[list[tuple[float, int, int]]]:
    """(score, x, y) of the highest positive pixels of each map that no pixel of their 5 x 5 neighbourhood exceeds."""
    peaks = []
    for values in heat:
        height, width = values.shape
        found = []
        for y in range(height):
            for x in range(width):
                near = values[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
                if values[y, x] > 0 and values[y, x] >= near.max():
                    found.append((float(values[y, x]), x, y))
        peaks.append(sorted(found, key=lambda peak: (-peak[0], peak[2], peak[1]))[:count])
    return peaks


def match(score: np.ndarray, xy: np.ndarray, tag: np.ndarray, rules: Rules) -> list[Person]:
    """People from (K, M) scores, (K, M, 2) pixels and (K, M, T) tags."""
    people: list[Person] = []
    for joint in rules.order:
        found = [m for m in range(score.shape[1]) if score[joint, m] > rules.detection_threshold]
        if not found:
            continue
        tags = [tag[joint, m].astype(np.float64) for m in found]
        known = people[: rules.max_people]
        size = max(len(found), len(known))
        worst = (np.round(rules.tag_threshold) + 1) * 100.0
        cost = np.full((len(found), size), {"authors": 1e10, "paddledet": 1e-10, "bounded": worst}[rules.matching])
        distance = np.full((len(found), size), np.inf)
        for row, m in enumerate(found):
            for column, person in enumerate(known):
                far = float(np.sqrt(((tags[row] - person.mean_tag()) ** 2).sum()))
                distance[row, column] = far
                if rules.matching != "bounded":
                    cost[row, column] = np.round(far) * 100.0 - score[joint, m]
                elif far < rules.tag_threshold:
                    cost[row, column] = np.round(far) * 100.0 - score[joint, m] + 1e-4 * far**2
        for row, column in zip(*linear_sum_assignment(cost)) if known else [(row, size) for row in range(len(found))]:
            if column < len(known) and distance[row, column] < rules.tag_threshold:
                person = known[column]
            else:
                person = _new_person(people, tags[row][0], rules)
                if person is None:
                    continue
            person.keypoints[joint] = [*(float(v) for v in xy[joint, found[row]]), float(score[joint, found[row]])]
            person.tags.append(tags[row])
    return people


def _new_person(people: list[Person], key: float, rules: Rules):
    if rules.ignore_too_much and len(people) >= rules.max_people:
        return None
    if rules.matching == "paddledet":
        for person in people:
            if person.key == key:
                return person
    people.append(Person(key))
    return people[-1]


def quarter(values: np.ndarray, x: int, y: int) -> tuple[float, float]:
    height, width = values.shape
    right = values[y, min(x + 1, width - 1)] > values[y, max(x - 1, 0)]
    down = values[min(y + 1, height - 1), x] > values[max(y - 1, 0), x]
    return (0.25 if right else -0.25), (0.25 if down else -0.25)


def adjust(people: list[Person], heat: np.ndarray) -> None:
    for person in people:
        for joint, place in person.keypoints.items():
            dx, dy = quarter(heat[joint], int(place[0]), int(place[1]))
            place[0] += dx + 0.5
            place[1] += dy + 0.5


def refine(person: Person, heat: np.ndarray, tags: np.ndarray, paddledet: bool, places: np.ndarray | None = None) -> None:
    """Search every pixel for the keypoints a person lacks; or every cell, when `places` (K, Hc, Wc, 2) says where each is."""
    mean = person.mean_tag().astype(np.float32)
    for joint in range(len(heat)):
        values = heat[joint] - np.round(np.sqrt(((tags[joint] - mean) ** 2).sum(axis=2)))
        y, x = np.unravel_index(np.argmax(values), values.shape)
        score = values[y, x] if paddledet else heat[joint, y, x]
        if joint in person.keypoints or not score > 0:
            continue
        if places is None:
            dx, dy = quarter(heat[joint], int(x), int(y))
            place = [x + dx + 0.5, y + dy + 0.5]
        else:
            place = [places[joint, y, x, 0] + 0.5, places[joint, y, x, 1] + 0.5]
        person.keypoints[joint] = [float(place[0]), float(place[1]), float(score)]


def decode(
    score: np.ndarray,
    xy: np.ndarray,
    tag: np.ndarray,
    heat: np.ndarray,
    tags: np.ndarray,
    rules: Rules,
    places: np.ndarray | None = None,
    cell_heat: np.ndarray | None = None,
    cell_tags: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(P, K, 3) x, y and score in input pixels, best person first, and (P,) person scores; zeros for what was not found."""
    people = match(score, xy, tag, rules)
    adjust(people, heat)
    num_keypoints = len(heat)
    person_scores = []
    for person in people:
        joint_scores = np.zeros(num_keypoints, np.float32)
        for joint, place in person.keypoints.items():
            joint_scores[joint] = place[2]
        person_scores.append(joint_scores.mean())
        if places is None:
            refine(person, heat, tags, rules.matching == "paddledet")
        else:
            assert cell_heat is not None and cell_tags is not None
            refine(person, cell_heat, cell_tags, rules.matching == "paddledet", places)
    result = np.zeros((len(people), num_keypoints, 3))
    for row, person in enumerate(people):
        for joint, place in person.keypoints.items():
            result[row, joint] = place
    order = np.argsort(-np.array(person_scores), kind="stable")
    return result[order], np.array(person_scores)[order]
