"""A receptionist finds the patient while the phone rings, whatever way the name is spelt."""

import pytest
from django.db import connection

from accounts.permissions import ALL
from accounts.tests.factories import FacilityFactory
from patients.models import Patient
from patients.queries import possible_duplicates, search_patients
from patients.tests.factories import PatientFactory

pytestmark = pytest.mark.django_db

NAMES = [
    "Asha Kumar",
    "Meena Iyer",
    "Lakshmi Narayanan",
    "Mohammed Ansari",
    "Raghavendra Rao",
    "Subramaniam Chatterjee",
    "José Fernandes",
    "Bharat D'Souza",
    "Ram Singh",
    "Ramesh Singh",
    "सुनीता देवी",
]

OTHERS = ["Geeta", "Ganesh", "Hari", "Vimal", "Pooja"]


@pytest.fixture
def registry() -> dict[str, Patient]:
    found = {name: PatientFactory(name=name, phone=f"+91987654{n:04d}") for n, name in enumerate(NAMES)}
    for n in range(40):
        PatientFactory(name=f"{OTHERS[n % 5]} Person", phone=f"+91701110{n:04d}")
    return found


def names(text: str) -> list[str]:
    return [patient.name for patient in search_patients(facility_ids=ALL, text=text)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("asha", "Asha Kumar"),
        ("ASHA KUMAR", "Asha Kumar"),
        ("kumar asha", "Asha Kumar"),
        ("Kumr", "Asha Kumar"),
        ("as ku", "Asha Kumar"),
        ("Mina", "Meena Iyer"),
        ("Mina Iyyer", "Meena Iyer"),
        ("Laxmi", "Lakshmi Narayanan"),
        ("Lakshmy narayan", "Lakshmi Narayanan"),
        ("Muhammad", "Mohammed Ansari"),
        ("Mohamed", "Mohammed Ansari"),
        ("Raghvendra", "Raghavendra Rao"),
        ("Subramanyam Chaterji", "Subramaniam Chatterjee"),
        ("jose", "José Fernandes"),
        ("José", "José Fernandes"),
        ("dsouza", "Bharat D'Souza"),
        ("D’Souza", "Bharat D'Souza"),
        ("barat", "Bharat D'Souza"),
        ("ram", "Ram Singh"),
        ("asha 0000", "Asha Kumar"),
        ("+91 98765 40003", "Mohammed Ansari"),
        ("0987654 0003", "Mohammed Ansari"),
        ("40003", "Mohammed Ansari"),
        ("सुनीता", "सुनीता देवी"),
        ("देवी सुनी", "सुनीता देवी"),
    ],
)
def test_the_patient_meant_comes_first(registry: dict[str, Patient], text: str, first: str) -> None:
    assert names(text)[0] == first


@pytest.mark.parametrize(
    "text", ["Qzxw", "asha 9999", "zzzz qqq", "%", "_", "'; DROP TABLE", "123456789012345678901", " "]
)
def test_nobody_is_found_where_nobody_is_meant(registry: dict[str, Patient], text: str) -> None:
    assert names(text) == []


def test_the_number_on_the_card_finds_its_patient(registry: dict[str, Patient]) -> None:
    meant = registry["Meena Iyer"]
    assert names(meant.number) == ["Meena Iyer"]
    assert names(f"P-{meant.serial}") == ["Meena Iyer"]
    assert names(str(meant.serial))[0] == "Meena Iyer"


def test_other_facilities_and_the_inactive_are_not_found(registry: dict[str, Patient]) -> None:
    lakeside = FacilityFactory(name="Lakeside Clinic")
    theirs = PatientFactory(facility=lakeside, name="Asha Verma")
    PatientFactory(name="Asha Gone", is_active=False)
    assert search_patients(facility_ids=frozenset({lakeside.pk}), text="asha") == [theirs]
    assert set(names("asha")) == {"Asha Kumar", "Asha Verma"}
    assert search_patients(facility_ids=frozenset(), text="asha") == []


def test_a_changed_name_is_found_whatever_wrote_it(registry: dict[str, Patient]) -> None:
    Patient.objects.filter(name="Meena Iyer").update(name="Mīnākṣī Iyer")
    assert names("minaksi") == ["Mīnākṣī Iyer"]


@pytest.mark.parametrize(("text", "queries"), [("asha", 3), ("98765", 2), ("Qzxw", 2), ("", 0)])
def test_it_costs_three_queries_at_most(
    registry: dict[str, Patient], django_assert_num_queries, text: str, queries: int
) -> None:
    with django_assert_num_queries(queries):
        search_patients(facility_ids=ALL, text=text)


def test_names_and_phones_are_looked_up_by_their_indexes(registry: dict[str, Patient]) -> None:
    """With few rows PostgreSQL reads them all, which is why it is told not to: the question is whether it could."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for condition, index in {
            "search_name LIKE '%' || lower(unaccent('asha')) || '%'": "patient_name_trigrams",
            "patients_sound('asha') <% search_sound": "patient_sound_trigrams",
            "phone LIKE '%' || '98765' || '%'": "patient_phone_trigrams",
        }.items():
            cursor.execute(f"EXPLAIN SELECT id FROM patients_patient WHERE {condition}")
            assert index in str(cursor.fetchall())


class TestPossibleDuplicates:
    def test_the_same_phone(self) -> None:
        one = PatientFactory(name="Kavita Joshi", phone="+919876543210")
        other = PatientFactory(name="Someone Else", phone="+919876543210", birth_year=1950)
        assert possible_duplicates(one) == [other]

    def test_a_name_alike_and_the_year_of_birth(self) -> None:
        one = PatientFactory(name="Mina Joshi", birth_year=1990, sex="female")
        alike = PatientFactory(name="Meena Joshi", birth_year=1990)
        PatientFactory(name="Meena Joshi", birth_year=1960)
        PatientFactory(name="Meena Joshi", birth_year=1990, sex="male")
        PatientFactory(name="Rajesh Patil", birth_year=1990)
        assert possible_duplicates(one) == [alike]

    def test_not_the_inactive_and_not_another_facilitys(self) -> None:
        one = PatientFactory(phone="+919876543210")
        PatientFactory(phone="+919876543210", is_active=False)
        PatientFactory(phone="+919876543210", facility=FacilityFactory(name="Lakeside Clinic"))
        assert possible_duplicates(one) == []

    def test_without_phone_and_birth_nobody_is_suspected(self) -> None:
        PatientFactory(name="Asha", phone="", birth_year=None)
        assert possible_duplicates(PatientFactory(name="Asha", phone="", birth_year=None)) == []
