"""How an evaluation measures: of which classes, with which metrics, and how sure.

Every file in `mammoseg.metrics` is a metric, and so is a module of others by its dotted name. It defines

    KIND      "scores": `measure(labels, scores, weights)` of n cases; labels (n,) 0 or 1, scores (n,), weights (R, n) how often
              each case counts in each of R replicates -> (R,) numbers
              "maps": `measure(image)` of a `MapOnMask` -> a number, or several by name
              "marks": `measure(marked, weights)` of a `Marked`, the marks and lesions of n images; weights (R, n) -> (R,) numbers,
              or several such by name
    TITLE     what people call it
    SCALE     of a metric of scores or marks that is one number, if it likes: the scale of its interval ("logit"; see
              statistics/bootstrap.py)
    measure   the metric; NaN where it is undefined: without any case, lesion or normal image, and for an empty mask

The last part of the module's name is the metric's name in the results, with `_PART` for each of several numbers; the first of
them stands in the summary. What is undefined is left out of means and counted.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammoseg.evaluation.mark_rule import MarkRule
from mammoseg.plugins import METRICS, load, names
from mammoseg.records.label import CLASSES
from mammoseg.statistics.bootstrap import SCALES
from mammoseg.statistics.froc import Marked
from mammoseg.statistics.histogram import MapOnMask

Floats = NDArray[np.float64]
KINDS = ("scores", "maps", "marks")

_FEWEST, _FITS = 100, 20_000_000
"""Replicates of fits at least, and replicates times cases at most."""


class MetricError(ValueError):
    """A metric of others that does not keep to its contract."""


@dataclass(frozen=True, eq=False)
class Method:
    """What all parts of one evaluation have in common."""

    metrics: Mapping[str, ModuleType]
    """Name in the results -> module."""
    classes: tuple[str, ...] = CLASSES
    bootstrap: int = 1000
    """Replicates for the intervals."""
    seed: int = 0
    rule: MarkRule = field(default_factory=MarkRule)
    """Which places of a map are marks, and when they hit a lesion."""

    def for_fits(self, cases: int) -> "Method":
        """The same for what is fitted anew in every replicate: with very many cases, fewer tell how far it varies."""
        return replace(self, bootstrap=min(self.bootstrap, max(_FEWEST, _FITS // max(1, cases))))

    def of_scores(self) -> dict[str, Callable[[Floats, Floats, Floats], Floats]]:
        """Name -> what gives the values (R,) for labels and scores (n,) and weights (R, n)."""
        return {name: partial(_values, module) for name, module in self.metrics.items() if module.KIND == "scores"}

    def scale(self, name: str) -> str:
        """The scale of the interval of a number: that of its metric, if it has no other number."""
        return str(getattr(self.metrics.get(name), "SCALE", SCALES[0]))

    def of_map(self, image: MapOnMask) -> dict[str, float]:
        """Name of each number -> its value for a map of one image."""
        found = self._each("maps", image)
        return {name: float(_numbers(module, value, ())) for name, module, value in found}

    def of_marks(self, marked: Marked, weights: Floats) -> dict[str, Floats]:
        """Name of each number -> its values (R,) for the marks of n images and weights (R, n)."""
        found = self._each("marks", marked, weights)
        return {name: _numbers(module, value, (len(weights),)) for name, module, value in found}

    def _each(self, kind: str, *given: object) -> list[tuple[str, ModuleType, Any]]:
        """Name of each number of the metrics of a kind, its metric, and what that has given."""
        numbers: list[tuple[str, ModuleType, Any]] = []
        for name, module in self.metrics.items():
            if kind == module.KIND:
                found = _call(module, *given)
                parts = found.items() if isinstance(found, Mapping) else [("", found)]
                numbers += [(f"{name}_{part}" if part else name, module, value) for part, value in parts]
        return numbers

    def titles(self) -> dict[str, str]:
        """Name of each number that stands in the summary -> what people call it."""
        found = self.numbers()
        titles = {}
        for name, module in self.metrics.items():
            first = next(number for number, of in found if of is module)
            titles[first] = module.TITLE if first == name else f"{module.TITLE} ({first.removeprefix(f'{name}_')})"
        return titles

    def numbers(self) -> list[tuple[str, ModuleType]]:
        """Every number of every metric by name, with its metric."""
        of_scores = [(name, self.metrics[name]) for name in self.of_scores()]
        of_places = self._each("maps", _tiny()) + self._each("marks", _tiny_marked(), np.ones((1, 2)))
        return of_scores + [(number, module) for number, module, _ in of_places]


def load_metrics(others: Sequence[str] = ()) -> dict[str, ModuleType]:
    """Those of mammoseg and those of others by their dotted names, each tried once: mistakes are better known before.

    Raises PluginError for a module that is none, MetricError for one that is no metric or has the name of another.
    """
    metrics: dict[str, ModuleType] = {}
    for given in (*names(METRICS), *others):
        module, name = load(METRICS, given), given.rpartition(".")[2]
        if module.KIND not in KINDS:
            raise MetricError(
                f"{module.__name__}: KIND is {module.KIND!r}; expected one of {', '.join(KINDS)}. Correct it, as "
                "CONTRIBUTING.md shows."
            )
        if (scale := getattr(module, "SCALE", SCALES[0])) not in SCALES:
            raise MetricError(
                f"{module.__name__}: SCALE is {scale!r}; expected one of {', '.join(SCALES)}. Correct it, as "
                "CONTRIBUTING.md shows."
            )
        if name in metrics:
            raise MetricError(
                f"{module.__name__}: {metrics[name].__name__} is called {name}, too. Expected a name for each metric, since "
                "results are listed by it. Rename the file."
            )
        metrics[name] = module
    tried = Method(metrics)
    tried.of_map(_tiny())
    tried.of_marks(_tiny_marked(), np.ones((3, 2)))
    for values in tried.of_scores().values():
        values(np.array([0.0, 1.0]), np.array([0.2, 0.7]), np.ones((3, 2)))
    _check_distinct(tried.numbers())
    return metrics


def _check_distinct(numbers: Sequence[tuple[str, ModuleType]]) -> None:
    """The part `precision` of a metric `average` would be called as the metric `average_precision` is."""
    of: dict[str, ModuleType] = {}
    for number, module in numbers:
        if of.setdefault(number, module) is not module:
            raise MetricError(
                f"{module.__name__}: a number of it is called {number}, as one of {of[number].__name__} is. Expected another name "
                "for each number. Rename the file or the part."
            )


def _tiny() -> MapOnMask:
    mask_HW = np.zeros((8, 8), bool)
    mask_HW[2:5, 3:6] = True
    return MapOnMask(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000, mask_HW)


def _tiny_marked() -> Marked:
    """A normal image, and one with two lesions, with a mark beside and a mark in one of them."""
    first, second = np.array([0, 1]), np.array([1, 1])
    return Marked(first == 0, second, np.array([0.8, -np.inf]), first, np.array([0.3, 0.6]))


def _values(module: ModuleType, labels: Floats, scores: Floats, weights: Floats) -> Floats:
    return _numbers(module, _call(module, labels, scores, weights), (len(weights),))


def _call(module: ModuleType, *given: object) -> Any:
    try:
        return module.measure(*given)
    except Exception as error:
        raise MetricError(
            f"{module.__name__}: ends in {type(error).__name__}: {error} ({module.__file__}). Expected numbers, NaN where it is "
            "undefined. The mistake is there: correct it, or leave the metric out."
        ) from error


def _numbers(module: ModuleType, found: object, shape: tuple[int, ...]) -> Floats:
    with suppress(TypeError, ValueError):
        if (numbers := np.asarray(found, dtype=np.float64)).shape == shape:
            return numbers
    expected = f"{shape[0]} numbers, one for each row of weights" if shape else "a number"
    raise MetricError(f"{module.__name__}: gives {found!r:.60}; expected {expected}. Correct its function measure.")
