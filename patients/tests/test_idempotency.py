"""The same request sent twice is done once, told the same, and leaves nothing where it was refused."""

import datetime as dt

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import IdempotencyKey
from accounts.tests.factories import FacilityFactory, UserFactory, asha, device_client
from common.testing.races import race_of
from patients.models import Patient

URL = "/api/v1/patients/"
BODY = {"name": "Kavita Joshi", "phone": "98765 43210", "age": 31}


def post(client: APIClient, body: dict[str, object], key: str | None) -> tuple[int, object, str | None]:
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    response = client.post(URL, body, format="json", **headers)
    return response.status_code, response.json(), response.headers.get("Idempotency-Replayed")


@pytest.mark.django_db
class TestOneAfterTheOther:
    def test_the_first_answer_comes_again(self) -> None:
        client = device_client(asha())
        first = post(client, BODY, "k1")
        again = post(client, dict(reversed(BODY.items())), "k1")
        assert first[0] == again[0] == 201
        assert first[1] == again[1]
        assert (first[2], again[2]) == (None, "true")
        assert Patient.objects.count() == 1

    def test_with_its_headers(self) -> None:
        client = device_client(asha())
        first, again = [client.post(URL, BODY, format="json", HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2)]
        assert dict(again.headers) == {**first.headers, "ETag": '"1"', "Idempotency-Replayed": "true"}
        assert again.content == first.content

    def test_as_it_was_kept_before_headers_were(self) -> None:
        client = device_client(asha())
        post(client, BODY, "k1")
        kept = IdempotencyKey.objects.get()
        kept.body = kept.body.split("\n")[-1]
        kept.save()
        assert post(client, BODY, "k1")[::2] == (201, "true")

    def test_without_a_key_each_request_counts(self) -> None:
        client = device_client(asha())
        post(client, BODY, None)
        post(client, BODY, None)
        assert Patient.objects.count() == 2
        assert not IdempotencyKey.objects.exists()

    def test_another_body_is_a_conflict(self) -> None:
        client = device_client(asha())
        post(client, BODY, "k1")
        status, answer, _ = post(client, {**BODY, "age": 32}, "k1")
        assert (status, answer["errors"][0]["code"]) == (422, "idempotency_conflict")  # type: ignore[index]
        assert Patient.objects.count() == 1

    def test_a_refusal_is_not_kept_and_is_decided_anew(self) -> None:
        client = device_client(asha())
        assert post(client, {**BODY, "phone": "12"}, "k1")[0] == 400
        assert not IdempotencyKey.objects.exists()
        assert post(client, BODY, "k1")[0] == 201

    def test_a_key_belongs_to_its_caller(self) -> None:
        here = FacilityFactory()
        two = [device_client(UserFactory(roles=["reception"], facility=here)) for _ in range(2)]
        assert [post(client, BODY, "k1")[2] for client in two] == [None, None]
        assert Patient.objects.count() == 2

    def test_a_key_older_than_a_day_is_taken_over(self) -> None:
        client = device_client(asha())
        post(client, BODY, "k1")
        IdempotencyKey.objects.update(created_at=timezone.now() - dt.timedelta(days=1, minutes=1))
        assert post(client, {**BODY, "age": 32}, "k1")[::2] == (201, None)
        assert post(client, {**BODY, "age": 32}, "k1")[::2] == (201, "true")
        assert Patient.objects.count() == 2

    @pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
    def test_a_key_that_cannot_be_kept_is_refused(self, key: str) -> None:
        assert post(device_client(asha()), BODY, key)[0] == 400
        assert not Patient.objects.exists()

    def test_a_key_of_200_characters_is_fine(self) -> None:
        assert post(device_client(asha()), BODY, "ключ" * 50)[0] == 201


@pytest.mark.django_db(transaction=True)
class TestAllAtOnce:
    def test_one_runs_and_the_others_replay_it(self) -> None:
        user = asha()
        clients = [device_client(user) for _ in range(16)]
        answers = race_of(16, lambda index: post(clients[index], BODY, "k1")).returned
        assert [status for status, _, _ in answers] == [201] * 16
        assert len({str(body) for _, body, _ in answers}) == 1
        assert sorted(str(replayed) for _, _, replayed in answers) == ["None"] + ["true"] * 15
        assert Patient.objects.count() == 1

    def test_without_the_key_the_same_race_registers_all_of_them(self) -> None:
        """The negative control: what decides above is the key."""
        user = asha()
        clients = [device_client(user) for _ in range(16)]
        answers = race_of(16, lambda index: post(clients[index], BODY, None)).returned
        assert [status for status, _, _ in answers] == [201] * 16
        assert Patient.objects.count() == 16

    def test_where_the_first_is_refused_the_next_one_decides_anew(self) -> None:
        user = asha()
        clients = [device_client(user) for _ in range(8)]
        bodies = [{**BODY, "name": ""} if index % 2 else BODY for index in range(8)]
        answers = race_of(8, lambda index: post(clients[index], bodies[index], "k1")).returned
        # Those with the other body are refused for their content, or for the key, whichever they met.
        assert {status for status, _, _ in answers} <= {201, 400, 422}
        assert [status for status, _, _ in answers].count(201) == 4
        assert Patient.objects.count() == 1

    def test_numbers_are_never_given_twice(self) -> None:
        user = asha()
        clients = [device_client(user) for _ in range(16)]
        answers = race_of(16, lambda index: post(clients[index], {"name": f"Patient {index}"}, None)).returned
        numbers = {body["number"] for _, body, _ in answers}  # type: ignore[index]
        assert len(numbers) == 16
