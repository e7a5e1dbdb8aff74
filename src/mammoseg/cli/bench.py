"""`mammoseg bench`: what models cost."""

import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mammoseg.cli import options

if TYPE_CHECKING:
    import torch

    from mammoseg.bench.timing import Direction, Load
    from mammoseg.nn.contract import NetworkConfig

    Networks = Mapping[str, tuple[str, NetworkConfig]]


def _shape(text: str) -> tuple[int, int]:
    rows, columns = text.split("x")
    return int(rows), int(columns)


def _checked(text: str | None) -> str | None:
    if text is not None and not (re.fullmatch("[0-9]+x[0-9]+", text) and min(_shape(text)) >= 32):
        raise typer.BadParameter(f"{text!r}: expected rows and columns of at least 32 pixels, such as 2944x1920")
    return text


def bench(
    models: Annotated[list[str] | None, typer.Argument(help="Names, e.g. glam; none for all.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Run or checkpoint folder in the place of names.")
    ] = None,
    sets: options.Sets = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            metavar="ROWSxCOLS",
            help="Of an image; else 2944x1920 or the checkpoint's. Models with windows by view have their own.",
            callback=_checked,
        ),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images computed at once.")] = 4,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Timed passes; the median counts.")] = 3,
    device: options.Device = "auto",
    precision: options.Precision = "32-true",
    backward: Annotated[bool, typer.Option("--backward/--no-backward", help="Backward pass, too.")] = True,
    table1: Annotated[
        bool, typer.Option("--table1", help="The networks of GMIC's Table 1, beside what it prints (on a V100).")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", dir_okay=False, help="JSON file for all numbers.")] = None,
) -> int:
    """Measure what models cost: parameters, operations, time, memory.

    MAC: multiply-accumulates of convolutions and matrix products. Time is for an exam of 4 images, memory for a batch.
    What does not fit into memory is reported and left out (exit code 1); the backward pass needs far more of it.
    """
    from functools import partial

    from mammoseg.bench.timing import Load
    from mammoseg.cli.tables import print_table
    from mammoseg.io.atomic import write_json
    from mammoseg.models import build_model, seen_by
    from mammoseg.nn.device import device_from

    if bool(models) + bool(checkpoint) + table1 > 1:
        raise typer.BadParameter("give names of models, --checkpoint or --table1, one of them", param_hint="MODELS")
    if table1:
        networks, shape = _of_table1(sets or [])
    else:
        networks, shape = _of_checkpoint(checkpoint, sets or []) if checkpoint else _of_names(models or [], sets or [])
    shape = _shape(size) if size else shape
    where = device_from(device)
    seen = {name: seen_by(model, network) for name, (model, network) in networks.items()}
    loads = {
        name: Load(
            *(partial(build_model, model, network), seen[name].canvas or shape, where, batch, repeats, precision),
            channels=seen[name].channels,
            views=len(seen[name].views),
        )
        for name, (model, network) in networks.items()
    }
    costs = {
        name: _counts(name, load) | {"model": networks[name][0], "network": networks[name][1].model_dump(mode="json")}
        for name, load in loads.items()
    }
    conditions = {
        "rows": shape[0],
        "columns": shape[1],
        "batch": batch,
        "repeats": repeats,
        "precision": precision,
        **_machine(where),
    }
    directions: tuple[Direction, ...] = ("forward", "backward") if backward else ("forward",)

    def save() -> None:
        if out is not None:
            write_json(out, {"conditions": conditions, "models": costs})

    save()  # a file that cannot be written is better known now
    _measure(loads, costs, directions, save)
    print_table([_row(name, cost, directions) | (_printed(name) if table1 else {}) for name, cost in costs.items()])
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    if out is not None:
        print(f"All numbers: {out}")
    problems = [f"{name}, {cost['problem']}" for name, cost in costs.items() if cost["problem"]]
    for problem in problems:
        print(f"mammoseg: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _of_table1(sets: Sequence[str]) -> tuple["Networks", tuple[int, int]]:
    """As `_of_names`, by the rows of the table."""
    from mammoseg.bench.table1 import SYSTEMS
    from mammoseg.config import with_overrides
    from mammoseg.models import load_model_plugin
    from mammoseg.prep.config import PrepConfig

    installed = _installed(sorted({model for model, _ in SYSTEMS.values()}))
    networks = {
        row: (model, with_overrides(load_model_plugin(model).Config(), sets=[*own, *sets]))
        for row, (model, own) in SYSTEMS.items()
        if model in installed
    }
    return networks, PrepConfig().window


def _printed(row: str) -> dict[str, str]:
    """What the paper has."""
    from mammoseg.bench.table1 import paper_of

    paper = paper_of(row)
    macs = f"{paper['macs']:g} G" if "macs" in paper else "-"
    costs = f"{paper['forward']:g} + {paper['backward']:g} ms, {paper['memory']:g} GB"
    return {"paper: parameters": f"{paper['parameters']:g} million", "per exam, paper": macs, "time, memory": costs}


def _of_names(names: Sequence[str], sets: Sequence[str]) -> tuple["Networks", tuple[int, int]]:
    """What is shown -> model and configuration, and the shape of the images."""
    from mammoseg.config import with_overrides
    from mammoseg.models import list_models, load_model_plugin
    from mammoseg.prep.config import PrepConfig

    try:
        plugins = {name: load_model_plugin(name) for name in names or _installed(list_models())}
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="MODELS") from None
    networks = {name: (name, with_overrides(plugin.Config(), sets=sets)) for name, plugin in plugins.items()}
    return networks, PrepConfig().window


def _installed(names: Sequence[str]) -> list[str]:
    """Of all models those that can be built here; the others are told."""
    from mammoseg.models import MissingPackageError, check_installed

    found = []
    for name in names:
        try:
            check_installed(name)
            found.append(name)
        except MissingPackageError as error:
            print(f"mammoseg: left out: {error}", file=sys.stderr)
    return found


def _of_checkpoint(folder: Path, sets: Sequence[str]) -> tuple["Networks", tuple[int, int]]:
    """The model of a checkpoint and what it sees, as `_of_names`. Weights are not loaded: any others cost as much."""
    from mammoseg.config import with_overrides
    from mammoseg.inference.trained import checkpoint_settings
    from mammoseg.nn.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(folder)
    network, prep = checkpoint_settings(checkpoint)
    return {checkpoint.model: (checkpoint.model, with_overrides(network, sets=sets))}, prep.canvas


def _counts(name: str, load: "Load") -> dict[str, Any]:
    """What needs no measuring."""
    import torch

    from mammoseg.bench.cost import TOTAL, macs
    from mammoseg.bench.timing import EXAM_IMAGES
    from mammoseg.models import parameters

    with torch.device("meta"):
        model = load.build().eval()
    try:
        counts = macs(model, load.image_shape, load.channels, load.views)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return {
        "parameters": parameters(model),
        "macs_per_image": counts,
        "macs_per_exam": EXAM_IMAGES * counts[TOTAL],
        "forward": None,
        "backward": None,
        "problem": None,
    }


def _measure(
    loads: Mapping[str, "Load"],
    costs: Mapping[str, dict[str, Any]],
    directions: Sequence["Direction"],
    save: Callable[[], None],
) -> None:
    """Fill `costs`. A model that fails is left, the rest goes on; one without parameters has no backward pass."""
    from dataclasses import asdict

    from mammoseg.bench.timing import MeasuringError, measure
    from mammoseg.progress import Bar

    with Bar("bench", len(loads) * len(directions)) as bar:
        for name, load in loads.items():
            for direction in directions:
                nothing_to_learn = direction == "backward" and costs[name]["parameters"] == 0
                if costs[name]["problem"] is None and not nothing_to_learn:
                    try:
                        costs[name][direction] = asdict(measure(load, direction))
                    except MeasuringError as error:
                        costs[name]["problem"] = str(error)
                    save()
                bar.advance()


def _machine(device: "torch.device") -> dict[str, Any]:
    import torch

    import mammoseg

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    versions = {"torch": torch.__version__, "mammoseg": mammoseg.__version__}
    return {"device": str(device), "processor": name, "threads": torch.get_num_threads(), **versions}


def _processor() -> str:
    with suppress(OSError):  # Linux, where platform.processor() is empty
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _row(name: str, cost: Mapping[str, Any], directions: Sequence["Direction"]) -> dict[str, str]:
    row = {
        "model": name,
        "parameters": f"{cost['parameters']:,}",
        "MAC per image": f"{cost['macs_per_image']['total'] / 1e9:.4g} G",
        "per exam": f"{cost['macs_per_exam'] / 1e9:.4g} G",
    }
    for direction in directions:
        result = cost[direction]
        row[direction] = "-" if result is None else f"{result['seconds_per_exam']:.3f} s"
        row[f"{direction}, memory"] = "-" if result is None else _gib(result["peak_bytes"])
    return row


def _gib(count: int | None) -> str:
    return "not measured" if count is None else f"{count / 2**30:.2f} GiB"
