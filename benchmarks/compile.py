"""Whether torch.compile makes training steps faster: time of a step with compiled trunks over that of a step as it is.

    python benchmarks/compile.py [--recipes cam_film glam_small gmic_small] [--images 4] [--repeats 8] [--device cpu]

Both arms take turns on the same images in one process; the ratio is the median of the pairs. Below 1 compiling gains, once the
first step, which compiles, is made up for.
"""

import argparse
import time
from statistics import median

import torch
from torch import nn

from mammoseg.models import build_model, load_model_plugin
from mammoseg.nn.contract import Batch
from mammoseg.nn.layout import use_channels_last
from mammoseg.training.config import TrainConfig
from mammoseg.training.fit import resolve_precision
from mammoseg.training.recipes import load_recipe


def compiled(model: nn.Module) -> nn.Module:
    for name, module in model.named_modules():
        if name.endswith("trunk"):
            module.compile()
    return model


def measure(config: TrainConfig, images: int, repeats: int, device: torch.device) -> str:
    learning = load_model_plugin(config.model).LEARNING
    stage = learning.stages_of(config.network)[0]
    torch.manual_seed(0)
    arms = [build_model(config.model, config.network).train().to(device) for _ in range(2)]
    for model in arms:
        use_channels_last(model)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in stage.trained_parameters(model))
    image_BCHW = torch.randn(images, 1, *config.prep.window, device=device)
    label_BK = (torch.arange(images * 2, device=device).reshape(-1, 2) % 2).float()[:, : len(config.network.classes)]
    half = resolve_precision(config.precision, device) == "bf16-mixed"

    def seconds(model: nn.Module) -> float:
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            losses = stage.step(model, Batch(image_BCHW, label_BK), config.objective, True).losses
        torch.stack(list(losses.values())).sum().backward()
        model.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    plain, fast = arms[0], compiled(arms[1])
    seconds(plain)
    first = seconds(fast)
    pairs = [(seconds(plain), seconds(fast)) for _ in range(repeats)]
    ratio = median(b / a for a, b in pairs)
    return f"{ratio:.2f} of {median(a for a, _ in pairs):.2f} s; first step {first:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["cam_film", "glam_small", "gmic_small"])
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    for recipe in given.recipes:
        print(recipe, measure(load_recipe(recipe), given.images, given.repeats, torch.device(given.device)), flush=True)


if __name__ == "__main__":
    main()
