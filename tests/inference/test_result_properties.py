"""Any result is written as a line and read back as it was."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.planted_models import SKELETON

from ppdet.inference.files.earlier_results import result_of_record
from ppdet.inference.results import PoseResult

PIXELS = st.floats(-1000, 5000, width=32).map(lambda value: round(value, 2))
SCORES = st.floats(0, 1, width=32).map(lambda value: round(value, 4))


@st.composite
def results(draw: st.DrawFn) -> PoseResult:
    """Up to four people with ids."""
    people = draw(st.integers(0, 4))
    count = SKELETON.num_keypoints

    def numbers(shape: tuple[int, ...], elements: st.SearchStrategy[float]) -> np.ndarray:
        return draw(hnp.arrays(np.float32, shape, elements=elements.map(lambda value: float(np.float32(value)))))

    boxes, keypoints = numbers((people, 4), PIXELS), numbers((people, count, 2), PIXELS)
    ids = np.array(draw(st.lists(st.integers(1, 10**6), min_size=people, max_size=people, unique=True)), np.int64)
    scores, box_scores = numbers((people, count), SCORES), numbers((people,), SCORES)
    return PoseResult(boxes, box_scores, keypoints, scores, SKELETON, (640, 480), track_ids=ids, frame_id=3)


@settings(max_examples=60, deadline=None)
@given(results())
def test_what_is_written_is_read(result: PoseResult) -> None:
    text = json.dumps(result.to_dict())
    back = result_of_record(json.loads(text), SKELETON)
    assert len(back) == len(result) and back.image_wh == result.image_wh
    for name in ("boxes", "keypoints", "scores"):
        np.testing.assert_allclose(getattr(back, name), getattr(result, name), atol=0.011, err_msg=name)
    assert [person.id for person in back] == [person.id for person in result]
    assert json.dumps(back.to_dict()) == text, "nothing is lost at the second time"
