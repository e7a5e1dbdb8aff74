"""Every system beside GLAM, in its small size, on generated exams: those of GMIC's Tables 1 and 4 and of GLAM's Figure 1.

mammoseg study phantoms --out OUT
"""

from mammoseg.study.plan import Arm, Phantoms, Plan

PLAN = Plan(
    title="Every system in its small size, on phantoms",
    about=(
        "Which systems tell malignant from benign and normal breasts, and which draw the lesion? All are small and train for "
        "minutes on generated exams, from random weights but for those whose features are frozen, those of ImageNet. Phantoms are "
        "simpler than patients, and the order of small systems on few images need not be that of large ones on many."
    ),
    reference="glam",
    phantoms=Phantoms(),
    arms=(
        Arm(name="glam", title="GLAM", recipe="glam_small"),
        Arm(name="gmic", title="GMIC", recipe="gmic_small", paper=("gmic_table1/GMIC-ResNet-18", "gmic_table4/GMIC")),
        Arm(
            name="resnet_1x1",
            title="ResNet-1x1 conv",
            recipe="resnet_1x1_small",
            paper=("gmic_table1/ResNet-34-1x1 conv",),
        ),
        Arm(
            name="resnet_cam",
            title="ResNet, CAM",
            recipe="resnet_cam_small",
            paper=("gmic_table1/ResNet-34",),
        ),
        Arm(
            name="resnet22_cam",
            title="Pre-activation ResNet, CAM",
            recipe="resnet_cam_small",
            sets=("network.trunk=resnet22",),
            differs="The kind of blocks of ResNet-22, as many as those of the other small networks.",
        ),
        Arm(
            name="dmvcnn",
            title="DMV-CNN",
            recipe="dmvcnn_small",
            paper=("gmic_table1/DMV-CNN (w/o heatmaps)",),
        ),
        Arm(
            name="faster_rcnn",
            title="Faster R-CNN, from boxes",
            recipe="faster_rcnn_small",
            paper=("gmic_table1/Faster R-CNN",),
            differs="A small trunk; that of the paper is not known.",
        ),
        Arm(name="unet", title="U-Net, from masks", recipe="unet_small", paper=("gmic_table4/U-Net",)),
        Arm(
            name="gmic_heatmap",
            title="GMIC with heatmaps",
            recipe="gmic_heatmap_small",
            heatmaps="patch_densenet",
            paper=("gmic_text/GMIC with heatmaps",),
        ),
        Arm(
            name="dmvcnn_heatmap",
            title="DMV-CNN with heatmaps",
            recipe="dmvcnn_small",
            sets=("network.heatmaps=true",),
            heatmaps="patch_densenet",
            paper=("gmic_table1/DMV-CNN (w/ heatmaps)",),
        ),
        Arm(name="patch_densenet", title="Patch classifier, from masks", recipe="patch_densenet_small"),
        Arm(name="deep_mil", title="Deep MIL", recipe="deep_mil_small"),
        Arm(name="rgp", title="Region-based group-max pooling", recipe="rgp_ggp_small"),
        Arm(
            name="ggp",
            title="Global group-max pooling",
            recipe="rgp_ggp_small",
            sets=("network.pooling=ggp",),
        ),
        Arm(name="frozen_mil", title="Frozen features, attention and mean", recipe="frozen_mil_small"),
        Arm(
            name="contrast",
            title="Local contrast, no learning",
            recipe="reference_small",
            sets=("network.kind=contrast",),
        ),
        Arm(
            name="convergence",
            title="Convergence index, no learning",
            recipe="reference_small",
            sets=("network.kind=convergence",),
        ),
        Arm(
            name="brightness",
            title="Brightness, no learning",
            recipe="reference_small",
            sets=("network.kind=brightness",),
        ),
        Arm(
            name="random",
            title="Random score and map",
            recipe="reference_small",
            sets=("network.kind=random",),
            paper=("gmic_table4/random",),
        ),
    ),
)
