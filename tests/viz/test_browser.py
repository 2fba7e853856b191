"""The report in a real browser: headless Chromium reads it from disk, builds the page, draws it, and asks nobody for anything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.viz.test_similarity_report import build as build_similarity
from workbench.viz.arcs import arcs
from workbench.viz.index import Index
from workbench.viz.interaction_map import interaction_map
from workbench.viz.palette import NEGATIVE, POSITIVE, STRONGEST
from workbench.viz.report import report
from workbench.viz.similarity_report import similarity_report

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing leaves the machine, whatever the browser would like to ask
)
POST = "তোর স্ত্রী-কে  নিয়ে এমন কথা! র‍্যাব <b>ক্ষমতা</b>\n\"ন্ত\" & 'কি' \u202eউল্টা\u202c"


@pytest.fixture(scope="module")
def chromium() -> str:
    named = os.environ.get("WORKBENCH_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} on the path, and WORKBENCH_CHROMIUM is not set")
    return found


@pytest.fixture(scope="module")
def bengali_font() -> None:
    if shutil.which("fc-list") is None:
        pytest.skip("fc-list is missing, so it is unknown whether a Bengali font is installed")
    if not subprocess.run(["fc-list", ":lang=bn"], capture_output=True, text=True, check=True).stdout.strip():
        pytest.skip("no Bengali font is installed (Debian: fonts-noto-core or fonts-beng), so a picture would show boxes")


def visit(
    chromium: str, folder: Path, page: Path, *arguments: str, size: tuple[int, int] = (1200, 1600)
) -> subprocess.CompletedProcess[str]:
    """One visit with a fresh profile; its network log lies in `folder`."""
    flags = (f"--user-data-dir={folder / 'profile'}", f"--log-net-log={folder / 'net.json'}", f"--window-size={size[0]},{size[1]}")
    command = [chromium, *FLAGS, *flags, *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True, encoding="utf-8")


def requests(folder: Path) -> set[str]:
    """Addresses that the page asked for; what the browser asks on its own account has no page as its initiator."""
    log = json.loads((folder / "net.json").read_text(encoding="utf-8"))
    started = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [event.get("params", {}) for event in log["events"] if event["type"] == started]
    return {event["url"] for event in asked if "url" in event and event.get("initiator") != "not an origin"}


class Page(HTMLParser):
    """The text of each post, tags, and styles of words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.posts: list[str] = []
        self.styles: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self.tags.add(tag)
        if tag == "p":
            self.inside = named.get("class") == "text"
            self.posts += [""] if self.inside else []
        if self.inside and named.get("style"):
            self.styles.append(str(named["style"]))

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "p"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.posts[-1] += data


def test_the_page_stands_alone_and_keeps_a_post(chromium: str, data: Any, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(report(data(texts=(POST, "দেশটা শেষ।"))), encoding="utf-8")
    seen = visit(chromium, tmp_path, page, "--dump-dom")
    found = Page()
    found.feed(seen.stdout)
    assert POST in found.posts
    assert "script" not in found.tags
    assert any(style.startswith("background-color:rgba(") for style in found.styles)
    assert "CONSOLE" not in seen.stderr, [line for line in seen.stderr.splitlines() if "CONSOLE" in line]
    assert requests(tmp_path) == set()


def terms() -> Index:
    words = pl.DataFrame({"term": ["ক", "খ", "গ"], "mean": [0.5, -1.25, 2.0], "documents": [1_200, 30, 7]})
    return Index(words, "Three terms.", "workbench query top_terms")


def test_a_long_table_sorts_and_filters(chromium: str, tmp_path: Path) -> None:
    index, page = terms(), tmp_path / "table.html"
    act = """document.querySelectorAll("button")[2].click();
        document.querySelector("input").value = "ক"; document.querySelector("input").dispatchEvent(new Event("input"));"""
    page.write_text(f"<meta charset=utf-8>{index.table}<script>{index.script}</script><script>{act}</script>", encoding="utf-8")
    seen = visit(chromium, tmp_path, page, "--dump-dom").stdout
    body = seen[seen.index("<tbody>") : seen.index("</tbody>")]
    places = [body.index(word) for word in ("ক", "খ", "গ")]
    assert places == sorted(places), "1,200 before 30 before 7"
    assert body.count("hidden") == 2
    assert "1 of 3 rows" in seen
    assert 'aria-sort="descending"' in seen


def test_the_script_of_a_long_table_is_the_only_one_that_runs(chromium: str, data: Any, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    html = report(replace(data(texts=(POST,)), index=terms()))
    page.write_text(html.replace("</main>", "<script>document.title = 'broken in'</script></main>"), encoding="utf-8")
    seen = visit(chromium, tmp_path, page, "--dump-dom")
    assert "3 of 3 rows" in seen.stdout
    assert "<title>broken in" not in seen.stdout
    assert requests(tmp_path) == set()


def test_a_hostile_page_would_be_noticed(chromium: str, tmp_path: Path) -> None:
    """The check above can fail: a page that errs and asks is seen to do so."""
    page = tmp_path / "hostile.html"
    page.write_text("<script>console.error('seen')</script><img src='http://127.0.0.1:9/x.png'>", encoding="utf-8")
    seen = visit(chromium, tmp_path, page, "--dump-dom")
    assert "CONSOLE" in seen.stderr
    assert any(url.startswith("http://127.0.0.1") for url in requests(tmp_path))


@pytest.mark.usefixtures("bengali_font")
@pytest.mark.parametrize("size", [(1200, 8000), (500, 11000)])
def test_the_picture_shows_ink_and_both_colours(chromium: str, data: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed, so the picture cannot be read")
    page, picture = tmp_path / "report.html", tmp_path / "report.png"
    page.write_text(report(data()), encoding="utf-8")
    visit(chromium, tmp_path, page, f"--screenshot={picture}", size=size)
    with image.open(picture) as drawn:
        assert drawn.size == size
        colours = {colour: count for count, colour in drawn.convert("RGB").getcolors(1 << 24)}
    assert len(colours) > 100
    assert sum(count for colour, count in colours.items() if sum(colour) < 240) > 5_000, "text is drawn"
    for end in (POSITIVE, NEGATIVE):
        strongest = tuple(under + (over - under) * STRONGEST for under, over in zip((255, 253, 248), end, strict=True))
        near = sum(count for colour, count in colours.items() if max(abs(a - b) for a, b in zip(colour, strongest, strict=True)) <= 6)
        assert near > 300, f"full strength of {end}"


MEASURE = """<script>
const box = (element) => element.getBoundingClientRect();
const found = [];
for (const drawing of document.querySelectorAll('.arcs svg')) {
  const frame = box(drawing), words = [...drawing.querySelectorAll('text')].map((word) => [word, box(word)]);
  for (const [word, own] of words) {
    const name = word.lastChild.textContent;
    const outside = own.left < frame.left - 1 || own.right > frame.right + 1 || own.top < frame.top - 1 || own.bottom > frame.bottom + 1;
    if (outside) found.push(name + ' sticks out');
    for (const [other, its] of words)
      if (other !== word && own.left < its.right - 1 && its.left < own.right - 1 && own.top < its.bottom - 4 && its.top < own.bottom - 4)
        found.push(name + ' lies upon ' + other.lastChild.textContent);
  }
}
for (const head of document.querySelectorAll('.map.numbers.upright thead th.word')) {
  const own = box(head.firstChild), column = box(head);
  if (own.left < column.left - 1 || own.right > column.right + 1) found.push(head.textContent + ' leaves its column');
}
for (const cell of document.querySelectorAll('.map.numbers td.x'))
  if (cell.scrollWidth > cell.clientWidth + 1) found.push(cell.textContent + ' is wider than its cell');
document.title = found.length + ' found ' + [...new Set(found)].join('; ');
</script>"""
BOTH = "আকাশছোঁয়া স্ত্রীলোক র‍্যাব ক্ষমতা দেখানো"
SENTENCES = (
    ("A man is playing the guitar.", BOTH),
    ("WWWWW MMMMM mmmmm iiiii", "وصل القطار القادم من ليون في موعده"),
    ("Donaudampfschifffahrtsgesellschaftskapitänsmützenknopf ist da", "شكرا جزيلا لكم"),
    (" ".join(["মন্ত্রীরা বিদেশে বাড়ি কিনছে"] * 15), " ".join(["word"] * 60)),
    ("গুজરાતી ગિટાર વગાડે છે", "Zug kam pünktlich an"),
)


@pytest.mark.usefixtures("bengali_font")
def test_words_of_pairs_keep_apart_in_every_script(chromium: str, pair: Any, tmp_path: Path) -> None:
    """Widths are estimated before the browser draws: here it measures what it drew."""
    page = tmp_path / "pairs.html"
    drawn = "".join(draw(pair(*texts)) for texts in SENTENCES for draw in (arcs, interaction_map))
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{drawn}{MEASURE}", encoding="utf-8")
    seen = visit(chromium, tmp_path, page, "--dump-dom")
    title = seen.stdout.partition("<title>")[2].partition("</title>")[0]
    assert title.startswith("0 found"), title
    crowded = page.read_text(encoding="utf-8").replace('text x="', 'text x="1')
    page.write_text(crowded, encoding="utf-8")
    seen = visit(chromium, tmp_path, page, "--dump-dom")
    assert "sticks out" in seen.stdout.partition("<title>")[2].partition("</title>")[0], "the measurement can fail"


@pytest.mark.usefixtures("bengali_font")
def test_the_page_on_similarity_stands_alone_and_shows_both_colours(chromium: str, pair: Any, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed, so the picture cannot be read")
    page, picture = tmp_path / "report.html", tmp_path / "report.png"
    page.write_text(similarity_report(build_similarity(examples=(pair("A man plays", BOTH), pair("no", "yes", sign=-1)))), encoding="utf-8")
    seen = visit(chromium, tmp_path, page, f"--screenshot={picture}", size=(1100, 6000))
    assert "CONSOLE" not in seen.stderr, [line for line in seen.stderr.splitlines() if "CONSOLE" in line]
    assert requests(tmp_path) == set()
    with image.open(picture) as drawn:
        colours = {colour: count for count, colour in drawn.convert("RGB").getcolors(1 << 24)}
    for end in (POSITIVE, NEGATIVE):
        near = sum(count for colour, count in colours.items() if max(abs(a - b) for a, b in zip(colour, end, strict=True)) <= 40)
        assert near > 300, f"lines of {end}"
