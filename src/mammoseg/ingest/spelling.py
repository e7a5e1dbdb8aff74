"""What programs do to ids, undone: `10006.0` for 10006, zeros in front that are lost (12 for 0012), another case."""

import re


def number(text: str) -> str:
    """`10006.0` -> 10006, also with a decimal comma."""
    return re.sub(r"(?<=^)(\d+)[.,]0+$", r"\1", text)


def essence(text: str) -> str:
    """What is left of an id whatever programs have done to it."""
    plain = number(text)
    return plain.lstrip("0") or "0" if plain.isdecimal() else plain.casefold()
