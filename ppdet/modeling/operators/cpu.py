"""Builds and loads the C++ operators for training on a CPU.

The library is kept in a folder whose name holds everything it depends on: source, flags, Paddle's version and the
processor, since it is compiled for this one.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import paddle

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.core.shipped import cache_root

logger = get_logger(__name__)

NAME = "ppdet_cpu_operators"
SOURCE = Path(__file__).with_name("cpu_operators.cc")
FLAGS = ("-O3", "-march=native", "-fopenmp")
# In a process of its own: the build prints to the terminal, changes the working directory and calls setuptools.
_SCRIPT = (
    "import sys; from paddle.utils import cpp_extension; "
    "cpp_extension.load(sys.argv[1], [sys.argv[2]], build_directory=sys.argv[3], extra_cxx_cflags=sys.argv[4:])"
)
LINES_SHOWN = 15
_loaded = False


def load_cpu_operators() -> None:
    """Make the operators available in this process; build them first if this machine has not done so (about a minute).

    Raises:
        ConfigError: there is no C++ compiler, or it could not compile them.
    """
    global _loaded
    if _loaded:
        return
    library = _library()
    if not library.is_file():
        _build(library)
    from paddle.utils.cpp_extension import load_op_meta_info_and_register_op

    load_op_meta_info_and_register_op(str(library))
    _loaded = True


def are_loaded() -> bool:
    """Whether `load_cpu_operators` was called in this process."""
    return _loaded


def supports(x: paddle.Tensor) -> bool:
    """Whether the operators are loaded and take this tensor: float32, on a CPU, outside a static graph."""
    return _loaded and paddle.in_dynamic_mode() and x.dtype == paddle.float32 and x.place.is_cpu_place()


def depthwise_conv2d(x: paddle.Tensor, weight: paddle.Tensor, stride: int, padding: int) -> paddle.Tensor:
    """Depthwise convolution without bias; see `supports`.

    Args:
        x: (B, C, H, W).
        weight: (C, 1, kernel height, kernel width).
        stride: along both axes.
        padding: zeros on each of the four sides.

    Returns:
        (B, C, (H + 2 padding - kernel height) // stride + 1, ...); rounding differs from Paddle's.
    """
    return paddle._C_ops._run_custom_op("ppdet_depthwise_conv2d", x, weight, stride, padding)[0]


def upsample_nearest(x: paddle.Tensor, factor: int) -> paddle.Tensor:
    """(B, C, H, W) to (B, C, factor H, factor W), each cell repeated; see `supports`."""
    return paddle._C_ops._run_custom_op("ppdet_upsample_nearest", x, factor)[0]


def _library() -> Path:
    facts = [SOURCE.read_text(encoding="utf-8"), *FLAGS, paddle.__version__, sys.version, platform.machine(), _processor()]
    return cache_root() / "operators" / hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16] / f"{NAME}.so"


def _processor() -> str:
    """The instruction sets, where the system tells them; a home folder may be shared by different machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())


def _build(library: Path) -> None:
    """Compile in a temporary folder, then move the library into place: several processes may do so at once."""
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        raise ConfigError(
            "cpu_operators: true needs the C++ compiler g++, which is not here. Install it (Debian: apt install g++), or train "
            "without the key, with the same result but slower."
        )
    logger.info("building the CPU operators, once on this machine: about a minute")
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        command = [sys.executable, "-c", _SCRIPT, NAME, str(SOURCE), folder, *FLAGS]
        done = subprocess.run(command, capture_output=True, text=True)
        built = Path(folder) / NAME / library.name
        if not built.is_file():
            said = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:])
            raise ConfigError(f"cpu_operators: the build failed. Train without the key; the compiler said:\n  {said}")
        os.replace(built, library)
    logger.info("built %s", library)


def replace_depthwise_convolutions(model: Any) -> int:
    """Let the depthwise convolutions of a network use the operator; weights, keys and exported graphs stay as they are.

    Args:
        model: a network; changed in place.

    Returns:
        The number of convolutions that the operator takes over.
    """
    layers = [layer for layer in model.sublayers() if type(layer) is paddle.nn.Conv2D and _is_depthwise(layer)]
    for layer in layers:
        layer.__class__ = DepthwiseConv2D
    return len(layers)


class DepthwiseConv2D(paddle.nn.Conv2D):
    """A depthwise convolution that uses the operator where it can, else Paddle's."""

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, H, W) -> (B, C, H', W')."""
        if not supports(x):
            return super().forward(x)
        out = depthwise_conv2d(x, self.weight, self._stride[0], self._updated_padding[0])
        return out if self.bias is None else out + self.bias.reshape([1, -1, 1, 1])


def _is_depthwise(layer: paddle.nn.Conv2D) -> bool:
    same = layer._groups == layer._in_channels == layer._out_channels > 1
    plain = layer._padding_mode == "zeros" and layer._padding_algorithm == "EXPLICIT" and layer._data_format == "NCHW"
    square = len({*layer._stride}) == 1 and len({*layer._updated_padding}) == 1 and list(layer._dilation) == [1, 1]
    return same and plain and square
