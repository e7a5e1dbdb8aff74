"""Files as their authors give them become checkpoints; files that are something else are refused and told why."""

import json
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mammoseg.config import ConfigError
from mammoseg.inference.predictor import open_predictor
from mammoseg.models import build_model, load_model_plugin
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.prep.config import PrepConfig
from mammoseg.published.take_over import import_weights

State = OrderedDict[str, Tensor]
TITLES = {kind.title: (name, kind) for name in ("gmic", "glam") for kind in load_model_plugin(name).PUBLISHED}
GMIC, GLAM = "GMIC (NYU)", "GLAM (model_sep)"


def published_state(title: str) -> State:
    """A file's content: zeros for batch-norm statistics, something else elsewhere, and the tensors nobody uses."""
    name, kind = TITLES[title]
    with torch.device("meta"):
        ours = build_model(name, kind.config).state_dict()
    state = OrderedDict(
        (kind.published_name(key), torch.full(value.shape, 0.01 if value.is_floating_point() else 0, dtype=value.dtype))
        for key, value in ours.items()
    )
    if name == "glam":
        state["global_network.postprocess_module.combine.weight"] = torch.zeros(2, 6, 1, 1)
    else:
        state["shared_rep_filter.weight"] = torch.zeros(1)
    return state


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Writes a state dict as torch 1.1 did."""

    def save(state: Any, name: str) -> Path:
        torch.save(state, tmp_path / name, _use_new_zipfile_serialization=False)
        return tmp_path / name

    return save


@pytest.mark.parametrize(
    ("title", "name", "unused"),
    [
        (GMIC, "sample_model_4.p", ("shared_rep_filter.weight",)),
        ("GLAM (model_joint)", "model_joint.ckpt", ("global_network.postprocess_module.combine.weight",)),
        (GLAM, "model_sep.ckpt", ("global_network.postprocess_module.combine.weight",)),
    ],
)
def test_each_kind_is_recognised(
    saved: Callable[..., Path], tmp_path: Path, title: str, name: str, unused: tuple[str, ...]
) -> None:
    state = published_state(title)
    imported = import_weights(saved(state, name), tmp_path / "out")
    model, kind = TITLES[title]
    assert (imported.title, imported.model, imported.unused) == (title, model, unused)
    predictor = open_predictor(tmp_path / "out", "cpu")
    assert predictor.prep == PrepConfig()
    assert predictor.engine.network == imported.network
    description = json.loads((tmp_path / "out" / "checkpoint.json").read_text())
    assert len(description["provenance"]["source"]["sha256"]) == 64
    assert "research only" in description["provenance"]["licence"].lower()
    if title == GMIC:
        assert imported.network.model_dump()["global_module"]["top_t"] == 0.05
        assert imported.network == kind.config.model_copy(update={"global_module": imported.network.global_module})  # type: ignore[attr-defined]
    else:
        assert imported.network == kind.config


def test_the_cbis_variant_needs_its_t(saved: Callable[..., Path], tmp_path: Path) -> None:
    file = saved(published_state("GMIC (CBIS-DDSM)"), "cbis.p")
    for name in ("cbis.p", "sample_model_1.p"):
        file = file.rename(tmp_path / name)
        with pytest.raises(
            CheckpointError, match=r"top_t, which is not in the file.*--set global_module\.top_t=VALUE"
        ) as caught:
            import_weights(file, tmp_path / "out")
        assert "name" not in str(caught.value).removeprefix(str(file)), "another name does not help"
    imported = import_weights(file, tmp_path / "out", ["global_module.top_t=0.03"])
    assert imported.title == "GMIC (CBIS-DDSM)"
    predictor = open_predictor(tmp_path / "out", "cpu")
    assert predictor.engine.classes == ("malignant",)
    assert (predictor.prep.fit, predictor.prep.intensity) == ("resize", "unit")


def test_a_model_of_another_name_needs_its_t_or_its_name(saved: Callable[..., Path], tmp_path: Path) -> None:
    file = saved(published_state(GMIC), "weights.p")
    with pytest.raises(CheckpointError, match=r"a name such as sample_model_1\.p.*top_t=VALUE, or rename the file\.$"):
        import_weights(file, tmp_path / "out")
    imported = import_weights(file.rename(tmp_path / "sample_model_5.p"), tmp_path / "out")
    assert imported.network.model_dump()["global_module"]["top_t"] == 0.1


def test_values_arrive(saved: Callable[..., Path], tmp_path: Path) -> None:
    state = published_state(GMIC)
    state["ds_net.layer_list.2.0.downsample.0.weight"][5, 3] = 0.25
    state["dn_resnet.layer3.0.downsample.1.running_mean"][7] = 0.5
    import_weights(saved(state, "sample_model_1.p"), tmp_path / "out")
    model = build_model("gmic")
    open_predictor(tmp_path / "out", "cpu").engine.checkpoint.load_weights(model)
    ours = model.state_dict()
    assert ours["global_module.trunk.groups.2.0.shortcut.weight"][5, 3].item() == 0.25
    assert ours["local_module.trunk.groups.2.0.shortcut.1.running_mean"][7].item() == 0.5


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mil.mil_attn_V.weight", (64, 512)), ("fusion_dnn.weight", (2, 512))],
    ids=["attention", "fusion"],
)
def test_a_joint_file_of_other_shapes_still_gives_the_published_prediction(
    saved: Callable[..., Path], tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    """The shapes of attention and fusion in the joint file are not verified; the prediction does not depend on them."""
    state = published_state("GLAM (model_joint)")
    separate = OrderedDict((key, value) for key, value in state.items() if not key.startswith(("mil.", "fusion_dnn.")))
    state[name] = torch.zeros(shape)
    imported = import_weights(saved(state, "model_joint.ckpt"), tmp_path / "out")
    assert imported.title == "GLAM (model_joint without its attention and fusion, which do not fit)"
    assert {key for key in state if key.startswith(("mil.", "fusion_dnn."))} <= set(imported.unused)
    other = import_weights(saved(separate, "model_sep.ckpt"), tmp_path / "sep")
    assert (other.title, other.network) == (GLAM, imported.network)
    digests = {open_predictor(tmp_path / folder, "cpu").engine.checkpoint.sha256 for folder in ("out", "sep")}
    assert len(digests) == 1, "the same network with the same weights"


def test_wrappings_of_a_state_dict(saved: Callable[..., Path], tmp_path: Path) -> None:
    parallel = {"state_dict": {f"module.{key}": value for key, value in published_state(GMIC).items()}, "epoch": 3}
    assert import_weights(saved(parallel, "model_2.p"), tmp_path / "out").title == GMIC


def without(state: State, *names: str) -> State:
    for name in names:
        del state[name]
    return state


def with_value(state: State, name: str, value: Any) -> State:
    state[name] = value
    return state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: without(s, "fusion_dnn.bias"), r"like GMIC \(NYU\), but 1 tensors.*missing fusion_dnn\.bias"),
        (
            lambda s: with_value(s, "fusion_dnn.weight", torch.zeros(2, 700)),
            r"missing fusion_dnn\.weight of shape \(2, 768\) \(it is \(2, 700\)\)",
        ),
        (lambda s: with_value(s, "extra.weight", torch.zeros(1)), r"unexpected extra\.weight"),
        (
            lambda s: OrderedDict(list(s.items())[:200]),
            r"like GMIC \(NYU\), but 49 tensors are missing.*and 41 more",
        ),
        (lambda s: OrderedDict((f"other.{k}", v) for k, v in s.items()), r"no published model that is known"),
        (lambda s: with_value(s, "fusion_dnn.bias", torch.tensor([0.0, float("nan")])), r"no numbers, e\.g\. fusion"),
        (lambda s: with_value(s, "epoch", 3), r"1 of 260 entries are no tensors"),
        (lambda s: list(s.values()), r"holds list"),
        (lambda s: OrderedDict(), r"no tensors"),
    ],
)
def test_wrong_content_is_told(
    saved: Callable[..., Path], tmp_path: Path, change: Callable[[State], Any], message: str
) -> None:
    file = saved(change(published_state(GMIC)), "sample_model_1.p")
    with pytest.raises(CheckpointError, match=f"(?s){message}"):
        import_weights(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_file(saved: Callable[..., Path], tmp_path: Path, zipped: bool) -> None:
    file = tmp_path / "sample_model_1.p"
    torch.save(published_state(GMIC), file, _use_new_zipfile_serialization=zipped)
    content = file.read_bytes()
    for share in (0.0, 0.001, 0.4, 0.999):
        file.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(CheckpointError, match=r"cut short or damaged\. .*Download it again"):
            import_weights(file, tmp_path / "out")


class Attack:
    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("/tmp/mammoseg-attack", "w"))


@pytest.mark.parametrize("as_torch", [True, False])
def test_a_file_that_would_run_something(tmp_path: Path, as_torch: bool) -> None:
    file = tmp_path / "sample_model_1.p"
    if as_torch:
        torch.save({"fusion_dnn.bias": Attack()}, file)
    else:
        file.write_bytes(pickle.dumps({"fusion_dnn.bias": Attack()}, protocol=2))
    with pytest.raises(CheckpointError, match=r"asks for \w+\.open, which.*and is refused"):
        import_weights(file, tmp_path / "out")
    assert not Path("/tmp/mammoseg-attack").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n <!DOCTYPE html><html>", "a web page, not weights"),
        (bytes(range(200, 256)) * 9, "no file of torch.save"),
        (b"weights\n", "no file of torch.save"),
        *((pickle.dumps({"a": 1.0}, protocol), "no file of torch.save") for protocol in range(6)),
        (pickle.dumps({"fusion_dnn.bias": Attack()}, protocol=4), "no file of torch.save"),
    ],
)
def test_a_file_of_something_else(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, content: bytes, message: str
) -> None:
    file = tmp_path / "sample_model_1.p"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{message}\. Expected .*[Dd]ownload"):
        import_weights(file, tmp_path / "out")
    assert not recwarn.list, "torch's own words, with paths of its sources, would come before the message"
    assert not Path("/tmp/mammoseg-attack").exists()


def test_settings(saved: Callable[..., Path], tmp_path: Path) -> None:
    file = saved(published_state(GMIC), "sample_model_1.p")
    with pytest.raises(ConfigError, match="num_patch"):
        import_weights(file, tmp_path / "out", ["num_patch=3"])
    for layers in ("local_module.attention=uniform", "heatmaps=true"):
        with pytest.raises(CheckpointError, match=r"leave the layers as they are.*needs a network trained with it"):
            import_weights(file, tmp_path / "out", [layers])
    imported = import_weights(file, tmp_path / "out", ["num_patches=3", "global_module.top_t=0.5"])
    assert imported.network.model_dump()["num_patches"] == 3
    assert imported.network.model_dump()["global_module"]["top_t"] == 0.5
    with pytest.raises(CheckpointError, match="--overwrite"):
        import_weights(file, tmp_path / "out")
    import_weights(file, tmp_path / "out", overwrite=True)


def test_a_folder_of_a_run_keeps_its_checkpoint(saved: Callable[..., Path], trained_run: Path, tmp_path: Path) -> None:
    file = saved(published_state(GMIC), "sample_model_1.p")
    before = sorted(trained_run.rglob("*"))
    with pytest.raises(CheckpointError, match=r"holds a training run.*Choose a new folder"):
        import_weights(file, trained_run, overwrite=True)
    assert sorted(trained_run.rglob("*")) == before


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"No such file.*Check the path"):
        import_weights(tmp_path / "sample_model_1.p", tmp_path / "out")
