"""FFmpeg as encoder, as `ffmpeg -f whip` is: `python ffmpeg.py ADDRESS KEY FOLDER`; it sends until its input ends.

A process of its own, because PyAV lets nobody else run while FFmpeg waits for the server.
"""

import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PICTURES_A_SECOND = 10
RATE = 48_000
SAMPLES = 960


def identity(folder: Path) -> dict[str, str]:
    """FFmpeg's own certificate, where it is built with GnuTLS, is of a curve that TLS has given up (P-224)."""
    made = RTCCertificate.generateCertificate()
    (folder / "cert.pem").write_bytes(made._cert.public_bytes(Encoding.PEM))
    pkcs8 = made._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pkcs8)
    return {"cert_file": str(folder / "cert.pem"), "key_file": str(folder / "key.pem")}


def send(url: str, key: str, folder: Path, enough: threading.Event) -> None:
    """A picture and a tone until it is enough."""
    options = {"authorization": key, "strict": "experimental", **identity(folder)}
    with av.open(url, "w", format="whip", options=options) as out:
        video = out.add_stream(
            "libx264", PICTURES_A_SECOND, options={"tune": "zerolatency", "preset": "ultrafast"}
        )
        video.width, video.height, video.pix_fmt, video.gop_size = 160, 120, "yuv420p", 5
        video.profile = "Baseline"
        audio = out.add_stream("libopus", RATE, layout="stereo")
        for number in range(10_000):
            picture = av.VideoFrame.from_ndarray(
                np.full((180, 160), number * 8 % 256, np.uint8), format="yuv420p"
            )
            picture.pts, picture.time_base = number, Fraction(1, PICTURES_A_SECOND)
            out.mux(video.encode(picture))
            for part in range(RATE // PICTURES_A_SECOND // SAMPLES):
                sound = av.AudioFrame.from_ndarray(np.zeros((1, 2 * SAMPLES), np.int16), "s16", "stereo")
                sound.sample_rate, sound.time_base = RATE, Fraction(1, RATE)
                sound.pts = number * RATE // PICTURES_A_SECOND + part * SAMPLES
                out.mux(audio.encode(sound))
            if enough.wait(1 / PICTURES_A_SECOND):
                return


if __name__ == "__main__":
    enough = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        enough.set()

    threading.Thread(target=wait, daemon=True).start()
    send(sys.argv[1], sys.argv[2], Path(sys.argv[3]), enough)
