"""A sheet as PDF or SVG: text as text, lines as lines, pictures embedded as they are."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from mammoseg.drawing.sheet import DASHES, HALO, Line, Sheet
from mammoseg.io.figures import FigureKind, save_figure

_DPI = 72  # a point is a pixel then


def save_vector(sheet: Sheet, path: Path, kind: FigureKind) -> None:
    """Write a sheet with matplotlib."""
    figure = Figure(figsize=(sheet.width / _DPI, sheet.height / _DPI), dpi=_DPI, facecolor="black")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for x, y, pixels in sheet.pictures:
        rows, cols = pixels.shape[:2]
        axes.imshow(pixels, extent=(x, x + cols, y + rows, y), interpolation="none")
    axes.set(xlim=(0, sheet.width), ylim=(sheet.height, 0), aspect="auto")
    for line in sheet.lines:
        _add_line(axes, line)
    for text in sheet.texts:
        axes.text(text.x, text.y, text.words, color="white", fontsize=text.size, va="baseline", parse_math=False)
    save_figure(figure, path, kind)


def _add_line(axes: Any, line: Line) -> None:
    left, top = line.clip.left, line.clip.top
    clip = Rectangle((left, top), line.clip.right - left, line.clip.bottom - top, transform=axes.transData)
    pattern = DASHES[line.style]
    for colour, width in (("black", line.width + HALO), (line.colour, line.width)):
        # Dashes are in units of the line's width, and the halo has those of the line.
        style: Any = (0, tuple(part / width for part in pattern)) if pattern else "solid"
        drawn = Line2D(*line.points.T, color=colour, linewidth=width, linestyle=style, dash_capstyle="butt")
        axes.add_line(drawn)
        drawn.set_clip_path(clip)
