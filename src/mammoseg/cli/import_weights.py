"""`mammoseg import-weights`: a published weight file -> checkpoint folder."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def import_weights(
    file: Annotated[Path, typer.Argument(help="sample_model_1.p ... 5.p, model_joint.ckpt, sample_image_model.p, ...")],
    out: options.Out,
    sets: options.Sets = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a checkpoint in OUT.")] = False,
) -> int:
    """Take over published weights of GMIC, GLAM or DMV-CNN.

    You get them from their authors. The file is recognised by its tensors and nothing in it is run. What is not in the
    file (t of a GMIC model) follows from its name, or from --set.
    """
    from mammoseg.io.outputs import writing_to
    from mammoseg.published.take_over import import_weights as run

    with writing_to(out):
        imported = run(file, out, sets or [], overwrite)
    print(f"{imported.title}: {out}")
    if imported.unused:
        print(f"Not used by the network: {', '.join(imported.unused)}")
    print(imported.licence)
    return 0
