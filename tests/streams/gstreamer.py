"""An encoder or a player of GStreamer's webrtcbin, by Debian's packages and the system's own Python.

`gstreamer.py send|watch ADDRESS KEY CODEC` posts its offer when all candidates are in it, prints a line for each frame
(`video` or `audio`) that comes, and ends its session when its standard input ends.
"""

import os
import sys
import urllib.request
from typing import Any
from urllib.parse import urljoin

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found]  # noqa: E402

RTP = "application/x-rtp,payload={payload},media={media},encoding-name={name},clock-rate={rate}"
VIDEO = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=40 ! rtpvp8pay picture-id-mode=2",
    "VP9": "vp9enc deadline=1 keyframe-max-dist=40 ! rtpvp9pay picture-id-mode=2",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=40 ! "
    "video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency",
}
PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=20/1 ! {}"
SOUND = "audiotestsrc is-live=true ! opusenc ! rtpopuspay"
SEEN = {
    "VP8": "rtpvp8depay ! vp8dec",
    "VP9": "rtpvp9depay ! vp9dec",
    "H264": "rtph264depay ! avdec_h264",
    "OPUS": "rtpopusdepay ! opusdec",
}


def video_caps(codec: str) -> str:
    """What the picture is sent or received as."""
    return RTP.format(payload=96, media="video", name=codec, rate=90_000)


AUDIO_CAPS = RTP.format(payload=97, media="audio", name="OPUS", rate=48_000) + ",encoding-params=(string)2"


class Peer:
    """webrtcbin and the HTTP session behind it."""

    def __init__(self, role: str, address: str, key: str, codec: str) -> None:
        self.address = address
        self.key = key
        self.session = ""
        self.loop = GLib.MainLoop()
        self.offered = False
        self.pipeline = Gst.Pipeline.new()
        self.rtc = Gst.ElementFactory.make("webrtcbin")
        self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.rtc)
        self.rtc.connect("on-negotiation-needed", self.negotiate)
        self.rtc.connect("notify::ice-gathering-state", self.gathered)
        self.rtc.connect("pad-added", self.received)
        for chain, caps in (PICTURE.format(VIDEO[codec]), video_caps(codec)), (SOUND, AUDIO_CAPS):
            if role == "send":
                source = Gst.parse_bin_from_description(chain, True)
                self.pipeline.add(source)
                source.link_filtered(self.rtc, Gst.Caps.from_string(caps))
            else:
                direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
                self.rtc.emit("add-transceiver", direction, Gst.Caps.from_string(caps))

    def run(self) -> None:
        """Until standard input ends."""
        GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_HUP | GLib.IO_IN, self.end)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def negotiate(self, _rtc: Any) -> None:
        """Once, when the sections are known."""

        def made(promise: Any) -> None:
            reply = promise.get_reply()  # holds what is in the offer
            self.rtc.emit("set-local-description", reply.get_value("offer"), None)

        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(made))

    def gathered(self, _rtc: Any, _property: Any) -> None:
        """All candidates are in the offer: it goes out, from the main loop."""
        state = self.rtc.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.offered:
            self.offered = True
            GLib.idle_add(self.exchange)

    def exchange(self) -> bool:
        """Offer and answer over HTTP."""
        offer = self.rtc.get_property("local-description").sdp.as_text()
        with self.call("POST", self.address, offer.encode()) as answered:
            self.session = urljoin(self.address, answered.headers["Location"])
            _, sdp = GstSdp.SDPMessage.new_from_text(answered.read().decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.rtc.emit("set-remote-description", answer, None)
        return False

    def received(self, _rtc: Any, pad: Any) -> None:
        """Decode what comes, and say so."""
        if pad.direction != Gst.PadDirection.SRC:
            return
        caps = pad.get_current_caps().get_structure(0)
        media, name = caps.get_string("media"), caps.get_string("encoding-name")
        seen = Gst.parse_bin_from_description(
            f"queue ! {SEEN[name]} ! fakesink name=sink signal-handoffs=true", True
        )
        line = f"{media}\n".encode()  # written at once: picture and sound come in two threads
        seen.get_by_name("sink").connect("handoff", lambda *_: os.write(sys.stdout.fileno(), line))
        self.pipeline.add(seen)
        seen.sync_state_with_parent()
        pad.link(seen.get_static_pad("sink"))

    def end(self, *_: Any) -> bool:
        """Say goodbye."""
        if self.session:
            self.call("DELETE", self.session).close()
        self.loop.quit()
        return False

    def call(self, method: str, address: str, body: bytes | None = None) -> Any:
        """An HTTP call with the key; an error of HTTP's ends the program."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/sdp"}
        asked = urllib.request.Request(address, body, headers, method=method)  # noqa: S310 - the test's own server
        return urllib.request.urlopen(asked, timeout=10)  # noqa: S310


if __name__ == "__main__":
    Gst.init(None)
    Peer(*sys.argv[1:]).run()
