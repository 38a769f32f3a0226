"""Numbers as tables, the PDF and the page print them."""

import html
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

DASH = "–"
_ROOT = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_ROOT_ON_PAGE = re.compile(r"root hash\W*([0-9a-f]{64})", re.IGNORECASE)


class Findings(Protocol):
    """Where problems are gathered: `Numbers` of `published`."""

    notes: list[str]
    roots: dict[str, str]

    def add(self, where: str, count: int, problems: list[str]) -> None:
        """Count numbers compared in one place, with what was found."""


def check_table(face: Path, sidecar: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """Compare the cells of a printed table with its numbers.

    Parameters
    ----------
    face : Path
        `tableN.md`, `.tex` or `.html`.
    sidecar : mapping
        `tableN.json`: `columns` and `rows` in the table's order.
    entries : sequence of mapping
        The table's published values.

    Returns
    -------
    tuple
        How many were compared, and one sentence for each that is not printed in its cell.
    """
    columns = [str(one["key"]) for one in sidecar.get("columns", ()) if one.get("visible", True)]
    rows = [str(key) for key in sidecar.get("rows", ())]
    printed = _CELLS[face.suffix](face.read_text(encoding="utf-8"))
    if len(printed) != len(rows) or any(len(cells) != len(columns) for cells in printed):
        shape = f"{len(printed)} rows of {sorted({len(cells) for cells in printed})} cells"
        return 0, [f"it has {shape}, expected {len(rows)} rows of {len(columns)}"]
    place = {(row, column): printed[i][j] for i, row in enumerate(rows) for j, column in enumerate(columns)}
    count, problems = 0, []
    for one in entries:
        cell = place.get((str(one["row"]), str(one["column"])))
        if cell is None:
            continue
        count += 1
        expected = bare(str(one.get("shown", one["text"])))
        if bare(cell) != expected:
            problems.append(f"{one['id']} is printed as {cell}, expected {one.get('shown', one['text'])}")
    return count, problems


def check_pdf(pdf: Path, placed: Path, texts: Mapping[str, str], found: Findings, name: str) -> None:
    """Compare the numbers in the article, as its text has them, with the published ones.

    Parameters
    ----------
    pdf : Path
        The article.
    placed : Path
        The list of numbers that were injected: `id`, `text` and, where it is known, `page`.
    texts : mapping
        Text of each published value by id.
    found : Numbers
        Takes what was found.
    name : str
        What the PDF is called in messages.
    """
    if not pdf.is_file():
        found.notes.append(f"{name} is not here: its numbers are not checked")
        return
    try:
        injected = json.loads(placed.read_text(encoding="utf-8"))
        wanted = [(str(one["id"]), str(one["text"]), int(one.get("page", 0))) for one in injected]
    except (OSError, ValueError, KeyError, TypeError):
        found.add(name, 0, [f"{name}: there is no readable {placed.name} beside it, the list of its numbers"])
        return
    problems = [
        f"{name}: {key} was set as {text}, but is {texts.get(key, 'no published value')}"
        for key, text, _ in wanted
        if bare(texts.get(key, "\0")) != bare(text)
    ]
    try:
        pages = _pages_of_pdf(pdf)
    except ImportError:
        found.notes.append(f"{name}: its text is not checked here, for that needs the package pypdf")
        found.add(name, 0, problems)
        return
    except Exception as error:  # pypdf raises all kinds on a damaged file
        found.add(name, 0, [f"{name}: its text cannot be read ({type(error).__name__}: {error})"])
        return
    text = "\n".join(pages)
    tokens = {number: Counter(_tokens(page)) for number, page in enumerate(pages, start=1)}
    tokens[0] = Counter(_tokens(text))  # where the list does not say on which page
    needed = Counter((page, token) for _, shown, page in wanted for token in _tokens(shown))
    for (page, token), count in needed.items():
        there = tokens.get(page, Counter())[token]
        if there < count:
            where = f" on page {page}" if page else ""
            problems.append(f"{name}: prints {token} {there} times{where}, expected at least {count}")
    if match := _ROOT.search(text) or _ROOT.search(re.sub(r"\s", "", text)):
        found.roots[name] = match.group()
    found.add(name, len(wanted), problems)


def check_page(page: Path, texts: Mapping[str, str], found: Findings, name: str) -> None:
    """Compare the numbers on the page with the published ones.

    Parameters
    ----------
    page : Path
        HTML; an element with `data-id` shows the value of that id, a script of JSON may hold `numbers` by id.
    texts : mapping
        Text of each published value by id.
    found : Numbers
        Takes what was found.
    name : str
        What the page is called in messages.
    """
    if not page.is_file():
        found.notes.append(f"{name} is not here: its numbers are not checked")
        return
    reader = _Page()
    reader.feed(page.read_text(encoding="utf-8", errors="replace"))
    reader.close()
    problems = []
    for key, shown in reader.shown:
        if key not in texts:
            problems.append(f"{name}: shows {key}, which is no published value")
        elif bare(texts[key]) != bare(shown):
            problems.append(f"{name}: shows {shown or 'nothing'} for {key}, which is {texts[key]}")
    for key, shown in reader.in_data():
        if key in texts and bare(texts[key]) != bare(shown):
            problems.append(f"{name}: its data have {shown or 'nothing'} for {key}, which is {texts[key]}")
    if match := _ROOT_ON_PAGE.search(reader.all_text):
        found.roots[name] = match.group(1)
    found.add(name, len(reader.shown), problems)


def bare(text: str) -> str:
    """Leave out what only the layout adds: kinds of space, of minus and of dash, marks of code."""
    text = text.replace("−", "-").replace("--", DASH).replace("`", "")
    return re.sub(r"[\s\u00a0\u202f\u2009\u2060\u00ad]+", "", text)


_NUMBER = re.compile(r"[+\-]?\d[\d,\u202f\u2009]*(?:\.\d+)?(?:e[+\-]?\d+)?")


def _tokens(text: str) -> list[str]:
    """List the numbers in a text, thousands joined, without a leading plus."""
    plain = text.replace("−", "-").replace("\u00a0", " ")
    found = (re.sub(r"[,\u202f\u2009]", "", token).lstrip("+-") for token in _NUMBER.findall(plain))
    return [token for token in found if token]


def _pages_of_pdf(pdf: Path) -> list[str]:
    from pypdf import PdfReader

    return [page.extract_text() for page in PdfReader(pdf).pages]


class _Page(HTMLParser):
    """Gathers the text of elements with `data-id`; what stands in scripts and styles is no text."""

    _VOID = frozenset(
        ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[tuple[str, str]] = []
        self._open: list[tuple[str, int | None]] = []
        self._pieces: list[str] = []
        self._data: list[str] = []
        self._hidden: str | None = None

    @property
    def all_text(self) -> str:
        return " ".join(" ".join(self._pieces).split())

    def in_data(self) -> list[tuple[str, str]]:
        """List the texts of `numbers` in the page's scripts of JSON, by id."""
        found = []
        for text in self._data:
            try:
                numbers = json.loads(text)["numbers"]
                found += [(str(key), str(one["text"])) for key, one in numbers.items()]
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._VOID:
            return
        if tag in ("script", "style"):
            self._hidden = dict(attrs).get("type") or tag
            if self._hidden == "application/json":
                self._data.append("")
        key = dict(attrs).get("data-id")
        if key is not None:
            self.shown.append((key, ""))
        self._open.append((tag, None if key is None else len(self.shown) - 1))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._hidden = None
        while any(one == tag for one, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._hidden == "application/json":
            self._data[-1] += data
        if self._hidden:
            return
        self._pieces.append(data)
        for _, index in self._open:
            if index is not None:
                key, text = self.shown[index]
                self.shown[index] = (key, text + data)


class _Table(HTMLParser):
    """Gathers the cells of a table's body."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        self._cell = self._cell or tag == "td"
        if tag == "td":
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1][-1] += data


def _html_cells(text: str) -> list[list[str]]:
    table = _Table()
    table.feed(text)
    return [cells for cells in table.rows if cells]


def _markdown_cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [
        [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in lines[2:]
    ]


def _latex_cells(text: str) -> list[list[str]]:
    body = text.partition("\\midrule")[2].partition("\\bottomrule")[0]
    lines = [line.removesuffix("\\\\").strip() for line in body.strip().splitlines() if line.strip()]
    return [[_from_latex(cell.strip()) for cell in re.split(r"(?<!\\)&", line)] for line in lines]


_SIGNS = {
    r"\pm": "±",
    r"\times": "×",
    r"^\circ": "°",
    "^2": "²",
    "^3": "³",
    r"\lambda": "λ",
    r"\Delta": "Δ",
    r"\sigma": "σ",
    r"\rightarrow": "→",
    r"\le": "≤",
    r"\ge": "≥",
    r"\frac{1}{2}": "½",
    "-": "-",
}


def _from_latex(cell: str) -> str:
    text = re.sub(r"\$([^$]*)\$", lambda match: _SIGNS.get(match.group(1), match.group(1)), cell)
    text = re.sub(r"\\(?:measured|texttt|textbf|emph)\{((?:[^{}\\]|\\.|\{[^{}]*\})*)\}", r"\1", text)
    text = text.replace(r"\textasciitilde{}", "~").replace(r"\textasciicircum{}", "^")
    text = text.replace(r"\textless{}", "<").replace(r"\textgreater{}", ">").replace(r"\textbackslash{}", "\\")
    return html.unescape(re.sub(r"\\([&%$#_{}])", r"\1", text))


_CELLS = {".md": _markdown_cells, ".tex": _latex_cells, ".html": _html_cells}
