"""GMIC, Figure 10: how many patches. The paper prints a curve and no numbers: nothing is gained beyond 3.

mammoseg study gmic_patches --out OUT
"""

from mammoseg.study.plan import Arm, Phantoms, Plan

PLAN = Plan(
    title="Number of GMIC's patches",
    about="Figure 10 of the GMIC paper in small, on phantoms, each K trained for itself.",
    reference="patches_6",
    phantoms=Phantoms(),
    arms=tuple(
        Arm(name=f"patches_{k}", title=f"K = {k}", recipe="gmic_small", sets=(f"network.num_patches={k}",))
        for k in (1, 2, 3, 4, 6, 8, 10)
    ),
)
