"""Pictures of one name in several folders, such as `site1/0012_L_CC.png` and `site2/0012_L_CC.png`: one patient or two?

What a name tells of a patient is only unique within some folder. Where the same patient, side and view recur, the upper
folders that tell them apart are

    times     if they are called so (2020, 2021-03, visit2, prior): one patient, who must not come into two splits, with an
              exam for each folder, so that labels are not mixed
    places    else: a patient for each folder, for their labels would be mixed otherwise

Both are told. A pattern with `/` says what folders are, and nothing is guessed. The patient or exam of a table stays.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.patterns import NamePattern

TIMES = "the same patient, side and view in folders called like times: one patient, an exam for each folder"
PLACES = (
    "the same patient, side and view in several folders: a patient for each folder; "
    "if they are one person, say so, e.g. --pattern {exam}/{patient}_{laterality}_{view}"
)

TOLD = (
    "the same patient, side and view in several folders: one patient, as the table of labels tells, "
    "and an exam for each folder"
)

_TIME = re.compile(
    r"(19|20)\d\d([-_.]?\d\d){0,2}|(visit|exam|round|screening|time ?point|t)[-_ ]?\d+|baseline|priors?|current|follow[-_ ]?up"
    r"[-_ ]?\d*",
    re.IGNORECASE,
)


def tell_apart(found: Sequence[Seen], pattern: NamePattern | None) -> list[Seen]:
    """`found` with patient, exam and findings of such pictures changed."""
    answer = list(found)
    if pattern and "/" in pattern.text:
        return answer
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, seen in enumerate(found):
        name = seen.patient or seen.exam
        if seen.status == "used" and seen.header is None and name and "exam" not in seen.told:
            by_name[name].append(number)
    for name, numbers in by_name.items():
        if depth := _depth([found[number] for number in numbers]):
            folders = [found[number].place.parts[:depth] for number in numbers]
            for number, seen in zip(numbers, _told_apart(name, [found[n] for n in numbers], folders), strict=True):
                answer[number] = seen
    return answer


def _depth(pictures: Sequence[Seen]) -> int:
    """How many of the upper folders tell pictures of the same exam, side and view apart: 0 if there is one folder of each."""
    deepest = max(len(seen.place.parts) for seen in pictures)
    for depth in range(deepest):
        places: dict[object, set[object]] = defaultdict(set)
        for seen in pictures:
            upper = seen.place.parts[:depth]
            places[seen.exam, seen.laterality, seen.view, upper].add(seen.place.parent)
        if all(len(folders) == 1 for folders in places.values()):
            return depth
    return deepest


def _told_apart(name: str, pictures: Sequence[Seen], folders: Sequence[tuple[str, ...]]) -> list[Seen]:
    places = ["/".join(part for part in parts if not _TIME.fullmatch(part)) for parts in folders]
    times = {(place, parts) for place, parts in zip(places, folders, strict=True)}
    told = any("patient" in seen.told for seen in pictures)
    several_places = len(set(places)) > 1 and not told
    findings = (TOLD,) if told else (PLACES,) * several_places + (TIMES,) * (len(times) > len(set(places)))
    return [
        replace(
            seen,
            patient=f"{place}/{name}".lstrip("/") if several_places else name,
            exam="/".join((*parts, seen.exam or name)),
            findings=seen.findings + findings,
        )
        for seen, place, parts in zip(pictures, places, folders, strict=True)
    ]
