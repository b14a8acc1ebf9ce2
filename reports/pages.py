"""The page of the reports, and its figures as files.

`reports.view` opens it. Money is for those who may see the ledger too: a hospital can let a head of department see
waits without the takings. Single bills with their patients are for those who may see bills.
"""

import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Facility, User
from accounts.permissions import allows, reach, require_anywhere, within
from common.errors import BadInput, NotFound
from reception.pages.frame import Place, person, show, staff
from reports import csv, periods, words
from reports.periods import Span
from reports.queries.scope import Scope
from reports.report import Report, report
from scheduling.models import Department, Doctor

VIEW: Final = "reports.view"
MONEY: Final = "billing.ledger"
BILLS: Final = "billing.view"
OLDEST: Final = 20
"""So many unpaid bills stand on the page; the file has all of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, in which facility."""

    where: Place
    scope: Scope
    money: bool
    bills: bool

    def report(self, bills: int | None = None) -> Report:
        """What is asked for, with so many unpaid bills where the person may see any; None: all of them."""
        return report(self.scope, money=self.money, bills=bills if self.bills else 0)

    def address(self, **changes: object) -> str:
        """The question of another period or another part, as an address has it."""
        scope = self.scope
        values = {
            "date": scope.period.code,
            "department": scope.department_id,
            "doctor": scope.doctor_id,
            "source": scope.source,
        }
        return urlencode({key: value for key, value in (values | changes).items() if value})


def asked(request: HttpRequest) -> Asked:
    """What the address asks for. Two queries, one more for a department and for a doctor.

    Raises:
        PermissionDenied: the person may see reports nowhere.
        BadInput: a date or a source that is none.
        NotFound: no such department or doctor in this facility; OutOfReach where it is another hospital's.
    """
    user = person(request)
    # What is another hospital's does not exist, whatever one may see at home: so it is asked for first.
    department = _named(Department, request.GET.get("department", ""), user)
    doctor = _named(Doctor, request.GET.get("doctor", ""), user)
    own = Facility.objects.filter(within(require_anywhere(user, VIEW), "pk"), is_active=True)
    facilities = list(own)
    if not facilities:
        raise BadInput(_("No facility is in use. An administrator adds one."))
    kept = request.session.get("facility")
    facility = next((each for each in facilities if each.pk == kept), facilities[0])
    now = timezone.localtime(timezone.now(), facility.tz)
    try:
        span = Span(request.GET["span"]) if request.GET.get("span") else None
        period = periods.parse(request.GET.get("date", ""), now, span)
    except ValueError as error:
        raise BadInput(_("Write the date as 2026-11-21, or a month as 2026-11."), attr="date") from error
    source = request.GET.get("source") or None
    if source is not None and source not in words.SOURCES:
        raise BadInput(_("Choose one of the sources, or all of them."), attr="source")
    scope = Scope(
        facility_id=facility.pk,
        time_zone=facility.time_zone,
        currency=facility.currency,
        period=period,
        department_id=_part(department, facility),
        doctor_id=_part(doctor, facility),
        source=source,
    )
    money, bills = (allows(user, code, facility.pk) for code in (MONEY, BILLS))
    return Asked(Place(facility, facilities, facility.local_date()), scope, money, bills)


def _named(model: type[Department | Doctor], text: str, user: User) -> Department | Doctor | None:
    """The department or doctor that is asked for; nothing where all are."""
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise NotFound
    found = model._default_manager.filter(pk=int(text)).first()
    if found is None:
        raise NotFound
    reach(user, VIEW, found)
    return found


def _part(found: Department | Doctor | None, facility: Facility) -> int | None:
    """Its id, where it belongs to the facility that is shown."""
    if found is not None and found.facility_id != facility.pk:
        raise NotFound
    return found.pk if found else None


@staff
@require_GET
def reports(request: HttpRequest) -> HttpResponse:
    """The day or the month in figures."""
    began = time.perf_counter()
    question = asked(request)
    made = question.report(OLDEST)
    context = {**_frame(question, made), "seconds": f"{time.perf_counter() - began:.1f}"}
    return show(request, "reports/reports.html", question.where.facility, context)


@staff
@require_GET
def figure(request: HttpRequest, key: str) -> HttpResponse:
    """One figure as CSV.

    Raises:
        NotFound: there is no such figure, or not for the reader.
    """
    question = asked(request)
    made = question.report()
    found = next((each for each in made.figures if each.key == key), None)
    if found is None:
        raise NotFound
    return _file(csv.one(found), "text/csv; charset=utf-8", f"{csv.name(found, question.scope)}.csv")


@staff
@require_GET
def everything(request: HttpRequest) -> HttpResponse:
    """All figures, a CSV each, in one archive."""
    question = asked(request)
    made = question.report()
    name = f"reports-{slugify(question.where.facility.name)}-{question.scope.period.code}"
    return _file(csv.archive(made.figures, question.scope), "application/zip", f"{name}.zip")


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return HttpResponse(content, headers={"Content-Type": kind, "Content-Disposition": disposition})


def _frame(question: Asked, made: Report) -> dict[str, Any]:
    """What stands around the figures."""
    scope, period = question.scope, question.scope.period
    others = {span: question.address(date=period.other(span)) for span in Span}
    others[period.span] = question.address()
    return {
        "where": question.where,
        "report": made,
        "period": period,
        "scope": scope,
        "money": question.money,
        "query": question.address(),
        "day": others[Span.DAY],
        "month": others[Span.MONTH],
        "earlier": question.address(date=period.earlier),
        "later": question.address(date=period.later) if period.later else "",
        "sources": [(source, words.source(source)) for source in words.SOURCES],
        "doctors": _doctors(made),
        "narrowed_to": _narrowed_to(made),
    }


def _doctors(made: Report) -> list[Any]:
    """The doctors of the department that is chosen, or all."""
    wanted = made.scope.department_id
    return [each for each in made.doctors if wanted in (None, each.department_id) or each.id == made.scope.doctor_id]


def _narrowed_to(made: Report) -> str:
    """What the figures are about, for a printed page."""
    scope = made.scope
    department = next((each.name for each in made.departments if each.id == scope.department_id), _("all departments"))
    doctor = next((each.name for each in made.doctors if each.id == scope.doctor_id), _("all doctors"))
    source = words.source(scope.source) if scope.source else _("all sources")
    return ", ".join([department, doctor, source])
