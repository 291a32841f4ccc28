"""Parameters, multiply-adds and times of every config of the zoo, for `tools/model_zoo.py`."""

from __future__ import annotations

import platform
import statistics
import time
from pathlib import Path
from typing import Any, Dict, Iterable, List, Tuple

import paddle
import yaml

from ppdet.core.config.load import load_config
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import remove_paddle_log_handler
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import set_cpu_threads
from ppdet.engine.model_info import model_info
from ppdet.engine.weights.zoo import MEASURED_FILE, ROOT, ZooModel

logger = get_logger(__name__)

WARM_UP = 2
HEAD = "# Written by tools/model_zoo.py --measure: parameters without running statistics, plain multiply-adds of one image.\n"


def measure_costs(models: Iterable[ZooModel], root: Path = ROOT) -> Dict[str, Dict[str, int]]:
    """Build each model, run it once, and count: name -> {parameters, macs}."""
    remove_paddle_log_handler()
    costs = {}
    for model in models:
        network, input_wh = _network(root / model.config)
        total = model_info(network, input_wh).total
        costs[model.name] = {"parameters": int(total.parameters), "macs": int(total.macs)}
        logger.info("%s: %.2f M parameters, %.2f G multiply-adds", model.name, total.parameters / 1e6, total.macs / 1e9)
    return costs


def measure_times(models: Iterable[ZooModel], repeats: int = 10, threads: int = 2, root: Path = ROOT) -> Dict[str, float]:
    """Median milliseconds per image of each network, run by Paddle in eager mode (exported models are faster)."""
    remove_paddle_log_handler()
    set_cpu_threads(threads)
    times = {}
    for model in models:
        network, (width, height) = _network(root / model.config)
        network.eval()
        image = paddle.randn([1, 3, height, width])
        runs: List[float] = []
        with paddle.no_grad():
            for _ in range(WARM_UP + repeats):
                start = time.perf_counter()
                network(image)
                if paddle.is_compiled_with_cuda():
                    paddle.device.synchronize()
                runs.append(1000 * (time.perf_counter() - start))
        times[model.name] = statistics.median(runs[WARM_UP:])
        logger.info("%s: %.1f ms", model.name, times[model.name])
    return times


def machine(threads: int) -> str:
    """Description of the machine and software that the times were measured on."""
    device = str(paddle.device.get_device())
    where = f"{threads} threads of {_processor()}" if device == "cpu" else f"{device} ({paddle.device.cuda.get_device_name()})"
    return f"Paddle {paddle.__version__} eager on {where}"


def write_costs(costs: Dict[str, Dict[str, int]], path: Path = MEASURED_FILE) -> None:
    """Write measured.yml."""
    with atomic_write(path, "w") as file:
        file.write(HEAD)
        file.write("models:\n")
        for name, cost in costs.items():
            file.write(f"  {name}: {yaml.safe_dump(cost, default_flow_style=True, sort_keys=False).strip()}\n")


def _network(config_file: Path) -> Tuple[Any, Tuple[int, int]]:
    assembly = Assembly(load_config(config_file))
    return assembly.model(), assembly.task.input_wh(assembly)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
