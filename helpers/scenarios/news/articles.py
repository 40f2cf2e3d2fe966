"""News articles to search: the 3,824 of 2017, mended as far as can be, or a reader's own texts."""

import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from helpers.assets import fetch
from helpers.errors import BadItem, HelpfulError, printable
from helpers.inputs.files import list_files, open_file
from helpers.inputs.tables import read_table, read_text
from helpers.scenarios.news.dates import parse_date
from helpers.scenarios.news.mending import mend, tidy

OUTLETS = {
    "abcnews.go.com": "ABC News",
    "aljazeera.com": "Al Jazeera",
    "bbc.co.uk": "BBC",
    "cnn.com": "CNN",
    "dw.com": "Deutsche Welle",
    "europe.chinadaily.com.cn": "China Daily",
    "huffingtonpost.com": "HuffPost",
    "rte.ie": "RTÉ",
    "tass.com": "TASS",
}
_LEAST_WORDS = 20  # a text of fewer is a caption: no article
_MOST_BYTES = 65_535  # of one text; a letter has at most four
_KINDS = 20  # reasons that a report names


@dataclass(frozen=True)
class Article:
    """One article.

    Attributes:
        title: its headline.
        text: all that follows the headline.
        outlet: who published it; empty if unknown.
        date: the day as a number, 20170207 for 7 February 2017; 0 if unknown.
        link: where it was read; for an own text, its file or line.
    """

    title: str
    text: str
    outlet: str = ""
    date: int = 0
    link: str = ""


@dataclass
class Articles:
    """Articles that can be searched, and what was wrong with the others.

    Attributes:
        articles: the usable ones, in the order of their source.
        left_out: (line or file, reason) of each that is not.
        mended: kind of damage -> how many places of it were mended.
        touched: articles in which at least one place was mended.
    """

    articles: list[Article] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    mended: Counter = field(default_factory=Counter)
    touched: int = 0
    _texts: set[str] = field(default_factory=set)

    def add(self, name: str, article: Article, least: int = 1) -> bool:
        """Keep an article, cut into parts that a field holds, or leave it out and say why.

        Args:
            name: the line or file it comes from.
            article: titles may repeat, texts may not.
            least: how many words its text must have.
        """
        reason = ""
        if not article.title:
            reason = "no title"
        elif not any(letter.isalnum() for letter in article.text):
            reason = "no text"
        elif len(article.text.split()) < least:
            reason = f"fewer than {least} words of text"
        elif article.text in self._texts:
            reason = "a copy of another text"
        if reason:
            self.left_out.append((name, reason))
        else:
            self._texts.add(article.text)
            self.articles += _parts(article)
        return not reason

    def report(self) -> str:
        """What there is, what was left out (five of each kind by name) and what was mended."""
        lines = [f"{len(self.articles)} articles, {len(self.left_out)} left out"]
        reasons = Counter(reason for _, reason in self.left_out).most_common()
        for reason, count in reasons[:_KINDS]:
            names = [printable(name) for name, why in self.left_out if why == reason][:5]
            more = ", ..." if count > 5 else ""
            lines.append(f"  {reason}: {count} ({', '.join(names)}{more})")
        if rest := sum(count for _, count in reasons[_KINDS:]):
            lines.append(f"  for other reasons: {rest}")
        if self.touched:
            lines.append(f"{self.touched} articles mended:")
            lines += [f"  {kind}: {count}" for kind, count in self.mended.most_common()]
        return "\n".join(lines)


def load_news(file: Path | str | None = None) -> Articles:
    """The news articles of 2017 gathered by Tianru Dai, https://doi.org/10.7910/DVN/GMFCTR.

    The subtitle opens the text, unless the text begins with it. Articles without a title or with
    fewer than 20 words of text are left out.

    Args:
        file: the CSV; without it, the asset ``news_articles`` is fetched.

    Raises:
        HelpfulError: the file is not such a CSV.
        AssetError: the articles could not be fetched.
    """
    file = Path(file) if file else fetch("news_articles") / "NewsArticles.csv"
    columns = ("article_id", "publish_date", "article_source_link", "title", "subtitle", "text")
    found = Articles()
    for line, row, problem in read_table(file.read_bytes(), file.name, columns):
        mended: Counter = Counter()
        try:
            if problem:
                raise ValueError(problem)
            title, subtitle, text = _realign(row["title"], row["subtitle"], row["text"], mended)
            title, subtitle, text = (mend(part, mended) for part in (title, subtitle, text))
            day, link = parse_date(row["publish_date"]), row["article_source_link"]
            outlet = outlet_of(link)
        except ValueError as error:
            found.left_out.append((f"line {line}", str(error)))
            continue
        if not text.startswith(subtitle[:60]):
            text = f"{subtitle} {text}"
        article = Article(title, text, outlet, day, link)
        if found.add(f"line {line}", article, least=_LEAST_WORDS):
            found.mended += mended
            found.touched += any(mended.values())
    print(found.report())
    return found


def load_own(source: Path | str) -> Articles:
    """A reader's own texts.

    Args:
        source: a CSV with the columns ``title`` and ``text``, and if wanted ``outlet`` and
            ``date`` (see ``parse_date``); or a folder or zip of ``.txt`` files, whose names become
            the titles.

    Returns:
        The texts as articles, with their report printed.

    Raises:
        HelpfulError: there is nothing at that path, it has no such columns, or no usable text.
        ArchiveError: the archive is damaged or unsafe.
    """
    found = Articles()
    files = list_files(source, {".csv"} if str(source).lower().endswith(".csv") else {".txt"})
    read = _from_csv if files[0].suffix.lower() == ".csv" else _from_text
    for file in files:
        for name, article in read(file):
            if isinstance(article, Article):
                found.add(name, article)
            else:
                found.left_out.append((name, article))
    if not found.articles:
        named = ", ".join(f"{name}: {reason}" for name, reason in found.left_out[:5])
        raise HelpfulError(f"{source} holds no text that can be used ({named or 'no row'}).")
    print(found.report())
    return found


def _parts(article: Article) -> list[Article]:
    """A text cut so that each part fits into a VARCHAR field of Milvus."""
    if len(article.text.encode()) <= _MOST_BYTES:
        return [article]
    parts = textwrap.wrap(article.text, _MOST_BYTES // 4, break_on_hyphens=False)
    return [
        replace(article, title=f"{article.title} ({number})", text=part)
        for number, part in enumerate(parts, start=1)
    ]


def _from_csv(file: Path) -> Iterator[tuple[str, Article | str]]:
    for line, row, problem in read_table(file.read_bytes(), file.name, ("title", "text")):
        name = f"line {line}"
        try:
            day = parse_date(row.get("date", ""))
        except ValueError as error:
            problem = str(error)
        title, text, outlet = (tidy(row.get(key, "")) for key in ("title", "text", "outlet"))
        link = f"{printable(file.name)}, {name}"
        yield name, problem or Article(title, text, outlet[:60], day, link)


def _from_text(file: Path) -> Iterator[tuple[str, Article | str]]:
    try:
        with open_file(file) as opened:
            text = read_text(opened.read(), file.name, errors="strict")
    except UnicodeDecodeError:
        yield file.name, "not in UTF-8"
    except (OSError, BadItem, HelpfulError) as error:
        yield file.name, str(error)
    else:
        title = tidy(file.stem.replace("_", " "))
        yield file.name, Article(title, tidy(text), link=printable(file.name))


def outlet_of(link: str) -> str:
    """Who published what is behind a link: a known name, or the host; empty without a host."""
    host = (urlsplit(link).hostname or "").removeprefix("www.")
    return OUTLETS.get(host, host)


def _realign(title: str, subtitle: str, text: str, counts: Counter) -> tuple[str, str, str]:
    """Put back a subtitle that slipped into the title, and so the text into the subtitle."""
    head, slipped, rest = title.partition('"?,')
    if not slipped:
        return title, subtitle, text
    counts["columns that slipped"] += 1
    rest = rest.strip('" ')
    if text.strip() == "-1":
        return f'{head}"', rest, subtitle
    return f'{head}"', f"{rest},{subtitle}", text
