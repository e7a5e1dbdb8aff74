"""Everything that the documents tell users to type works: every block of shell and of Python is run, every option exists.

What users bring is replaced by small synthetic files of the same names (`desk`). What takes long is made short (SHORTER); what
cannot be short is parsed only (PARSED).
"""

import json
import os
import pickle
import re
import runpy
import shlex
import shutil
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import nibabel
import nrrd
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torch.distributed.run import get_args_parser
from typer.main import get_command

from mammoseg.models import build_model
from mammoseg.models.gmic import published as gmic

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

SET_UP = ("python3 -m venv", ".venv/bin/", "bash .ci/run")
"""Lines that make the environment: continuous integration runs them (tests/test_architecture.py)."""
PARSED = (
    "mammoseg serve",  # runs until it is stopped; tests/reviewer starts it
    "mammoseg combine",  # needs another system; tests/test_combine.py runs it
    "mammoseg study",  # hours; tests/study/test_work.py runs a small one
    "mammoseg demo",  # minutes; tests/test_demo.py runs it on less
    "mammoseg calibrate",  # needs 20 patients of each kind; tests/cli/test_calibrate.py runs it
    "mammoseg predict --checkpoint run --calibration",
    "mammoseg predict --checkpoint run --manifest site_b.csv",
    "mammoseg adapt mini_mias",  # the synthetic tree has too few patients for a split
    "mammoseg train --recipe my_lab.recipes.toy",  # tests/recipes/test_contract.py runs it
    "mammoseg train --recipe gmic_paper",  # days on a GPU; and what needs its results
    "mammoseg search --recipe gmic_paper",
    "mammoseg predict --checkpoint search/ensemble",
    "mammoseg evaluate --predictions predictions --manifest search/",
    "mammoseg evaluate --predictions single/1",
    "mammoseg train --recipe cam_film",  # needs ImageNet weights
    "mammoseg evaluate --predictions run/predictions",
    "mammoseg reader-study predictions_review",  # needs readers; tests/reader_study/test_verdicts.py has some
    "mammoseg compare metrics other_metrics",  # needs a second model
    "mammoseg compare k1 k3 --out k1_k3 --margin",  # needs what the block before has written
    "mammoseg import-annotations --format dicom",  # tests/ingest/annotations makes such objects
)
TINY = {
    "network": {
        "global_module": {"widths": [4, 4, 8, 8, 16], "strides": [1, 2, 1, 2, 2]},
        "local_module": {"blocks": [1], "widths": [8], "strides": [1]},
        "patch_px": 32,
        "student": {"widths": [4, 6]},
    },
    "prep": {"window": [96, 64], "pixel_mm": 2.24, "opening_px": 3, "buffer_px": 2},
    "augment": {"location_px": [4, 4], "size_px": 4},
    "stages": {name: {"epochs": 1, "batch_size": 8} for name in ("global", "local", "joint", "student")},
}
SHORTER = {
    "prepare --recipe glam_small": "prepare --recipe glam_small --config tiny.yaml",
    "train --recipe glam_small": "train --recipe glam_small --config tiny.yaml",
    "train --recipe glam_film": "train --recipe glam_film --config tiny.yaml --set prep.background=zero",
    'mammoseg.load_recipe("glam_small")': "with_overrides(mammoseg.load_recipe('glam_small'), Path('tiny.yaml'))",
    "phantom --exams 200 --out study": "phantom --exams 10 --out study",
    "recipe patch_densenet_small": "recipe patch_densenet_small --set stages.patches.epochs=1",
    "recipe gmic_heatmap_small": "recipe gmic_heatmap_small --set stages.joint.epochs=1",
    "mammoseg evaluate": "mammoseg evaluate --bootstrap 20",
    "mammoseg reader-study": "mammoseg reader-study --bootstrap 0",
}
"""What a document says -> what is run."""
BROUGHT = {"/data/export": "dicoms"}
"""What a document says -> where it lies on the desk."""

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
CODES = {"adapt": (0, 3)}
"""Exit codes where not only 0 is right: a synthetic data set has fewer images than were published."""
VIEWS = (("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO"))


class Block(NamedTuple):
    """What stands between two fences."""

    document: Path
    line: int
    kind: str
    text: str


def blocks(*kinds: str) -> list[Block]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in re.finditer(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            found.append(Block(document, text[: match.start()].count("\n") + 1, match[1], match[2]))
    return [block for block in found if block.kind in kinds]


def name_of(block: Block) -> str:
    return f"{block.document.name}:{block.line}"


def lines_of(text: str) -> list[str]:
    """The commands of a block; "# or" before one says that it stands in the place of those above."""
    joined = re.sub(r" *\\\n *", " ", text)
    return [line for line in joined.splitlines() if line.strip() and not re.match(r"\s*#(?! or)", line)]


def inline_commands() -> list[tuple[str, str]]:
    """(document, command) of every `mammoseg VERB ...` within a text."""
    found = []
    for document in DOCUMENTS:
        text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        found += [(document.name, " ".join(match.split())) for match in re.findall(r"`(mammoseg [a-z][^`]*)`", text)]
    return sorted(set(found))


def verbs() -> dict[str, click.Command]:
    from mammoseg.cli.app import app

    group: Any = get_command(app)
    return dict(group.commands)


def options_of(verb: click.Command) -> set[str]:
    return {name for parameter in verb.params for name in (*parameter.opts, *parameter.secondary_opts)}


def parse(line: str) -> None:
    """That the verb and its options exist, and that nothing required is missing."""
    name, *arguments = shlex.split(line)[1:]
    verb = verbs()[name]
    given, _, _ = verb.make_parser(click.Context(verb)).parse_args(arguments)
    assert {parameter.name for parameter in verb.params if parameter.required} <= given.keys()


@pytest.mark.parametrize(("document", "command"), inline_commands())
def test_commands_in_the_text_have_the_options_that_there_are(document: str, command: str) -> None:
    _, verb, *arguments = shlex.split(command)
    assert {word for word in arguments if word.startswith("--")} <= options_of(verbs()[verb]) | {"--help"}


def test_every_option_that_is_mentioned_exists() -> None:
    known = {name for verb in verbs().values() for name in options_of(verb)} | {"--help", "--version"}
    known |= {name for script in ROOT.glob("benchmarks/*.py") for name in OPTION.findall(script.read_text())}
    known |= {name for action in get_args_parser()._actions for name in action.option_strings}  # of torchrun
    for document in DOCUMENTS:
        for code in re.findall(r"`([^`\n]*)`", document.read_text(encoding="utf-8")):
            assert set(OPTION.findall(code)) <= known, f"{document.name}: {code}"


def test_every_file_that_is_mentioned_exists() -> None:
    for document in DOCUMENTS:
        for name in re.findall(
            r"\b(?:examples|benchmarks|tests|docs)/(?!a/)[\w/.-]+\.(?:py|md|png)", document.read_text()
        ):
            assert (ROOT / name).is_file(), f"{document.name}: {name}"


@pytest.fixture(scope="module")
def brought(
    phantom_study: Any,
    trained_run: Path,
    write_mammogram: Callable[..., Path],
    published: Callable[..., Path],
    mammoseg: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What users have when they begin to type; in folders called like documents, what these alone tell of."""
    folder = tmp_path_factory.mktemp("brought")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    (folder / "bright.txt").write_text("2.0")
    write_mammogram(folder / "image.dcm", "L", "CC", ImagerPixelSpacing=[1.5, 1.5])
    shutil.copytree(phantom_study.path.parent, folder / "study")
    table = pd.read_csv(phantom_study.path, dtype=str, keep_default_na=False)
    for column in ("path", "benign_mask", "malignant_mask"):
        table[column] = [f"study/{name}" if name else "" for name in table[column]]
    table.to_csv(folder / "images.csv", index=False)
    shutil.copytree(trained_run, folder / "run")
    shutil.copytree(
        ROOT / "tests" / "plugins" / "my_lab", folder / "my_lab", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    for number in range(12):
        for side, view in VIEWS:
            about = {"PatientID": f"P{number}", "StudyInstanceUID": f"1.2.{number}", "ImagerPixelSpacing": [1.5, 1.5]}
            write_mammogram(folder / "dicoms" / str(number) / f"{side}{view}", side, view, **about)
    breasts = pd.DataFrame([(f"P{n}", side, 0, (n + (side == "L")) % 3 == 0) for n in range(12) for side in "LR"])
    breasts.columns = pd.Index(["patient_id", "laterality", "benign", "malignant"])
    breasts.astype({"malignant": int}).to_excel(folder / "labels.xlsx", index=False)
    for name, root in (("cbis_ddsm", "CBIS-DDSM"), ("mini_mias", "MIAS")):
        published(name, folder / root)
    for place in (folder / "README.md", folder / "sample_data"):
        exam_list(place)
    weights(folder / "sample_model_1.p")
    films(folder / "scan.md")
    readings(folder / "reader_study.md")
    scores(folder / "evaluate.md")
    drawings(folder)
    predictions = folder / "exam_list.md" / "predictions"
    study = ("--manifest", phantom_study.path, "--no-overlays")
    assert mammoseg("predict", "--checkpoint", trained_run, *study, "--out", predictions).code == 0
    shutil.copyfile(folder / "images.csv", folder / "exam_list.md" / "manifest.csv")
    for place in ("CONTRIBUTING.md/predictions", "compare.md/predictions_k1", "compare.md/predictions_k3"):
        shutil.copytree(predictions, folder / place)
    cases = folder / "CONTRIBUTING.md" / "cases"
    shutil.copytree(phantom_study.path.parent / "images", cases)
    pictures = [name for path in cases.iterdir() if (name := path.name).startswith("p00001")]
    lines = [f"{name},1,{name[7]},{name[9:-4]},0" for name in pictures]
    (cases / "cases.csv").write_text("\n".join(["picture,patient,side,view,cancer", *lines]))
    return folder


def exam_list(folder: Path) -> None:
    """As the published software has it: a list, images, masks."""
    for name in ("images", "segmentation"):
        (folder / name).mkdir(parents=True)
    rows, columns = np.mgrid[:1600, :1200]
    breast = np.where(((rows - 800) / 700) ** 2 + (columns / 900) ** 2 <= 1, 900 + rows % 500, 0).astype(np.uint16)
    cv2.imwrite(str(folder / "images" / "0_L-CC.png"), breast)
    exam = {"horizontal_flip": "NO", "L-CC": ["0_L-CC"], "cancer_label": {"left_malignant": 1}}
    (folder / "exam_list_before_cropping.pkl").write_bytes(pickle.dumps([exam]))


def weights(file: Path) -> None:
    """Those of the published GMIC by names and sizes."""
    [kind, *_] = gmic.PUBLISHED
    with torch.device("meta"):
        ours = build_model("gmic", kind.config).state_dict()
    floats = {name: torch.full(value.shape, 0.01) for name, value in ours.items() if value.is_floating_point()}
    state = {kind.published_name(name): floats.get(name, torch.zeros(())) for name in ours}
    torch.save(
        OrderedDict(state) | {"shared_rep_filter.weight": torch.zeros(1)}, file, _use_new_zipfile_serialization=False
    )


def films(folder: Path) -> None:
    """Pictures: some whose names tell side and view, and some of which only the table knows."""
    rows: list[dict[str, object]] = []
    for number, (side, view) in enumerate(VIEWS * 2):
        picture = np.zeros((300, 240), np.uint16)
        picture[20:280, 5:150] = 1000 + number + 10 * np.arange(260)[:, None]
        shown = picture if side == "L" else picture[:, ::-1]
        word, patient = {"L": "left", "R": "right"}[side], f"P00{number // 4}"
        for name in (f"films/{patient} {word} {view.lower()}.png", f"images/{number}.png"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / name), shown)
        found = ("cancer", "benign lesion", "normal")[number % 3]
        rows.append({"Patient": patient, "Side": word, "Finding": found if view == "CC" else "", "BIRADS": 2})
        rows[-1] |= {"file": f"{number}.png", "side": side, "view": view, "cancer": int(side == "L")}
    table = pd.DataFrame(rows)
    breasts = table[["Patient", "Side", "Finding", "BIRADS"]]
    breasts[breasts["Finding"] != ""].to_excel(folder / "labels.xlsx", index=False)
    about = table[["file", "side", "view", "cancer"]].assign(patient_id=table["Patient"])
    about.to_csv(folder / "labels.csv", index=False)


def readings(folder: Path) -> None:
    """Scores of two readers on twelve patients, in the tables of three studies."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 3 == 0
    table = pd.DataFrame({"case_ID": np.arange(24) // 2, "side": [*"LR"] * 12, "label": labels.astype(int)})
    for name in ("Reader01_POM", "Reader02_POM", "AI_GMIC_POM"):
        table[name] = 0.3 * labels + 0.7 * rng.random(24)
    table.to_csv(folder / "results.csv", index=False)
    names = {f"{reader}_{way}": 100 * rng.random(24) for reader in "AB" for way in ("alone", "aided")}
    table[["case_ID", "side", "label"]].assign(**names).to_csv(folder / "paired.csv", index=False)
    rows = table.melt(["case_ID", "side", "label"], var_name="reader", value_name="score")
    rows["reader"] = rows["reader"].str.replace("AI_GMIC_POM", "net")
    rows.rename(columns={"case_ID": "case"}).to_csv(folder / "readings.csv", index=False)


def scores(folder: Path) -> None:
    """Scores of two models on two views of sixty breasts, as tables of several kinds."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    number = np.arange(120)
    truth = number // 2 % 3 == 0
    table = pd.DataFrame(
        {"pid": number // 4, "exam": number // 4, "side": np.where(number // 2 % 2, "R", "L"), "file": number}
    )
    table = table.assign(truth=truth.astype(int), age=40 + number // 4, density=np.where(number % 8 < 4, "B", "C"))
    table = table.assign(vendor=np.where(number % 12 < 4, "x", "y"), lesion=np.where(truth, "mass", ""))
    for name in ("p_malignant", "p_other"):
        table[name] = (0.3 * truth + 0.7 * rng.random(120)).round(3)
    table.to_csv(folder / "scores.csv", index=False)
    for name, part in (("fold_1", number < 60), ("fold_2", number >= 60), ("val", number < 60), ("test", number >= 60)):
        table[part].to_csv(folder / f"{name}.csv", index=False)
    biopsy = np.where(truth, "cancer", np.where(number % 10 == 0, "not done", "benign"))
    found = table[["pid"]].assign(biopsy=biopsy, score=100 * table["p_malignant"])
    found.to_excel(folder / "readings.xlsx", index=False)
    table.rename(columns={"p_malignant": "p"})[["file", "p"]].to_csv(folder / "predictions.csv", index=False)
    labels = table.rename(columns={"file": "image", "pid": "patient", "truth": "cancer"})
    labels[["image", "patient", "cancer"]].to_excel(folder / "truth.xlsx", index=False)


def drawings(folder: Path) -> None:
    """A square on an image with a benign finding, in the files of several tools."""
    path = Path(pd.read_csv(folder / "images.csv").query("benign == 1")["path"].iloc[0])
    height, width = cv2.imread(str(folder / path), cv2.IMREAD_UNCHANGED).shape
    square = [[20, 30], [60, 30], [60, 70], [20, 70]]
    places = ("segmentations", "labels/final", "labels/train", "drawn")
    slicer, monai, yolo, labelme = (folder / "annotations.md" / place for place in places)
    for place in (slicer, monai, yolo, labelme):
        place.mkdir(parents=True)
    indexed = np.zeros((width, height, 1), np.uint8)
    indexed[20:60, 30:70] = 2
    named = {"Segment0_ID": "1", "Segment0_Name": "benign", "Segment0_LabelValue": "2", "Segment0_Layer": "0"}
    nrrd.write(str(slicer / f"{path.stem}.seg.nrrd"), indexed, named)
    nibabel.save(nibabel.Nifti1Image(indexed, np.diag([-1, -1, 1, 1])), monai / f"{path.stem}.nii.gz")
    (yolo / f"{path.stem}.txt").write_text("0 0.4 0.5 0.2 0.2")
    (yolo.parent / "classes.txt").write_text("benign")
    shape = {"label": "benign", "shape_type": "polygon", "points": square}
    (labelme / f"{path.stem}.json").write_text(json.dumps({"imagePath": path.name, "shapes": [shape]}))
    coco = {
        "images": [{"id": 1, "file_name": path.name, "height": height, "width": width}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[20, 30, 60, 30, 60, 70, 20, 70]]}],
        "categories": [{"id": 1, "name": "benign"}],
    }
    (folder / "annotations.json").write_text(json.dumps(coco))
    (folder / "circles.csv").write_text(f"picture,what,x,y,radius\n{path.name},benign,40,50,20")


@pytest.fixture
def desk(brought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """`desk("README.md")`: a new folder with what was brought, which becomes the working directory."""
    numbers = iter(range(100))

    def lay(document: str) -> Path:
        place = tmp_path / str(next(numbers))
        shutil.copytree(brought, place, copy_function=os.link)
        if (place / document).is_dir():
            shutil.copytree(place / document, place, dirs_exist_ok=True)
        monkeypatch.chdir(place)
        return place

    return lay


def clear(desk: Path, text: str) -> Path:
    """What the commands are going to write is not there yet."""
    lines = "\n".join(line for line in lines_of(text) if not line.startswith(PARSED))
    for name in re.findall(r"--out (\S+)", lines) + re.findall(r'= (?:mammoseg\.)?train\(.*Path\("(\w+)"\)', lines):
        if (desk / name).is_dir():
            shutil.rmtree(desk / name)
        (desk / name).unlink(missing_ok=True)
    return desk


def short(text: str) -> str:
    for said, run in {**SHORTER, **BROUGHT}.items():
        text = text.replace(said, run)
    return text


@pytest.mark.parametrize("block", blocks("sh"), ids=name_of)
def test_what_is_to_be_typed_works(block: Block, desk: Callable[[str], Path], command: Callable[..., Any]) -> None:
    here = clear(desk(block.document.name), block.text)
    for line in lines_of(block.text):
        if line.startswith("# or"):
            clear(desk(block.document.name), block.text)
        elif line.startswith(PARSED):
            parse(line)
        elif not line.startswith(SET_UP):
            program, *arguments = shlex.split(short(line), comments=True)
            assert program == "mammoseg", line
            done = command(*arguments)
            assert done.code in CODES.get(arguments[0], (0,)), f"{line}\n{done.out}{done.err}"
            os.chdir(here)


@pytest.mark.parametrize("block", blocks("python"), ids=name_of)
def test_python_works(block: Block, desk: Callable[[str], Path]) -> None:
    place = desk(block.document.name)
    if named := re.match(r"# (my_lab/\S+)\n", block.text):
        assert block.text.removeprefix(named[0]) == (ROOT / "tests" / "plugins" / named[1]).read_text(encoding="utf-8")
        return
    clear(place, block.text)
    (place / "script.py").write_text(f"from mammoseg.config import with_overrides\n{short(block.text)}")
    runpy.run_path("script.py", run_name="__main__")
