"""What becomes of links that lead out of docs/: in the repository there is a file, on the site there is none."""

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)(#[^)\s]*)?\)")
_INCLUDED = re.compile(r'^--8<-- "(?P<file>[^"]+)"\n', re.MULTILINE)


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    folder = posixpath.dirname(f"docs/{page.file.src_uri}")
    included = _INCLUDED.search(markdown)
    if included:  # a file of the repository's root, with the links that it has there
        return _for_site((ROOT / included["file"]).read_text(), "", folder)
    return _for_site(markdown, folder, folder)


def _for_site(markdown: str, written_in: str, shown_in: str) -> str:
    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = posixpath.normpath(posixpath.join(written_in, target))
        if not path.startswith("docs/"):
            return f"{text} (`{path}` in the repository)" if text.strip("`") != path else f"`{path}`"
        if (ROOT / path).is_dir():
            path += "/README.md"
        return f"[{text}]({posixpath.relpath(path, shown_in)}{anchor})"

    return _LINK.sub(link, markdown)
