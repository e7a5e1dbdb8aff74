"""GMIC, Table 6: do the retrieved patches matter, and their weights? The prediction is that of the local module.

mammoseg study gmic_attention --out OUT
"""

from mammoseg.study.plan import Arm, Phantoms, Plan


def _arm(attention: str, rois: str) -> Arm:
    return Arm(
        name=f"{attention}_{rois}",
        title=f"{attention} weights of {rois} patches",
        recipe="gmic_small",
        sets=(f"network.local_module.attention={attention}", f"network.rois={rois}"),
        score="local",
        paper=(f"gmic_table6/{attention}, {rois}",),
    )


PLAN = Plan(
    title="Patches of GMIC and their weights",
    about="Table 6 of the GMIC paper in small, on phantoms: retrieved against random patches, gated against equal weights.",
    reference="gated_retrieved",
    phantoms=Phantoms(),
    arms=(_arm("gated", "retrieved"), _arm("uniform", "retrieved"), _arm("gated", "random")),
)
