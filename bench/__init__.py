"""The benchmark: what forwarding costs on this machine, beside the floor that any server has on it.

`make bench` starts the real server on one core and, on the other, subscribers that join over its real signaling and
then count packets natively without decrypting them. Everything is measured in one run and shown as ratios, because
machines are noisy.

`load.pyx` publishes and counts; `peer.py` joins; `measuring.py` brings more and more subscribers and reads the server's
processor time; `floor.py` measures the simplest C loop that encrypts and sends the same packets; `report.py` prints and
writes build/bench.json. `peers.py` measures Debian's Janus beside the server, `joining.py` with a real browser how long
a join takes, `storm.py` many joins at once, `recordings.py` what capture, composition and watching
cost (its viewers are in `watching.py`).
"""
