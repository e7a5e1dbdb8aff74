"""How many images, breasts, exams and patients an evaluation rests on, and what it had to do without."""

from typing import Any

import pandas as pd

from mammoseg.evaluation.join import Joined
from mammoseg.evaluation.scores import BREAST, EXAM


def counts(joined: Joined) -> dict[str, Any]:
    """Those of metrics.json.

    `n_breasts_one_view` are breasts of which one view alone has a score; breasts and exams are null where they are not known.
    """
    known = "breast" in joined.levels
    breasts, of_failed = (table[BREAST].drop_duplicates() for table in (joined.images, joined.failed))
    lost = pd.concat([breasts, breasts, of_failed]).drop_duplicates(keep=False)
    return {
        "n_images": len(joined.images),
        "n_breasts": len(breasts) if known else None,
        "n_breasts_one_view": _one_view(joined.images) if known else None,
        "n_exams": len(joined.images[EXAM].drop_duplicates()) if known else None,
        "n_patients": joined.images["patient_id"].nunique(),
        "n_failed": len(joined.failed),
        "n_of_training": joined.of_training,
        "n_breasts_failed": len(lost) if known else None,
        "failed": sorted(joined.failed["image_id"]),
    }


def _one_view(images: pd.DataFrame) -> int | None:
    """None where views are not known."""
    if "view" not in images or (images["view"] == "").any():
        return None
    views = images[[*BREAST, "view"]].drop_duplicates()
    return int((views.groupby(BREAST).size() == 1).sum())
