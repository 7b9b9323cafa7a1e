"""Real headless Chromiums against the real server: what only they can show.

`server.py` starts the program with the demo organization in a folder of its own, `person.py` is one person at one
browser, `measure.js` and `measure.py` read what a page really decodes and hears. No page knows that it is tested.
"""
