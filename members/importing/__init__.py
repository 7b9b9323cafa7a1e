"""Reads organizations, members, log-ins and roles from CSV files: all of them or nothing.

Four sheets, UTF-8 (with or without BOM) as spreadsheets save them, told apart by their header; a folder holds any of
organizations.csv, members.csv, accounts.csv and roles.csv, a single file is any one sheet. Columns (* must be filled):

    organizations  code*, parent_code, kind*, name*, timezone
    members        code*, organization_code*, group_code, guest_organization_code, name*, standing*, post,
                   flowing_place, flowing_timezone
    accounts       username*, name*, member_code, password, locale
    roles          username*, role*, organization_code*

kind is department, committee, general_branch, branch or group; standing full or probationary; post secretary,
deputy_secretary, organization, publicity or discipline; locale zh-CN or en; role as `create-account --help` lists them.

A code or user name that is known already is brought up to date; nothing is ever removed, and an organization is not
moved. An account without a password gets one, told in the report; the password of an existing account stays. The
department that `create-account --new-department` made has its name for a code.
"""

from members.importing.errors import ImportRefused, RowError
from members.importing.further import FurtherSheets
from members.importing.report import ImportReport
from members.importing.service import import_path

__all__ = ["FurtherSheets", "ImportRefused", "ImportReport", "RowError", "import_path"]
