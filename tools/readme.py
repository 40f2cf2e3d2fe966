"""The README, of which some tables are written from what was measured."""

from scores import ROOT

README = ROOT / "README.md"


def fill(readme: str, name: str, table: str) -> str:
    """The README's text with a table between its two markers.

    Args:
        readme: the text.
        name: of the table, as in ``<!-- name:start -->``.
        table: in Markdown.
    """
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    before, found, rest = readme.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{README} has no {start} followed by {end}; put both where it belongs.")
    return f"{before}{start}\n{table}\n{end}{after}"
