"""Captions of recordings: WebVTT files, one a language, uploaded by who manages the recording.

Invariant: what is served has been parsed and written anew by `webvtt`; nothing of a file goes through as it came.
"""
