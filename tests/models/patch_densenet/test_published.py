"""The published file: a bare state dict of torchvision's names, without counts of batches."""

from collections import OrderedDict
from pathlib import Path

import torch

from mammoseg.models import build_model
from mammoseg.models.patch_densenet.config import PatchDenseNetConfig
from mammoseg.models.patch_densenet.model import PatchDenseNet
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.published.take_over import import_weights


def test_a_file_becomes_a_checkpoint(tmp_path: Path) -> None:
    with torch.device("meta"):
        ours = PatchDenseNet(PatchDenseNetConfig()).state_dict()
    names = [name for name in ours if not name.endswith("num_batches_tracked")]
    ends = [sum(n.endswith(end) for n in names) for end in (".weight", ".bias", ".running_mean", ".running_var")]
    assert (len(names), ends) == (606, [242, 122, 121, 121]), "what the published file has"
    state = OrderedDict((name, torch.full(ours[name].shape, 0.01)) for name in names)
    state["features.denseblock3.denselayer7.conv2.weight"][3, 5, 1, 2] = 0.25
    state["classifier.bias"][0] = 0.5
    torch.save(state, tmp_path / "sample_patch_model.p", _use_new_zipfile_serialization=False)
    imported = import_weights(tmp_path / "sample_patch_model.p", tmp_path / "out")
    assert (imported.model, imported.unused) == ("patch_densenet", ())
    assert "research only" in imported.licence
    model = build_model("patch_densenet", imported.network)
    open_checkpoint(tmp_path / "out").load_weights(model)
    taken = model.state_dict()
    assert taken["features.denseblock3.denselayer7.conv2.weight"][3, 5, 1, 2].item() == 0.25
    assert taken["classifier.bias"][0].item() == 0.5
    assert taken["features.norm5.num_batches_tracked"].item() == 0
