"""What a route declares; which role gives it is said in `atoms.permission`, where the prediction plane reads it too."""

from trimtab.atoms.permission import GIVES, Permission, Role

__all__ = ["GIVES", "Permission", "Role"]
