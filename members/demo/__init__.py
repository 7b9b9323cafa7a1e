"""The demo organization, for trying the product out: invented people with published passwords.

Made once, in records that hold no organization yet; never touched again. Not for an installation that strangers can
reach: everybody can read the passwords here.
"""

from members.demo.logins import DemoLogin
from members.demo.maker import make_demo

__all__ = ["DemoLogin", "make_demo"]
