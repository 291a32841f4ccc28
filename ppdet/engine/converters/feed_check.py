"""Compares a config's preprocessing and decoding with those that converted weights were trained with."""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Optional, Tuple

from ppdet.codecs import Codec
from ppdet.engine.converters.feeds import RGB_MEAN, RGB_STD, Feed

_READERS = ("TrainReader", "EvalReader", "TestReader")
_HEATMAPS = "HeatmapCodec"
_NOT_DECODING = ("name", "sigma", "target", "window")  # the name is compared apart; sigma differs by input size
_DEFAULTS = {"to_bgr": False, "mean": list(RGB_MEAN), "std": list(RGB_STD)}  # NormalizeImage's own


def feed_differences(config: Mapping[str, Any], codec: Optional[Codec], feed: Feed) -> List[str]:
    """What to change in a config so that the weights get the input they were trained with.

    Args:
        config: a loaded config.
        codec: its codec.
        feed: preprocessing of the repository that trained the weights.

    Returns:
        one remark per reader and one for the codec; empty if everything agrees.
    """
    wanted = feed.normalize()
    remarks = []
    for reader, given in _normalizations(config):
        differing = [f"{key}: {wanted.get(key, False)}" for key in ("to_bgr", "mean", "std") if _differs(key, given, wanted)]
        if differing:
            remarks.append(f"{reader}: these weights want NormalizeImage {{{', '.join(differing)}}}, there is {dict(given)}")
    own = _decoding(codec, str(feed.codec.get("name", _HEATMAPS)))
    decoding = {key: value for key, value in feed.codec.items() if key not in _NOT_DECODING}
    differing = [f"codec.{key}={value}" for key, value in decoding.items() if own and own.get(key) != value]
    if differing:
        remarks.append(f"for the figures of {feed.repository}: -o {' '.join(differing)}")
    return remarks


def _decoding(codec: Optional[Codec], name: str) -> Mapping[str, Any]:
    """The arguments of a codec with the default shift filled in; empty for a codec of another name."""
    if codec is None or codec.to_dict()["name"] != name:
        return {}
    return {**codec.to_dict(), "flip_shift": getattr(codec, "shift_after_flip", None)}


def _differs(key: str, given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return given.get(key, _DEFAULTS[key]) != wanted.get(key, False)


def _normalizations(config: Mapping[str, Any]) -> Iterator[Tuple[str, Mapping[str, Any]]]:
    for reader in _READERS:
        section = config.get(reader)
        for part in ("sample_transforms", "batch_transforms"):
            for entry in (section.get(part) or () if isinstance(section, Mapping) else ()):
                if isinstance(entry, Mapping) and "NormalizeImage" in entry:
                    yield reader, entry["NormalizeImage"] or {}
