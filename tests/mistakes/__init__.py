"""Mistakes of new users, made on purpose: each by its name in docs/errors.md."""

from mistakes import cluster, commands, files, machine
from mistakes.user import MISTAKES, User

__all__ = ["MISTAKES", "User", "cluster", "commands", "files", "machine"]
