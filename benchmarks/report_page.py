"""How long the page of an exam takes to open in Chromium: until its pictures are seen, and until all pixels are there.

    python benchmarks/report_page.py report/exams/EXAM.html [--repeats 5] [--most 2.0]

Each time in a new window of one browser, which has opened the page once before. `first picture` is when the browser has painted its
largest content, the 8-bit pictures; `full depth` when all 16 bits of all images are unpacked and drawn. Without a GPU, Chromium
draws in software, and a busy machine slows it: the load is printed. Exit code 1: the median of the first picture is above --most.
"""

import argparse
import os
import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
WATCH = """
new PerformanceObserver((list) => {
  for (const { startTime } of list.getEntries()) window.painted ??= startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
"""
PAINTED = """() => new Promise((done) => {
  const look = () => (window.painted ? done(window.painted) : setTimeout(look, 10));
  look();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--most", type=float, default=2.0, help="seconds until the first picture")
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        opened(browser, args.page)
        times = [opened(browser, args.page) for _ in range(args.repeats)]
        browser.close()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{args.page.name}: {args.page.stat().st_size / 1e6:.1f} MB, {os.cpu_count()} cores, load {load}")
    for name, seconds in zip(("first picture", "full depth"), zip(*times, strict=True), strict=True):
        listed = " ".join(f"{value:.2f}" for value in seconds)
        print(f"  {name}: median {statistics.median(seconds):.2f} s ({listed})")
    if statistics.median(first for first, _ in times) > args.most:
        sys.exit(1)


def opened(browser: Browser, path: Path) -> tuple[float, float]:
    """Seconds until the first picture and until the full depth."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.add_init_script(WATCH)
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("body[data-ready]")
    painted = page.evaluate(PAINTED)
    [full] = page.evaluate('performance.getEntriesByName("pixels").map(({ startTime }) => startTime)')
    page.close()
    return painted / 1000, full / 1000


if __name__ == "__main__":
    main()
