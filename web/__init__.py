"""HTTP: the REST calls (web/api), the browser client's files, health and figures.

A handler parses with a model of web/api/schemas, asks one service, and answers with another of them;
it decides nothing. Who may do what is decided in members.policy by the services it calls.
The invariant: every call stands once, in web/api/routes.py, and dispatch, validation and
`GET /api/openapi.json` all read that one table.
"""
