"""The admin: every page opens, presets are copied and never changed, the engine's rows are only shown."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tokens import policies
from tokens.models import AllocationPolicy, Event, Plan, PolicyAssignment, SupplyEvent, Token
from tokens.tests.hall import Hall

pytestmark = pytest.mark.django_db

SUBMITTED = {"_form_submitted": "on"}
"""What a dialog of the admin sends along."""
SHOWN = ("token", "event", "supplyevent", "plan", "formernumber", "waitestimate")
CHANGED = ("allocationpolicy", "policyassignment")


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def admin(client: Client, hall: Hall) -> Client:
    client.force_login(hall.user("admin"))
    return client


def address(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:tokens_{model}_{page}", args=args)


def own_policy(hall: Hall) -> AllocationPolicy:
    preset = AllocationPolicy.objects.get(name="considerate")
    return policies.copy_policy(policy_id=preset.pk, facility=hall.facility, name="ours", by=hall.user("admin"))


def form_of(policy: AllocationPolicy, **changes: Any) -> dict[str, Any]:
    names = [
        "name",
        "combine",
        "emergency",
        "displacement",
        "without_place",
        "no_next_slot",
        "next_slot_days",
        "no_show",
        "age_points",
        "age_every",
        "age_limit",
    ]
    weights = {f"weight_{source}": weight for source, weight in policy.weights.items()}
    return {name: getattr(policy, name) for name in names} | weights | {"facility": policy.facility_id or ""} | changes


class TestWhatTheEngineOwns:
    def test_every_page_opens(self, admin: Client, hall: Hall) -> None:
        token = hall.give("online")
        hall.post(f"slots/{hall.slots[0].pk}/capacity/", {"capacity": 1})
        ids = {
            "token": token["id"],
            "event": Event.objects.first().pk,
            "supplyevent": SupplyEvent.objects.first().pk,
            "plan": Plan.objects.first().pk,
        }
        for model in (*SHOWN, *CHANGED):
            assert admin.get(address(model, "changelist")).status_code == 200
        for model, pk in ids.items():
            assert admin.get(address(model, "change", pk)).status_code == 200

    @pytest.mark.parametrize("model", SHOWN)
    def test_nothing_is_added_changed_or_deleted_by_hand(self, admin: Client, hall: Hall, model: str) -> None:
        hall.give("online")
        assert admin.get(address(model, "add")).status_code == 403
        token = Token.objects.get()
        assert admin.post(address("token", "change", token.pk), {"status": "completed"}).status_code == 403
        assert admin.get(address("token", "delete", token.pk)).status_code == 403
        assert Token.objects.get().status == "confirmed"

    def test_the_secret_of_the_slip_is_not_shown(self, admin: Client, hall: Hall) -> None:
        token = hall.give("online")
        key = Token.objects.get().key
        page = admin.get(address("token", "change", token["id"])).content.decode()
        assert f'<div class="readonly">{key}' not in page

    @pytest.mark.parametrize(
        ("button", "becomes"), [("arrive", "confirmed"), ("cancel", "cancelled"), ("no_show", "no_show")]
    )
    def test_the_buttons_call_the_actions_and_undo_takes_them_back(
        self, admin: Client, hall: Hall, button: str, becomes: str
    ) -> None:
        token = hall.give("online")
        url = address("token", button, token["id"])
        assert admin.get(url).status_code == 200
        assert Token.objects.get().events == 2  # to look is not to act
        assert admin.post(url, {"reason": "asked", **SUBMITTED}).status_code == 302
        assert (Token.objects.get().status, Token.objects.get().events) == (becomes, 3)
        admin.post(address("token", "undo", token["id"]), SUBMITTED)
        assert (Token.objects.get().status, Token.objects.get().events) == ("confirmed", 4)

    def test_a_refusal_is_said_in_its_own_words(self, admin: Client, hall: Hall) -> None:
        token = hall.give("walk_in")
        page = admin.post(address("token", "arrive", token["id"]), SUBMITTED, follow=True)
        assert "here already" in page.content.decode()

    def test_another_hospital_sees_none_of_it(self, hall: Hall, client: Client) -> None:
        token = hall.give("online")
        client.force_login(Hall(name="Other Hospital").user("admin"))
        assert client.get(address("token", "change", token["id"])).status_code == 302
        client.post(address("token", "cancel", token["id"]), {"reason": "x", **SUBMITTED})
        assert Token.objects.get().status == "confirmed"


class TestPolicies:
    def test_a_preset_is_shown_and_never_changed(self, admin: Client) -> None:
        preset = AllocationPolicy.objects.get(name="weighted-waitlist")
        assert admin.get(address("allocationpolicy", "change", preset.pk)).status_code == 200
        answer = admin.post(address("allocationpolicy", "change", preset.pk), form_of(preset, weight_online=1))
        assert answer.status_code == 403
        assert AllocationPolicy.objects.get(pk=preset.pk).weights["online"] == 50

    def test_a_preset_is_copied_and_the_copy_is_changed(self, admin: Client, hall: Hall) -> None:
        preset = AllocationPolicy.objects.get(name="weighted-waitlist")
        url = address("allocationpolicy", "copy", preset.pk)
        assert admin.get(url).status_code == 200
        admin.post(url, {"facility": hall.facility.pk, "name": "ours", **SUBMITTED})
        ours = AllocationPolicy.objects.get(name="ours")
        assert (ours.facility, ours.is_preset, ours.weights) == (hall.facility, False, preset.weights)
        page = admin.get(address("allocationpolicy", "change", ours.pk))
        assert page.status_code == 200
        answer = admin.post(address("allocationpolicy", "change", ours.pk), form_of(ours, weight_online=70))
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        ours.refresh_from_db()
        assert ours.weights["online"] == 70
        assert ours.events.count() == 2

    def test_a_new_one_from_nothing(self, admin: Client, hall: Hall) -> None:
        assert admin.get(address("allocationpolicy", "add")).status_code == 200
        preset = AllocationPolicy.objects.get(name="considerate")
        body = form_of(preset, name="new", facility=hall.facility.pk)
        assert admin.post(address("allocationpolicy", "add"), body).status_code == 302
        assert AllocationPolicy.objects.get(name="new").weights == preset.weights

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"weight_online": -1}, "greater than or equal to 0"),
            ({"weight_online": "many"}, "whole number"),
            ({"weight_paid": ""}, "required"),
            ({"next_slot_days": 31}, "less than or equal to 30"),
            ({"age_points": 5}, "minutes of a step"),
            ({"age_points": 5, "age_every": 10}, "need a limit"),
            ({"facility": ""}, "required"),
        ],
    )
    def test_what_makes_no_sense_is_said_beside_its_field(
        self, admin: Client, hall: Hall, change: dict[str, Any], said: str
    ) -> None:
        ours = own_policy(hall)
        page = admin.post(address("allocationpolicy", "change", ours.pk), form_of(ours, **change))
        assert page.status_code == 200
        assert said in page.content.decode()

    def test_weights_are_checked_where_they_are_written(self, hall: Hall) -> None:
        ours = own_policy(hall)
        for weights in (
            {},
            {**ours.weights, "online": "x"},
            {**ours.weights, "online": True},
            {**ours.weights, "y": 1},
        ):
            with pytest.raises(policies.BadInput):
                policies.check_weights(weights)

    def test_it_is_set_on_one_thing_and_taken_back(self, admin: Client, hall: Hall) -> None:
        ours = own_policy(hall)
        add = address("policyassignment", "add")
        assert admin.get(add).status_code == 200
        refused = admin.post(add, {"policy": ours.pk, "facility": hall.facility.pk, "doctor": hall.rao.pk}, follow=True)
        assert "one of them" in refused.content.decode()
        assert admin.post(add, {"policy": ours.pk, "doctor": hall.rao.pk}).status_code == 302
        assignment = PolicyAssignment.objects.get()
        assert admin.post(address("policyassignment", "delete", assignment.pk), {"post": "yes"}).status_code == 302
        assert not PolicyAssignment.objects.exists()
        labels = [event.pgh_label for event in PolicyAssignment.pgh_event_model.objects.order_by("pgh_id")]
        assert labels == ["insert", "delete"]

    def test_anothers_policy_cannot_be_set_here(self, admin: Client, hall: Hall) -> None:
        theirs = own_policy(Hall(name="Other Hospital"))
        page = admin.post(address("policyassignment", "add"), {"policy": theirs.pk, "facility": hall.facility.pk})
        assert page.status_code == 200
        assert not PolicyAssignment.objects.exists()

    def test_a_manager_sees_policies_and_changes_none(self, client: Client, hall: Hall) -> None:
        client.force_login(hall.user("manager"))
        ours = own_policy(hall)
        assert client.get(address("allocationpolicy", "change", ours.pk)).status_code == 200
        assert client.post(address("allocationpolicy", "change", ours.pk), form_of(ours)).status_code == 403
