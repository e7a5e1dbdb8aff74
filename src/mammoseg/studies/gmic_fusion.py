"""GMIC, Table 5: which of its predictions tells most. One training, four readings of it.

mammoseg study gmic_fusion --out OUT
"""

from mammoseg.study.plan import Arm, Phantoms, Plan

_TITLES = {"fusion": "y_fusion", "average": "mean of y_global and y_local", "global": "y_global", "local": "y_local"}

PLAN = Plan(
    title="Which prediction of GMIC",
    about="Table 5 of the GMIC paper in small, on phantoms: does the fusion tell more than its parts?",
    reference="fusion",
    phantoms=Phantoms(),
    arms=tuple(
        Arm(
            name=name,
            title=title,
            recipe="gmic_small" if name == "fusion" else None,
            run=None if name == "fusion" else "fusion",
            predict=() if name == "fusion" else (f"prediction={name}",),
            paper=(f"gmic_table5/{name}",),
        )
        for name, title in _TITLES.items()
    ),
)
