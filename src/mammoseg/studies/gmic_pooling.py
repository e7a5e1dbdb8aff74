"""GMIC, Table 7: how the cells of the map become a prediction.

mammoseg study gmic_pooling --out OUT
"""

from mammoseg.study.plan import Arm, Phantoms, Plan

_SHARES = (1, 2, 3, 5, 10, 20)


def _arm(name: str, title: str, row: str, setting: str) -> Arm:
    paper = (f"gmic_table7/{row}",)
    return Arm(name=name, title=title, recipe="gmic_small", sets=(f"network.global_module.{setting}",), paper=paper)


PLAN = Plan(
    title="Pooling of GMIC's map",
    about="Table 7 of the GMIC paper in small, on phantoms: the maximum, the highest cells, or the mean of all.",
    reference="top_3",
    phantoms=Phantoms(),
    arms=(
        _arm("maximum", "maximum (GMP)", "GMP", "pooling=max"),
        *(_arm(f"top_{t}", f"top {t} %", f"t={t}%", f"top_t={t / 100}") for t in _SHARES),
        _arm("mean", "mean (GAP)", "GAP", "pooling=average"),
    ),
)
