"""Which class of a manifest an annotation is of: as the user says of its label, else by the words benign and malignant in it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mammoseg.config import ConfigError
from mammoseg.data.columns import OPTIONAL, REQUIRED
from mammoseg.ingest.annotation import Annotation, AnnotationError
from mammoseg.ingest.files import readable
from mammoseg.io.runs import is_safe_id
from mammoseg.records.label import CLASSES
from mammoseg.wording import LINES, listed

OTHERS = "*"
"""Stands for all labels that nothing else is said of."""
_NEGATION = re.compile(r"\b(non?|not|without|un\w*|suspected|possibly|probably|vs|or)\b")
_SHOWN_LABELS, _SHOWN_LETTERS = 20, 60


def read_rules(rules: Iterable[str]) -> dict[str, str | None]:
    """`Label=class` each -> label in small letters -> class; None for `Label=`: of no class, and left out.

    Raises ConfigError for a rule that is none, for a name that no class can have, and for two that contradict each other.
    """
    classes: dict[str, str | None] = {}
    for rule in rules:
        label, equals, name = (part.strip() for part in rule.rpartition("="))
        if not equals or not label or (name and not is_safe_id(name)) or name in (*REQUIRED, *OPTIONAL):
            raise ConfigError(
                f"--class {readable(rule)[:_SHOWN_LETTERS]!r}: expected LABEL=CLASS, such as 'Mass=malignant', or LABEL= for one "
                "that is of no class. A class is a column of labels: letters, digits, . _ -"
            )
        key = label.casefold()
        if classes.setdefault(key, name or None) != (name or None):
            raise ConfigError(
                f"--class {readable(label)[:_SHOWN_LETTERS]!r}: it is given two classes. Expected one of them."
            )
    return classes


def class_of(annotation: Annotation, rules: Mapping[str, str | None]) -> str | None:
    """The class; None for a label that is of no class. Raises AnnotationError where nothing tells it.

    The label comes before what else the annotation is called, and rules before words.
    """
    texts = (annotation.label, *annotation.names)
    for text in texts:
        if (key := text.strip().casefold()) in rules:
            return rules[key]
    if OTHERS in rules:
        return rules[OTHERS]
    for said in (texts[:1], texts[1:]):
        if len(found := {name for text in said for name in _words(text)}) == 1:
            return found.pop()
    raise AnnotationError("its label is of no class")


def _words(text: str) -> Sequence[str]:
    """The classes that a text names, unless it says more of them than that."""
    words = re.sub(r"[^a-z]+", " ", text.casefold())
    if _NEGATION.search(words):
        return ()
    return [name for name in CLASSES if re.search(rf"\b{name}\b", words)]


def untold(labels: Counter[str]) -> str:
    """The end of a message about labels of no class: all of them, the most frequent first."""
    lines = [f"{readable(name)[:_SHOWN_LETTERS]!r} ({count})" for name, count in labels.most_common()]
    first = readable(labels.most_common(1)[0][0])[:_SHOWN_LETTERS]
    return (
        f"annotations: the class of {sum(labels.values())} is not told by their labels:{LINES}"
        + listed(lines, _SHOWN_LABELS, LINES)
        + f"\nExpected a class for each. Say it: --class '{first}=malignant', or --class '{first}=' for what is of no class. "
        f"--class '{OTHERS}=...' is about all others."
    )
