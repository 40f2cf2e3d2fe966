"""News articles to search: the 3,824 of 2017, mended as far as can be, or a reader's own texts."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from helpers.assets import fetch
from helpers.errors import HelpfulError
from helpers.files import list_files
from helpers.scenarios.news.mending import mend, tidy
from helpers.tables import Row, read_table

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
_MOST_BYTES = 100_000_000  # of a reader's own CSV
_MOST_LETTERS = 16_000  # of one own text; a longer one is cut into several


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

    def report(self) -> str:
        """What there is, what was left out (five of each kind by name) and what was mended."""
        lines = [f"{len(self.articles)} articles, {len(self.left_out)} left out"]
        for reason, count in Counter(reason for _, reason in self.left_out).most_common():
            names = [name for name, why in self.left_out if why == reason][:5]
            more = ", ..." if count > 5 else ""
            lines.append(f"  {reason}: {count} ({', '.join(names)}{more})")
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
    for line, row, problem in _rows(file, columns):
        if problem:
            found.left_out.append((f"line {line}", problem))
            continue
        mended: Counter = Counter()
        title, subtitle, text = _realign(row["title"], row["subtitle"], row["text"], mended)
        title, subtitle, text = (mend(part, mended) for part in (title, subtitle, text))
        if not text.startswith(subtitle[:60]):
            text = f"{subtitle} {text}"
        link = row["article_source_link"].strip()
        article = Article(title, text, outlet_of(link), parse_date(row["publish_date"]), link)
        if reason := _unusable(article, least=_LEAST_WORDS):
            found.left_out.append((f"line {line}", reason))
            continue
        found.articles.append(article)
        found.mended += mended
        found.touched += any(mended.values())
    return found


def load_own(source: Path | str) -> Articles:
    """A reader's own texts.

    Args:
        source: a CSV in UTF-8 with the columns ``title`` and ``text``, and if wanted ``outlet`` and
            ``date`` (2017-02-07 or 2017/2/7); or a folder or zip of ``.txt`` files, whose names
            become the titles.

    Returns:
        The texts as articles; rows and files that cannot be used are named in ``left_out``.

    Raises:
        HelpfulError: there is nothing at that path, it has no such columns, or no usable text.
        ArchiveError: the archive is damaged or unsafe.
    """
    source, found = Path(source).expanduser(), Articles()
    if source.suffix.lower() == ".csv" and source.is_file():
        articles: Iterable[tuple[str, Article | str]] = _from_csv(source)
    else:
        articles = _from_files(list_files(source, {".txt"}))
    for name, article in articles:
        reason = article if isinstance(article, str) else _unusable(article)
        if reason:
            found.left_out.append((name, reason))
        else:
            found.articles += _parts(article)
    if not found.articles:
        named = ", ".join(f"{name}: {reason}" for name, reason in found.left_out[:5])
        raise HelpfulError(f"{source.name} holds no text that can be used ({named or 'no row'}).")
    return found


def _parts(article: Article) -> list[Article]:
    """A text cut so that each part fits into a VARCHAR field of Milvus, of 65,535 bytes."""
    parts = textwrap.wrap(article.text, _MOST_LETTERS, break_on_hyphens=False)
    if len(parts) == 1:
        return [article]
    return [
        replace(article, title=f"{article.title} ({number})", text=part)
        for number, part in enumerate(parts, start=1)
    ]


def _from_csv(source: Path) -> Iterator[tuple[str, Article | str]]:
    for line, row, problem in _rows(source, ("title", "text")):
        name = f"line {line}"
        if problem:
            yield name, problem
            continue
        try:
            date = parse_date(row.get("date", ""))
        except ValueError:
            yield name, f"no date such as 2017-02-07 but {row['date'][:20]!r}"
            continue
        title, text, outlet = (tidy(row.get(key, "")) for key in ("title", "text", "outlet"))
        yield name, Article(title, text, outlet[:60], date, f"{source.name}, {name}")


def _from_files(files: list[Path]) -> Iterator[tuple[str, Article | str]]:
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            yield file.name, "not in UTF-8"
        except OSError as error:
            yield file.name, f"cannot be read ({error.strerror})"
        else:
            yield file.name, Article(file.stem.replace("_", " "), tidy(text), link=file.name)


def _rows(file: Path, columns: tuple[str, ...]) -> list[Row]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise HelpfulError(f"{file.name} is larger than 100 MB; split it.")
        return read_table(file.read_bytes(), file.name, columns)
    except OSError as error:
        raise HelpfulError(f"{file.name} cannot be read: {error.strerror}.") from None


def _unusable(article: Article, least: int = 1) -> str:
    if not any(letter.isalnum() for letter in article.title):
        return "no title"
    if not any(letter.isalnum() for letter in article.text):
        return "no text"
    return f"fewer than {least} words of text" if len(article.text.split()) < least else ""


def outlet_of(link: str) -> str:
    """Who published what is behind a link: a known name, or the host; empty without a host."""
    host = (urlsplit(link).hostname or "").removeprefix("www.")
    return OUTLETS.get(host, host)


def parse_date(text: str) -> int:
    """A day as a number that can be compared: ``"2017/2/7"`` is 20170207, an empty text 0.

    Raises:
        ValueError: the text is no date with year, month and day in this order.
    """
    if not text.strip():
        return 0
    parts = re.match(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b", text)
    year, month, day = map(int, parts.groups()) if parts else (0, 0, 0)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError(f"{text[:20]!r} is no date such as 2017-02-07")
    return year * 10_000 + month * 100 + day


def show_date(date: int) -> str:
    """A day to read: ``"2017-02-07"`` for 20170207, ``"no date"`` for 0."""
    text = f"{date:08d}"
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if date else "no date"


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


def shared_runs(one: str, other: str) -> float:
    """How much of the shorter text stands in the other: its runs of three words, from 0 to 1.

    Source: Broder, On the resemblance and containment of documents, 1997.
    """
    runs, others = _runs(one), _runs(other)
    return len(runs & others) / (min(len(runs), len(others)) or 1)


@lru_cache(maxsize=4096)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False))
