"""Finding, registering and giving: what the forms offer, what they do, and that nothing typed is ever lost."""

import re
import uuid

import pytest
from django.test import Client

from accounts.actions import give_role
from accounts.models import AccessAttempt
from patients.models import Patient
from reception.tests.factories import Hall, text
from tokens.models import Token

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "drawer"}


def wish(hall: Hall, patient: Patient, source: str = "walk_in", *, slot: int = 1, **more: str) -> dict[str, object]:
    """What the form of a token sends."""
    return {
        "patient": patient.pk,
        "source": source,
        "who": f"doctor-{hall.rao.pk}",
        f"slot_{source}": hall.slots[slot].pk,
        "idempotency_key": uuid.uuid4().hex,
        **more,
    }


class TestFinding:
    @pytest.mark.parametrize("typed", ["Lakshmi Narayan", "laxmi narayn", "98450 11213", "P-"], ids=str)
    def test_a_patient_is_found_by_name_however_spelt_by_phone_and_by_number(self, typed):
        hall = Hall()
        patient = hall.patient("Lakshmi Narayan", phone="+919845011213")
        asked = patient.number if typed == "P-" else typed
        assert "Lakshmi Narayan" in text(hall.asha.get("/desk/find/", {"q": asked}))

    def test_a_token_is_found_by_its_number(self):
        hall = Hall()
        token = hall.give("Ravi Shankar")
        assert "Ravi Shankar" in text(hall.asha.get("/desk/find/", {"q": token.number.lower()}))

    def test_nobody_of_another_hospital_is_found(self):
        here, there = Hall(), Hall()
        there.patient("Lakshmi Narayan")
        page = text(here.asha.get("/desk/find/", {"q": "lakshmi"}))
        assert "Narayan" not in page
        assert "Register “lakshmi” as a new patient" in page

    def test_without_scripts_the_results_stand_in_the_drawer(self):
        hall = Hall()
        patient = hall.patient("Lakshmi Narayan")
        page = hall.asha.get("/desk/?q=lakshmi").content.decode()
        assert f"?patient={patient.pk}" in page


class TestRegistering:
    def test_a_new_patient_comes_back_ready_for_a_token(self):
        hall = Hall()
        response = hall.asha.post("/desk/patients/", {"name": "Asha Devi", "born": "1972", "sex": "female"})
        patient = Patient.objects.get(name="Asha Devi")
        assert (patient.birth_year, patient.sex) == (1972, "female")
        assert response["Location"] == f"/desk/?patient={patient.pk}"

    def test_it_is_registered_where_the_form_was_opened_whatever_another_window_shows_by_now(self):
        here, there, foreign = Hall(), Hall(), Hall()
        user = here.user("reception")
        give_role(user=user, role="reception", facility=there.facility)
        client = Client()
        client.force_login(user)
        client.post("/desk/facility/", {"facility": here.facility.pk})
        form = client.get("/desk/?register=1").content.decode()
        at = re.search(r'name="at" value="(\d+)"', form)[1]
        client.post("/desk/facility/", {"facility": there.facility.pk})
        client.post("/desk/patients/", {"name": "Asha Devi", "born": "1972", "at": at})
        assert Patient.objects.get(name="Asha Devi").facility == here.facility
        sent = {"name": "Asha Rani", "born": "1972", "at": foreign.facility.pk}
        assert client.post("/desk/patients/", sent).status_code == 404
        assert not Patient.objects.filter(name="Asha Rani").exists()

    def test_htmx_goes_on_to_the_token_in_the_same_drawer(self):
        hall = Hall()
        response = hall.asha.post("/desk/patients/", {"name": "Asha Devi", "born": "54"}, headers=HTMX)
        assert "Give a token" in text(response)
        assert "Asha Devi" in text(response)

    def test_who_may_be_the_same_person_is_shown_before_anything_is_saved(self):
        hall = Hall()
        hall.patient("Lakshmi Narayan", birth_year=1972)
        known = {"name": "Laxmi Narayan", "born": "1972"}
        asha = hall.asha
        response = asha.post("/desk/patients/", known)
        assert response.status_code == 409
        assert "Maybe the same person" in text(response)
        assert 'value="Laxmi Narayan"' in response.content.decode()
        assert asha.post("/desk/patients/", {**known, "anyway": "1"}).status_code == 302
        assert Patient.objects.filter(facility=hall.facility).count() == 2

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"name": ""}, "Enter the patient’s name"),
            ({"name": "A", "born": "old"}, "Enter an age such as 54, or a year from"),
            ({"name": "A", "born": "1720"}, "Enter an age such as 54, or a year from"),
            ({"name": "A", "phone": "12"}, "12 is not a phone number"),
        ],
        ids=["no name", "no age", "too old", "no phone"],
    )
    def test_what_cannot_be_is_said_beside_the_field_and_the_rest_stays(self, typed, sentence):
        hall = Hall()
        response = hall.asha.post("/desk/patients/", {"phone": "9845011213", "sex": "male", **typed})
        assert response.status_code == 400
        assert sentence in text(response)
        assert f'value="{typed.get("phone", "9845011213")}"' in response.content.decode()
        assert not Patient.objects.exists()

    def test_the_button_pressed_twice_registers_once(self):
        hall = Hall()
        known = {"name": "Asha Devi", "anyway": "1", "idempotency_key": "one"}
        asha = hall.asha
        assert asha.post("/desk/patients/", known)["Location"] == asha.post("/desk/patients/", known)["Location"]
        assert Patient.objects.count() == 1

    def test_who_may_not_register_does_not(self):
        response = Hall().client("doctor").post("/desk/patients/", {"name": "Asha Devi"})
        assert response.status_code == 403
        assert not Patient.objects.exists()


class TestTheOffer:
    def test_the_effect_on_others_is_said_before_it_happens(self):
        hall = Hall(capacity=1)
        online = hall.give("Farhan Sheikh", "online", slot=0)
        patient = hall.patient("Lakshmi Narayan")
        page = text(hall.asha.get(f"/desk/?patient={patient.pk}"))
        assert f"Before {online.number} : not here yet." in page.replace(f"{online.number}:", f"{online.number} :")
        assert f"{online.number} waits again." in page
        assert "The earliest free place. Nobody moves." in page  # a walk-in begins where nobody moves

    def test_nothing_is_written_by_looking(self):
        hall = Hall(capacity=1)
        hall.give("Farhan Sheikh", "online", slot=0)
        patient = hall.patient("Lakshmi Narayan")
        hall.asha.get(f"/desk/?patient={patient.pk}")
        assert [token.status for token in Token.objects.all()] == ["confirmed"]

    def test_sources_are_those_that_the_person_may_give(self):
        hall = Hall()
        patient = hall.patient("Lakshmi Narayan")
        page = hall.client("doctor").get(f"/desk/?patient={patient.pk}").content.decode()
        assert 'value="follow_up"' in page
        assert 'value="walk_in"' not in page

    def test_the_doctor_seen_last_is_chosen(self):
        hall = Hall()
        patient = hall.patient("Lakshmi Narayan")
        token = hall.give(patient, slot=0)
        hall.asha.post(f"/desk/tokens/{token.pk}/cancel/", {"reason": "went home"})
        assert "Dr Rao, " in text(hall.asha.get(f"/desk/?patient={patient.pk}"))
        assert "(seen last)" in text(hall.asha.get(f"/desk/?patient={patient.pk}"))

    def test_who_holds_a_token_there_already_is_told_so(self):
        hall = Hall()
        token = hall.give("Lakshmi Narayan")
        page = text(hall.asha.get(f"/desk/?patient={token.patient_id}"))
        assert f"Lakshmi Narayan already holds {token.number} with Dr Rao" in page

    def test_a_patient_of_another_hospital_is_not_found_and_the_attempt_is_recorded(self):
        here, there = Hall(), Hall()
        patient = there.patient("Somebody Else")
        assert here.asha.get(f"/desk/?patient={patient.pk}").status_code == 404
        assert AccessAttempt.objects.get().object_id == patient.pk


class TestGiving:
    def test_the_answer_says_confirmed_the_number_and_where(self):
        hall = Hall()
        asha = hall.asha
        response = asha.post("/desk/tokens/", wish(hall, hall.patient("Lakshmi Narayan")))
        token = Token.objects.get()
        assert response["Location"] == f"/desk/?given={token.pk}"
        page = text(asha.get(response["Location"]))
        assert f"{token.number} confirmed. Dr Rao" in page
        assert "Nobody moved." in page
        assert token.arrived_at is not None

    def test_the_answer_says_whom_it_displaced_and_where_they_went(self):
        hall = Hall(capacity=1)
        loser = hall.give("Farhan Sheikh", "online")
        response = hall.asha.post("/desk/tokens/", wish(hall, hall.patient("Urgent One"), "emergency"), headers=HTMX)
        assert response["HX-Trigger"] == "changed"
        page = text(response)
        assert "confirmed." in page
        assert f"{loser.number} waits again in" in page
        assert "Farhan Sheikh" in page

    def test_the_answer_says_that_the_patient_waits(self):
        hall = Hall(capacity=1)
        hall.give("First Come", "online")
        response = hall.asha.post("/desk/tokens/", wish(hall, hall.patient("Too Late"), "online"), headers=HTMX)
        assert "waits for a place." in text(response)

    def test_the_first_free_of_a_department(self):
        hall = Hall()
        sent = wish(hall, hall.patient("Ravi")) | {"who": f"department-{hall.department.pk}", "slot_walk_in": "first"}
        hall.asha.post("/desk/tokens/", sent)
        assert Token.objects.get().slot_id == hall.slots[0].pk

    def test_an_emergency_raises_the_token_that_is_held(self):
        hall = Hall()
        token = hall.give("Lakshmi Narayan", "online")
        response = hall.asha.post("/desk/tokens/", wish(hall, token.patient, "emergency"), headers=HTMX)
        assert f"{token.number} confirmed." in text(response)
        token.refresh_from_db()
        assert token.source == "emergency"

    def test_somebody_online_is_not_here_unless_the_form_says_so(self):
        hall = Hall()
        asha = hall.asha
        asha.post("/desk/tokens/", wish(hall, hall.patient("By Phone"), "online", here_online_asked="1"))
        asha.post("/desk/tokens/", wish(hall, hall.patient("At Desk"), "paid", here_paid_asked="1", here_paid="on"))
        assert [token.arrived_at is not None for token in Token.objects.order_by("id")] == [False, True]

    def test_the_button_pressed_twice_gives_one_token(self):
        hall = Hall()
        asha, sent = hall.asha, wish(hall, hall.patient("Lakshmi Narayan"))
        first, second = (asha.post("/desk/tokens/", sent) for _ in range(2))
        assert first["Location"] == second["Location"]
        assert Token.objects.count() == 1

    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["whole page", "htmx"])
    def test_a_refusal_is_told_in_its_sentence_and_nothing_chosen_is_lost(self, headers):
        hall = Hall()
        held = hall.give("Lakshmi Narayan")
        sent = wish(hall, held.patient, "paid", slot=2, note="wheelchair")
        response = hall.asha.post("/desk/tokens/", sent, headers=headers)
        assert response.status_code == 409
        assert f"This patient already holds {held.number} in this session." in text(response)
        page = response.content.decode()
        assert f'href="/desk/tokens/{held.pk}/"' in page
        assert 'value="wheelchair"' in page
        assert re.search(r'value="paid"[^>]* data-key="4"[^>]* checked', page)

    def test_without_a_slot_it_asks_for_one(self):
        hall = Hall()
        sent = wish(hall, hall.patient("Ravi")) | {"slot_walk_in": ""}
        response = hall.asha.post("/desk/tokens/", sent)
        assert response.status_code == 400
        assert "Choose a slot." in text(response)

    def test_who_may_not_give_that_source_is_told_so(self):
        hall = Hall()
        response = hall.client("doctor").post("/desk/tokens/", wish(hall, hall.patient("Ravi"), "walk_in"))
        assert response.status_code == 403
        assert "You do not have permission" in text(response)
        assert not Token.objects.exists()

    def test_nonsense_is_refused_without_a_trace(self):
        hall = Hall()
        response = hall.asha.post("/desk/tokens/", {"patient": "x", "source": "?", "who": "nobody"})
        assert response.status_code == 400


def test_looking_at_another_doctor_without_scripts_puts_no_secret_into_the_address():
    hall = Hall()
    patient = hall.patient("Ravi")
    sent = {"patient": patient.pk, "who": f"doctor-{hall.rao.pk}", "source": "paid", "csrfmiddlewaretoken": "secret"}
    answer = hall.asha.post("/desk/look/", {**sent, "idempotency_key": "secret"})
    assert answer["Location"] == f"/desk/?patient={patient.pk}&who=doctor-{hall.rao.pk}&source=paid"


def test_the_answer_says_when_the_patient_will_likely_be_called():
    hall = Hall(capacity=3)
    hall.give("Before", "walk_in", slot=0)
    page = text(hall.asha.post("/desk/tokens/", wish(hall, hall.patient("Ravi"), slot=0), headers=HTMX))
    assert "1 person is ahead. Likely called between" in page


def test_the_chosen_slot_says_how_long_the_patient_would_likely_wait():
    hall = Hall(capacity=3)
    hall.give("Before", "walk_in", slot=0)
    page = text(hall.asha.get(f"/desk/?patient={hall.patient('Ravi').pk}"))
    assert re.search(r"confirmed, 2nd in order \d+–\d+ min The earliest free place. Nobody moves.", page)
