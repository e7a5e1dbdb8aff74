"""The systems of GMIC's Table 2 on digitised films of masses, in their small sizes, beside what is made for few films.

mammoseg study cbis --manifest CBIS/manifest.csv --out OUT

The manifest has films of CBIS-DDSM, without splits or with yours: `python benchmarks/films.py` writes one from a public export.
Films whose pixel size is known are resampled to 0.3 mm; others should have about 800 x 480 pixels.
"""

from mammoseg.study.plan import Arm, Plan

_RESIZED = ("prep.fit=resize", "augment.location_px=[0,0]", "augment.size_px=0")
_WARPED = (*_RESIZED, "augment.warp.flip=true")
"""The whole breast in the window, mirrored, turned, shifted, scaled and sheared as in gmic_cbis_paper."""


def _small(name: str, title: str, recipe: str, paper: str, *sets: str, stage: str = "all") -> Arm:
    return Arm(
        name=name,
        title=title,
        recipe=recipe,
        sets=(*_WARPED, f"stages.{stage}.epochs=10", *sets),
        paper=(f"gmic_table2/{paper}",) if paper else (),
        differs="Small, in windows of 368 x 240 pixels, from random weights.",
    )


PLAN = Plan(
    title="Whole films with a mass: is it malignant?",
    about=(
        "The systems of GMIC's Table 2. All films hold a mass, benign or malignant. The paper trained networks of full size, from "
        "ImageNet, on 2944 x 1920 pixels of masses and calcifications, searched their settings, and tested on the official test "
        "part. Here small ones start from random weights, unless it is said otherwise, see far coarser pixels of fewer films, and "
        "are trained once. So a row tells what a small system makes of few films, and not whether the paper is right."
    ),
    reference="glam",
    level="image",
    sets=(
        "network.classes=[malignant]",
        "prep.pixel_mm=0.3",
        "prep.background=film",
        "prep.opening_px=23",
        "prep.buffer_px=17",
        "select_by=auc",
    ),
    arms=(
        Arm(
            name="glam",
            title="GLAM",
            recipe="glam_small",
            sets=(*_WARPED, *(f"stages.{name}.epochs={n}" for name, n in (("global", 10), ("local", 4), ("joint", 2)))),
            differs="Small, in windows of 368 x 240 pixels, from random weights.",
        ),
        _small("gmic", "GMIC", "gmic_small", "GMIC-ResNet-18", stage="joint"),
        _small("resnet_1x1", "ResNet-1x1 conv", "resnet_1x1_small", "ResNet-34-1x1 conv"),
        _small("resnet_cam", "ResNet, CAM", "resnet_cam_small", "ResNet-34"),
        _small("deep_mil", "Deep MIL", "deep_mil_small", "Deep MIL"),
        _small("rgp", "Region-based group-max pooling", "rgp_ggp_small", "RGP"),
        _small("ggp", "Global group-max pooling", "rgp_ggp_small", "GGP", "network.pooling=ggp"),
        Arm(name="cam", title="EfficientNet-Lite0 from ImageNet, CAM", recipe="cam_film"),
        Arm(name="frozen_mil", title="Frozen features, attention and mean", recipe="frozen_mil_film"),
        *(
            Arm(name=kind, title=title, recipe="reference_small", sets=(*_RESIZED, f"network.kind={kind}"))
            for kind, title in (
                ("contrast", "Local contrast, no learning"),
                ("convergence", "Convergence index, no learning"),
                ("random", "Random score and map"),
            )
        ),
    ),
)
