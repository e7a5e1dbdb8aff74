"""How far work is: a bar on a terminal, lines in a log."""

import io
import logging
import sys

import pytest

from mammoseg.progress import Bar, about


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


def test_a_log_hears_of_long_work_ever_more_seldom(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    now = [0.0]
    with caplog.at_level(logging.INFO), Bar("phantoms", 20, clock=lambda: now[0]) as bar:
        for _ in range(20):
            now[0] += 6
            bar.advance()
    assert caplog.messages == [
        "phantoms: 20 to do",
        "phantoms: 2 of 20, about 2 min left",
        "phantoms: 4 of 20, about 2 min left",
        "phantoms: 7 of 20, about 1 min left",
        "phantoms: 14 of 20, about 35 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "unknown time"),
        (0.2, "about 5 s"),
        (42, "about 40 s"),
        (54, "about 55 s"),
        (57, "about 1 min"),
        (3500, "about 58 min"),
        (3590, "about 1 h 0 min"),
        (9000, "about 2 h 30 min"),
        (90000, "about 25 h"),
    ],
)
def test_times_in_words(seconds: float | None, words: str) -> None:
    assert about(seconds) == words
