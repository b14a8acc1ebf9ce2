"""Everything that writes about schedules: one function a verb, the actor named.

They work inside the transaction that the caller opened, and take the facility's lock themselves, before any
session's: whoever changes departments, rooms, doctors, lines, or makes sessions, does so one after another in a
facility. Giving tokens does not wait for it.
"""

from scheduling.actions.catalogue import (
    create_department,
    create_doctor,
    create_room,
    deactivate_doctor,
    join_department,
    leave_department,
    update_department,
    update_doctor,
    update_room,
)
from scheduling.actions.generation import Generated, Skipped, generate_sessions
from scheduling.actions.lines import create_line, update_line
from scheduling.actions.sessions import add_slot, open_session, withdraw_sessions

__all__ = [
    "Generated",
    "Skipped",
    "add_slot",
    "create_department",
    "create_doctor",
    "create_line",
    "create_room",
    "deactivate_doctor",
    "generate_sessions",
    "join_department",
    "leave_department",
    "open_session",
    "update_department",
    "update_doctor",
    "update_line",
    "update_room",
    "withdraw_sessions",
]
