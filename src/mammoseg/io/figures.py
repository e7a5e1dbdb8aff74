"""Figures as files: PNG, or PDF and SVG with text as text. The same figure gives the same bytes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from mammoseg.io.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FigureKind = Literal["png", "pdf", "svg"]
FIGURE_KINDS: tuple[FigureKind, ...] = get_args(FigureKind)
_NO_DATE: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "mammoseg", "pdf.fonttype": 42}


def save_figure(figure: "Figure", path: Path, kind: FigureKind) -> None:
    """Write a figure of matplotlib as one kind of file, whatever the name ends with."""
    import matplotlib  # loading it takes a second, and kinds of figures are named without it

    with matplotlib.rc_context(_STYLE):
        figure.savefig(path, format=kind, dpi=figure.dpi, facecolor=figure.get_facecolor(), metadata=_NO_DATE[kind])


def write_figure(folder: Path, name: str, figure: "Figure") -> None:
    """Save as `name`.png, .pdf and .svg: one for the screen, two for papers."""
    figure.draw_without_rendering()
    figure.set_layout_engine(
        "none"
    )  # what the layout has found stays: it would take half of the time of each file again
    for kind in FIGURE_KINDS:
        with atomic_path(folder / f"{name}.{kind}") as temporary:
            save_figure(figure, temporary, kind)
