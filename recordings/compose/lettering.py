"""Names as grey pictures, in a font that has Chinese characters."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Plane = npt.NDArray[np.uint8]

_SIMPLIFIED_FACE: Final = "SC"
_ELLIPSIS: Final = "…"
# Limited range: 16 is black, 235 white.
_INK: Final = 225


class Lettering:
    """Draws text. Without a Chinese font, Pillow's own is used, and characters it lacks come out as boxes."""

    def __init__(self, font: Path | None) -> None:
        self._path = font
        self._font = lru_cache(maxsize=64)(self._load)

    def draw(self, text: str, width: int, height: int, size: int, paper: int) -> Plane:
        """The text in the middle of a plane of grey `paper`, cut with an ellipsis where it is too long."""
        image = Image.new("L", (width, height), paper)
        drawing = ImageDraw.Draw(image)
        font = self._font(size)
        line = self._cut(" ".join(text.split()), width - size, size)
        drawing.text((width / 2, height / 2), line, font=font, fill=_INK, anchor="mm")
        return np.asarray(image)

    def lines(self, text: str, width: int, size: int, most: int) -> list[str]:
        """The text in lines that fit, broken anywhere as Chinese is; the last takes what is left."""
        font = self._font(size)
        rest = " ".join(text.split())
        lines: list[str] = []
        while rest and len(lines) < most - 1:
            length = len(rest)
            while length > 1 and font.getlength(rest[:length]) > width - size:
                length -= 1
            lines.append(rest[:length].strip())
            rest = rest[length:].strip()
        return [*lines, rest] if rest else lines

    def _cut(self, text: str, width: float, size: int) -> str:
        font = self._font(size)
        if font.getlength(text) <= width:
            return text
        while text and font.getlength(text + _ELLIPSIS) > width:
            text = text[:-1]
        return text + _ELLIPSIS

    def _load(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        if self._path is None:
            return ImageFont.load_default(size)
        for index in range(12):  # the faces of a collection: JP, KR, SC, TC, HK ...
            try:
                face = ImageFont.truetype(str(self._path), size, index=index)
            except OSError:
                break
            if _SIMPLIFIED_FACE in (face.getname()[0] or "").split():
                return face
        return ImageFont.truetype(str(self._path), size)
