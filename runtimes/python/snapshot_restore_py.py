"""Hooks of SnapStart, by the names that functions import them by.

    from snapshot_restore_py import register_before_snapshot, register_after_restore

Before the snapshot they run in the reverse order of their registration, after a restore in that order.
"""

_before = []
_after = []


def register_before_snapshot(func, *args, **kwargs):
    _before.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    _after.append((func, args, kwargs))
    return func


def get_before_snapshot():
    return _before


def get_after_restore():
    return _after
