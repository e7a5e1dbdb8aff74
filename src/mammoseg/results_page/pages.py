"""The templates and the style of the pages of results; they have no script."""

from mammoseg.report.pages import Kind, Pages

PAGES = Pages(
    ("mammoseg.results_page", "mammoseg.report"),
    {name: Kind((), ("paper.css",)) for name in ("results.html", "compare.html")},
)
