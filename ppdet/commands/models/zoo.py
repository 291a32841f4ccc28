"""The model zoo: list its models, download published weights by name, write its page, bundle a model with the package."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.values import add_switch
from ppdet.core.errors import ConfigError

PAGE, TIMED_PAGE = "docs/model_zoo.md", "output/model_zoo.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list, download, page, bundle."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="{list,download,page,bundle}")
    listing = kinds.add_parser("list", help="list all files that can be downloaded, with their URLs")
    listing.set_defaults(act=_list)
    fetch = kinds.add_parser("download", help="download published weights by name", description=(
        "Download published weights by name. Files are kept in ~/.cache/ppdet/weights ($PPDET_CACHE moves it); an "
        "interrupted download continues. Names: docs/model_zoo.md."))  # fmt: skip
    fetch.add_argument("names", nargs="*", metavar="NAME", help="config name, or a name that --list shows")
    add_switch(fetch, "--list", "show all names and URLs")
    fetch.add_argument("--output_dir", metavar="DIR", help="also copy the files there")
    fetch.set_defaults(act=_download)
    page = kinds.add_parser("page", help="write docs/model_zoo.md from the configs and ppdet/model_zoo", description=(
        "Write docs/model_zoo.md. --measure builds every model (or those of --only) and counts its parameters and multiply-adds "
        "anew. --latency times them on this machine and adds a column; the page is then written to output/model_zoo.md, because "
        "times belong to one machine."))  # fmt: skip
    add_switch(page, "--measure", "count parameters and multiply-adds anew (minutes)")
    add_switch(page, "--latency", "time every network on this machine (minutes)")
    page.add_argument("--only", metavar="TEXT", default="", help="measure and time only models with this in their name")
    page.add_argument("--repeats", type=int, default=10, help="runs of each network (default: %(default)s)")
    page.add_argument("--cpu_threads", type=int, default=2, help="default: %(default)s")
    page.add_argument("--output", metavar="FILE", help=f"default: {PAGE}, with --latency {TIMED_PAGE}")
    add_switch(page, "--check", f"write nothing; status 1 if {PAGE} is out of date")
    page.set_defaults(act=_page)
    bundle = kinds.add_parser("bundle", help="put a model into the package (ppdet/model_zoo/bundled), weights in 16 bits")
    add_config_flags(bundle)
    bundle.add_argument("--name", required=True, help="folder, and the name by which the model is found")
    bundle.set_defaults(act=_bundle)


def run(args: argparse.Namespace) -> Optional[int]:
    """List, fetch or write."""
    return args.act(args)


def _list(args: argparse.Namespace) -> None:
    from ppdet.engine.weights.zoo import load_zoo

    for each in load_zoo().downloads.values():
        print(f"{each.name:38} {each.what}\n    {each.url}")


def _download(args: argparse.Namespace) -> None:
    from ppdet.engine.weights.zoo import load_zoo
    from ppdet.engine.weights.zoo_download import download_by_name

    if not args.names and not args.list:
        raise ConfigError("give the NAME of a file, or --list to see all names")
    if args.list:
        _list(args)
    zoo = load_zoo()
    for wanted in [zoo.download(name).name for name in args.names]:  # report a wrong name before any download
        print(download_by_name(wanted, args.output_dir, zoo))


def _bundle(args: argparse.Namespace) -> None:
    from ppdet.core.config.load import load_config
    from ppdet.engine.export.bundled import bundle_model

    print(bundle_model(load_config(args.config, args.opt), args.name))


def _page(args: argparse.Namespace) -> int:
    from ppdet.core.logger import get_logger
    from ppdet.core.shipped import PACKAGE

    root = PACKAGE.parent
    text = _page_text(args)
    path = Path(args.output) if args.output else root / (TIMED_PAGE if args.latency else PAGE)
    if args.check:
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        print(f"{path} is {'up to date' if same else 'out of date: run python tools/model_zoo.py'}")
        return 0 if same else 1
    from ppdet.core.files import atomic_write

    with atomic_write(path, "w") as file:
        file.write(text)
    get_logger("ppdet.engine").info("written: %s", path)
    return 0


def _page_text(args: argparse.Namespace) -> str:
    """The page; with --measure costs are measured first."""
    from ppdet.engine.benchmarks.zoo_page import check_complete, zoo_page
    from ppdet.engine.weights.zoo import load_zoo

    zoo = load_zoo()
    check_complete(zoo)
    models = [model for model in zoo.models if args.only in model.name]
    if not models or args.repeats < 1:
        raise ConfigError(f"--only {args.only!r} matches no model, or --repeats {args.repeats} is below 1")
    if args.measure:
        from ppdet.engine.benchmarks.zoo_measure import measure_costs, write_costs

        fresh = {**zoo.costs, **measure_costs(models)}
        zoo.costs = {model.name: fresh[model.name] for model in zoo.models if model.name in fresh}
        write_costs(zoo.costs)
    if not args.latency:
        return zoo_page(zoo)
    from ppdet.engine.benchmarks.zoo_measure import machine, measure_times

    times = measure_times(models, args.repeats, args.cpu_threads)
    return zoo_page(zoo, timing=times, machine=machine(args.cpu_threads))


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
