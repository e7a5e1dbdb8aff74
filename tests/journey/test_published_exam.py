"""The published exam with published-style weights: from their files to our table, the numbers of the published software.

Weights are those anyone can generate (golden_rule.py), in a file as torch 1.1 wrote it.
"""

import runpy
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from mammoseg.export.figures import overlay_writer
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.ingest.exam_list import make_manifest
from mammoseg.io.runs import load_prediction
from mammoseg.models import build_model
from mammoseg.models.gmic.published import PUBLISHED
from mammoseg.records.colours import LOOKS, rgb

VIEWS = ("L-CC", "R-MLO")
BENIGN_TRUTH = rgb(LOOKS["benign"].on_dark)  # colour in the figures


@pytest.fixture(scope="module")
def weights(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like sample_model_1.p, with the one tensor that nobody uses."""
    tensor = runpy.run_path(str(shared / "golden" / "maps" / "golden_rule.py"))["tensor"]
    norms = dict(np.load(shared / "golden" / "maps" / "gmic_bn.npz"))
    with torch.device("meta"):
        ours = build_model("gmic", PUBLISHED[0].config).state_dict()
    shapes = {PUBLISHED[0].published_name(name): tuple(value.shape) for name, value in ours.items()}
    state = OrderedDict((name, torch.from_numpy(np.array(tensor(name, s, norms)))) for name, s in shapes.items())
    state["shared_rep_filter.weight"] = torch.zeros(256, 256, 4, 4)
    path = tmp_path_factory.mktemp("models") / "sample_model_1.p"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return path


@pytest.mark.shared
def test_the_published_numbers_from_file_to_table(
    shared: Path, weights: Path, here: Path, command: Callable[..., Any]
) -> None:
    done = command("import-weights", weights, "--out", "gmic")
    assert done.code == 0, done.err
    done.says("GMIC (NYU): gmic", "Not used by the network: shared_rep_filter.weight", "research")

    sample = shared / "data" / "nyu_sample"
    manifest = make_manifest(sample / "exam_list_before_cropping.pkl", sample / "images", sample / "segmentation")
    assert len(manifest) == 16
    rows = [row for row in manifest.rows() if row.image_id in {f"0_{view}" for view in VIEWS}]
    out, predictor = Path("out"), open_predictor(Path("gmic"), "cpu")
    write = overlay_writer(out, predictor.prep)
    assert predict_images(predictor, rows, out, before_saving=write) == BatchResult(2, 0, 0)

    scores = pd.read_csv(out / "predictions.csv").query("level == 'image'").set_index("image_id")
    for view in VIEWS:
        golden = np.load(shared / "golden" / "maps" / f"gmic_nyu0_{view}.npz")
        found = load_prediction(out, f"0_{view}")
        for name, expected in (("", "y"), ("fusion_", "y"), ("global_", "y_global"), ("local_", "y_local")):
            values = scores.loc[f"0_{view}", [f"{name}benign", f"{name}malignant"]].tolist()
            assert values == pytest.approx(golden[expected][0].tolist(), abs=1e-5), name
        assert [[patch.row, patch.col] for patch in found.patches] == golden["patch_locations"][0].tolist()
        assert [patch.attention for patch in found.patches] == pytest.approx(golden["attention"][0], abs=1e-5)
        np.testing.assert_allclose(found.maps["saliency"], golden["saliency"][0], rtol=0, atol=1e-3)  # half precision
        figure = cv2.imread(str(out / "overlays" / f"0_{view}.png"))
        drawn = (figure[..., ::-1] == BENIGN_TRUTH).all(axis=-1).any()
        assert drawn == (view == "R-MLO"), "the mask has the pixels of the window"
