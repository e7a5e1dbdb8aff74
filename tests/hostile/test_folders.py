"""Folders with hostile names, links and special files: each costs itself and is named, the good images are used."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Survives = Callable[..., None]
Encoded = Callable[..., bytes]

NO_TEXT, SPACE, HIDDEN = "control characters or is no valid text", "begins or ends with white space", "a hidden file"
KNOWN, COPY, SPECIAL = "a link to what is searched already", "a copy of another file", "no regular file"


def path_of(folder: Path, name: bytes) -> Path:
    return Path(os.fsdecode(os.fsencode(folder) + b"/" + name))


NAMES: dict[str, tuple[list[bytes], dict[str, str], dict[str, str], int]] = {  # files, lost, passed, more images
    "no UTF-8": ([b"b\xff_L-CC.png"], {r"b\xff_L-CC.png": NO_TEXT}, {}, 0),
    "no UTF-8 in a folder": ([b"f\xff/b_L-CC.png"], {r"f\xff": NO_TEXT}, {}, 0),
    "no UTF-8 of several": (
        [b"\xe9_L-CC.png", b"\xc3\x28/x_R-CC.png"],
        {r"\xe9_L-CC.png": NO_TEXT, r"\xc3(": NO_TEXT},
        {},
        0,
    ),
    "half a surrogate": ([b"\xed\xa0\x80_L-CC.png"], {r"\xed\xa0\x80_L-CC.png": NO_TEXT}, {}, 0),
    "line break": ([b"a\nmammoseg: done_L-CC.png"], {r"a\nmammoseg: done_L-CC.png": NO_TEXT}, {}, 0),
    "escape sequence": ([b"\x1b[2J\x1b[31m_L-CC.png"], {r"\x1b[2J\x1b[31m_L-CC.png": NO_TEXT}, {}, 0),
    "tab and bell in a folder": ([b"a\t\x07/b_L-CC.png"], {r"a\t\x07": NO_TEXT}, {}, 0),
    "trailing space": ([b"b_L-CC.png "], {"b_L-CC.png ": SPACE}, {}, 0),
    "leading space": ([b" b_L-CC.png"], {" b_L-CC.png": SPACE}, {}, 0),
    "space in front of a folder": ([b" f/b_L-CC.png"], {" f": SPACE}, {}, 0),
    "very long": ([b"a" * 245 + b"_L-CC.png"], {}, {}, 1),
    "very long and alike": ([b"a" * 244 + n + b"_L-CC.png" for n in (b"1", b"2")], {}, {}, 2),
    "leading dash": ([b"-rf_L-CC.png", b"--out_R-CC.png"], {}, {}, 2),
    "capitals alone": ([b"B_L-CC.png", b"b_L-CC.png"], {}, {}, 2),
    "ids that collide": ([b"b b_L-CC.png", b"b-b_L-CC.png", b"b+b_L-CC.png"], {}, {}, 3),
    "ids without letters": (["日本_L-CC.png".encode(), "한국_L-CC.png".encode()], {}, {}, 2),
    "same names in two series": ([b"s1/L-CC.png", b"s2/L-CC.png", b"s1_L-CC.png"], {}, {}, 3),
    "formula": ([b"=1+1_L-CC.png", b"@x_L-CC.png", b"+x_L-CC.png"], {}, {}, 3),
    "quotes and commas": ([b'b,"c";_L-CC.png'], {}, {}, 1),
    "markup": ([b"<script>alert(1)</script>_L-CC.png".replace(b"/", b"")], {}, {}, 1),
    "percent and braces": ([b"%s{patient}%n_L-CC.png"], {}, {}, 1),
    "hidden": ([b".b_L-CC.png", b".git/b_L-CC.png"], {}, {".b_L-CC.png": HIDDEN, ".git": HIDDEN}, 0),
    "deep": ([b"d/" * 60 + b"b_L-CC.png"], {}, {}, 1),
    "masks": (
        [b"masks/b_L-CC.png", b"b_L-CC_mask.png"],
        {},
        {"masks/b_L-CC.png": "looks like a mask", "b_L-CC_mask.png": "looks like a mask"},
        0,
    ),
    "special views": ([b"b_L-CC_spot.png", b"b_L-CC_MAG.png"], {}, {"b_L-CC_spot.png": "spot view"}, 0),
    "icon beside DICOM": ([b"icon.png", b"thumbs/1.png"], {}, {"icon.png": "without side and view in its name"}, 0),
}


@pytest.mark.parametrize("case", NAMES.values(), ids=NAMES)
def test_names(
    survives: Survives, encoded: Encoded, case: tuple[list[bytes], dict[str, str], dict[str, str], int]
) -> None:
    names, lost, passed, more = case

    def make(folder: Path) -> None:
        for tone, name in enumerate(names, 1):
            path = path_of(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(tone=tone))

    survives(make, lost, passed, more)


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe_L-CC.png")
    os.mkfifo(folder / "pipe.dcm")


def plug(folder: Path) -> None:
    """A socket; the paths of sockets are short."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("plug_L-CC.png")
    finally:
        os.chdir(here)


def devices(folder: Path) -> None:
    (folder / "zero_L-CC.png").symlink_to("/dev/zero")
    (folder / "tty_L-CC.dcm").symlink_to("/dev/random")


def loops(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    (folder / "itself").symlink_to("itself")
    (folder / "nowhere_L-CC.png").symlink_to("gone.png")


def outside(folder: Path) -> None:
    """A link out of the folder is followed: exports are often made of links. What it leads to is not changed."""
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (folder / "0012_L-CC.png").rename(elsewhere / "0012_L-CC.png")
    (folder / "link").symlink_to(elsewhere)


def copies(folder: Path) -> None:
    (folder / "again").mkdir()
    os.link(folder / "0012_L-CC.png", folder / "again" / "0012_L-CC.png")
    (folder / "again" / "IM7").write_bytes((folder / "IM1").read_bytes())
    (folder / "same_L-CC.png").symlink_to("0012_L-CC.png")


def holes(folder: Path) -> None:
    with (folder / "holes_L-CC.png").open("wb") as file:
        file.write((folder / "0012_L-CC.png").read_bytes()[:100])
        file.truncate(64 << 30)
    with (folder / "holes.dcm").open("wb") as file:
        file.write((folder / "IM1").read_bytes())
        file.truncate(64 << 30)


def forbidden(folder: Path) -> None:
    for name in ("b_L-CC.png", "IM2"):
        (folder / name).write_bytes((folder / "IM1").read_bytes())
        (folder / name).chmod(0)
    (folder / "closed").mkdir(mode=0)


def empty(folder: Path) -> None:
    for name in ("b_L-CC.png", "b.dcm", "b", "DICOMDIR"):
        (folder / name).touch()
    (folder / "nothing").mkdir()


SPECIALS: dict[str, tuple[Callable[[Path], None], dict[str, str], dict[str, str]]] = {
    "pipe": (pipe, {}, {"pipe_L-CC.png": SPECIAL, "pipe.dcm": SPECIAL}),
    "socket": (plug, {}, {"plug_L-CC.png": SPECIAL}),
    "devices": (devices, {}, {"zero_L-CC.png": SPECIAL, "tty_L-CC.dcm": SPECIAL}),
    "loops": (loops, {}, {"loop": KNOWN, "itself": "leads nowhere", "nowhere_L-CC.png": "leads nowhere"}),
    "outside": (outside, {}, {}),
    "copies": (copies, {}, {"again/0012_L-CC.png": COPY, "again/IM7": COPY, "same_L-CC.png": KNOWN}),
    "holes": (holes, {"holes_L-CC.png": "the file is too large", "holes.dcm": "the file is too large"}, {}),
    "empty": (
        empty,
        {"b_L-CC.png": "is empty", "b.dcm": "is empty"},
        {"b": "another kind", "DICOMDIR": "contents of a disc"},
    ),
}


@pytest.mark.parametrize("case", SPECIALS.values(), ids=SPECIALS)
def test_special_files(survives: Survives, case: tuple[Callable[[Path], None], dict[str, str], dict[str, str]]) -> None:
    survives(*case)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_without_access_rights(survives: Survives) -> None:
    denied = "cannot be read (Permission denied)"
    survives(forbidden, dict.fromkeys(("b_L-CC.png", "IM2", "closed"), denied))


@pytest.mark.parametrize("make", [lambda folder: None, pipe, empty], ids=["nothing", "pipe", "empty"])
def test_a_folder_without_any_image(
    make: Callable[[Path], None], tmp_path: Path, command: Callable[..., object], checkpoint: Path
) -> None:
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    done = command("scan", tmp_path / "in", "--out", tmp_path / "m.csv")
    assert done.code == 1  # type: ignore[attr-defined]
    assert not (tmp_path / "m.csv").exists()
    assert (tmp_path / "m_left_out.csv").exists()
    done = command("predict", tmp_path / "in", "--checkpoint", checkpoint, "--out", tmp_path / "p", "--device", "cpu")
    assert done.code == 1  # type: ignore[attr-defined]


def test_special_files_in_a_manifest(
    tmp_path: Path, command: Callable[..., object], checkpoint: Path, encoded: Encoded
) -> None:
    """As image and as mask: nothing is waited for, and nothing that no image can be is read."""
    for name in ("0012_L-CC.png", "IM1"):
        (tmp_path / name).write_bytes(encoded())
    for make in (pipe, devices, holes):
        make(tmp_path)
    names = ["0012_L-CC.png", "pipe_L-CC.png", "zero_L-CC.png", "holes_L-CC.png", "0012_L-CC.png"]
    table = pd.DataFrame({"path": names, "image_id": list("abcde"), "laterality": "L", "view": "CC"})
    table = table.assign(patient_id=list("abcde"), exam_id=list("abcde"), benign=0, malignant=1)
    table.assign(malignant_mask=["", "", "", "", "holes.dcm"]).to_csv(tmp_path / "m.csv", index=False)
    done = command("predict", "--manifest", tmp_path / "m.csv", "--checkpoint", checkpoint, "--out", tmp_path / "p")
    assert done.code == 3, done  # type: ignore[attr-defined]
    failed = pd.read_csv(tmp_path / "p" / "errors.csv").set_index("image_id")["message"]
    assert (done.code, list(failed.index)) == (3, list("bcd")), done  # type: ignore[attr-defined]
    for image_id, name in zip("bcd", names[1:4], strict=True):
        assert str(tmp_path / name) in failed[image_id]
    assert f"drawn without its true lesion: image e: {tmp_path / 'holes.dcm'}" in done.err  # type: ignore[attr-defined]
    small = ("--set", "prep.window=[96,64]", "--set", "prep.opening_px=3", "--set", "prep.buffer_px=2")
    table.to_csv(tmp_path / "m.csv", index=False)
    done = command(
        "prepare", "--manifest", tmp_path / "m.csv", "--recipe", "glam_small", "--out", tmp_path / "q", *small
    )
    assert done.code == 3, done  # type: ignore[attr-defined]
    assert list(pd.read_csv(tmp_path / "q" / "errors.csv")["image_id"]) == list("bcd")
