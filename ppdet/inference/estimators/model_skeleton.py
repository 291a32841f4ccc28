"""The skeleton of an exported network."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ppdet.core.errors import ModelDirError
from ppdet.core.logger import get_logger
from ppdet.skeletons import skeleton_for_count

if TYPE_CHECKING:
    from ppdet.inference.model_card import ModelCard
    from ppdet.skeletons import Skeleton


def skeleton_of_network(skeleton: Skeleton | None, count: int, card: ModelCard) -> Skeleton:
    """The skeleton of a network's keypoints.

    Args:
        skeleton: the user's or the card's; None for the most common one with that number of keypoints, with a warning.
        count: keypoints that the network gives.
        card: names the model in messages.

    Raises:
        ModelDirError: the skeleton has another number of keypoints.
    """
    if skeleton is None:
        skeleton = skeleton_for_count(count)
        get_logger(__name__).warning(
            "%s names no skeleton; its %d keypoints are taken for %r. If that is wrong, pass --skeleton (skeleton= in Python).",
            card.place, count, skeleton.name)
    if skeleton.num_keypoints != count:
        raise ModelDirError(f"skeleton {skeleton.name!r} has {skeleton.num_keypoints} keypoints, the network gives {count}: "
                            "pass the skeleton that the model was trained with")
    return skeleton
