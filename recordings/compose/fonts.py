"""Finds a font that can write people's names."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

# Where Debian, Fedora, Arch and macOS put fonts with Chinese characters.
_KNOWN: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
)


def find_font() -> Path | None:
    """A font file with Chinese characters, by known places and then by fontconfig; None where there is none."""
    for known in _KNOWN:
        if Path(known).is_file():
            return Path(known)
    program = shutil.which("fc-match")
    if program is None:
        return None
    wanted = [program, "--format=%{file}|%{lang}", "sans:lang=zh-cn"]
    try:
        said = subprocess.run(wanted, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    file, _, languages = said.partition("|")
    return Path(file) if "zh-cn" in languages.split("|") and Path(file).is_file() else None
