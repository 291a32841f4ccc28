"""Reads and writes `.pdparams` files, and loads them into a model."""

from __future__ import annotations

import difflib
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

import numpy as np
import paddle

from ppdet.core.errors import CheckpointError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.core.shipped import bundled_models_folder
from ppdet.engine.weights.cache import cached_weights, is_url
from ppdet.engine.weights.key_matching import match_keys
from ppdet.engine.weights.load_report import LoadReport, ShapeMismatch
from ppdet.engine.weights.pickle_limits import RefusedPickleError
from ppdet.engine.weights.restricted_pickle import load_restricted
from ppdet.engine.weights.shared_rows import fit_rows, skeleton_of_weights
from ppdet.engine.weights.torch_file import LEGACY_MAGIC
from ppdet.engine.weights.zoo import checksum_of
from ppdet.skeletons import Skeleton

_log = get_logger(__name__)
SUFFIX = ".pdparams"
KEYPOINT_LAYERS = ("final_conv.", "head.final_layer.")
NAME_TABLE = "StructuredToParameterName@@"
NESTED_DEPTH = 3
PathLike = Union[str, "os.PathLike[str]"]


def load_pdparams(path: PathLike) -> Dict[str, np.ndarray]:
    """Read a dict of tensors written by `paddle.save` or `save_pdparams`.

    Of a checkpoint that holds other things as well, such as {"model": {...}, "epoch": 3}, the only dict of tensors is read.

    Args:
        path: file; the suffix ``.pdparams`` may be left out.

    Returns:
        name -> array. Paddle's table of internal names is dropped. bfloat16 tensors, which Paddle writes as uint16 arrays,
        become float32, without loss.

    Raises:
        CheckpointError: the file is missing, damaged, no dict of tensors, several of them, or contains code (which is not run).
    """
    file = _existing_file(path)
    content = _read(file)
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} holds a {type(content).__name__}, not a dict of tensors")
    if not any(map(_is_tensor, content.values())):
        content = _nested_weights(file, content)
    weights = {str(key): _tensor(file, key, value) for key, value in content.items() if key != NAME_TABLE}
    if not weights:
        raise CheckpointError(f"{file} holds no tensors")
    return weights


def save_pdparams(state: Mapping[str, Any], path: PathLike) -> Path:
    """Write a dict of tensors or arrays atomically, in the format that `paddle.load` and PaddleDetection read.

    bfloat16 tensors are written as float32, since a file of plain arrays cannot tell them from integers.

    Args:
        state: name -> tensor or array, such as ``model.state_dict()``.
        path: file to write; missing folders are created.

    Returns:
        The path.
    """
    content: Dict[str, Any] = {key: to_numpy(value) for key, value in state.items()}
    content[NAME_TABLE] = {key: getattr(value, "name", key) for key, value in state.items()}
    with atomic_write(path, "wb") as file:
        pickle.dump(content, file, protocol=4)
    return Path(path)


def load_pretrained(
    model: paddle.nn.Layer, path: PathLike, strict: bool = False, skeleton: Optional[Skeleton] = None
) -> LoadReport:
    """Set a model's tensors from a file, by PaddleDetection's longest-suffix rule (see `match_keys`).

    Args:
        model: changed in place; tensors are cast to its dtypes.
        path: file, with or without ``.pdparams``, name of a bundled model, or URL (kept in ~/.cache/ppdet/weights).
        strict: True (evaluation, inference, export) requires every tensor of the model; False (`pretrain_weights`) warns about
            tensors that do not fit and keeps their initial values. A layer with `fit_weight` may resize its weights first; with
            `strict`, one with `adopt_shapes` may resize itself.
        skeleton: the model's keypoints; if the file's are known and others, rows of the same names are kept, see `fit_rows`.

    Raises:
        CheckpointError: the file cannot be read, no tensor fits, or with `strict` not all of them fit.
    """
    file = cached_weights(str(path), sha256=checksum_of(str(path))) if is_url(str(path)) else _existing_file(path)
    weights, state = load_pdparams(file), model.state_dict()
    matches = match_keys(state, weights)
    if strict:
        _adopt_shapes(model, weights, matches)
        state = model.state_dict()
    else:
        _fit_shapes(model, weights, matches)
        given = None if skeleton is None else skeleton_of_weights(Path(file))
        if skeleton is not None and given is not None:
            fit_rows(weights, state, matches, given, skeleton)
    report = _compare(str(file), state, weights, matches)
    _check(report, strict)
    for key, file_key in report.loaded.items():
        set_tensor(state[key], weights[file_key])
    (_log.info if report.complete else _log.warning)("%s", report.summary())
    return report


def _adopt_shapes(model: paddle.nn.Layer, weights: Mapping[str, np.ndarray], matches: Mapping[str, str]) -> None:
    """Let layers whose size depends on the training data, such as a classifier of identities, take that of the file."""
    for path, layer in model.named_sublayers(include_self=True):
        if hasattr(layer, "adopt_shapes"):
            start = f"{path}." if path else ""
            inside = {key[len(start) :]: weights[found].shape for key, found in matches.items() if key.startswith(start)}
            layer.adopt_shapes(inside)


def _fit_shapes(model: paddle.nn.Layer, weights: Dict[str, np.ndarray], matches: Mapping[str, str]) -> None:
    """Let layers resize weights that can be resized, such as a position embedding for another image size."""
    for path, layer in model.named_sublayers(include_self=True):
        if not hasattr(layer, "fit_weight"):
            continue
        for name, parameter in layer.named_parameters(include_sublayers=False):
            file_key = matches.get(f"{path}.{name}" if path else name)
            if file_key is not None and tuple(weights[file_key].shape) != tuple(parameter.shape):
                fitted = layer.fit_weight(name, weights[file_key])
                if fitted is not None:
                    _log.info("%s: resized from %s to %s", file_key, list(weights[file_key].shape), list(fitted.shape))
                    weights[file_key] = fitted


def _compare(file: str, state: Mapping[str, Any], weights: Mapping[str, np.ndarray], matches: Mapping[str, str]) -> LoadReport:
    loaded: Dict[str, str] = {}
    mismatches: List[ShapeMismatch] = []
    for key, file_key in matches.items():
        wanted, given = tuple(state[key].shape), tuple(weights[file_key].shape)
        if wanted == given:
            loaded[key] = file_key
        else:
            mismatches.append(ShapeMismatch(key, wanted, file_key, given))
    used = set(matches.values())
    return LoadReport(
        path=file,
        loaded=loaded,
        shape_mismatches=mismatches,
        unmatched_model_keys=[key for key in state if key not in matches],
        unmatched_file_keys=[key for key in weights if key not in used],
    )


def _check(report: LoadReport, strict: bool) -> None:
    if not report.loaded:
        raise CheckpointError(
            f"nothing in {report.path} fits the model: the file has {_some(report.unmatched_file_keys)}, the model "
            f"{_some(report.unmatched_model_keys)}." + _hint(report)
        )
    if strict and not report.complete:
        raise CheckpointError(f"these weights do not fit the model. {report.summary()}{_hint(report)}")


def _hint(report: LoadReport) -> str:
    """Advice for the user: which setting to change if only the last layer differs."""
    last = [item for item in report.shape_mismatches if item.model_key.startswith((*KEYPOINT_LAYERS, "head.head_cls"))]
    others = [item for item in report.shape_mismatches if item not in last]
    other_inputs = [item for item in last if item.file_shape[1:] != item.model_shape[1:]]
    if not report.loaded or others or other_inputs or report.unmatched_model_keys:
        absent = [f"no {key} in the file" for key in report.unmatched_model_keys]
        examples = [*map(str, (*others, *other_inputs)), *absent][:2]
        said = f" (first: {'; '.join(examples)})" if report.loaded else ""
        return f"\n  They look like weights of another architecture, width or input size{said}: give the config that made them"
    for item in last:
        given, wanted = item.file_shape[0], item.model_shape[0]
        if item.model_key.startswith(KEYPOINT_LAYERS):
            return (
                f"\n  The file was trained for {given} keypoints, the config asks for {wanted}: set `skeleton` to one of {given} "
                f"keypoints (in configs without it, num_joints: {given} and the flip_perm that belongs to it), or give weights "
                "of your own training"
            )
        return f"\n  The file was trained for {given} classes, the config asks for {wanted}: set num_classes to it"
    return ""


def _some(keys: List[str]) -> str:
    return f"{', '.join(keys[:3])}, ..." if len(keys) > 3 else ", ".join(keys) or "no further keys"


def _existing_file(path: PathLike) -> Path:
    """The file as given, or with the suffix, or that of a bundled model by its name; `~` is expanded."""
    given = Path(os.path.expanduser(str(path)))
    bundled = bundled_models_folder() / given.name / f"{given.name}{SUFFIX}"
    by_name = [bundled] if len(given.parts) == 1 else []
    for candidate in (given, given.with_name(given.name + SUFFIX), *by_name):
        if candidate.is_file():
            return candidate
    raise CheckpointError(f"there is no weight file {given}{_near(given)}")


def _near(path: Path) -> str:
    """Hint for a missing file: similar names in its folder, or the nearest folder that exists."""
    folder = path.parent
    if not folder.is_dir():
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        return f"; {path.parent} does not exist either (the path is right up to {folder})"
    names = sorted(p.name for p in folder.glob(f"*{SUFFIX}")) + sorted(
        str(p.relative_to(folder)) for p in folder.glob(f"*/*{SUFFIX}")
    )
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.4) or names[:5]
    return f"; {folder} has {', '.join(close)}" if close else f"; {folder} has no {SUFFIX} files"


def _read(file: Path) -> Any:
    if file.stat().st_size == 0:
        raise CheckpointError(f"{file} is empty; copy or download it again")
    with open(file, "rb") as stream:
        if stream.read(4) == b"PK\x03\x04":
            raise CheckpointError(_of_archive(file))
        stream.seek(0)
        try:
            content = load_restricted(stream)
        except RefusedPickleError as error:
            raise CheckpointError(
                f"{file} {error}. The file was not executed. If you trust it, load it with paddle.load and write the "
                "tensors again with paddle.save"
            ) from error
        except Exception as error:  # damaged pickles raise nearly anything
            raise CheckpointError(
                f"{file} is damaged or is not a .pdparams file ({type(error).__name__}: {error}); a truncated download "
                "looks like this: fetch it again"
            ) from error
    if isinstance(content, int) and content == LEGACY_MAGIC:
        raise CheckpointError(_of_pytorch(file, "a file of PyTorch before 1.6"))
    return content


def _of_archive(file: Path) -> str:
    try:
        names = zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        names = []
    if names and all(name.endswith(".npy") for name in names):
        target = file.with_suffix(SUFFIX)
        return (
            f"{file} is an archive of NumPy arrays (.npz), not a .pdparams file; if its arrays are named as the model's tensors, "
            f"write it as one: python -c \"import numpy, paddle; paddle.save(dict(numpy.load('{file}')), '{target}')\""
        )
    return _of_pytorch(file, "a zip archive, as PyTorch writes .pth files")


def _of_pytorch(file: Path, what: str) -> str:
    return (
        f"{file} is {what}, not a .pdparams file; convert it first: python tools/convert_weights.py {file} -c CONFIG "
        "(docs/convert_weights.md)"
    )


def _nested_weights(file: Path, content: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The only dict of tensors inside of a training checkpoint; `content` itself if there is none.

    Raises:
        CheckpointError: there are several.
    """
    found = dict(_dicts_of_tensors(content, "", NESTED_DEPTH))
    if len(found) > 1:
        first = next(iter(found))
        inside = "".join(f"['{key}']" for key in first.split("."))
        raise CheckpointError(
            f"{file} holds {len(found)} sets of weights ({', '.join(found)}), expected one; write the one you want to a file "
            f"of its own: python -c \"import paddle; paddle.save(paddle.load('{file}'){inside}, '{first}{SUFFIX}')\""
        )
    for place, weights in found.items():
        _log.info("%s: its weights are under %r", file, place)
        return weights
    return content


def _dicts_of_tensors(content: Mapping[Any, Any], place: str, depth: int) -> Iterator[Tuple[str, Mapping[Any, Any]]]:
    """Dicts of tensors with their places, such as "ema.module"; the moments of an optimizer are none."""
    for key, value in content.items():
        if not isinstance(value, dict) or "optim" in str(key).lower():
            continue
        if any(map(_is_tensor, value.values())):
            yield f"{place}{key}", value
        elif depth > 1:
            yield from _dicts_of_tensors(value, f"{place}{key}.", depth - 1)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], np.ndarray))


def _tensor(file: Path, key: Any, value: Any) -> np.ndarray:
    """The array of an entry. Paddle writes a tensor as an array, or as (internal name, array) inside other containers."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        value = value[1]
    if isinstance(value, (int, float)):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray):
        raise CheckpointError(f"{file}: {key!r} is a {type(value).__name__}, not a tensor; is this a .pdparams file?")
    if value.dtype == np.uint16:  # no network has uint16 weights: these are the bits of bfloat16, the upper half of a float32
        return (value.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return value


def to_numpy(value: Any) -> np.ndarray:
    """A tensor or array as an array; bfloat16, which NumPy does not have, as float32."""
    if isinstance(value, paddle.Tensor):
        return (value.astype("float32") if value.dtype == paddle.bfloat16 else value).numpy()
    return np.asarray(value)


def set_tensor(target: paddle.Tensor, value: np.ndarray) -> None:
    """Set a tensor to the values of an array, cast to the tensor's dtype."""
    target.set_value(paddle.to_tensor(value).astype(target.dtype))
