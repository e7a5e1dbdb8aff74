"""Whether predicted images are like those the model was trained on, from their records."""

from collections.abc import Sequence
from pathlib import Path

from mammoseg.data.domain import Domain
from mammoseg.data.manifest import ImageRow
from mammoseg.data.unlike import differences, summary
from mammoseg.io.runs import is_done, stored_facts


def compare_to_training(trained_on: Domain | None, rows: Sequence[ImageRow], out: Path) -> str | None:
    """One line about the images of `rows` that are predicted in the folder `out`, those of earlier runs too.

    None: they are like the training images. Raises RunFileError for a damaged record.
    """
    done = [(row, stored_facts(out, row.image_id)) for row in rows if is_done(out, row.image_id)]
    known = [(row, facts) for row, facts in done if facts]
    found = [differences(trained_on, facts, row.manufacturer) if trained_on else () for row, facts in known]
    return summary(trained_on, [facts for _, facts in known], found)
