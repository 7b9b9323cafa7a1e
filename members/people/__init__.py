"""Members: the people on the branches' registers."""

from members.people.models import Member, Post, Standing
from members.people.service import Members
from members.people.views import Flowing, MemberView

__all__ = ["Flowing", "Member", "MemberView", "Members", "Post", "Standing"]
