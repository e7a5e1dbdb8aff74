"""Fixtures for every test: reference data next to the checkout (skipped where missing), a tiny study, a run on it, the
command as a user calls it.

mammoseg is imported inside the fixtures: the shape checks in tests must be set up before its modules are loaded.
"""

import itertools
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "steady", deadline=None, derandomize=True
)  # a busy machine fails no test, nor does chance
hypothesis.settings.load_profile("steady")

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: as many processes as cores have one each

if TYPE_CHECKING:
    from mammoseg.data.manifest import ImageRow, Manifest
    from mammoseg.inference.predictor import Predictor
    from mammoseg.prep.pipeline import Prepared
    from mammoseg.records.prediction import Prediction
    from mammoseg.training.config import TrainConfig

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared"
COMMAND = Path(sys.executable).with_name("mammoseg")


class Done(NamedTuple):
    """What is left of a command."""

    code: int
    out: str
    err: str
    """Standard error and the log."""

    def says(self, *parts: str) -> None:
        for part in parts:
            assert part in self.out + self.err


@pytest.fixture(scope="session")
def of_window() -> "Callable[[Predictor, Prepared, ImageRow], Prediction]":
    """A function that predicts a window that is prepared already."""
    from mammoseg.inference.predictor import Loaded

    def predict(predictor: "Predictor", prepared: "Prepared", row: "ImageRow") -> "Prediction":
        no: Any = SimpleNamespace(reading=(), source=None)
        return predictor.predict_unit([Loaded(row, no, no, prepared)])[0]

    return predict


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the reference data (specification tables, golden outputs, research images)."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference data at {SHARED}")
    return SHARED


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command's entry point takes signals for good."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def phantom_study(tmp_path_factory: pytest.TempPathFactory) -> "Manifest":
    """12 phantom exams of four images with 208 x 160 pixels: 7 to train, 2 to validate, 3 to test."""
    from mammoseg.data.manifest import load_manifest
    from mammoseg.ingest.synthetic import write_study
    from mammoseg.phantom.config import PhantomConfig

    config = PhantomConfig.small(rows=208, columns=160, pixel_mm=1.12)
    return load_manifest(write_study(tmp_path_factory.mktemp("study"), 12, config, 0, (0.6, 0.2, 0.2)))


@pytest.fixture(scope="session")
def tiny_config() -> "TrainConfig":
    """GLAM on 96 x 64 windows with patches of 32 pixels, two epochs per stage: about a second in all."""
    from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig, ObjectiveConfig
    from mammoseg.prep.config import PrepConfig
    from mammoseg.training.config import AugmentConfig, StageConfig, TrainConfig

    network = GlamConfig(
        global_module=GlobalConfig(widths=(4, 4, 8, 8, 16), strides=(1, 2, 1, 2, 2), stem_pool=False),
        local_module=LocalConfig(blocks=(1,), widths=(8,), strides=(1,), stem_pool=False, channels_in=1),
        patch_px=32,
    )
    one_cycle = StageConfig(epochs=2, learning_rate=1e-3, batch_size=8, schedule="one_cycle")
    constant = one_cycle.model_copy(update={"schedule": "constant"})
    return TrainConfig(
        network=network,
        objective=ObjectiveConfig(reduction="mean", num_patches=2),
        prep=PrepConfig(window=(96, 64), pixel_mm=2.24, opening_px=3, buffer_px=2),
        augment=AugmentConfig(location_px=(4, 4), size_px=4),
        stages={"global": one_cycle, "local": constant, "joint": one_cycle},
    )


@pytest.fixture(scope="session")
def trained_run(
    phantom_study: "Manifest", tiny_config: "TrainConfig", tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a finished training run. Not to be changed."""
    import torch

    from mammoseg.training.run import train

    torch.set_num_threads(1)  # sums in another order give other weights
    out = tmp_path_factory.mktemp("trained") / "run"
    train(tiny_config, phantom_study, out, torch.device("cpu"))
    return out


@pytest.fixture(scope="session")
def tiny_gmic(tiny_config: "TrainConfig", tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`tiny_gmic(1, "num_patches=2", pixel_mm=None)`: a checkpoint folder of a GMIC for 96 x 64 windows.

    With the random weights of a seed, settings of the network, and what differs from the preparation of `tiny_config`.
    """
    import torch

    from mammoseg.config import with_overrides
    from mammoseg.models import build_model
    from mammoseg.models.gmic.config import GlobalConfig, GmicConfig, LocalConfig
    from mammoseg.nn.checkpoint import save_checkpoint

    small = GmicConfig(
        global_module=GlobalConfig(blocks=(1, 1, 1), widths=(4, 6, 10), strides=(1, 2, 2), stem_pool=False, top_t=0.1),
        local_module=LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2), stem_pool=False, channels_in=1),
        patch_px=16,
        num_patches=3,
    )

    def save(seed: int, *sets: str, **prep: Any) -> Path:
        network = with_overrides(small, sets=sets)
        torch.manual_seed(seed)
        model, prepared = build_model("gmic", network), tiny_config.prep.model_copy(update=prep)
        plain = [config.model_dump(mode="json") for config in (network, prepared)]
        return save_checkpoint(tmp_path_factory.mktemp("gmic"), "gmic", model, *plain, {})

    return save


@pytest.fixture(scope="session")
def write_mammogram() -> Callable[..., Path]:
    """`write_mammogram(path, "L", "CC", PatientID="7", pixels=...)`: a DICOM file as a machine would write it.

    A breast of 160 x 128 pixels on a background of 0, which lies at the left border for L. Every keyword is an element;
    None takes it out. Files differ in their pixels unless `tone` is the same.
    """
    import numpy as np
    from pydicom import Dataset, uid
    from pydicom.dataset import FileMetaDataset

    tones = itertools.count(1)

    def write(path: Path, side: str = "L", view: str = "CC", tone: int | None = None, **elements: Any) -> Path:
        rows, columns = np.mgrid[:160, :128]
        breast = ((rows - 80) / 60) ** 2 + (columns / 90) ** 2 <= 1
        plain = (np.where(breast, 500 + rows + (tone or next(tones)) % 3000, 0)).astype(np.uint16)
        pixels = elements.pop("pixels", plain if side == "L" else plain[:, ::-1])
        dataset = Dataset()
        dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
        dataset.SOPInstanceUID = uid.generate_uid()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.0"
        dataset.StudyDate, dataset.PatientID = "20240131", "P1"
        dataset.Modality, dataset.PresentationIntentType = "MG", "FOR PRESENTATION"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
        dataset.Manufacturer, dataset.ManufacturerModelName = "Maker", "Model"
        dataset.ImageLaterality, dataset.ViewPosition = side, view
        dataset.ImagerPixelSpacing = [0.1, 0.1]
        dataset.PatientOrientation = ["A", "R"] if side == "L" else ["P", "L"]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        dataset.PixelData = np.ascontiguousarray(pixels, "<u2").tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture(scope="session")
def published(write_mammogram: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`published("rsna_2022", root)`: a tiny folder of the data set, as it is published (trees.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TESTS))
        import trees

    made: dict[str, Path] = {}

    def publish(name: str, root: Path) -> Path:
        if name not in made:
            made[name] = trees.make_tree(name, tmp_path_factory.mktemp("published") / name, write_mammogram)
        return shutil.copytree(made[name], root)

    return publish


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen[str]]:
    """`start("train", "--out", ...)`: the installed command, running."""

    def start(*arguments: object) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
        call = [str(COMMAND), *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(call, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True)

    return start


@pytest.fixture(scope="session")
def mammoseg(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., Done]:
    """`mammoseg("train", "--out", ...)`: the installed command, until it ends."""

    def run(*arguments: object) -> Done:
        process = start(*arguments)
        out, err = process.communicate(timeout=120)
        return Done(process.returncode, out, err)

    return run


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[..., Done]:
    """The same, much faster, in this process. An error that has no message but a traceback fails the test."""
    from mammoseg.cli.main import main

    def run(*arguments: object) -> Done:
        caplog.clear()
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["mammoseg", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Done(stop.value.code, out, err + caplog.text)

    return run


@pytest.fixture(scope="session")
def dicom_exams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`images`, an exam of each kind of dicom_exams.py, number K of the K-th kind, and `predictions`. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TESTS))
        import dicom_exams

    folder = tmp_path_factory.mktemp("exams")
    for number, kind in enumerate(dicom_exams.KINDS):
        dicom_exams.write_exam(folder, number, kind)
    dicom_exams.finish(folder)
    return folder


@pytest.fixture(scope="session")
def new_study_in() -> Callable[[Path], Any]:
    """A function that makes a study in a folder (predicted_study.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TESTS))
        import predicted_study

    return predicted_study.Study


@pytest.fixture(scope="session")
def write_scored_study() -> Callable[..., Any]:
    """A function that makes predictions of many breasts in a folder (scored_study.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TESTS))
        import scored_study

    return scored_study.write_scored_study


@pytest.fixture(scope="session")
def scored_study(write_scored_study: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> "Manifest":
    """Its manifest, beside `predictions`. Not to be changed."""
    return write_scored_study(tmp_path_factory.mktemp("scored"))


@pytest.fixture(scope="session")
def processes() -> Callable[..., list[int | None]]:
    """`processes("train_run", [arguments of one, of another])` runs a function of killing.py in one or several processes at once;
    the exit code of each. Like torchrun, it ends those that are still there a minute after one has failed."""
    context = multiprocessing.get_context("forkserver")  # imports torch once, and has no threads when it forks
    context.set_forkserver_preload(["killing"])

    def run(what: str, arguments: list[tuple[Any, ...]]) -> list[int | None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
            patch.syspath_prepend(str(TESTS))
            import killing

            running = [context.Process(target=getattr(killing, what), args=own) for own in arguments]
            for process in running:
                process.start()
            while alive := [process for process in running if process.is_alive()]:
                ended = multiprocessing.connection.wait([process.sentinel for process in alive], timeout=60)
                if not ended and any(process.exitcode for process in running):
                    for process in alive:
                        process.terminate()
        return [process.exitcode for process in running]

    return run


@pytest.fixture(scope="session")
def dies(processes: Callable[..., list[int | None]]) -> Callable[..., None]:
    """`dies(what, arguments, target, call)` runs a function of killing.py in a process that is killed on the way."""

    def run(what: str, arguments: tuple[Any, ...], target: str, call: int) -> None:
        assert processes("killed", [(what, arguments, target, call)]) == [-signal.SIGKILL]

    return run
