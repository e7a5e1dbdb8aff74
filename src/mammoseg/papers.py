"""What the papers print of the systems that mammoseg has, for tables that put measured numbers beside it.

A row is named `TABLE/ROW`, as "gmic_table1/DMV-CNN (w/ heatmaps)". Numbers of other data, sizes and trainings are no targets: each
table says of what they are.

Units    AUC, Dice and PxAP are shares; parameters in millions, MACs in 10^9 for an exam of four images (FLOPs in the paper),
         memory in GB for an exam in training, times in ms for an exam
"""

from collections.abc import Mapping
from dataclasses import dataclass

_GMIC = "Shen et al. 2021, Medical Image Analysis 68:101908 (GMIC)"
_NYU = "NYU Breast Cancer Screening Dataset, by breast, mean of the five best of thirty runs"
_AUC = ("auc_malignant", "auc_benign")
_MAPS = ("dice_malignant", "dice_benign", "pxap_malignant", "pxap_benign")
_COSTS = ("parameters", "memory", "forward", "backward", "macs")


class UnknownRowError(ValueError):
    """A row that is in none of the tables."""


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper, or of numbers in its text."""

    cite: str
    of: str
    """Data and unit."""
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float | None, ...]]
    """None: not printed."""


TABLES: Mapping[str, PaperTable] = {
    "gmic_table1": PaperTable(
        f"{_GMIC}, Table 1",
        f"{_NYU}; costs of an exam of four images of 2944 x 1920 on a V100",
        (*_AUC, *_COSTS),
        {
            "ResNet-34": (0.736, 0.684, 21.30, 13.95, 189, 459, 1622),
            "ResNet-34-1x1 conv": (0.889, 0.772, 21.30, 12.58, 201, 450, 1625),
            "DMV-CNN (w/o heatmaps)": (0.827, 0.731, 6.13, 2.4, 38, 86, 65),
            "DMV-CNN (w/ heatmaps)": (0.886, 0.747, 6.13, 2.4, 38, 86, 65),
            "Faster R-CNN": (0.908, 0.761, 104.8, 25.75, 920, 2019, None),
            "GMIC-ResNet-18": (0.913, 0.791, 15.17, 3.01, 46, 82, 122),
            "GMIC-ResNet-34": (0.909, 0.790, 25.29, 3.45, 58, 94, 180),
            "GMIC-ResNet-50": (0.915, 0.797, 27.95, 5.05, 66, 131, 194),
        },
    ),
    "gmic_table2": PaperTable(
        f"{_GMIC}, Table 2",
        "CBIS-DDSM, official test part, by image; those of Deep MIL, RGP and GGP were taken from Shu et al. 2020",
        ("auc_malignant",),
        {
            "ResNet-34": (0.792,),
            "ResNet-34-1x1 conv": (0.800,),
            "Deep MIL": (0.791,),
            "RGP": (0.838,),
            "GGP": (0.823,),
            "GMIC-ResNet-18": (0.833,),
            "GMIC-ResNet-34": (0.830,),
            "GMIC-ResNet-50": (0.828,),
        },
    ),
    "gmic_table4": PaperTable(
        f"{_GMIC}, Table 4",
        "NYU test images with an outlined lesion, mean over images",
        _MAPS,
        {
            "GMIC": (0.325, 0.240, 0.396, 0.283),
            "U-Net": (0.504, 0.412, 0.589, 0.498),
            "random": (0.039, 0.021, 0.012, 0.006),
        },
    ),
    "gmic_table5": PaperTable(
        f"{_GMIC}, Table 5",
        _NYU,
        _AUC,
        {"global": (0.892, 0.776), "local": (0.897, 0.778), "average": (0.905, 0.785), "fusion": (0.913, 0.791)},
    ),
    "gmic_table6": PaperTable(
        f"{_GMIC}, Table 6",
        f"{_NYU}; the prediction is that of the local module",
        _AUC,
        {
            "uniform, retrieved": (0.874, 0.776),
            "gated, random": (0.629, 0.658),
            "gated, retrieved": (0.898, 0.780),
        },
    ),
    "gmic_table7": PaperTable(
        f"{_GMIC}, Table 7",
        _NYU,
        (*_AUC, *_MAPS[:2]),
        {
            "GMP": (0.890, 0.785, 0.127, 0.103),
            "t=1%": (0.906, 0.784, 0.190, 0.147),
            "t=2%": (0.916, 0.790, 0.203, 0.191),
            "t=3%": (0.913, 0.791, 0.228, 0.178),
            "t=5%": (0.912, 0.790, 0.172, 0.194),
            "t=10%": (0.914, 0.791, 0.156, 0.182),
            "t=20%": (0.907, 0.785, 0.126, 0.182),
            "GAP": (0.903, 0.783, 0.065, 0.181),
        },
    ),
    "gmic_text": PaperTable(
        f"{_GMIC}, text", _NYU, _AUC, {"GMIC with heatmaps": (0.927, 0.792), "super-ensemble": (0.936, None)}
    ),
}


def table_of(reference: str) -> PaperTable:
    """The table of a row. Raises UnknownRowError for a name that is none."""
    table, _, row = reference.partition("/")
    if table not in TABLES or row not in TABLES[table].rows:
        known = ", ".join(f"{table}/{row}" for row in TABLES[table].rows) if table in TABLES else ", ".join(TABLES)
        raise UnknownRowError(f"{reference!r} is no row of a table of a paper. Expected TABLE/ROW; there are: {known}")
    return TABLES[table]


def printed(reference: str) -> dict[str, float]:
    """The numbers of a row that are printed. Raises like `table_of`."""
    table = table_of(reference)
    values = zip(table.columns, table.rows[reference.partition("/")[2]], strict=True)
    return {name: value for name, value in values if value is not None}
