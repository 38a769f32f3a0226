"""What would stop LaTeX, found without LaTeX: braces, environments, special characters."""

import re

UNICODE = set("“”‘’–—äöüÄÖÜéèíñóçëõ½")
"""Characters that LaTeX's own utf8 table sets in text."""

_COMMENT = re.compile(r"(?<!\\)%.*")


def problems(source: str) -> list[str]:
    """List what is wrong with a LaTeX source."""
    found = []
    opened: list[str] = []
    depth = columns = 0
    for number, raw in enumerate(source.splitlines(), start=1):
        line = _COMMENT.sub("", raw)
        for begin, name in re.findall(r"\\(begin|end)\{(\w+)\*?\}", line):
            if begin == "begin":
                opened.append(name)
            elif not opened or opened.pop() != name:
                found.append(f"line {number}: \\end{{{name}}} closes nothing")
        bare = re.sub(r"\\.", "", line)
        depth += bare.count("{") - bare.count("}")
        if depth < 0:
            found.append(f"line {number}: a brace too many")
        if bare.count("$") % 2:
            found.append(f"line {number}: a $ without its fellow")
        if "&" in bare and "tabular" not in opened:
            found.append(f"line {number}: & outside a table")
        if re.search(r"#(?!\d)", bare):
            found.append(f"line {number}: a bare #")
        outside = re.sub(r"\$[^$]*\$|\\(?:input|label|ref|includegraphics|csname)\b\S*|gwsd@\S*?endcsname", "", line)
        if re.search(r"(?<!\\)[_^]", outside):
            found.append(f"line {number}: _ or ^ outside mathematics")
        strange = {char for char in line if ord(char) > 126 and char not in UNICODE}
        if strange:
            found.append(f"line {number}: LaTeX knows no {' '.join(sorted(strange))}")
        if re.search(r"\\begin\{tabular\}", line):
            columns = len(re.search(r"\\begin\{tabular\}\{([lcr]+)\}", line).group(1))  # type: ignore[union-attr]
        elif columns and line.rstrip().endswith(r"\\") and "multicolumn" not in line:
            cells = len(re.findall(r"(?<!\\)&", line)) + 1
            if cells != columns:
                found.append(f"line {number}: {cells} cells in a row of {columns}")
        if r"\end{tabular}" in line:
            columns = 0
    if depth:
        found.append(f"{depth} braces stay open")
    return [*found, *(f"{name} is never closed" for name in opened)]
