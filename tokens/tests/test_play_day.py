"""A real day through the engine: every line accounted for, every rule checked by SQL that can really find a breach."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Facility
from tokens.facts import PRESETS
from tokens.simulation import checks
from tokens.simulation.bookings import Booking, UnreadableFile, make_up, read, write
from tokens.simulation.figures import totals
from tokens.simulation.real_day import RealDay, accounts, zone_of
from tokens.states import Source

LINE = "2025-02-03T10:00:00+05:30,2025-02-11,7,34,F,OLD TOWN,1,0"
HEADER = "requested_at,day,patient,age,sex,place,reminded,no_show"


def file(*lines, ends="\n"):
    return ends.join([HEADER, *lines, ""]).encode()


# Reading


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE.replace("T10:00:00+05:30", ""), "no offset"),
        (LINE.replace("2025-02-03T10", "2025-02-30T10"), "requested_at is no time"),
        (LINE.replace("2025-02-11", "11 Feb"), "day is no date"),
        (LINE.replace("2025-02-11", "2025-02-01"), "after the day itself"),
        (LINE.replace(",34,", ",-1,"), "between 0 and 130"),
        (LINE.replace(",34,", ",old,"), "age is no whole number"),
        (LINE.replace(",7,", ", ,"), "patient must not be empty"),
        (LINE.replace("OLD TOWN", ""), "place must not be empty"),
        (LINE[:-1] + "2", "no_show is 0 or 1"),
        (LINE + ",more", "9 columns instead of 8"),
        ("only,three,columns", "3 columns instead of 8"),
        (LINE.replace("OLD", '"OLD'), "quote"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_rest_goes_on(line, reason):
    bookings, faults = read(file(LINE, line, LINE))
    assert [booking.line for booking in bookings] == [2, 4]
    assert [fault.line for fault in faults] == [3]
    assert reason in faults[0].reason


def test_bytes_that_are_no_text_spoil_their_own_line_alone():
    raw = file(LINE) + LINE.replace("OLD", "ALTÓ").encode("latin-1") + b"\n\0\0\n" + LINE.encode()
    bookings, faults = read(raw)
    assert [booking.line for booking in bookings] == [2, 5]
    assert [fault.line for fault in faults] == [3, 4]
    assert "not written in UTF-8" in faults[0].reason


@pytest.mark.parametrize(
    "raw",
    [
        file(LINE, ends="\r\n"),
        file(LINE, ends="\r"),
        b"\xef\xbb\xbf" + file(LINE),
        file(LINE).decode().encode("utf-16"),
        file(LINE, "", "  "),
        file(LINE).rstrip(),
    ],
    ids=["windows", "old mac", "mark", "utf-16", "blank lines", "no end"],
)
def test_files_come_from_every_kind_of_machine(raw):
    bookings, faults = read(raw)
    assert not faults
    assert [(booking.place, booking.patient) for booking in bookings] == [("OLD TOWN", "7")]


def test_columns_may_stand_in_any_order_and_have_others_beside_them():
    raw = (
        b"No_Show,day,colour,patient,requested_at,age,sex,place,reminded\n1,2025-02-11,red,7,2025-02-11T08:00Z,3,M,X,0"
    )
    (booking,), faults = read(raw)
    assert not faults
    assert booking.no_show
    assert booking.on_the_day


@pytest.mark.parametrize(
    ("raw", "reason"), [(b"", "empty"), (b"\n\n", "empty"), (b"day,age\n", "missing: requested_at")]
)
def test_a_file_without_its_columns_says_what_is_missing(raw, reason):
    with pytest.raises(UnreadableFile, match=reason):
        read(raw)


def test_what_is_made_up_can_be_read_and_is_the_same_for_the_same_seed():
    made = make_up(150, seed=4)
    bookings, faults = read(write(made).encode())
    assert not faults
    assert [(b.requested_at, b.patient, b.no_show) for b in bookings] == [
        (b.requested_at, b.patient, b.no_show) for b in made
    ]
    assert made == make_up(150, seed=4) != make_up(150, seed=5)


@pytest.mark.parametrize(("offset", "zone"), [(-180, "Etc/GMT+3"), (330, "Asia/"), (0, "UTC")])
def test_the_facility_keeps_the_time_of_the_file(offset, zone):
    asked = datetime(2025, 2, 3, 10, tzinfo=UTC)
    line = f"{(asked + timedelta(minutes=offset)):%Y-%m-%dT%H:%M}{offset // 60:+03d}:{abs(offset) % 60:02d}"
    (booking,), _ = read(file(LINE.replace("2025-02-03T10:00:00+05:30", line)))
    assert booking.requested_at == asked
    assert zone_of([booking]).startswith(zone)


# Playing


@pytest.mark.django_db
@pytest.mark.parametrize("policy", sorted(PRESETS))
def test_a_day_under_each_preset_accounts_for_every_line_and_breaks_no_rule(policy):
    day = RealDay(make_up(150, seed=1), policy=policy, supply=0.6, seed=1)
    report = day.play()
    assert report.breaches == []
    assert sum(report.lines.values()) == 150
    total = totals(report.figures)
    assert total["no_shows"] <= sum(not visitor.comes for visitor in day.visitors)
    # Emergencies beyond the capacity displace nobody, and next-slot sends on who elsewhere would wait.
    seldom = {"ranked-overbook": {"displacements"}, "ranked-next-slot": {"waitlisted", "promotions"}}.get(policy, set())
    for figure in {"seen", "waitlisted", "displacements", "promotions", "no_shows"} - seldom:
        assert total[figure] > 0, figure


@pytest.mark.django_db
def test_the_same_seed_plays_the_same_day():
    reports = [RealDay(make_up(60, seed=2), policy="considerate", supply=0.8, seed=3).play() for _ in range(2)]
    assert reports[0].figures == reports[1].figures
    assert reports[0].lines == reports[1].lines
    assert reports[0].facility.slug != reports[1].facility.slug


@pytest.mark.django_db
def test_before_the_day_is_online_on_the_day_is_walk_in_and_one_in_fifty_an_emergency():
    bookings = make_up(1000, seed=1)
    day = RealDay(bookings, policy="weighted-waitlist", supply=0.85, seed=1)
    for booking, visitor in zip(bookings, day.visitors, strict=True):
        plain = Source.WALK_IN if booking.on_the_day else Source.ONLINE
        assert visitor.source in (plain, Source.EMERGENCY)
        assert visitor.comes == (not booking.no_show)
    emergencies = sum(visitor.source == Source.EMERGENCY for visitor in day.visitors)
    assert 10 <= emergencies <= 30
    assert day.report.places == pytest.approx(850, abs=40)


def booking(patient, hour, place="OLD TOWN"):
    asked = datetime(2025, 2, 10, hour, tzinfo=UTC)
    return Booking(0, asked, (asked + timedelta(days=1)).date(), patient, 30, "F", place, False)


@pytest.mark.django_db
def test_a_second_booking_of_a_patient_for_the_same_session_is_refused_as_a_duplicate():
    report = RealDay([booking("7", 9), booking("7", 10)], policy="weighted-waitlist", supply=0.5, seed=1).play()
    assert report.lines == {"confirmed": 1, "duplicate_token": 1}
    assert report.breaches == []


@pytest.mark.django_db
def test_a_line_that_is_lost_is_a_breach():
    report = RealDay([booking("7", 9), booking("8", 10)], policy="considerate", supply=1, seed=1).play()
    report.lines["confirmed"] -= 1
    assert {breach.rule for breach in accounts(report, 2)} >= {
        "every line is accounted for",
        "every token is a line's",
    }


# The checks can fail


@pytest.fixture
def played():
    """A played day, and a database in which this test may break what triggers and constraints keep."""
    report = RealDay(make_up(90, seed=1), policy="weighted-waitlist", supply=0.6, seed=1).play()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for constraint in ("number_once_a_session", "overbooked_as_emergency_or_by_name"):
            cursor.execute(f"ALTER TABLE tokens_token DROP CONSTRAINT {constraint}")
        cursor.execute("ALTER TABLE tokens_event DROP CONSTRAINT event_number_once_a_token")
        for index in ("one_active_token_a_session", "one_patient_with_the_doctor"):
            cursor.execute(f"DROP INDEX {index}")
        yield report.facility, cursor


SEEN = "SELECT max(id) FROM tokens_token WHERE status = 'completed'"
THAT_SLOT = f"SELECT slot_id FROM tokens_token WHERE id = ({SEEN})"
WAITS = "status = 'waitlisted'"
NINE_YEARS = "SET starts_at = starts_at + interval '9 years', ends_at = ends_at + interval '9 years'"
CRIMES = {
    "no slot holds more": f"UPDATE scheduling_slot SET capacity = 0, overbooked = used WHERE id = ({THAT_SLOT})",
    "the counters of a slot": f"UPDATE scheduling_slot SET used = used - 1 WHERE id = ({THAT_SLOT})",
    "one active token": "UPDATE tokens_token SET status = 'confirmed', patient_id = 1",
    "one patient at most": "UPDATE tokens_token SET status = 'in_progress', away_at = NULL",
    "beside a free place": f"UPDATE scheduling_slot {NINE_YEARS}, used = 0; UPDATE tokens_token SET {WAITS}",
    "a number is given once": "UPDATE tokens_token SET number = 'A-001'",
    "overbooked is an emergency": f"UPDATE tokens_token SET overbooked = true WHERE id = ({SEEN})",
    "numbered without a gap": "UPDATE tokens_event SET seq = seq + 1 WHERE seq > 2",
    "the last event of a token": f"UPDATE tokens_token SET status = 'cancelled' WHERE id = ({SEEN})",
    "the table of transitions": "UPDATE tokens_event SET status = 'cancelled' WHERE seq = 2",
    "whoever lost a place": "UPDATE tokens_event SET cause_seq = 99 WHERE kind = 'displaced'",
    "stood first among": "UPDATE tokens_event SET changes = changes || '{\"score\": 1}' WHERE kind = 'promoted'",
    "every value of every token": f"UPDATE tokens_token SET score = score + 1 WHERE id = ({SEEN})",
}


@pytest.mark.parametrize("rule", CRIMES)
@pytest.mark.django_db
def test_each_rule_finds_its_breach(played, rule):
    facility, cursor = played
    late = datetime(2025, 2, 12, tzinfo=UTC)
    assert checks.everything(facility.pk, late) == []
    cursor.execute(CRIMES[rule])
    assert any(rule in breach.rule for breach in checks.everything(facility.pk, late))


def test_every_rule_is_tried_above():
    assert all(sum(rule in one.name for one in checks.RULES) == 1 for rule in CRIMES)
    assert len(CRIMES) == len(checks.RULES)


@pytest.mark.django_db
def test_replay_events_ends_with_code_1_where_a_token_is_not_what_its_events_say(played, capsys):
    _, cursor = played
    call_command("replay_events", "--check", verbosity=0)
    assert "the events rebuild every token exactly" in capsys.readouterr().out
    cursor.execute(CRIMES["every value of every token"])
    call_command("replay_events", verbosity=0)
    assert "1 tokens differ" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        call_command("replay_events", "--check", verbosity=0)
    assert ended.value.code == 1
    assert "score is" in capsys.readouterr().err


# The command


@pytest.mark.django_db
def test_a_newcomer_makes_up_a_day_and_plays_it(tmp_path, capsys):
    path = tmp_path / "day.csv"
    call_command("play_day", str(path), "--generate", "40", "--facility", "my-day", verbosity=0)
    assert "none broken" in capsys.readouterr().out
    call_command("play_day", str(path), "--facility", "my-day", verbosity=0)
    said = capsys.readouterr().out
    assert "40 played, 0 not readable, 40 in all" in said
    assert set(Facility.objects.filter(slug__startswith="my-day").values_list("slug", flat=True)) == {
        "my-day",
        "my-day-2",
    }


@pytest.mark.django_db
def test_a_made_up_day_goes_to_the_standard_output_and_is_not_played(capsys):
    call_command("play_day", "-", "--generate", "5", verbosity=0)
    assert capsys.readouterr().out.startswith(HEADER)
    assert not Facility.objects.exists()


@pytest.mark.django_db
def test_lines_that_cannot_be_read_are_said_and_counted(tmp_path, capsys):
    path = tmp_path / "day.csv"
    path.write_bytes(file(LINE, "nonsense"))
    call_command("play_day", str(path), verbosity=0)
    said = capsys.readouterr()
    assert "line 3: it has 1 columns" in said.err
    assert "1 played, 1 not readable, 2 in all" in said.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["/no/such/file.csv"], "cannot be read: No such file"),
        ([], "Name a file"),
        (["x.csv", "--supply", "0"], "no share"),
        (["x.csv", "--policy", "mine"], "invalid choice"),
        (["--generate", "0"], "no number from 1"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("play_day", *arguments, verbosity=0)


def test_a_file_of_faults_alone_is_refused(tmp_path):
    path = tmp_path / "day.csv"
    path.write_bytes(file("nonsense"))
    with pytest.raises(CommandError, match="no booking to play"):
        call_command("play_day", str(path), verbosity=0)
