"""What the browser does with each app: notebook -> steps, each with what must then be shown.

A step is (form, what is done, a regular expression that the answer's text or picture text matches).
What is done: ``{"example": caption}`` clicks an example; any other dict fills in fields by name (a
text, a choice's text, a bytes value with its file name as ``(name, content)``) and presses the
form's button. The regular expression is searched for in the text of the answer, the alternative
texts of its pictures included. The first step is a right input, the last one a wrong one.
"""

CASES: dict[str, list[tuple[int, dict, str]]] = {
    "01_image_search": [
        (0, {"example": "a new bird"}, "bird 0"),
        (0, {"chosen": ("notes.jpg", b"no picture")}, "notes.jpg|not a picture|could not be read"),
    ],
}
