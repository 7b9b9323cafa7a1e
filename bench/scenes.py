"""What cameras of the benchmark see: brightness alone."""

import math
from collections.abc import Iterator
from enum import StrEnum

import numpy as np

SENSOR_NOISE = 2.0  # standard deviation, of 256 levels: a webcam's in a lit room


class Scene(StrEnum):
    """Who or what is before the camera; it decides what its pictures cost to decode."""

    PORTRAIT = "portrait"
    STRIPES = "stripes"


def scene(which: Scene, width: int, height: int, frames: int) -> Iterator[np.ndarray]:
    """So many pictures of it, `height` rows of `width` bytes each."""
    return (portrait if which is Scene.PORTRAIT else stripes)(width, height, frames)


def portrait(width: int, height: int, frames: int) -> Iterator[np.ndarray]:
    """Somebody who talks, as a camera sees it: head and shoulders that sway, a wall, and noise of the sensor."""
    dice = np.random.default_rng(1)
    wall = _texture(dice, width, height)
    person = _texture(dice, width, height)
    rows, columns = np.mgrid[0:height, 0:width]
    for number in range(frames):
        swing = 2 * math.pi * number / frames
        sway, nod = int(0.02 * width * math.sin(swing)), int(0.01 * height * math.sin(2 * swing))
        across, down = (columns - width / 2 - sway) / width, (rows - nod) / height
        head = (across / 0.11) ** 2 + ((down - 0.4) / 0.24) ** 2 < 1
        shoulders = (across / 0.27) ** 2 + ((down - 1) / 0.36) ** 2 < 1
        seen = np.where(head | shoulders, np.roll(person, (nod, sway), (0, 1)), wall)
        noise = dice.normal(0, SENSOR_NOISE, (height, width))
        yield np.clip(seen + noise, 0, 255).astype(np.uint8)


def stripes(width: int, height: int, frames: int) -> Iterator[np.ndarray]:
    """Every point changes with every frame: more than any camera that stands on a desk sees."""
    columns = np.arange(width)
    for number in range(frames):
        row = 128 + 100 * np.sin((columns + 8 * number) / 40)
        yield np.tile(row.astype(np.uint8), (height, 1))


def _texture(dice: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Detail of every size, the finer the weaker, as photographs have it."""
    texture = np.full((height, width), 120.0)
    for grain, strength in ((80, 40), (20, 16), (5, 6), (1, 2)):
        coarse = dice.normal(0, strength, (height // grain + 1, width // grain + 1))
        texture += np.kron(coarse, np.ones((grain, grain)))[:height, :width]
    return texture
