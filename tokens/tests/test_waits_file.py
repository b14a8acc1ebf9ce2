"""``evaluate_waits``: what it prints and writes, and what it says of files that make no sense."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tokens.tests import clinics
from tokens.waits.consultations import UnreadableFile, read

HEADER = clinics.HEADER
FIRST = "1,1,morning,Wednesday,1,F,8:30:00,600"
SECOND = "1,2,morning,Wednesday,4,M,8:41:30,600"


def evaluate(path: Path, **options: object) -> tuple[str, str]:
    """What the command prints: to the output, and to the errors."""
    out, err = StringIO(), StringIO()
    call_command("evaluate_waits", str(path), stdout=out, stderr=err, verbosity=0, **options)
    return out.getvalue(), err.getvalue()


def made(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    """A file with that text."""
    path = tmp_path / "consultations.csv"
    path.write_text(text, encoding=encoding)
    return path


def file(tmp_path: Path, *rows: str) -> Path:
    """A file with the header and these rows."""
    return made(tmp_path, "\n".join([HEADER, *rows]) + "\n")


class TestWhatItPrints:
    def test_a_line_for_each_distance(self, tmp_path: Path) -> None:
        out, err = evaluate(file(tmp_path, *clinics.lines(1, 20)))
        head, columns, *rows = out.splitlines()
        assert head.endswith("consultations of 20 sessions. Minutes; shares of 100.")
        assert "mean error  median error  before p50  before p90" in columns
        assert [row.split()[0] for row in rows] == ["1", "3", "5", "8"]
        assert all(len(row.split()) == 6 for row in rows)
        assert err == ""

    def test_every_prediction_whose_target_is_in_the_file_is_written(self, tmp_path: Path) -> None:
        rows = clinics.lines(2, 6)
        target = tmp_path / "predictions.csv"
        evaluate(file(tmp_path, *rows), out=str(target))
        with target.open(newline="") as written:
            found = list(csv.DictReader(written))
        assert list(found[0]) == ["session", "order", "ahead", "p50_minutes", "p90_minutes"]
        there = {tuple(row.split(",")[:2]) for row in rows}
        wanted = {(s, o, str(k)) for s, o in there for k in (1, 3, 5, 8) if (s, str(int(o) + k)) in there}
        assert {(one["session"], one["order"], one["ahead"]) for one in found} == wanted
        assert len(found) == len(wanted)
        assert all(0 <= float(one["p50_minutes"]) <= float(one["p90_minutes"]) for one in found)

    def test_predictions_may_go_to_the_output_and_the_report_beside_it(self, tmp_path: Path) -> None:
        out, err = evaluate(file(tmp_path, FIRST, SECOND), out="-")
        assert out.startswith("session,order,ahead,p50_minutes,p90_minutes\n1,1,1,")
        assert "2 consultations of 1 sessions" in err

    def test_how_long_they_took_is_not_read(self, tmp_path: Path) -> None:
        rows = clinics.lines(3, 10)
        without = [row.rsplit(",", 1)[0] + "," for row in rows]
        assert evaluate(file(tmp_path, *rows), out="-") == evaluate(file(tmp_path, *without), out="-")


class TestOddFiles:
    def test_the_header_alone(self, tmp_path: Path) -> None:
        out, _ = evaluate(file(tmp_path))
        assert out.startswith("0 consultations of 0 sessions")
        assert out.splitlines()[2].split() == ["1", "0", "-", "-", "-", "-"]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "empty_file: The file is empty."),
            ("\n\n", "empty_file: The file is empty."),
            ("a,b\n1,2\n", "missing_columns: .*missing: session, order, start_time"),
            ("session,order\n", "missing_columns: .*missing: start_time"),
        ],
    )
    def test_nothing_can_be_made_of_it(self, tmp_path: Path, text: str, says: str) -> None:
        with pytest.raises(CommandError, match=says):
            evaluate(made(tmp_path, text))

    def test_it_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"unreadable_file: .* cannot be read: No such file"):
            evaluate(tmp_path / "nothing.csv")

    def test_the_predictions_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="unwritable_file"):
            evaluate(file(tmp_path, FIRST, SECOND), out=str(tmp_path / "no" / "where.csv"))

    @pytest.mark.parametrize(
        ("row", "code"),
        [
            (",2,morning,Wednesday,4,M,8:41:30,600", "no_session"),
            ("1,x,morning,Wednesday,4,M,8:41:30,600", "bad_order"),
            ("1,0,morning,Wednesday,4,M,8:41:30,600", "bad_order"),
            ("1,2,morning,Wednesday,4,M,,600", "bad_start_time"),
            ("1,2,morning,Wednesday,4,M,24:10:00,600", "bad_start_time"),
            ("1,2,morning,Wednesday,4,M,nine,600", "bad_start_time"),
            ("1,2,mor", "bad_start_time"),
            ("1,1,morning,Wednesday,4,M,8:41:30,600", "duplicate_order"),
            ("1,2,morning,Wednesday,4,M,8:29:30,600", "out_of_time"),
        ],
    )
    def test_a_line_that_makes_no_sense_is_named_and_left_out(self, tmp_path: Path, row: str, code: str) -> None:
        out, err = evaluate(file(tmp_path, FIRST, row))
        assert err.startswith(f"line 3: {code}: ")
        assert "1 consultations of 1 sessions, 1 lines left out." in out

    def test_of_many_the_first_are_named(self, tmp_path: Path) -> None:
        _, err = evaluate(file(tmp_path, *["x"] * 30))
        assert err.splitlines()[-1] == "... and 10 more"

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_a_mark_at_the_start_is_no_part_of_the_first_column(self, tmp_path: Path, encoding: str) -> None:
        out, _ = evaluate(made(tmp_path, f"{HEADER}\r\n{FIRST}\r\n{SECOND}\r\n", encoding))
        assert out.startswith("2 consultations of 1 sessions.")

    def test_only_what_is_needed(self, tmp_path: Path) -> None:
        out, _ = evaluate(made(tmp_path, "start_time,order,session\n8:30,1,A\n8:41,2,A\n"))
        assert out.startswith("2 consultations of 1 sessions.")

    def test_lines_in_any_order_are_the_same_session(self, tmp_path: Path) -> None:
        assert evaluate(file(tmp_path, SECOND, FIRST), out="-") == evaluate(file(tmp_path, FIRST, SECOND), out="-")

    def test_a_session_across_midnight_goes_on(self) -> None:
        rows = [f"7,{i},afternoon,Friday,2,F,{at},60" for i, at in enumerate(("23:50", "0:05:30", "0:20"), start=1)]
        (session,), faults = read("\n".join([HEADER, *rows]).encode())
        assert [start.at for start in session.starts] == [1430, 1445.5, 1460]
        assert faults == []

    def test_what_registration_does_not_know_is_unknown(self) -> None:
        (session,), faults = read(f"{HEADER}\n1,1,,,,,8:30:00,\n1,2,,,abc,?,8:41:00,\n".encode())
        assert [(start.visit.number, start.visit.sex) for start in session.starts] == [(None, ""), (None, "?")]
        assert (session.occasion.weekday, session.occasion.afternoon, faults) == (None, False, [])

    def test_bytes_that_are_no_text_are_no_error(self) -> None:
        (session,), faults = read(HEADER.encode() + b"\n1,1,morning,Wednesday,1,F,8:30:00,5\n\xff\xfe,\x00,1\n")
        assert (len(session.starts), len(faults)) == (1, 1)

    def test_two_starts_at_the_same_second(self, tmp_path: Path) -> None:
        rows = [f"1,{i},morning,Wednesday,1,F,8:30:00,0" for i in range(1, 12)]
        out, _ = evaluate(file(tmp_path, *rows, *[f"2{row[1:]}" for row in rows]))
        assert out.startswith("22 consultations of 2 sessions.")

    def test_a_file_without_a_first_line_is_unreadable(self) -> None:
        with pytest.raises(UnreadableFile) as refusal:
            read(f"{FIRST}\n{SECOND}\n".encode())
        assert refusal.value.code == "missing_columns"
