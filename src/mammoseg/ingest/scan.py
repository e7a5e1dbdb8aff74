"""A folder of any content -> what every file in it is (`Seen`), read in several processes.

A file that ends the process that reads it costs itself, never the scan.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from mammoseg.ingest.examine import NO_FIELDS, NO_MATCH, NO_NAME, Seen, Settings, examine
from mammoseg.ingest.patterns import PatternError
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import is_dicom
from mammoseg.processes import worker_pool

_AHEAD = 4  # files waiting for each process
_FEW = 2000  # headers that are read sooner than processes start
_SIDE_AND_VIEW = {"laterality", "view"}
ICON = "a picture beside DICOM files, without side and view in its name"
NO_ROW = "neither the name nor a row of the table of labels tells side and view"
_DEADLY = "reading it ended the process (too little memory, or damage that a decoder does not survive)"


def scan_files(
    files: Sequence[PurePosixPath],
    settings: Settings,
    workers: int,
    progress: Callable[[], object] = lambda: None,
) -> list[Seen]:
    """Look at all `files` of the folder, in `workers` processes (0: in this one); the answers in their order.

    A few headers are read in this process, which takes less time than to start others. `progress` is called after each file.
    """

    def task(place: PurePosixPath) -> Callable[[], Seen]:
        told = {place: settings.told[place]} if place in settings.told else {}  # not all of it to every process
        return partial(examine, replace(settings, told=told), place)

    found: dict[PurePosixPath, Seen] = {}
    few = len(files) <= _FEW and settings.pixels == "none"
    answers = (task(place)() for place in files) if workers == 0 or few else _in_processes(task, files, workers)
    for seen in answers:
        found[seen.place] = seen
        progress()
    return _explained([found[place] for place in files], settings)


def check_pattern(files: Sequence[PurePosixPath], settings: Settings) -> None:
    """Raises PatternError for a pattern that tells no side or view, where no table and no DICOM header does."""
    pattern = settings.pattern
    if pattern is None or set(pattern.fields) >= _SIDE_AND_VIEW:
        return
    if any({*pattern.fields, *told} >= _SIDE_AND_VIEW for told in settings.told.values()):
        return
    if files and not any(_is_dicom(settings.root / place) for place in files):
        raise PatternError(
            f"pattern {pattern.text!r}: it tells no {{laterality}} or no {{view}}, and there is no DICOM file whose header "
            "does. Expected both, for pictures. Write, for example, '{patient}_{laterality}_{view}'."
        )


def _is_dicom(path: Path) -> bool:
    try:
        return is_dicom(path)
    except ImageReadError:
        return False


def _explained(found: list[Seen], settings: Settings) -> list[Seen]:
    """Why pictures are not used whose names tell no side and view, as far as all files together say it.

    Beside DICOM files they are those of a viewer. Where a table tells sides and views they lack a row, and no pattern.
    """
    beside = settings.pattern is None and any(seen.status == "used" and seen.header for seen in found)
    by_table = any(told.keys() >= _SIDE_AND_VIEW for told in settings.told.values())
    answer = []
    for seen in found:
        if beside and seen.why == NO_NAME:
            seen = replace(seen, status="no image", why=ICON)
        elif by_table and seen.why in (NO_NAME, NO_MATCH, NO_FIELDS):
            seen = replace(seen, why=NO_ROW)
        answer.append(seen)
    return answer


def _in_processes(
    task: Callable[[PurePosixPath], Callable[[], Seen]], files: Sequence[PurePosixPath], workers: int
) -> Iterator[Seen]:
    """Answers in any order. After a death, the files that were being read are read again, each in a process of its own."""
    waiting = list(reversed(files))
    while waiting:
        running: dict[Future[Seen], PurePosixPath] = {}
        with suppress(BrokenProcessPool), worker_pool(workers) as pool:
            while waiting or running:
                while waiting and len(running) < _AHEAD * workers:
                    running[pool.submit(task(waiting[-1]))] = waiting[-1]
                    waiting.pop()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    seen = future.result()
                    del running[future]
                    yield seen
        for place in running.values():
            yield _alone(task(place), place)


def _alone(task: Callable[[], Seen], place: PurePosixPath) -> Seen:
    with worker_pool(1) as pool:
        try:
            return pool.submit(task).result()
        except BrokenProcessPool:
            return Seen(place, "unusable", _DEADLY)
