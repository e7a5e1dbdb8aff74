"""A page says what may run in it, and nothing that it is given can add to that."""

import base64
import hashlib
import json
import re

from mammoseg.report import pages
from mammoseg.report.pages import REPORT, Pages

MODEL = {"model": "<b>", "checkpoint_sha256": "ab", "mammoseg": "0"}
EMPTY = {"rows": [], "classes": {}, "has_labels": False, "lost": [], "counts": "", "model": MODEL}


def test_the_policy_names_the_only_script_and_style() -> None:
    page = REPORT.render("cohort.html", EMPTY)
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    policy = policy.replace("&#39;", "'")
    for kind in ("script", "style"):
        [content] = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "&lt;b&gt;" in page


def test_templates_have_no_inline_handlers_or_styles_and_no_addresses() -> None:
    texts = [REPORT.render("cohort.html", EMPTY), *map(REPORT.script, REPORT.kinds)]
    source = REPORT.environment.loader.get_source(REPORT.environment, "exam.html")[0]  # type: ignore[union-attr]
    for text in [*texts, source]:
        assert not re.search(r"\son\w+=|\sstyle=", text)
        assert not [a for a in re.findall(r"https?://[^\s\"']+", text) if a != "http://www.w3.org/2000/svg"]


def test_json_cannot_end_its_element() -> None:
    text = pages._as_json({"a": "</script><!--&", "b": float("nan")})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": "</script><!--&", "b": None}


def test_the_hash_of_the_code_is_stable() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", REPORT.code_hash)
    assert REPORT.code_hash == Pages(REPORT.packages, REPORT.kinds).code_hash


def test_scripts_stay_small() -> None:
    lines = [line.strip() for name in REPORT.kinds for line in REPORT.script(name).splitlines()]
    code = [line for line in lines if line and not line.startswith(("//", "/*", "*"))]
    assert len(code) <= 800
