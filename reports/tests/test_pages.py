"""The page and its files: what they show, to whom, and how often they ask the database."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.utils import InternalError
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AccessAttempt, Permission, Role
from accounts.tests.factories import FacilityFactory, UserFactory
from billing import actions
from billing.rules import LineIn, Off
from billing.tests.house import cash, lines
from common.testing.plans import whole
from common.transactions import outermost
from patients.models import Patient
from reception.tests.factories import Hall, text
from reports.pages import OLDEST
from reports.queries.scope import snapshot

pytestmark = pytest.mark.django_db

FIGURES = ["waits", "capacity", "no-shows", "displacements", "seen", "estimates", "waits-by-doctor"]
MONEY = ["takings", "shifts", "methods", "departments", "doctors", "outstanding", "unpaid", "discounts",
         "refunds", "credit-notes", "voids"]  # fmt: skip


@pytest.fixture
def hall() -> Hall:
    """A hall in the middle of its day, with a few tokens."""
    hall = Hall(capacity=1)
    hall.give("Asha", "online", slot=1)
    hall.give("Ravi", "paid", slot=1)
    hall.give("Omar", "walk_in", slot=2)
    return hall


@pytest.fixture
def manager(hall: Hall) -> Client:
    return hall.client("manager")


def shown(page: Any) -> list[str]:
    """The figures of a page."""
    return re.findall(r'<section class="fig[^"]*" id="([^"]+)"', page.content.decode())


def bill(hall: Hall, reason: str = "=cmd|' /C calc'!A0") -> None:
    """A bill with a discount, of which a part is paid."""
    cashier = hall.user("billing-staff")
    patient = Patient.objects.filter(facility=hall.facility).first()
    assert patient
    from billing.models import Drawer

    Drawer.objects.create(facility=hall.facility, name="Drawer 1")
    asked = [LineIn("Fee", lines("500")[0].unit_price, off=Off.parse("10%"), discount_reason=reason)]
    own: dict[str, Any] = {"facility_id": hall.facility.pk}
    outermost(lambda: actions.open_shift(**own, float_amount=lines("100")[0].unit_price, by=cashier))
    made = outermost(lambda: actions.create_bill(**own, patient_id=patient.pk, lines=asked, by=None))
    outermost(lambda: actions.pay(bill_id=made.pk, tenders=[cash("200")], by=cashier))


def head_of(hall: Hall, *codes: str) -> Client:
    """Somebody who may do that alone."""
    role = Role.objects.create(slug="head", name="Head of department")
    role.permissions.set(Permission.objects.filter(code__in=codes))
    client = Client()
    client.force_login(UserFactory(username="head", roles=["head"], facility=hall.facility))
    return client


def packed(answer: Any) -> zipfile.ZipFile:
    """The files of an archive."""
    return zipfile.ZipFile(io.BytesIO(answer.content))


class TestThePage:
    def test_a_day_under_way(self, hall: Hall, manager: Client) -> None:
        page = manager.get("/reports/")
        assert page.status_code == 200
        assert shown(page) == FIGURES + MONEY
        said = text(page)
        assert f"{hall.facility.local_date():%A} {hall.facility.local_date().day}" in said
        assert ", to " in said
        assert "One place went to somebody with more points" in said

    def test_nothing_of_it_is_written_into_the_page_itself(self, hall: Hall, manager: Client) -> None:
        bill(hall)
        page = manager.get("/reports/").content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)

    @pytest.mark.parametrize("query", ["", "?span=month", "?date=2020-02-29", "?date=2020-02", "?date=2150-01-01"])
    def test_an_empty_hospital_has_a_report_too(self, query: str) -> None:
        client = Client()
        client.force_login(UserFactory(username="empty", roles=["manager"], facility=FacilityFactory(name="Empty")))
        page = client.get(f"/reports/{query}")
        assert shown(page) == FIGURES + MONEY
        assert '<svg class="ch"' not in page.content.decode()
        assert "No places" in text(page)
        assert "Nothing" in text(page)

    def test_a_day_ahead_shows_what_is_booked(self, hall: Hall, manager: Client) -> None:
        from django.utils import timezone

        session = hall.sitting(hall.doctor("Dr Nair"), timezone.now() + timedelta(days=3))
        page = manager.get(f"/reports/?date={session.date}")
        assert "0 of 3 places are taken" in text(page)
        assert "Nobody has been called: it is still ahead" in text(page)
        assert "disabled" in re.findall(r"<button[^>]*aria-label=\"Later\"[^>]*>", page.content.decode())[0]

    def test_a_month_and_its_day(self, hall: Hall, manager: Client) -> None:
        page = manager.get("/reports/?span=month")
        assert shown(page) == FIGURES + MONEY
        assert f"{hall.facility.local_date():%B %Y}" in text(page)
        assert f'href="?date={hall.facility.local_date()}"' in page.content.decode()

    def test_narrower_it_is_about_that_part_and_shows_no_whole_payments(self, hall: Hall, manager: Client) -> None:
        bill(hall)
        page = manager.get(f"/reports/?doctor={hall.rao.pk}&source=paid")
        whole = {"takings", "shifts", "methods", "refunds"}
        assert shown(page) == [*FIGURES, *(key for key in MONEY if key not in whole)]
        assert re.search(r'<option value="paid" selected', page.content.decode())
        assert "source=paid" in page.content.decode()
        other = hall.doctor("Dr Nobody")
        assert "No places are offered" in text(manager.get(f"/reports/?doctor={other.pk}"))

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("date=gestern", "Write the date as 2026-11-21"),
            ("date=2026-13-40", "Write the date as 2026-11-21"),
            ("date=%00", "Write the date as 2026-11-21"),
            ("span=year", "Write the date as 2026-11-21"),
            ("source=somewhere", "Choose one of the sources"),
        ],
    )
    def test_what_is_no_question_is_refused(self, manager: Client, query: str, said: str) -> None:
        page = manager.get(f"/reports/?{query}")
        assert page.status_code == 400
        assert said in text(page)

    def test_every_table_has_a_name_and_every_heading_says_of_what(self, hall: Hall, manager: Client) -> None:
        bill(hall)
        page = manager.get("/reports/?span=month").content.decode()
        page = page[page.index("<main") : page.index("</main>")]
        tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
        assert len(tables) > len(FIGURES)
        assert all(re.search(r'<caption class="vh">\S.*?</caption>', table) for table in tables)
        assert re.findall(r"<th(?! scope=)", page) == ["<th"] * page.count("<thead")

    @pytest.mark.parametrize("query", ["doctor=x", "doctor=999999", "department=-1", "department=99999999999999999999"])
    def test_what_is_not_there_is_not_found(self, manager: Client, query: str) -> None:
        assert manager.get(f"/reports/?{query}").status_code == 404

    def test_another_hospital_s_doctor_does_not_exist_and_the_attempt_is_kept(self, manager: Client) -> None:
        stranger = Hall()
        assert manager.get(f"/reports/?doctor={stranger.rao.pk}").status_code == 404
        assert manager.get(f"/reports/doctors.csv?department={stranger.department.pk}").status_code == 404
        assert AccessAttempt.objects.filter(facility=stranger.facility).count() == 2

    def test_another_hospital_s_figures_are_not_in_it(self, manager: Client) -> None:
        before = text(manager.get("/reports/?span=month"))
        stranger = Hall(capacity=1)
        stranger.give("Asha", "online")
        stranger.give("Ravi", "paid")
        bill(stranger)

        def plain(page: str) -> str:
            return re.sub(r"\d\d:\d\d|\d+\.\d s", "", page)

        assert plain(text(manager.get("/reports/?span=month"))) == plain(before)


class TestWhoMaySee:
    @pytest.mark.parametrize("path", ["", "waits.csv", "takings.csv", "all.zip"])
    @pytest.mark.parametrize("role", ["reception", "doctor", "billing-staff"])
    def test_a_report_needs_its_permission(self, hall: Hall, role: str, path: str) -> None:
        assert hall.client(role).get(f"/reports/{path}").status_code == 403

    def test_money_needs_that_of_the_ledger_too(self, hall: Hall) -> None:
        client = head_of(hall, "reports.view", "billing.view")
        page = client.get("/reports/")
        assert shown(page) == FIGURES
        assert "Money" not in text(page)
        assert "₹" not in text(page)
        assert client.get("/reports/takings.csv").status_code == 404
        names = packed(client.get("/reports/all.zip")).namelist()
        assert not any(name.startswith(tuple(MONEY)) for name in names)

    def test_single_bills_need_the_permission_to_see_bills(self, hall: Hall) -> None:
        bill(hall)
        client = head_of(hall, "reports.view", "billing.ledger")
        page = client.get("/reports/")
        assert shown(page) == FIGURES + [key for key in MONEY if key != "unpaid"]
        assert "250.00" in text(page), "what is outstanding"
        assert "B-20" not in text(page)
        assert client.get("/reports/unpaid.csv").status_code == 404
        assert not any("unpaid" in name for name in packed(client.get("/reports/all.zip")).namelist())

    def test_the_bar_leads_there_whoever_may(self, hall: Hall, manager: Client) -> None:
        assert 'href="/reports/"' in manager.get("/overview/").content.decode()
        assert 'href="/reports/"' not in hall.asha.get("/overview/").content.decode()


class TestFiles:
    def test_every_figure_is_a_file_and_all_of_them_one(self, hall: Hall, manager: Client) -> None:
        bill(hall)
        today = hall.facility.local_date()
        answer = manager.get("/reports/all.zip")
        assert answer["Content-Type"] == "application/zip"
        files = packed(answer)
        assert files.namelist() == [f"{key}-{today}.csv" for key in FIGURES + MONEY]
        for key in FIGURES + MONEY:
            answer = manager.get(f"/reports/{key}.csv")
            assert answer["Content-Type"] == "text/csv; charset=utf-8"
            assert answer["Content-Disposition"] == f'attachment; filename="{key}-{today}.csv"'
            assert answer.content == files.read(f"{key}-{today}.csv")

    def test_a_file_has_the_numbers_of_the_table(self, manager: Client) -> None:
        answer = manager.get("/reports/capacity.csv")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
        assert rows[0] == ["Doctor", "Slot", "Places", "Taken", "Overbooked", "Share (percent)"]
        assert rows[-1] == ["All", "", "3", "2", "0", "66.7"]

    def test_the_page_has_the_oldest_unpaid_bills_and_the_file_all(self, hall: Hall, manager: Client) -> None:
        patient = Patient.objects.filter(facility=hall.facility).first()
        assert patient
        Patient.objects.filter(pk=patient.pk).update(name="=1+1")
        own: dict[str, Any] = {"facility_id": hall.facility.pk, "patient_id": patient.pk, "by": None}
        for n in range(OLDEST + 2):
            outermost(lambda n=n: actions.create_bill(**own, lines=lines(f"{100 + n}")))  # type: ignore[misc]
        page = manager.get("/reports/")
        assert len(re.findall(r"B-\d{4}-\d{6}", text(page))) == OLDEST
        assert "The 20 oldest of 22. The file has all of them." in text(page)
        for content in (
            manager.get("/reports/unpaid.csv").content,
            packed(manager.get("/reports/all.zip")).read(f"unpaid-{hall.facility.local_date()}.csv"),
        ):
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
            assert rows[0] == ["Bill", "Patient", "Name", "Issued", "Days", "Age", "Total (INR)", "Due (INR)"]
            assert len(rows) == 1 + OLDEST + 2 + 1
            assert [row[2] for row in rows[1:-1]] == ["'=1+1"] * (OLDEST + 2)
            assert rows[-1][-1] == f"{sum(100 + n for n in range(OLDEST + 2))}.00"

    def test_a_reason_that_is_a_formula_is_none_in_the_file(self, hall: Hall, manager: Client) -> None:
        bill(hall)
        rows = list(csv.reader(io.StringIO(manager.get("/reports/discounts.csv").content.decode("utf-8-sig"))))
        assert rows[1] == ["'=cmd|' /C calc'!A0", "By rule", "1", "50.00"]

    def test_a_name_with_tags_is_a_name(self, hall: Hall, manager: Client) -> None:
        hall.rao.name = '<b>Dr</b> "Rao"'
        hall.rao.save()
        assert "<b>Dr</b>" not in manager.get("/reports/").content.decode()

    def test_a_file_of_a_part_says_so(self, hall: Hall, manager: Client) -> None:
        answer = manager.get(f"/reports/waits.csv?date=2020-02&doctor={hall.rao.pk}")
        assert 'filename="waits-2020-02-part.csv"' in answer["Content-Disposition"]
        assert answer.content == "\ufeff".encode()

    def test_there_is_no_file_of_what_is_no_figure(self, manager: Client) -> None:
        assert manager.get("/reports/nothing.csv").status_code == 404


LARGE = (
    {f"tokens_{name}" for name in ("token", "event", "waitestimate", "formernumber")}
    | {f"billing_{name}" for name in ("bill", "line", "payment", "refund", "creditnote", "creditline", "shift")}
    | {"patients_patient"}
)


class TestReading:
    def test_a_report_asks_as_often_however_much_there_is(self, hall: Hall, manager: Client) -> None:
        manager.get("/reports/")
        with CaptureQueriesContext(connection) as few:
            manager.get("/reports/?span=month")
        for n in range(6):
            hall.give(f"Patient {n}", "online", slot=n % 3)
        bill(hall)
        with CaptureQueriesContext(connection) as many:
            manager.get("/reports/?span=month")
        asked = [query["sql"] for query in many if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(many) == len(few)
        assert len(asked) == 4 + 6 + 6, "session, user, grants and facilities; the hall; money"

    @pytest.mark.parametrize("query", ["", "?date=2020-02-29", "?span=month", "?source=paid"])
    def test_no_large_table_is_read_from_end_to_end(self, hall: Hall, manager: Client, query: str) -> None:
        bill(hall)
        with CaptureQueriesContext(connection) as asked:
            manager.get(f"/reports/{query}")
        statements = [each["sql"] for each in asked if each["sql"].lstrip().startswith(("SELECT", "WITH"))]
        assert len(statements) == 4 + 6 + 6
        assert [scan for statement in statements for scan in whole(statement, LARGE)] == []
        assert whole("SELECT * FROM billing_bill WHERE about = 'x'", LARGE), "the question can be answered no"

    @pytest.mark.django_db(transaction=True)
    def test_all_is_read_in_one_moment_and_nothing_is_written(self) -> None:
        hall = Hall(capacity=1)
        with CaptureQueriesContext(connection) as asked:
            assert hall.client("manager").get("/reports/").status_code == 200
        statements = [query["sql"] for query in asked]
        begun = statements.index("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        reads = [n for n, sql in enumerate(statements) if "scheduling_session s" in sql or "billing_" in sql]
        assert len(reads) == 11
        assert begun < min(reads)
        assert all(n < statements.index("COMMIT", begun) for n in reads)
        with pytest.raises(InternalError, match="read-only"), snapshot():
            hall.doctor("Dr Nobody")
