"""The progress bar: on a terminal only."""

import io
import sys

import pytest

from mammoseg.cli.progress import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_only_a_terminal_sees_it(kind: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    stream = kind()
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar("predict", 2) as bar:
        bar.advance()
        bar.advance(2, 2)  # some callers say how far they are
    assert ("2/2" in stream.getvalue()) is stream.isatty()


def test_an_error_passes_through() -> None:
    with pytest.raises(ValueError, match="inside"), Bar("predict", 0):
        raise ValueError("inside")
