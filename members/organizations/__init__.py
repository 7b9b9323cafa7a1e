"""Organizations: the one tree that every permission follows."""

from members.organizations.models import Organization, OrganizationKind
from members.organizations.service import Organizations
from members.organizations.views import OrganizationView

__all__ = ["Organization", "OrganizationKind", "OrganizationView", "Organizations"]
