"""Apps made of notebooks: the program of each, and a server that answers, waits and refuses."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import fields
import ipywidgets
import nbformat
import pytest
import requests
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from program import assemble, has_app, text_of

from helpers.errors import HelpfulError
from helpers.paths import ROOT
from helpers.widgets import file_box, form

NOTEBOOKS = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if has_app(path)]
HEADING = """# Made up

Gives back what it gets.

| data | model | engine | seconds |
|---|---|---|---|
| none | *no model* | none | 1 |
"""


def notebook(folder: Path, *cells: tuple[str, str], name: str = "made_up") -> Path:
    """A notebook of cells, each with its tag or none."""
    made = [new_markdown_cell(HEADING)]
    for source, tag in cells:
        made.append(new_code_cell(source, metadata={"tags": [tag]} if tag else {}))
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=made), path)
    return path


def test_a_program_has_the_tagged_cells_and_the_definitions_they_use(tmp_path):
    path = notebook(
        tmp_path,
        ("LIMIT = 3", "parameters"),
        ("import os, json as j\nprint('heavy')\nrows = [1]", ""),
        ("def unused():\n    return os", ""),
        ("@staticmethod\ndef inner(x):\n    # why\n    return j.dumps(x)\nprint(inner(1))", ""),
        ("def outer(x):\n    os = x\n    return inner(os)[:LIMIT]", ""),
        ("found = outer(2)\nfound", "app"),
        ("def outer(x):\n    return 'later'", ""),
    )
    text = text_of(assemble(path))
    assert "heavy" not in text and "rows" not in text and "unused" not in text
    assert "import json as j" in text and "import os" not in text, "a local os is no module"
    assert "@staticmethod\ndef inner(x):\n    # why" in text and "later" not in text
    order = [text.index(part) for part in ("LIMIT", "json as j", "inner(x)", "outer(x)", "found")]
    assert order == sorted(order)


def test_all_notebooks_are_apps():
    assert len(NOTEBOOKS) == 13


def test_a_notebook_without_an_app_is_named(tmp_path):
    with pytest.raises(ValueError, match="made_up.ipynb has no cell tagged app"):
        assemble(notebook(tmp_path, ("x = 1", "")))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_program_of_each_notebook_knows_all_its_names(path):
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F821", "-"]
    text = "from IPython.display import display\n" + text_of(assemble(path))
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_app_stores_nothing(path):
    cells = [piece.source for piece in assemble(path)]
    for word in ("upsert(", ".insert(", "create_index(", "drop_collection(", "scoreboard"):
        called = [one for one in cells if re.search(rf"^(?!def|class)\S.*{re.escape(word)}", one)]
        assert not called, word


# A form by its fields, and what a browser sends.

FORM = form(
    lambda **values: None,
    "Go",
    examples={"two": {"text": "2", "kind": "b"}},
    text="a word",
    count=3,
    weights=(0, 500),
    kind=["a", "b"],
    place=ipywidgets.FloatSlider(value=0, min=-1, max=1),
    since=ipywidgets.DatePicker(),
    sure=ipywidgets.Checkbox(value=True),
    names=[ipywidgets.Combobox(options=["x<y"]), ipywidgets.Combobox()],
)
SENT = {
    "text": ["a"],
    "count": ["4"],
    "weights": ["300", "20"],
    "kind": ["1"],
    "place": ["0.5"],
    "since": ["2024-02-29"],
    "names": ["x", ""],
}


def values(**other):
    sent = SENT | other
    return fields.values_of(FORM, lambda name: sent.get(name, []), lambda name: [])


def test_the_values_of_a_form_are_those_that_its_handle_gets_in_a_notebook():
    given = values()
    assert given.pop("since").isoformat() == "2024-02-29"
    assert given == {
        **{"text": "a", "count": 4, "weights": (20, 300), "kind": "b", "place": 0.5},
        **{"sure": False, "names": ["x", ""]},
    }
    assert values(since=[""])["since"] is None and values(sure=["on"])["sure"] is True


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        *(("count", [one]) for one in ("", "x", "nan", "inf", "-1", "0", "1e400")),
        *(("place", [one]) for one in ("2", "-1.1", "nan")),
        *(("weights", one) for one in (["0", "501"], ["-1", "3"], ["5"], ["1", "2", "3"])),
        *(("kind", [one]) for one in ("2", "-1", "a", "")),
        *(("since", [one]) for one in ("2023-02-29", "yesterday")),
        *((name, []) for name in ("text", "count", "kind", "place")),
        ("text", ["x" * 2_000_001]),
    ],
)
def test_what_no_browser_would_send_is_one_sentence(name, sent):
    with pytest.raises(HelpfulError, match=r"^[^\n]{10,120}$"):
        values(**{name: sent})


def test_every_field_has_a_label_and_nothing_is_markup_by_accident():
    text = fields.as_html(FORM, 0)
    ids = re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"', text)
    assert len(ids) == len(set(ids)) == 10
    assert set(re.findall(r'<label for="([^"]+)"', text)) == set(ids)
    assert "x&lt;y" in text and "x<y" not in text


def test_a_file_is_its_name_and_content(tmp_path):
    picture = tmp_path / "a.png"
    box = file_box(lambda *given: None, "image/*", "Go", examples={"one": picture})
    given = fields.values_of(box, lambda name: [""], lambda name: [("n.jpg", b"1")])
    assert given["chosen"] == [{"name": "n.jpg", "content": b"1"}]
    assert not fields.has_picture(str(picture)) and fields.example_picture("a text") is None


# A server of made-up apps.

FIRST = """
import time
from helpers.widgets import form
from helpers.errors import HelpfulError

def act(text, wait):
    print("first", text)
    time.sleep(wait)
    if text == "mistake":
        raise HelpfulError("Mend <this>.")
    if text == "fault":
        raise KeyError("fault")
    display({"given": text})
    print("last", text)

def drawn(**values):
    print("drawn", values["text"])
"""
SHOW = 'form(act, "Go", drawn, examples={"one": {"text": "e"}}, text="a word", wait=0.01)'
UPLOADS = """
from helpers.widgets import file_box
def look(content, name):
    print(name, len(content))
"""
STORED = """
from helpers.connect import connect_milvus
milvus = connect_milvus("made_up")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of a server of made-up apps, and its process."""
    folder = tmp_path_factory.mktemp("apps")
    notebook(folder, (FIRST, ""), (SHOW, "app"), name="one")
    notebook(folder, (FIRST, ""), (SHOW, "app"), name="two")
    notebook(folder, (UPLOADS, ""), ('file_box(look, "*/*", "Look")', "app"), name="files")
    notebook(folder, ("1 / 0", "app"), name="broken")
    filling = 'milvus.create_collection("made_up", dimension=4)'
    record = (
        "from helpers import scoreboard\n"
        "scoreboard.record('stored', rows=1, quality={'P@1': (1.0, 0.5)}, recall=1.0,"
        " search_ms=1.0, rows_per_s=1.0, data='none', model='none')"
    )
    opened = 'milvus.load_collection("made_up")\nform(act, "Go", text="a word", wait=0.01)'
    notebook(
        folder, (STORED, "app"), (filling, ""), (record, ""), (FIRST, ""), (opened, "app"),
        name="stored",
    )  # fmt: skip
    yield from start(folder)


def start(folder, password=""):
    own = {"BOOTCAMP_STORES": str(folder / "s"), "BOOTCAMP_BUILD": str(folder / "build")}
    (folder / "build").mkdir(exist_ok=True)
    command = [sys.executable, Path(__file__).with_name("apps_program.py"), folder, password]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | own, cwd=ROOT
    )
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0].rstrip("/")
    finally:
        process.terminate()
        process.wait(20)


def lines(response):
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def opened(server, name):
    return lines(requests.post(f"{server}/{name}/open"))


def ask(server, name, kind="ask", files=None, **values):
    *told, last = lines(requests.post(f"{server}/{name}/{kind}/0", data=values, files=files))
    return last


def test_an_app_opens_once_and_shows_its_form(server):
    assert "Gives back what it gets." in requests.get(f"{server}/").text
    assert 'id="opening"' in requests.get(f"{server}/one").text
    assert opened(server, "one")[-1]["state"] == "ready"
    page = requests.get(f"{server}/one").text
    assert 'id="opening"' not in page and "a word" in page and "model: no model" in page


def test_an_answer_has_what_was_printed_and_displayed_in_order(server):
    opened(server, "one")
    answer = ask(server, "one", text="<b>", wait="0.01")
    shown = re.findall(r"<pre>(.*?)</pre>", answer["html"])
    assert shown == [
        "first &lt;b&gt;",
        "{&#x27;given&#x27;: &#x27;&lt;b&gt;&#x27;}",
        "last &lt;b&gt;",
    ]
    assert 0.01 <= answer["seconds"] < 5 and answer["search_seconds"] == 0
    assert ask(server, "one", "preview", text="x", wait="1")["html"] == "<pre>drawn x</pre>"
    assert "last e" in ask(server, "one", example="0", text="", wait="0.01")["html"]


def test_a_mistake_and_a_fault_leave_the_app_alive(server):
    opened(server, "one")
    assert ask(server, "one", text="mistake", wait="1")["html"].endswith("Mend &lt;this&gt;.</p>")
    assert "This went wrong here: KeyError" in ask(server, "one", text="fault", wait="1")["html"]
    assert "no value for wait" in ask(server, "one", text="a", wait="soon")["html"]
    assert "last a" in ask(server, "one", text="a", wait="0.01")["html"]
    for odd in ("7", "-1", "x"):
        response = requests.post(f"{server}/one/ask/0", data={"example": odd})
        assert "There is no such example" in response.text
    assert requests.post(f"{server}/one/ask/9").status_code == 409


def test_visitors_at_the_same_time_get_their_own_answers(server):
    for name in ("one", "two"):
        opened(server, name)
    answers = {}

    def visit(number):
        name = ("one", "two")[number % 2]
        answers[number] = ask(server, name, text=f"n{number}", wait="0.2")["html"]

    threads = [threading.Thread(target=visit, args=[n]) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(10):
        assert set(re.findall(r"n\d", answers[number])) == {f"n{number}"}


def test_an_upload_arrives_whole_and_one_that_is_too_large_is_refused(server):
    opened(server, "files")
    content = os.urandom(30_000_000)
    answer = ask(server, "files", files={"chosen": ("a.bin", content)})
    assert answer["html"] == "<pre>a.bin 30000000</pre>"
    assert "Upload a file, then press" in ask(server, "files", path="/etc/passwd")["html"]
    with pytest.raises((requests.ConnectionError, AssertionError)):
        ask(server, "files", files={"chosen": ("a.bin", bytes(102_000_000))})
    assert ask(server, "files", files={"chosen": ("b", b"x")})["html"] == "<pre>b 1</pre>"


def test_what_cannot_be_opened_says_so(server):
    last = opened(server, "broken")[-1]
    assert last["state"] == "failed" and "ZeroDivisionError" in last["message"]
    assert requests.get(f"{server}/nothing").status_code == 404


def test_where_nothing_is_stored_the_notebook_runs_once(server):
    told = opened(server, "stored")
    assert any("runs once to fill the store: cell" in one["message"] for one in told)
    assert told[-1]["state"] == "ready", told[-1]
    assert "last a" in ask(server, "stored", text="a", wait="0.01")["html"]
    began = time.monotonic()
    assert opened(server, "stored")[-1]["state"] == "ready" and time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:80"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "localhost:80"}, 200),
    ],
)
def test_other_sites_may_not_ask(server, headers, status):
    assert requests.post(f"{server}/one/open", headers=headers).status_code == status


def test_no_file_of_this_computer_is_served(server):
    for path in ("/static/../server.py", "/picture/%2e%2e/%2e%2e/Makefile", "/static//etc/passwd"):
        with requests.Session() as session:
            request = requests.Request("GET", server).prepare()
            request.url = server + path
            assert session.send(request).status_code in (403, 404)


def test_a_password_is_asked_for(tmp_path):
    notebook(tmp_path, (FIRST, ""), (SHOW, "app"), name="one")
    for server in start(tmp_path, "s€cret"):
        assert requests.get(server).status_code == 401
        assert requests.get(server, auth=("me", "wrong")).status_code == 401
        assert requests.get(server, headers={"Authorization": "Basic %"}).status_code == 401
        assert requests.get(server, auth=(b"me", "s€cret".encode())).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--address", "0.0.0.0"], "0.0.0.0 is open to others: set BOOTCAMP_PASSWORD, too."),
        (["--address", "here"], "'here' is no address"),
        (["99_nothing"], "There is no notebook 99_nothing"),
    ],
)
def test_a_wrong_command_is_one_sentence(arguments, said):
    env = {name: value for name, value in os.environ.items() if name != "BOOTCAMP_PASSWORD"}
    command = [sys.executable, ROOT / "tools" / "apps", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
