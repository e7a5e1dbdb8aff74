"""Whether DICOM results are valid and come back from an archive as they were.

    python benchmarks/dicom_results.py OUT [--exams 100] [--pixelmed /usr/share/java/pixelmed.jar]

Exams of nine kinds (tests/dicom_exams.py) go through every exporter, and each object to the checkers that are installed: dciodvfy
(dicom3tools), dsrdump (dcmtk), DicomSRValidator (pixelmed), highdicom's readers; then to Orthanc by STOW-RS, and back by QIDO-RS
and WADO-RS (Debian's orthanc and orthanc-dicomweb; `pip install dicomweb-client`). Prints objects, errors and what they say, and
how far outlines are from where they were after the way out and back.
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import highdicom as hd
import numpy as np
from pydicom import dcmread

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from dicom_exams import KINDS, PICTURE, finish, write_exam
from mammoseg import plugins
from mammoseg.data.predictions import Predictions
from mammoseg.io.runs import load_prediction

EXPORTERS = ("dicom_seg", "dicom_sr", "dicom_cad_sr", "dicom_sc", "dicom_gsps")
REPORTS = ("dicom_sr", "dicom_cad_sr")
LIMITS = [f"-Djdk.xml.xpath{name}Limit=0" for name in ("TotalOp", "ExprOp", "ExprGrp")]
"""Of Java, which the validator's rules exceed."""
LOOP = """
public class Loop {
  public static void main(String[] paths) throws Exception {
    var validator = new com.pixelmed.validate.DicomSRValidator();
    for (String path : paths) System.out.println(validator.validate(path));
  }
}
"""
"""Its rules are compiled once: that takes longer than using them."""


def dciodvfy(paths: list[Path]) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in paths:
        told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
        found.update(line for line in told.splitlines() if line.startswith("Error"))
    return found


def dsrdump(paths: list[Path]) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in paths:
        told = subprocess.run(["dsrdump", path], capture_output=True, text=True, check=False)
        found.update(
            re.sub(r"\d+(\.\d+)+", "N", line)
            for line in told.stderr.splitlines()
            if "illegal" in line or line[:2] == "E:"
        )
    return found


def validator(paths: list[Path], jar: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "Loop.java"
        source.write_text(LOOP)
        java = ["java", *LIMITS, "-cp", str(jar), str(source), *map(str, paths)]
        told = subprocess.run(java, capture_output=True, text=True, check=True).stdout
    found.update(line for line in told.splitlines() if line.startswith("Error"))
    if left := len(paths) - told.count("IOD validation complete"):
        found["not validated"] = left
    return found


def highdicom_reads(paths: list[Path]) -> Counter[str]:
    readers = {"SEG": hd.seg.segread, "SR": hd.sr.srread}
    found: Counter[str] = Counter()
    for path in paths:
        dataset = dcmread(path)
        reader = readers.get(dataset.Modality)
        cad = dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.50"  # it has no class for these
        if reader is not None and not cad:
            try:
                reader(path)
            except (ValueError, TypeError, AttributeError) as error:
                found[str(error)] += 1
    return found


@contextmanager
def orthanc() -> Iterator[str]:
    """An archive on the loopback interface, gone afterwards; yields the address of its DICOMweb service."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = {
            "StorageDirectory": folder,
            "IndexDirectory": folder,
            "HttpPort": port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomServerEnabled": False,
            "Plugins": [str(path) for path in Path("/usr/share/orthanc/plugins").glob("libOrthancDicomWeb.so")],
            "DicomWeb": {"Enable": True},
        }
        config = Path(folder) / "orthanc.json"
        config.write_text(json.dumps(settings))
        with (Path(folder) / "log").open("w") as log:
            server = subprocess.Popen(["Orthanc", str(config)], stdout=log, stderr=log)
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/dicom-web"
        finally:
            server.terminate()
            server.wait()


def through_the_archive(paths: list[Path]) -> Counter[str]:
    """What differs of objects that were stored, searched for and fetched."""
    from dicomweb_client.api import DICOMwebClient

    found: Counter[str] = Counter()
    with orthanc() as address:
        client = DICOMwebClient(address)
        for path in paths:
            sent = dcmread(path)
            client.store_instances([sent])
            uids = (sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID)
            if not client.search_for_instances(*uids[:2], search_filters={"SOPInstanceUID": uids[2]}):
                found["not found"] += 1
                continue
            back = client.retrieve_instance(*uids, media_types=(("application/dicom", "*"),))
            found["different"] += back != sent
    return +found


def worst_distance(folder: Path, objects: dict[str, list[Path]]) -> float:
    """Pixels between an outline in the record of a prediction and in the presentation state."""
    worst = 0.0
    for path in [path for path in objects["dicom_gsps"] if path.parent.name != "source"]:
        state, image_id = dcmread(path), path.stem.removesuffix("_outlines")
        findings = [f for f in load_prediction(folder / "predictions", image_id).findings if f.score >= 0.1]
        drawn = [
            np.reshape(graphic.GraphicData, (-1, 2))
            for annotation in state.GraphicAnnotationSequence
            for graphic in annotation.get("GraphicObjectSequence", [])
        ]
        for finding, corners in zip(findings, drawn, strict=True):
            wanted = np.array([*finding.polygon, finding.polygon[0]])[:, ::-1]
            worst = max(worst, float(np.abs(corners - wanted).max()))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--exams", type=int, default=100)
    parser.add_argument("--pixelmed", type=Path, default=Path("/usr/share/java/pixelmed.jar"))
    given = parser.parse_args()
    exams, kinds = given.out / "exams", [*KINDS[1:], PICTURE]
    for number in range(given.exams):
        write_exam(exams, number, kinds[number % len(kinds)])
    finish(exams)
    objects: dict[str, list[Path]] = {}
    for name in EXPORTERS:
        plugin, out, began = plugins.load(plugins.EXPORTERS, name), given.out / name, time.monotonic()
        images = Predictions(exams / "predictions", None, out)
        plugin.export(images, out, plugin.Options(make_source=True))
        objects[name] = sorted(out.rglob("*.dcm"))
        seconds = time.monotonic() - began
        print(
            f"{name}: {len(objects[name])} objects in {seconds:.0f} s, {len(images.failed)} images failed", flush=True
        )
    everything = [path for paths in objects.values() for path in paths]
    reports = [path for name in REPORTS for path in objects[name] if path.parent.name != "source"]
    few = [
        path for path in reports if int(path.parent.name[1:]) < len(kinds)
    ]  # one exam of each kind: it takes minutes
    checks = {
        "highdicom": (highdicom_reads, everything, True),
        "dciodvfy": (dciodvfy, everything, shutil.which("dciodvfy") is not None),
        "dsrdump": (dsrdump, reports, shutil.which("dsrdump") is not None),
        "DicomSRValidator": (lambda paths: validator(paths, given.pixelmed), few, given.pixelmed.is_file()),
        "Orthanc": (through_the_archive, everything, shutil.which("Orthanc") is not None),
    }
    for name, (check, paths, there) in checks.items():
        found = check(paths) if there else None
        told = "not installed" if found is None else f"{found.total()} errors in {len(paths)} objects"
        print(f"{name}: {told} {dict(found.most_common(5)) if found else ''}", flush=True)
    print(f"Outlines are {worst_distance(exams, objects):.4f} pixels from where they were, at most.")


if __name__ == "__main__":
    main()
