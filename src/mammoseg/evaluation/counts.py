"""How many images, breasts, exams and patients an evaluation rests on, and what it had to do without."""

from typing import Any

import pandas as pd

from mammoseg.evaluation.join import Joined
from mammoseg.evaluation.scores import BREAST, EXAM


def counts(joined: Joined) -> dict[str, Any]:
    """Those of metrics.json. `n_breasts_one_view` are breasts of which one view alone has a score, null where that is not known."""
    breasts, of_failed = (set(table[BREAST].itertuples(index=False)) for table in (joined.images, joined.failed))
    return {
        "n_images": len(joined.images),
        "n_breasts": len(breasts),
        "n_breasts_one_view": _one_view(joined.images),
        "n_exams": len(joined.images[EXAM].drop_duplicates()),
        "n_patients": joined.images["patient_id"].nunique(),
        "n_failed": len(joined.failed),
        "n_of_training": joined.of_training,
        "n_breasts_failed": len(of_failed - breasts),
        "failed": sorted(joined.failed["image_id"]),
    }


def _one_view(images: pd.DataFrame) -> int | None:
    """Breasts of which one view alone has a score; None where views or breasts are not known."""
    if (images["laterality"] == "").any() or "view" not in images or (images["view"] == "").any():
        return None
    return int((images.groupby(BREAST)["view"].nunique() == 1).sum())
