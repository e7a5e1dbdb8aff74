"""What every model must keep to, whatever it is. A model that lies in models/ is tested as soon as it is there."""

from fnmatch import fnmatch

import pytest
import torch
from torch import Tensor, nn

from mammoseg.config import Config, ConfigError
from mammoseg.models import (
    MissingPackageError,
    build_model,
    check_installed,
    list_models,
    load_model_plugin,
    network_of,
    seen_by,
)
from mammoseg.nn.contract import Batch, Learning, ModelOutput, NetworkConfig, Stage

WINDOW = (96, 64)
STAGES = [
    (name, stage)
    for name in list_models()
    for plugin in [load_model_plugin(name)]
    for stage in plugin.LEARNING.stages_of(plugin.TINY)
]
every_model = pytest.mark.parametrize("name", list_models())


@pytest.fixture(autouse=True)
def installed(name: str) -> None:
    """Models that need what is not here are skipped."""
    try:
        check_installed(name)
    except MissingPackageError as error:
        pytest.skip(str(error))


every_stage = pytest.mark.parametrize(("name", "stage"), STAGES, ids=[f"{name}-{stage.name}" for name, stage in STAGES])


def small_model(name: str) -> nn.Module:
    torch.manual_seed(0)
    return build_model(name, load_model_plugin(name).TINY)


def objective(name: str) -> Config:
    return load_model_plugin(name).LEARNING.objective()  # type: ignore[no-any-return]


def images(count: int = 4) -> Tensor:
    return torch.randn(count, 1, *WINDOW, generator=torch.Generator().manual_seed(1))


def there(name: str) -> list[Tensor]:
    """Of a model of several views: all of them are there."""
    views = seen_by(name, load_model_plugin(name).TINY).views
    return [torch.ones(4 // len(views), len(views), dtype=torch.bool)] if views else []


def batch_for(name: str, model: nn.Module, stage: Stage) -> Batch:
    label_BK = torch.tensor([[0.0, 1.0], [1.0, 0.0], [float("nan"), 1.0], [0.0, 0.0]])
    corners_BP2 = None
    if stage.extracts is not None:
        with torch.no_grad():
            corners_BP2, _ = stage.extracts(model.eval(), images(), objective(name))
    mask_BKHW = torch.zeros(4, 2, *WINDOW)
    mask_BKHW[0, 1, 40:60, 30:50] = 1
    mask_BKHW[2, 0] = torch.nan
    if stage.outlines is not None:
        with torch.no_grad():
            outlines = stage.outlines(model.eval(), images(), label_BK, objective(name))
        shown = [[bool(label == 1) for label in label_K] for label_K in label_BK]
        for of_image, shown_K in zip(outlines, shown, strict=True):
            for corners_N2, is_shown in zip(of_image, shown_K, strict=True):
                assert corners_N2 is None or (is_shown and corners_N2.shape == (len(corners_N2), 2))
    features = None
    if stage.precomputes is not None:
        with torch.no_grad():
            features = stage.precomputes(model.eval(), images())
            assert len(features) == 4
    box = (40.0, 30.0, 60.0, 50.0)
    boxes = (
        {"benign": (), "malignant": (box,)},
        {"benign": (box, box)},
        {"malignant": (box,)},
        {"benign": (box,), "malignant": ()},
    )
    return Batch(
        *(images(), label_BK, corners_BP2, *there(name)),
        mask_BKHW=mask_BKHW,
        outline_BKHW=mask_BKHW,
        boxes=boxes,
        features=features,
    )


@every_model
def test_plugin(name: str) -> None:
    plugin = load_model_plugin(name)
    assert issubclass(plugin.Config, NetworkConfig)
    assert isinstance(plugin.TINY, plugin.Config)
    assert isinstance(plugin.LEARNING, Learning)
    assert plugin.Config.model_validate(plugin.Config().model_dump(mode="json")) == plugin.Config()
    assert len({stage.name for stage in plugin.LEARNING.stages}) == len(plugin.LEARNING.stages)
    assert bool(plugin.LEARNING.stages) == any(True for _ in small_model(name).parameters()), (
        "nothing to learn, no stages"
    )


@every_model
def test_the_published_network_is_the_default(name: str) -> None:
    with torch.device("meta"):
        assert isinstance(build_model(name), nn.Module)


@every_model
def test_output(name: str) -> None:
    model = small_model(name).eval()
    with torch.inference_mode():
        out: ModelOutput = model(images(), *there(name))
    assert out.y_BK.shape == (4, 2)
    assert "saliency" in out.maps
    assert all(values.ndim == 4 and values.shape[:2] == (4, 2) for values in out.maps.values())
    assert all(values.shape == (4, 2) for values in out.parts.values())
    for values in (out.y_BK, *out.maps.values(), *out.parts.values()):
        assert values.dtype == torch.float32
        assert ((values >= 0) & (values <= 1)).all()
    if out.patches is not None:
        B, P, _ = out.patches.corners_BP2.shape
        assert out.patches.y_BPK.shape == (B, P, 2)
        last = torch.tensor(WINDOW) - out.patches.size_px
        assert ((out.patches.corners_BP2 >= 0) & (out.patches.corners_BP2 <= last)).all()


@pytest.mark.parametrize("name", [name for name in list_models() if there(name)])
def test_views_that_are_not_there(name: str) -> None:
    """Those that are have a prediction, whatever is missing; it does not depend on what stands in the place of the others."""
    [all_UV] = there(name)
    model = small_model(name).eval()
    for alone in range(all_UV.shape[1]):
        there_UV = torch.zeros_like(all_UV)
        there_UV[:, alone] = True
        shown = there_UV.flatten()
        black = torch.where(shown[:, None, None, None], images(), 0.0)
        with torch.inference_mode():
            out, other = model(black, there_UV), model(images(), there_UV)
        for values in (out.y_BK[shown], out.maps["saliency"][shown]):
            assert ((values >= 0) & (values <= 1)).all()
        torch.testing.assert_close(out.y_BK[shown], other.y_BK[shown])
        torch.testing.assert_close(out.maps["saliency"][shown], other.maps["saliency"][shown])
        for part in out.parts.values():
            assert (torch.isnan(part) | ((part >= 0) & (part <= 1))).all()


@every_model
def test_mixed_precision_gives_full_precision_probabilities(name: str) -> None:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        out: ModelOutput = small_model(name).eval()(images(), *there(name))
    assert {v.dtype for v in (out.y_BK, *out.maps.values(), *out.parts.values())} == {torch.float32}


@every_model
def test_forward_is_repeatable_and_stores_nothing(name: str) -> None:
    model = small_model(name).eval()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    attributes = {key: dict(vars(module)) for key, module in model.named_modules()}
    with torch.inference_mode():
        first, second = model(images(), *there(name)), model(images(), *there(name))
    assert torch.equal(first.y_BK, second.y_BK)
    assert torch.equal(first.maps["saliency"], second.maps["saliency"])
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    for key, module in model.named_modules():
        assert vars(module).keys() == attributes[key].keys()
        assert all(vars(module)[field] is value for field, value in attributes[key].items())


@every_model
def test_forward_reads_no_values_and_moves_nothing(name: str) -> None:
    """On the meta device tensors have no values: a copy to NumPy or to the CPU raises an error."""
    model = small_model(name).eval().to("meta")
    out: ModelOutput = model(images().to("meta"), *(values.to("meta") for values in there(name)))
    assert {v.device.type for v in (out.y_BK, *out.maps.values(), *out.parts.values())} == {"meta"}


@every_model
def test_every_parameter_is_trained_by_some_stage_or_kept_in_all(name: str) -> None:
    model, learning = small_model(name), load_model_plugin(name).LEARNING
    trained = {p for stage in learning.stages for p in stage.trained_parameters(model)}
    names = {key for key, _ in model.named_parameters()}
    assert trained == {key for key in names if not any(fnmatch(key, pattern) for pattern in learning.keeps)}


@every_stage
@pytest.mark.parametrize("training", [True, False])
def test_step(name: str, stage: Stage, training: bool) -> None:
    model = small_model(name)
    batch = batch_for(name, model, stage)
    out = stage.step(model.train(training), batch, objective(name), training)
    assert out.losses
    assert all(loss.shape == () and loss.isfinite() for loss in out.losses.values())
    assert out.y_BK.shape == (4, 2)
    assert out.saliency_BKhw.shape[:2] == (4, 2)


@every_stage
def test_gradient_reaches_all_that_is_trained(name: str, stage: Stage) -> None:
    model = small_model(name)
    batch = batch_for(name, model, stage)
    out = stage.step(model.train(), batch, objective(name), True)
    torch.stack(list(out.losses.values())).sum().backward()
    parameters = dict(model.named_parameters())
    for key in stage.trained_parameters(model):
        gradient = parameters[key].grad
        assert gradient is not None, key
        assert gradient.isfinite().all(), key
        assert gradient.any(), key


@every_stage
def test_unknown_labels_teach_nothing_wrong(name: str, stage: Stage) -> None:
    model = small_model(name)
    batch = batch_for(name, model, stage)
    out = stage.step(model.train(), batch._replace(label_BK=torch.full((4, 2), float("nan"))), objective(name), True)
    assert all(loss.isfinite() for loss in out.losses.values())


@every_model
def test_an_unknown_name_is_told_from_this_one(name: str) -> None:
    with pytest.raises(ValueError, match=f"Did you mean {name}"):
        build_model(name + "x")


@every_model
def test_a_network_that_no_memory_holds_is_refused(name: str) -> None:
    if not load_model_plugin(name).LEARNING.stages:
        pytest.skip("it has no weights")
    for widths, blocks in (((16_384,) * 4, (9,) * 4), ((512, 16_384), (1, 1))):
        values = load_model_plugin(name).TINY.model_dump()
        groups = {"widths": widths, "blocks": blocks, "strides": (1,) * len(blocks)}
        has_groups = "local_module" in values
        own = {field: size for field, size in {**groups, "growth": max(widths)}.items() if field in values}
        large = {"local_module": {**values["local_module"], **groups}} if has_groups else own
        config = load_model_plugin(name).Config.model_validate({**values, **large})
        with pytest.raises(
            ConfigError, match=rf"{name}: a network .* has [\d,]+ parameters\. Expected at most 1,000,000,000"
        ):
            build_model(name, config)


@every_model
def test_checking_the_size_does_not_change_the_weights(name: str) -> None:
    plugin = load_model_plugin(name)
    torch.manual_seed(0)
    direct = plugin.build(plugin.TINY).state_dict()
    built = small_model(name).state_dict()
    assert all(torch.equal(value, built[key]) for key, value in direct.items())


@every_model
def test_settings_that_an_earlier_version_had_are_read(name: str) -> None:
    """Without effect on a prediction they are dropped; a value that is gone is told."""
    kind = load_model_plugin(name).Config
    earlier = {field: {"any": 1} if value is ... else value for field, value in kind.retired.items()}
    assert network_of(name, {**kind().model_dump(mode="json"), **earlier}, "here") == kind()
    for field, value in kind.retired.items():
        if value is not ...:
            with pytest.raises(ConfigError, match=field):
                network_of(name, {field: "of old"}, "here")
