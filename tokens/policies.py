"""Policies, written: presets are copied, copies are changed, and set on a facility, a department or a doctor.

A changed policy decides new requests; tokens keep the score they were given (a session can be rescored by plan).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.history import signed
from accounts.models import Facility
from accounts.permissions import require
from common.errors import BadInput, Refused
from tokens.models import AllocationPolicy, PolicyAssignment
from tokens.states import Source

if TYPE_CHECKING:
    from accounts.models import User

CODE = "tokens.policy"
HEAVIEST = 100_000


class PresetIsFixed(Refused):
    """Presets belong to everybody; a facility changes its copy."""

    code = "preset"
    sentence = "{name} is a preset: copy it, and change the copy."


class PolicyElsewhere(BadInput):
    """A facility's own policy decides in that facility only."""

    code = "policy_elsewhere"
    sentence = "{name} belongs to another facility."


def check_weights(weights: Mapping[str, Any]) -> None:
    """Weights name every source once, each with a whole number.

    Raises:
        BadInput: `attr` is "weights"; the sentence says which one and why.
    """
    for source in Source:
        weight = weights.get(source.value)
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= HEAVIEST:
            raise BadInput(
                "The weight of {source} is a whole number from 0 to {most}.",
                attr="weights",
                source=source.label.lower(),
                most=HEAVIEST,
            )
    unknown = sorted(set(weights) - set(Source))
    if unknown:
        raise BadInput("No source is called {name}.", attr="weights", name=unknown[0])


def check_ageing(policy: AllocationPolicy) -> None:
    """Points for waiting need a step and a limit.

    Raises:
        BadInput
    """
    if policy.age_points and not policy.age_every:
        raise BadInput("Points for waiting need the minutes of a step.", attr="age_every")
    if policy.age_points and not policy.age_limit:
        raise BadInput("Points for waiting need a limit, or waiting would outweigh everything.", attr="age_limit")


@transaction.atomic(savepoint=False)
def save_policy(policy: AllocationPolicy, *, by: "User") -> AllocationPolicy:
    """Write a facility's own policy, new or changed.

    Raises:
        PresetIsFixed, BadInput, PermissionDenied
    """
    if policy.is_preset or policy.facility_id is None:
        raise PresetIsFixed(name=policy.name)
    require(by, CODE, policy.facility_id)
    check_weights(policy.weights)
    check_ageing(policy)
    with signed(by):
        policy.save()
    return policy


def copy_policy(*, policy_id: int, facility: Facility, name: str, by: "User") -> AllocationPolicy:
    """Copy a policy for a facility, to be changed there.

    Raises:
        BadInput: the facility has a policy of that name.
        PermissionDenied
    """
    require(by, CODE, facility.pk)
    policy = AllocationPolicy.objects.get(pk=policy_id)
    if policy.facility_id not in (None, facility.pk):
        raise PolicyElsewhere(name=policy.name)
    if AllocationPolicy.objects.filter(facility=facility, name=name).exists():
        raise BadInput("{facility} has a policy {name} already.", attr="name", facility=str(facility), name=name)
    policy.pk, policy.facility, policy.name, policy.is_preset = None, facility, name, False
    policy._state.adding = True
    return save_policy(policy, by=by)


@transaction.atomic(savepoint=False)
def assign_policy(assignment: PolicyAssignment, *, by: "User") -> PolicyAssignment:
    """Set a policy on a facility, a department or a doctor.

    Raises:
        BadInput: not exactly one of the three, or the policy belongs to another facility.
        PermissionDenied
    """
    where = [thing for thing in (assignment.facility, assignment.department, assignment.doctor) if thing is not None]
    if len(where) != 1:
        raise BadInput("Set it on a facility, or a department, or a doctor: one of them.", attr="facility")
    facility_id = facility_of(assignment)
    require(by, CODE, facility_id)
    if assignment.policy.facility_id not in (None, facility_id):
        raise PolicyElsewhere(name=assignment.policy.name, attr="policy")
    with signed(by):
        assignment.save()
    return assignment


def facility_of(assignment: PolicyAssignment) -> int | None:
    """The facility in which an assignment decides."""
    thing = assignment.doctor or assignment.department
    return thing.facility_id if thing else assignment.facility_id


@transaction.atomic(savepoint=False)
def withdraw_policy(assignment: PolicyAssignment, *, by: "User") -> None:
    """Take an assignment back: the next nearest policy decides.

    Raises:
        PermissionDenied
    """
    require(by, CODE, facility_of(assignment))
    with signed(by):
        assignment.delete()
