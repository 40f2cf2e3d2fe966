"""Articles: what is mended, what is left out and by what name, and a reader's own texts."""

import zipfile
from collections import Counter

import pytest

from helpers.errors import HelpfulError
from helpers.fetching.archives import ArchiveError
from helpers.inputs.tables import own_table
from helpers.scenarios.news.articles import load_news, load_own, outlet_of
from helpers.scenarios.news.mending import mend, tidy

HEAD = "article_id,publish_date,article_source_link,title,subtitle,text\n"
WORDS = " ".join(f"word{n}" for n in range(25))


@pytest.fixture(scope="module")
def news():
    return load_news()


def write(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return path


def test_the_news_are_all_there_and_whole(news):
    assert len(news.articles) == 3717
    assert len(news.articles) + len(news.left_out) == 3824
    assert len({article.link for article in news.articles}) == 3717
    assert len({article.text for article in news.articles}) == 3717
    assert {len(str(article.date)) for article in news.articles} == {8}
    assert len({article.outlet for article in news.articles}) == 9
    assert max(len(article.text.encode()) for article in news.articles) < 65_535
    assert all(article.title and len(article.text.split()) >= 20 for article in news.articles)


def test_the_news_are_mended_and_the_report_says_how(news):
    left = sum(article.text.count('"?') for article in news.articles)
    assert left < 200  # of 6,000; these may be real question marks
    assert not any("  " in article.text or '""' in article.text[:1] for article in news.articles)
    for line in ("3717 articles, 107 left out", "no title: 60 (line 325,", "articles mended:"):
        assert line in news.report()
    assert news.mended["columns that slipped"] == 10


def test_the_judged_queries_name_articles_by_their_links(news):
    judged = own_table("news_queries.csv")
    assert {row["link"] for row in judged} <= {article.link for article in news.articles}
    assert {row["grade"] for row in judged} == {"1", "2"}
    assert len({(row["query"], row["link"]) for row in judged}) == len(judged) == 248
    assert len({row["query"] for row in judged if row["grade"] == "2"}) == 40, "each is answered"


def test_a_damaged_row_is_put_right(tmp_path):
    row = '7,2017/2/9,http://tass.com/x,"Putin calls it ""Tough""?,The sub","title goes on","text"'
    file = write(tmp_path / "n.csv", f"{HEAD}{row.replace('text', WORDS)}\n")
    (article,) = load_news(file).articles
    assert article.title == 'Putin calls it "Tough"'
    assert article.text == f"The sub,title goes on {WORDS}"
    assert (article.outlet, article.date, article.link) == ("TASS", 20170209, "http://tass.com/x")


def test_a_row_whose_text_moved_into_the_subtitle(tmp_path):
    file = write(tmp_path / "n.csv", f'{HEAD}7,2017/2/9,x,"A ""B""?,Sub","{WORDS}",-1\n')
    (article,) = load_news(file).articles
    assert article.text == f"Sub {WORDS}"


def test_a_subtitle_that_opens_the_text_is_not_told_twice(tmp_path):
    file = write(
        tmp_path / "n.csv",
        f"{HEAD}7,2017/2/9,x,T,word0 word1,{WORDS}\n8,2017/2/9,y,U,New,{WORDS}\n",
    )
    assert [a.text for a in load_news(file).articles] == [WORDS, f"New {WORDS}"]


def test_a_row_with_a_bad_date_or_link_costs_that_row(tmp_path):
    rows = f"1,soon,x,A,,{WORDS} a\n2,2017/2/7,http://[x,B,,{WORDS} b\n3,2017/2/7,x,C,,{WORDS} c\n"
    found = load_news(write(tmp_path / "n.csv", HEAD + rows))
    assert [a.title for a in found.articles] == ["C"]
    assert [name for name, _ in found.left_out] == ["line 2", "line 3"]


def test_texts_are_copies_by_all_of_them_not_by_their_beginning(tmp_path):
    same = " ".join(f"word{n}" for n in range(60))
    texts = [f"{same} {last}" for last in ("alpaca", "badger", "alpaca", "cougar")]
    rows = "".join(f"T{n},{text}\n" for n, text in enumerate(texts))
    found = load_own(write(tmp_path / "own.csv", f"title,text\n{rows}"))
    assert [a.title for a in found.articles] == ["T0", "T1", "T3"]
    assert "a copy of another text: 1 (line 4)" in found.report()


def test_a_report_names_so_many_reasons_and_counts_the_rest(tmp_path):
    rows = "".join(f"T,text {n},{n}\n" for n in range(40))
    report = load_own(write(tmp_path / "own.csv", f"title,text,date\nT,text,\n{rows}")).report()
    assert report.startswith(
        "1 articles, 40 left out\n  no date such as 2017-02-07 but '0': 1 (line 3)"
    )
    assert report.endswith("\n  for other reasons: 20")


def test_rows_without_title_or_text_are_named(tmp_path):
    rows = f"1,2017/2/7,x,,,{WORDS}\n2,2017/2/7,x,Title,,\n3,2017/2/7,x,Title,,too short\n"
    found = load_news(write(tmp_path / "n.csv", HEAD + rows))
    assert found.articles == []
    assert found.left_out == [
        ("line 2", "no title"),
        ("line 3", "no text"),
        ("line 4", "fewer than 20 words of text"),
    ]
    assert "no title: 1 (line 2)" in found.report()


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("It doesn\"t matter, I\"ve seen it", "It doesn't matter, I've seen it"),
        ('the teachers"?unions won', "the teachers' unions won"),
        ('the "Star Trek"?actor', 'the "Star Trek" actor'),
        ('"It is hard,"?she said', '"It is hard," she said'),
        ('NEW YORK "?Leaders met', "NEW YORK – Leaders met"),
        ('He said, "�Well, no."', 'He said, "Well, no."'),
        ('James O"�Neill', "James O'Neill"),
        ("they'r right, We'r not", "they're right, We're not"),
        ("the D��il and Sinn F��in", "the Dáil and Sinn Féin"),
        ("a P��rez", "a P�rez"),
        ("up to �10,000", "up to €10,000"),
        ("he called it \"shameful.\"\"they say", 'he called it "shameful."they say'),
        ("It is over.- Next", "It is over. Next"),
        ("Was it the \"It girl\"? They were", 'Was it the "It girl"? They were'),
        ("Is it so? Yes, he's well-known.", "Is it so? Yes, he's well-known."),
        ("", ""),
    ],
)  # fmt: skip
def test_mend(broken, whole):
    assert mend(broken) == whole


def test_mend_counts_by_kind_and_leaves_sound_text_alone():
    counts = Counter()
    mend('doesn"t, D��il, P��rez', counts)
    assert +counts == {
        "apostrophes": 1,
        "lost letters, filled in": 1,
        "lost letters, shown as �": 1,
    }
    sound = 'A sound text: "quoted", don\'t change it – not even (this).'
    counts.clear()
    assert mend(sound, counts) == sound
    assert not +counts


def test_tidy():
    assert tidy("  a\n\tb\0c ") == "a b c"
    assert tidy("half \ud83d") == "half ?"
    assert tidy("cafe\u0301 co\u00adop\u200berate") == "café cooperate", (
        "as keyword search compares"
    )


def test_outlet_of():
    assert outlet_of("http://www.bbc.co.uk/news/1") == "BBC"
    assert outlet_of("https://www.example.org/x") == "example.org"
    assert outlet_of("no link") == ""


def test_own_csv(tmp_path):
    file = write(
        tmp_path / "own.csv",
        "Title,TEXT,outlet,date\nOne,Some text.,Gazette,2017-02-07\n,text\nTwo,\n"
        'Three,text,,7 Feb\nFour,🙂🙂\nFünf,"Zwei\nZeilen"\n🙂,Some  text.\n',
        encoding="utf-8-sig",
    )
    found = load_own(file)
    assert [(a.title, a.text, a.outlet, a.date) for a in found.articles] == [
        ("One", "Some text.", "Gazette", 20170207),
        ("Fünf", "Zwei Zeilen", "", 0),
    ]
    assert found.left_out == [
        ("line 3", "no title"),
        ("line 4", "no text"),
        ("line 5", "no date such as 2017-02-07 but '7 Feb'"),
        ("line 6", "no text"),
        ("line 9", "a copy of another text"),
    ]


def test_an_own_csv_without_the_columns_says_which(tmp_path):
    file = write(tmp_path / "own.csv", "headline,text\na,b\n")
    with pytest.raises(HelpfulError, match="no column title; begin it with the line title,text"):
        load_own(file)
    with pytest.raises(HelpfulError, match="empty.csv is empty"):
        load_own(write(tmp_path / "empty.csv", ""))


def test_an_own_csv_in_another_encoding_says_so(tmp_path):
    with pytest.raises(
        HelpfulError, match=r"own.csv holds no text that can be used \(line 2: the byte 0xe4"
    ):
        load_own(write(tmp_path / "own.csv", "title,text\nä,ö\n", encoding="latin-1"))


def test_an_own_csv_without_a_usable_row_says_why(tmp_path):
    with pytest.raises(HelpfulError, match=r"be used \(line 2: no text, line 3: no text\)"):
        load_own(write(tmp_path / "own.csv", "title,text\na,\nb, \n"))
    with pytest.raises(HelpfulError, match=r"that can be used \(no row\)"):
        load_own(write(tmp_path / "own.csv", "title,text\n"))


def test_a_very_long_own_text_is_cut_to_what_a_field_holds(tmp_path):
    file = write(
        tmp_path / "own.csv", f"title,text\nLong,{'word ' * 20_000}\nOne,{'字' * 50_000}\n"
    )
    found = load_own(file)
    assert [a.title for a in found.articles][:2] == ["Long (1)", "Long (2)"]
    assert [a.title for a in found.articles if "One" in a.title] == [
        f"One ({n + 1})" for n in range(4)
    ]
    assert sum(len(a.text.split()) for a in found.articles if "Long" in a.title) == 20_000
    assert sum(len(a.text) for a in found.articles if "One" in a.title) == 50_000
    assert all(len(a.text.encode()) <= 65_535 for a in found.articles)


def test_own_folder_and_zip(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "texts"
    folder.mkdir()
    write(folder / "first_note.txt", "A note.\nIn two lines.")
    write(folder / "empty.txt", " ")
    write(folder / "old.txt", "Stra\xdfe", encoding="latin-1")
    write(folder / "picture.jpg", "no text")
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    for source in (folder, tmp_path / "texts.zip"):
        found = load_own(source)
        (article,) = found.articles
        assert (article.title, article.text) == ("first note", "A note. In two lines.")
        assert found.left_out == [("empty.txt", "no text"), ("old.txt", "not in UTF-8")]


def test_own_texts_that_are_not_there(tmp_path):
    with pytest.raises(HelpfulError, match="There is no file or folder"):
        load_own(tmp_path / "nowhere")
    with pytest.raises(HelpfulError, match="holds no file of the kinds .txt"):
        load_own(tmp_path)
    with pytest.raises(ArchiveError):
        load_own(write(tmp_path / "broken.zip", "no zip"))
