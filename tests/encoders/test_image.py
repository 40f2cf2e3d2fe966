"""The image encoders on real weights, and on every kind of picture people have."""

import io
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.assets import AssetError
from helpers.encoders import image, load_encoder
from helpers.encoders.torchvision_compat import torchvision
from helpers.errors import BadItem, HelpfulError
from helpers.inputs.pictures import open_image


@pytest.fixture(scope="module")
def resnet18():
    return load_encoder("resnet18")


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    from helpers.photos import load_photos

    return Image.open(next(iter(load_photos()))).convert("RGB")


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum())


def test_vectors_are_float32_unit_length_and_512_long(resnet18, photo):
    vectors = resnet18.encode([photo] * 3)
    assert vectors.shape == (3, resnet18.dim) == (3, 512)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert resnet18.encode([]).shape == (0, 512)


def test_vectors_equal_plain_torchvision(resnet18, photo):
    from safetensors.torch import load_file

    from helpers.assets import fetch

    plain = torchvision.models.resnet18()
    plain.load_state_dict(load_file(fetch("resnet18")))
    plain.fc = torch.nn.Identity()
    transforms = torchvision.transforms
    steps = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    pictures = [photo, photo.rotate(90, expand=True), photo.resize((120, 121))]
    with torch.no_grad():
        expected = plain.eval()(torch.stack([steps(p) for p in pictures])).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert (resnet18.encode(pictures) * expected).sum(axis=1).min() > 0.9999


def test_a_vector_does_not_depend_on_its_batch(resnet18, photo):
    others = [photo.rotate(angle) for angle in range(10, 110, 10)]
    alone = resnet18.encode([photo])[0]
    assert cosine(alone, resnet18.encode([*others, photo])[-1]) > 0.99999


@pytest.mark.parametrize(
    ("kind", "options", "least"),
    [
        ("PNG", {}, 0.9999),
        ("BMP", {}, 0.9999),
        ("WEBP", {"quality": 95}, 0.97),
        ("TIFF", {}, 0.9999),
    ],
)
def test_the_same_picture_in_another_format(resnet18, photo, kind, options, least):
    same = encoded(photo, kind, **options)
    assert cosine(*resnet18.encode([photo, same])) > least


def test_cmyk_keeps_its_colours(resnet18, photo):
    assert cosine(*resnet18.encode([photo, encoded(photo.convert("CMYK"), "TIFF")])) > 0.97


def test_sixteen_bit_greys_are_scaled_not_clipped(resnet18, photo):
    grey = photo.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    assert cosine(*resnet18.encode([grey, encoded(deep, "PNG")])) > 0.999


def test_greys_of_32_bits_and_floats(resnet18, photo):
    grey = photo.convert("L")
    for deep in (grey.convert("I"), grey.convert("F")):
        assert cosine(*resnet18.encode([grey, encoded(deep, "TIFF")])) > 0.999
    with pytest.raises(BadItem, match="NaN"):
        open_image(Image.fromarray(np.full((300, 300), np.nan, np.float32)))


def test_a_large_jpeg_is_read_small_where_that_is_enough(photo):
    large = encoded(photo.resize((2000, 1600)), "JPEG")
    assert open_image(large).size == (2000, 1600)
    assert open_image(large, at_least=(200, 200)).size == (250, 200)


def test_only_a_batch_of_a_generator_is_held(resnet18, photo):
    held = []

    def pictures():
        for _ in range(3 * resnet18.batch_size):
            picture = photo.copy()
            held.append(weakref.ref(picture))
            alive = sum(reference() is not None for reference in held)
            assert alive <= 3, "pictures are kept after they were prepared"
            yield picture

    assert len(resnet18.encode(pictures())) == len(held) == 3 * resnet18.batch_size


def test_the_first_frame_of_an_animation(resnet18, photo):
    frames = [photo.rotate(angle) for angle in (90, 180)]
    animated = encoded(photo, "GIF", save_all=True, append_images=frames)
    still = encoded(photo, "GIF")
    assert cosine(*resnet18.encode([animated, still])) > 0.999


def test_transparent_is_white(photo):
    clear = Image.new("RGBA", (300, 300), (255, 0, 0, 0))
    assert open_image(encoded(clear, "PNG")).getpixel((5, 5)) == (255, 255, 255)


def test_a_photo_taken_sideways_is_turned_upright(photo):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter
    turned = open_image(encoded(photo, "JPEG", exif=exif))
    assert turned.size == photo.size[::-1]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (20_000, 40), (3, 20_000)])
def test_odd_sizes(resnet18, size):
    picture = encoded(Image.new("RGB", size, "green"), "PNG")
    assert np.isfinite(resnet18.encode([picture])).all()


def test_a_panorama_gives_no_warning(tmp_path):
    Image.new("L", (20_000, 5_000)).save(tmp_path / "wide.png")
    wide = str(tmp_path / "wide.png")
    code = f"from helpers.inputs.pictures import open_image; open_image({wide!r})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not ran.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"This is a text that somebody named .jpg", "not a picture"),
        (b"\xff\xd8\xff\xe0 not really a JPEG", "not a picture|damaged"),
    ],
)
def test_what_is_no_picture_is_named(resnet18, content, reason):
    with pytest.raises(BadItem, match=reason):
        resnet18.prepare(content)


def test_a_picture_cut_short_is_named(resnet18, photo):
    whole = encoded(photo, "JPEG")
    with pytest.raises(BadItem, match="damaged picture"):
        resnet18.prepare(whole[: len(whole) // 2])


def test_a_picture_too_large_to_be_safe_is_named(resnet18):
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(BadItem, match="more pixels"):
        resnet18.prepare(bomb)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(HelpfulError, match="resnet18, resnet50, vgg16, efficientnet-lite0"):
        load_encoder("resnet19")


def test_efficientnet_lite0_knows_what_it_sees():
    """Its vectors put two photos of one class nearer than photos of different classes."""
    from helpers.photos import load_photos

    photos = load_photos()
    chosen = [[p for p in photos if photos[p] == label][:6] for label in ("cat", "pizza")]
    encoder = load_encoder("efficientnet-lite0")
    cats, pizzas = (encoder.encode(paths) for paths in chosen)
    assert cats.shape == (6, encoder.dim) == (6, 1280)
    assert (cats @ cats.T).mean() > (cats @ pizzas.T).mean() + 0.2


@pytest.mark.parametrize("name", ["resnet50", "vgg16"])
def test_weights_out_of_reach_are_an_error_that_names_the_host(name, monkeypatch, tmp_path):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path))
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(AssetError, match=r"download\.pytorch\.org") as caught:
        load_encoder(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "dim"), [("resnet50", 2048), ("vgg16", 512)])
def test_the_architecture_fits_the_official_weights_by_shape(name, dim):
    """No weights here: their shapes are torchvision's own, and the vector has the stated length."""
    with torch.device("meta"):
        shapes = {k: v.shape for k, v in getattr(torchvision.models, name)().state_dict().items()}
    build = image._ARCHITECTURES[name].build
    model = build({key: torch.zeros(shape) for key, shape in shapes.items()}).eval()
    assert model(torch.zeros(1, 3, 224, 224)).shape == (1, dim)
    assert image._ARCHITECTURES[name].dim == dim


def test_torchvision_works_beside_this_torch():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0]])
    assert torchvision.ops.box_iou(boxes, boxes)[0, 1] == pytest.approx(1 / 7)
    assert torchvision.models.get_model_weights("resnet18")
