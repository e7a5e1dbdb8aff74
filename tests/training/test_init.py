"""A run that starts from weights: what is taken, what stays random, what stays as it is, and what is refused."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mammoseg.data.domain import Domain
from mammoseg.data.manifest import Manifest
from mammoseg.models import build_model, load_model_plugin
from mammoseg.nn.checkpoint import CheckpointError, open_checkpoint
from mammoseg.nn.contract import NetworkConfig
from mammoseg.nn.resnet import ResNet
from mammoseg.training.config import TrainConfig
from mammoseg.training.init import InitConfig, Start, pretrained_trunks
from mammoseg.training.module import TrainingError
from mammoseg.training.run import train

CPU = torch.device("cpu")
TRUNK = "global_module.trunk.*"


def filled(run: Path, network: NetworkConfig, **init: Any) -> tuple[dict[str, torch.Tensor], Start]:
    """Weights after the start, of a network that began with others."""
    torch.manual_seed(99)
    model = build_model("glam", network)
    start = Start(InitConfig(checkpoint=str(run), **init), "glam", network)
    start.fill(model)
    return model.state_dict(), start


@pytest.fixture(scope="module")
def theirs(trained_run: Path) -> dict[str, torch.Tensor]:
    return open_checkpoint(trained_run).read_weights()


def test_all_of_it(trained_run: Path, tiny_config: TrainConfig, theirs: dict[str, torch.Tensor]) -> None:
    state, start = filled(trained_run, tiny_config.network)
    assert all(torch.equal(value, theirs[name]) for name, value in state.items())
    assert (start.record["taken"], start.record["fresh"], start.frozen) == (len(theirs), [], frozenset())
    assert start.record["checkpoint_sha256"] == open_checkpoint(trained_run).sha256


def test_named_parts(trained_run: Path, tiny_config: TrainConfig, theirs: dict[str, torch.Tensor]) -> None:
    state, start = filled(trained_run, tiny_config.network, parts=[TRUNK, "local_module.head.weight"])
    for name, value in state.items():
        if name.startswith("global_module.trunk.") or name == "local_module.head.weight":
            assert torch.equal(value, theirs[name]), name
        else:
            assert name in start.record["fresh"]


@pytest.mark.parametrize("classes", [("malignant",), ("mass", "calcification"), ("benign", "malignant", "mass")])
def test_other_classes_keep_the_trunk(
    trained_run: Path,
    tiny_config: TrainConfig,
    theirs: dict[str, torch.Tensor],
    classes: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also where there are as many: their heads mean something else."""
    with caplog.at_level(logging.INFO):
        state, start = filled(trained_run, tiny_config.network.model_copy(update={"classes": classes}))
    fresh = set(start.record["fresh"])
    assert fresh == {name for name in state if "head" in name or name.startswith("fusion.")}
    assert all(torch.equal(value, theirs[name]) for name, value in state.items() if name not in fresh)
    assert not any(torch.equal(state[name], theirs[name]) for name in fresh if state[name].shape == theirs[name].shape)
    assert f"{len(state) - len(fresh)} of {len(state)} tensors are taken" in caplog.text


def test_what_does_not_fit_is_refused(
    trained_run: Path, tiny_config: TrainConfig, tiny_gmic: Callable[..., Path]
) -> None:
    with pytest.raises(CheckpointError, match=r"is of the model gmic\. Expected one of glam"):
        filled(tiny_gmic(1), tiny_config.network)
    with pytest.raises(CheckpointError, match="nothing is taken: no tensor fits nothing"):
        filled(trained_run, tiny_config.network, parts=["nothing.*"])
    local = tiny_config.network.local_module.model_copy(update={"widths": (6,)})  # type: ignore[attr-defined]
    wider = tiny_config.network.model_copy(update={"local_module": local})
    with pytest.raises(CheckpointError, match=r"(?s)local_module\.trunk.* is \(.*\), here \(.*init\.parts"):
        filled(trained_run, wider)
    filled(trained_run, wider, parts=[TRUNK])
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        filled(trained_run / "logs", tiny_config.network)


@pytest.mark.parametrize("kept", ["frozen", "batch_norm"])
def test_what_is_taken_stays_as_it_is(
    trained_run: Path,
    phantom_study: Manifest,
    tiny_config: TrainConfig,
    theirs: dict[str, torch.Tensor],
    tmp_path: Path,
    kept: str,
) -> None:
    """Through all stages: weights to the last bit; frozen batch norms with their statistics."""
    once = {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()}
    init = InitConfig(checkpoint=str(trained_run), parts=(TRUNK,), train=kept)  # type: ignore[arg-type]
    config = tiny_config.model_copy(update={"stages": once, "init": init, "seed": 5})
    result = train(config, phantom_study, tmp_path / "run", CPU, cache_folder=trained_run / "cache")
    checkpoint = open_checkpoint(result.checkpoint)
    state = checkpoint.read_weights()
    changed = {name for name, value in state.items() if not torch.equal(value, theirs[name])}
    trunk = {name for name in changed if name.startswith("global_module.trunk.")}
    if kept == "frozen":
        assert not trunk
    else:
        norms = {name for name in state if name.startswith("global_module.trunk.") and state[name].ndim <= 1}
        assert trunk
        assert trunk <= norms, "convolutions stay"
    assert {"local_module.head.weight", "global_module.heads.0.weight"} <= changed
    assert checkpoint.provenance["init"]["checkpoint_sha256"] == open_checkpoint(trained_run).sha256
    assert checkpoint.provenance["init"]["frozen"] > 0
    assert len(Domain.model_validate(checkpoint.trained_on).patients) == 2, "its own, and those of the start"
    assert checkpoint.provenance["training"]["init"]["parts"] == [TRUNK]


def test_a_trunk_from_imagenet_some_of_it_frozen(
    trained_run: Path, phantom_study: Manifest, tiny_config: TrainConfig, tmp_path: Path
) -> None:
    """The local trunk is a ResNet; what is frozen is at the end as the file has it, the rest has learned."""
    generator = torch.Generator().manual_seed(7)
    trunk = build_model("glam", tiny_config.network).local_module.trunk
    state = {
        name.replace("groups.0", "layer1"): torch.rand(value.shape, generator=generator) + 0.1
        for name, value in trunk.state_dict().items()
        if value.is_floating_point()
    } | {name.replace("groups.0", "layer1"): v for name, v in trunk.state_dict().items() if not v.is_floating_point()}
    torch.save(state, tmp_path / "resnet.pth")
    changes = {
        "stages": {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()},
        "pretrained": {"local_module": str(tmp_path / "resnet.pth")},
        "frozen": ("local_module.trunk.conv1.*", "local_module.trunk.bn1.*"),
    }
    config = tiny_config.model_copy(update=changes)
    result = train(config, phantom_study, tmp_path / "run", CPU, cache_folder=trained_run / "cache")
    weights = open_checkpoint(result.checkpoint).read_weights()
    for name, value in state.items():
        ours = weights["local_module.trunk." + name.replace("layer1", "groups.0")]
        if value.is_floating_point():
            assert torch.equal(ours, value) == name.startswith(("conv1", "bn1")), name
    torch.save({name: value + 1 for name, value in state.items()}, tmp_path / "resnet.pth")
    with pytest.raises(TrainingError, match="another configuration"):
        train(config, phantom_study, tmp_path / "run", CPU, cache_folder=trained_run / "cache")


@pytest.mark.parametrize(("changes", "told"), [
    ({"pretrained": {"fusion": "some.pth"}}, r"pretrained\.fusion: Glam has no such part.*global_module or local_module"),
    ({"pretrained": {"local_module": "some.pth"}}, "some.pth: no such file"),
    ({"frozen": ("locl_module.*",)}, "no parameter of Glam fits 'locl_module"),
])  # fmt: skip
def test_a_part_or_file_or_pattern_that_is_not_there(
    trained_run: Path,
    phantom_study: Manifest,
    tiny_config: TrainConfig,
    tmp_path: Path,
    changes: dict[str, Any],
    told: str,
) -> None:
    with pytest.raises(CheckpointError, match=told):
        train(
            tiny_config.model_copy(update=changes),
            phantom_study,
            tmp_path / "run",
            CPU,
            cache_folder=trained_run / "cache",
        )


def test_a_stage_with_nothing_to_train(
    trained_run: Path, phantom_study: Manifest, tiny_config: TrainConfig, tmp_path: Path
) -> None:
    config = tiny_config.model_copy(update={"init": InitConfig(checkpoint=str(trained_run), train="frozen")})
    with pytest.raises(TrainingError, match=r"stage global: everything that it trains is kept.*init\.parts"):
        train(config, phantom_study, tmp_path / "run", CPU, cache_folder=trained_run / "cache")


def test_the_command_starts_from_a_checkpoint(
    trained_run: Path,
    phantom_study: Manifest,
    tiny_gmic: Callable[..., Path],
    tmp_path: Path,
    command: Callable[..., Any],
) -> None:
    """Of the wrong model: refused before anything is written."""
    options = ("--recipe", "glam_small", "--manifest", phantom_study.path, "--out", tmp_path / "run")
    done = command("train", *options, "--init", tiny_gmic(1), "--set", "init.train=batch_norm")
    assert done.code == 1
    done.says("is of the model gmic. Expected one of glam")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("channels_in", [1, 3])
@pytest.mark.parametrize("name", ["resnet_cam", "resnet_1x1", "deep_mil", "rgp_ggp"])
def test_imagenet_weights_for_the_trunk_of_a_whole_image(name: str, channels_in: int, tmp_path: Path) -> None:
    """A gray image gives what it gives as a colour image, however many channels the first layer has."""
    torch.manual_seed(0)
    published = ResNet((1, 1), (4, 6), (1, 2)).eval()
    names = {f"layer{i + 1}": f"groups.{i}" for i in (0, 1)} | {"downsample": "shortcut"}
    state = published.state_dict()
    for theirs, ours in names.items():
        state = {key.replace(ours, theirs): value for key, value in state.items()}
    torch.save(state | {"fc.weight": torch.rand(2, 6)}, tmp_path / "resnet.pth")
    config = load_model_plugin(name).TINY.model_copy(update={"channels_in": channels_in})
    model = build_model(name, config)
    [trunk] = pretrained_trunks({"trunk": str(tmp_path / "resnet.pth")}, model)
    trunk.fill(model)
    image = torch.randn(2, 1, 96, 64)
    with torch.inference_mode():
        h_BDhw = model.eval().look(image)  # type: ignore[operator]
        torch.testing.assert_close(h_BDhw, published(image.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)
