"""Registry of engines, and the automatic choice: the fastest one that is installed and reads the model's files."""
from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TypeVar

from ppdet.core.errors import ConfigError, EngineError, ModelDirError
from ppdet.core.logger import get_logger
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions
from ppdet.inference.runtimes.model_files import ModelFiles, find_model_files
from ppdet.inference.runtimes.race import raced

AUTO = "auto"
RuntimeClass = TypeVar("RuntimeClass", bound=type[Runtime])

_classes: dict[str, type[Runtime]] = {}
_logged: set[str] = set()


def register_runtime(runtime: RuntimeClass) -> RuntimeClass:
    """Class decorator: register an engine, in this folder or in another package.

    Args:
        runtime: a subclass of `Runtime` with `engine` and `reads`. Its module must be importable without the engine's package.

    Returns:
        The class itself.

    Raises:
        ConfigError: it has no name, the name is "auto" or already taken, or `reads` contains no known format.
    """
    name = runtime.engine
    if not name or name == AUTO:
        raise ConfigError(f"{runtime.__name__}.engine is {name!r}: give the engine a name of its own, the value of --engine")
    unknown = [form for form in runtime.reads if form not in ModelFiles.__dataclass_fields__]
    if unknown or not runtime.reads:
        raise ConfigError(f"{runtime.__name__}.reads is {runtime.reads!r}: name at least one of the formats "
                          "onnx, ir, mnn, pir, legacy")
    other = _classes.get(name)
    if other is not None and (other.__module__, other.__qualname__) != (runtime.__module__, runtime.__qualname__):
        raise ConfigError(f"the engine name {name!r} is taken by {other.__module__}.{other.__qualname__}: choose another one")
    _classes[name] = runtime
    return runtime


def unregister_runtime(name: str) -> None:
    """Remove an engine, for instance at the end of a test; unknown names are ignored."""
    _classes.pop(name, None)


def available_runtimes() -> tuple[type[Runtime], ...]:
    """The classes of all registered engines, installed or not (see `is_installed()`), the fastest on a CPU first."""
    package = import_module(__package__)
    for module in iter_modules(package.__path__):  # importing a module of this folder registers its engine
        import_module(f"{__package__}.{module.name}")
    return tuple(sorted(_classes.values(), key=lambda each: each.auto_rank.get("cpu", len(_classes) + 1)))


def runtime_names() -> tuple[str, ...]:
    """Names of all engines, the values of `--engine` besides "auto". Imports nothing heavy."""
    return tuple(each.engine for each in available_runtimes())


def runtime_devices() -> tuple[str, ...]:
    """All devices that some engine declares, the values of `--device`."""
    return tuple(dict.fromkeys(device for each in _widest_first() for device in each.devices))


def runtime_precisions() -> tuple[str, ...]:
    """All precisions that some engine declares, the values of `--precision`."""
    return tuple(dict.fromkeys(precision for each in _widest_first() for precision in each.precisions))


def _widest_first() -> list[type[Runtime]]:
    return sorted(available_runtimes(), key=lambda each: -len(each.devices))


def load_runtime(
    model_dir: str | Path,
    engine: str = AUTO,
    device: str = "cpu",
    cpu_threads: int = 2,
    precision: str = "fp32",
    files: ModelFiles | None = None,
    **options: object,
) -> Runtime:
    """Load an exported model into an engine.

    "auto" chooses the fastest engine that is installed and can read the directory, by a race the first time on a CPU (see
    `runtimes.race`), otherwise by rank; log lines state the choice, and why faster engines were skipped.

    Args:
        model_dir: directory with `model.onnx`, `model.json` or `model.pdmodel`.
        engine: "auto" or one of `runtime_names()`.
        device: one of `runtime_devices()`, in any case.
        cpu_threads: threads of the engine.
        precision: one of `runtime_precisions()`.
        files: the network files to choose from; None for those of the directory.
        **options: further fields of `RuntimeOptions`.

    Raises:
        ConfigError: an option is out of range.
        ModelDirError: no engine can run the model; the message states the reason for each engine.
    """
    files = files or find_model_files(model_dir, precision)
    wanted = RuntimeOptions(device=device.lower(), cpu_threads=cpu_threads, precision=precision, **options)  # type: ignore[arg-type]
    if precision not in runtime_precisions():
        raise ConfigError(f"precision {precision!r} is unknown: give one of {', '.join(runtime_precisions())}")
    if engine != AUTO:
        runtime_class = _named(engine)
        if not runtime_class.is_installed():
            raise EngineError(
                f"--engine {engine}: the package {runtime_class.package!r} is not installed; use --engine {AUTO}, or install it: "
                f"{runtime_class.install or 'see its documentation'}")
        return _log_choice(_load(runtime_class, files, wanted), files, wanted)
    refusals, files_are_to_blame = [], False
    for runtime_class in raced(_order(wanted), files, wanted, lambda each: _load(each, files, wanted)):
        if not runtime_class.is_installed():
            refusals.append(f"{runtime_class.engine}: not installed")
            continue
        try:
            runtime = _load(runtime_class, files, wanted)
        except ModelDirError as error:
            refusals.append(f"{runtime_class.engine}: {error}")
            files_are_to_blame |= not isinstance(error, EngineError)
            continue
        _log_refusals(refusals, files)
        return _log_choice(runtime, files, wanted)
    reasons = "\n  ".join(refusals)
    kind = ModelDirError if files_are_to_blame else EngineError
    raise kind(f"no engine here can run {files.folder} on {wanted.device} in {wanted.precision}:\n  {reasons}")


def _named(engine: str) -> type[Runtime]:
    names = runtime_names()
    if engine not in names:
        raise EngineError(f"engine {engine!r} is unknown: give {AUTO}, {', '.join(names)}")
    return _classes[engine]


def _order(options: RuntimeOptions) -> list[type[Runtime]]:
    """The engines that "auto" tries, sorted by rank."""
    kind = "tensorrt" if options.run_mode.startswith("trt_") else "cpu" if options.device == "cpu" else "gpu"
    return sorted((each for each in available_runtimes() if kind in each.auto_rank), key=lambda each: each.auto_rank[kind])


def _load(runtime_class: type[Runtime], files: ModelFiles, options: RuntimeOptions) -> Runtime:
    if options.precision not in runtime_class.precisions:
        able = [each.engine for each in available_runtimes() if options.precision in each.precisions]
        raise EngineError(
            f"{runtime_class.title or runtime_class.engine} runs this model in {', '.join(runtime_class.precisions)}, not "
            f"{options.precision}: use --engine {able[0]} for {options.precision}, or --precision {runtime_class.precisions[0]}")
    try:
        return runtime_class(files, options)  # type: ignore[call-arg]
    except ImportError as error:
        raise EngineError(f"the package {runtime_class.package!r} is installed but does not import ({error}); "
                          "reinstall it") from error


def _log_refusals(refusals: list[str], files: ModelFiles) -> None:
    """Log skipped engines in one short line per run; how to install an engine is told only if it is named explicitly."""
    short = [refusal.split("; ")[0].replace(str(files.folder), "the directory").split(": ")[:2] for refusal in refusals]
    line = ", ".join(f"{engine} ({reason})" for engine, reason in short)
    if line and line not in _logged:
        _logged.add(line)
        advice = "; ppdet export --onnx writes it, for an engine several times as fast" if "needs model.onnx" in line else ""
        get_logger(__name__).info("engines passed over: %s%s", line, advice)


def _log_choice(runtime: Runtime, files: ModelFiles, options: RuntimeOptions) -> Runtime:
    if options.enable_mkldnn and not runtime.has_onednn_switch:
        get_logger(__name__).info("enable_mkldnn is for Paddle Inference only; %s has its own kernels", runtime.engine)
    get_logger(__name__).info("%s runs on %s", files.folder.name or files.folder, runtime.description)
    return runtime
