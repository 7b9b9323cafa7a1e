"""The tests of the plane's inner parts want them compiled before they are imported."""

from tests.media.plane.probes import build_probes

build_probes()
