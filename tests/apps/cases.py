"""What the browser does with each app: notebook -> steps, each with what must then be shown.

A step is (form, what is done, a regular expression that the answer's text or picture text matches).
What is done: ``{"example": caption}`` clicks an example; any other dict fills in fields by name (a
text, a choice's text, a bytes value with its file name as ``(name, content)``) and presses the
form's button. The regular expression is searched for in the text of the answer, the alternative
texts of its pictures included. The first step is a right input, the last one a wrong one.
"""

CASES: dict[str, list[tuple[int, dict, str]]] = {
    "00_start_here": [
        (0, {"example": "where HNSW stops too soon"}, r"star at 0\.2, 0\.8"),
        (0, {"across": "2.4", "up": "-2.4"}, r"star at 2\.4, -2\.4"),  # a slider takes no wrong one
    ],
    "01_image_search": [
        (0, {"example": "a new bird"}, "bird 0"),
        (0, {"chosen": ("notes.jpg", b"no picture")}, "notes.jpg|not a picture|could not be read"),
    ],
    "07_question_answering": [
        (0, {"example": "how many ppl live in fresno"}, "population in 2010.*494,665"),
        (0, {"example": "What is a good name for a puppy?"}, "I do not know.*Or did you mean"),
        (0, {"text": "\U0001f642"}, "a text without a letter or digit"),
    ],
    "05_molecule_search": [
        (0, {"example": "moclobemide: what is similar?"}, r"Tanimoto coefficient: 0\.\d\d; two by"),
        (
            0,
            {"example": "imatinib: which pieces are in it?"},
            "molecules and blocks lie in it",
        ),
        (0, {"smiles": "OC(=O)c1ccccc1", "question": "Which molecules contain it?"}, "contain it"),
        (0, {"smiles": "aspirin"}, "looks like a name"),
    ],
    "09_text_search": [
        (0, {"example": "CsPbI3"}, "(?s)By words.*perovskite solar batteries.*By meaning"),
        (0, {"query": "war", "since": "2030-01-01"}, "no text is left to search"),
        (0, {"query": "\U0001f642"}, "a text without a letter or digit"),
    ],
    "10_multimodal_search": [
        (0, {"example": "pale smiling water creature with feathery gills"}, "in both: axolotl"),
        (1, {"example": "a bat"}, "in photos: fox"),
        (1, {"chosen": ("notes.jpg", b"no picture")}, "cannot be used|could not be read"),
    ],
    "02_video_search": [
        (0, {"example": "mirrored"}, r"says: bikes, at \d"),
        (0, {"example": "of no clip"}, "^unknown"),
        (0, {"chosen": ("notes.png", b"no picture")}, "picture|could not be read"),
    ],
    "04_audio_search": [
        (0, {"example": "kick"}, r"best: kick \d"),
        (0, {"chosen": ("notes.wav", b"no sound")}, "sound"),
    ],
    "06_recommender": [
        (0, {"example": "Alien, Aliens, The Terminator"}, r"The Matrix \(1999\)|Terminator 2"),
        (0, {"example": "Toy Story, Aladdin: animation before 1960"}, r"Dumbo \(1941\)"),
        (0, {"example": "no film, a girl under 18"}, "expect odd films"),
        (0, {"watched": "Avatar (2009)"}, "no film named 'Avatar"),
    ],
    "08_dna_classification": [
        (0, {"example": "a piece, other strand, RNA"}, r"AAC, 100% of the votes.*\|{40}"),
        (0, {"example": "random letters"}, "no known family"),
        (1, {"example": "pieces of 210 bases"}, r"blaLEN-42 \(Bla A\): Bla A"),
        (1, {"chosen": ("empty.fasta", b"\n")}, "empty.fasta is empty"),
        (0, {"text": ">one\nMKTAYIAKQRQISFVKSHFSRQ"}, "not DNA"),
    ],
    "03_video_object_search": [
        (0, {"example": "a motorway"}, r"[1-9]\d* objects in the first six seconds: .*car"),
        (0, {"chosen": ("notes.mp4", b"no video")}, "notes.mp4|video"),
    ],
    "11_fiftyone": [
        (0, {"example": "cat"}, r"cat 1\.00"),
        (0, {"example": "sushi"}, r"sushi 1\.00"),  # a list of choices takes no wrong one
    ],
    "12_benchmark": [
        (0, {"example": "a billion, DISKANN"}, r"1,000 million vectors, DISKANN.*local disk"),
        (0, {"replicas": "3"}, r"1,000 million vectors, DISKANN.*query nodes\s+9\.0"),
        (0, {"dimension": "100000"}, "dimension is 100000: give a number from 1 to 32,768"),
    ],
}
