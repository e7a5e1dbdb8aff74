"""GLAM: how its patches become one prediction, of how many patches, and from which scales of the global module.

    mammoseg study glam_aggregation --out OUT

Measured before the student learns, which sees none of them.
"""

from mammoseg.study.plan import Arm, Phantoms, Plan

_JOINT = "joint"
_ATTENTION = "network.local_module.aggregation=attention"  # as published; the small recipe concatenates


def _scales(name: str, title: str, weights: str) -> Arm:
    setting = f"network.global_module.scale_weights={weights}"
    return Arm(name=name, title=title, recipe="glam_small", sets=(_ATTENTION, setting), stage=_JOINT)


PLAN = Plan(
    title="Aggregation, patches and scales of GLAM",
    about=(
        "Concatenation against attention, K, and the scales of the global module, in small, on phantoms, with our heads. K is "
        "that of the prediction: the network is trained once, with three patches."
    ),
    reference="attention",
    phantoms=Phantoms(),
    arms=(
        Arm(
            name="attention",
            title="attention, K = 3, finest scale",
            recipe="glam_small",
            sets=(_ATTENTION,),
            stage=_JOINT,
        ),
        Arm(
            name="concatenation",
            title="concatenation",
            recipe="glam_small",
            sets=("network.local_module.aggregation=concatenation",),
            stage=_JOINT,
        ),
        *(
            Arm(name=f"patches_{k}", title=f"K = {k}", run="attention", stage=_JOINT, predict=(f"num_patches={k}",))
            for k in (1, 2, 4)
        ),
        _scales("middle_scale", "middle scale", "[0, 1, 0]"),
        _scales("coarse_scale", "coarsest scale", "[0, 0, 1]"),
        _scales("all_scales", "all scales, as published", "[0.2, 0.6, 0.2]"),
    ),
)
