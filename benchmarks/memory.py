"""Peak memory and time of training steps at published size, with and without `recompute`.

    python benchmarks/memory.py [--recipes glam_paper gmic_paper] [--recompute 0 1] [--steps 1] [--images 1] [--rate 1e-4]
                                [--precision 32] [--device cpu]

Each arm is a process of its own: the first stage of the recipe, of a model of single views, on random images of 2944 x 1920 pixels
with a malignant lesion, as label, mask and box. Two steps show whether the loss falls; images are the same in every step.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import torch
from torch import Tensor

from mammoseg.models import build_model, load_model_plugin
from mammoseg.nn.contract import Batch
from mammoseg.nn.layout import use_channels_last
from mammoseg.nn.recompute import recompute_blocks
from mammoseg.training.config import TrainConfig
from mammoseg.training.recipes import load_recipe

GIB = 2**30
LESION = (1000.0, 600.0, 1200.0, 800.0)
"""Its box in pixels of the window: top, left, bottom, right."""


def measure(config: TrainConfig, recompute: bool, given: argparse.Namespace) -> dict[str, object]:
    torch.manual_seed(0)
    device, learning = torch.device(given.device), load_model_plugin(config.model).LEARNING
    model, stage = build_model(config.model, config.network).to(device), learning.stages_of(config.network)[0]
    use_channels_last(model)
    if recompute:
        recompute_blocks(model)
    trained = set(stage.trained_parameters(model))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trained)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=given.rate)
    image_BCHW = torch.randn(given.images, 1, *config.prep.window, device=device)
    batch = with_lesion(image_BCHW)
    if stage.precomputes is not None:
        with torch.no_grad():
            batch = batch._replace(features=stage.precomputes(model.eval(), image_BCHW))
    began, losses = time.perf_counter(), []
    for _ in range(given.steps):
        with torch.autocast(device.type, torch.bfloat16, enabled=given.precision == "bf16"):
            loss = torch.stack(list(stage.step(model.train(), batch, config.objective, True).losses.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 4))
    seconds = (time.perf_counter() - began) / given.steps
    on_cpu = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    peak = on_cpu if device.type == "cpu" else torch.cuda.max_memory_allocated()
    return {"peak GiB": round(peak / GIB, 2), "s a step": round(seconds, 1), "losses": losses}


def with_lesion(image_BCHW: Tensor) -> Batch:
    """All that models may learn from, of benign and malignant."""
    count, (top, left, bottom, right) = len(image_BCHW), map(int, LESION)
    mask_BKHW = image_BCHW.new_zeros(count, 2, *image_BCHW.shape[-2:])
    mask_BKHW[:, 1, top:bottom, left:right] = 1
    boxes = ({"benign": (), "malignant": (LESION,)},) * count
    return Batch(image_BCHW, image_BCHW.new_tensor([[0.0, 1.0]] * count), mask_BKHW=mask_BKHW, boxes=boxes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["glam_paper", "gmic_paper"])
    parser.add_argument("--recompute", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--precision", choices=["32", "bf16"], default="32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--arm", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        print(json.dumps(measure(load_recipe(given.recipes[0]), bool(given.recompute[0]), given)))
        return
    for recipe in given.recipes:
        for recompute in given.recompute:
            arm = ["--arm", "--recipes", recipe, "--recompute", str(recompute), "--steps", str(given.steps)]
            arm += ["--images", str(given.images), "--rate", str(given.rate), "--device", given.device]
            arm += ["--precision", given.precision]
            found = subprocess.run([sys.executable, __file__, *arm], check=True, capture_output=True, text=True).stdout
            print(recipe, "with recompute" if recompute else "as it is", json.loads(found), flush=True)


if __name__ == "__main__":
    main()
