"""The pure parts: periods, words, tables and their CSV, pictures."""

import csv
import io
import re
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.utils.safestring import SafeString

from reports import words
from reports.charts import amounts, bars, blocks, lanes, svg
from reports.periods import Span, of, parse
from reports.records import Wait
from reports.tables import Column, Kind, Table, harmless

NOW = datetime(2026, 11, 21, 10, 24)


class TestPeriods:
    @pytest.mark.parametrize(
        ("text", "first", "last", "title"),
        [
            ("", "2026-11-21", "2026-11-21", "Saturday 21 November, to 10:24"),
            ("2026-11-20", "2026-11-20", "2026-11-20", "Friday 20 November"),
            ("2026-11-22", "2026-11-22", "2026-11-22", "Sunday 22 November"),
            ("2025-02-28", "2025-02-28", "2025-02-28", "Friday 28 February 2025"),
            ("2026-11", "2026-11-01", "2026-11-30", "November 2026, to the 21st"),
            ("2024-02", "2024-02-01", "2024-02-29", "February 2024"),
            ("2026-12", "2026-12-01", "2026-12-31", "December 2026"),
        ],
    )
    def test_a_day_or_a_month(self, text, first, last, title):
        period = parse(text, NOW)
        assert (f"{period.first}", f"{period.last}", period.title) == (first, last, title)

    def test_a_month_on_its_last_day_is_called_by_its_name(self):
        assert parse("2026-11", datetime(2026, 11, 30, 18)).title == "November 2026"

    @pytest.mark.parametrize("text", ["2026-13", "2026-02-30", "tomorrow", "0001-01-01", "2026-1", "9999-12-31", "'"])
    def test_what_is_no_date_is_refused(self, text):
        with pytest.raises(ValueError, match=r"."):
            parse(text, NOW)

    @pytest.mark.parametrize(
        ("text", "earlier", "later"),
        [
            ("2026-11-21", "2026-11-20", ""),
            ("2026-11-20", "2026-11-19", "2026-11-21"),
            ("2026-11-22", "2026-11-21", ""),
            ("2026-11", "2026-10", ""),
            ("2026-03", "2026-02", "2026-04"),
            ("2025-12-31", "2025-12-30", "2026-01-01"),
        ],
    )
    def test_what_lies_beside_it(self, text, earlier, later):
        assert (parse(text, NOW).earlier, parse(text, NOW).later) == (earlier, later)

    @pytest.mark.parametrize(
        ("text", "day", "month"),
        [
            ("2026-11-20", "2026-11-20", "2026-11"),
            ("2026-11", "2026-11-21", "2026-11"),
            ("2026-10", "2026-10-31", "2026-10"),
            ("2026-12", "2026-12-01", "2026-12"),
        ],
    )
    def test_the_day_of_a_month_is_its_last_one_that_has_come(self, text, day, month):
        period = parse(text, NOW)
        assert (period.other(Span.DAY), period.other(Span.MONTH)) == (day, month)
        assert parse(text, NOW, Span.DAY).code == day

    @pytest.mark.parametrize(
        ("text", "through", "days"),
        [
            ("2026-11", "2026-11-21", "1 to 21 November 2026"),
            ("2026-10", "2026-10-31", "1 to 31 October 2026"),
            ("2026-12", "2026-12-31", "December 2026"),
            ("2026-11-22", "2026-11-22", "22 November 2026"),
            ("2026-11-21", "2026-11-21", "21 November 2026"),
        ],
    )
    def test_figures_are_about_the_days_that_have_come(self, text, through, days):
        assert (f"{parse(text, NOW).through}", parse(text, NOW).days) == (through, days)

    def test_a_month_on_its_first_day(self):
        period = of(Span.MONTH, date(2026, 11, 1), datetime(2026, 11, 1, 9))
        assert (period.title, period.days) == ("November 2026, to the 1st", "1 November 2026")


class TestWords:
    @pytest.mark.parametrize(
        ("value", "said"), [("9.8", "9.8 %"), ("7.0", "7 %"), (None, "–"), ("0", "0 %"), ("105.9", "105.9 %")]
    )
    def test_shares(self, value, said):
        assert words.share(Decimal(value) if value else None) == said

    @pytest.mark.parametrize(
        ("part", "whole", "said"), [(1, 3, "33.3"), (2, 3, "66.7"), (1, 8, "12.5"), (1, 2000, "0.1")]
    )
    def test_a_share_is_rounded_half_up(self, part, whole, said):
        assert words.percent(part, whole) == Decimal(said)

    def test_a_share_of_nothing_is_none(self):
        assert words.percent(0, 0) is None
        assert words.roughly(0, 0) == "–"

    def test_a_whole_share_is_rounded_once(self):
        assert words.roughly(1745, 10000) == "17 %"
        assert words.roughly(1750, 10000) == "18 %"

    @pytest.mark.parametrize(
        ("parts", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
    )
    def test_joined(self, parts, said):
        assert words.joined(parts) == said

    def test_a_scale_is_grouped_like_its_amounts(self):
        assert [words.whole(400_000, "INR"), words.whole(400_000, "USD"), words.whole(50)] == [
            "4,00,000",
            "400,000",
            "50",
        ]

    def test_the_hours_of_a_night(self):
        assert [words.hour(n) for n in (9, 23, 24, 25)] == ["09", "23", "00", "01"]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", " =1+1", "＝1+1"]


class TestTables:
    @pytest.mark.parametrize("text", FORMULAS)
    def test_no_text_is_a_formula_in_a_spreadsheet(self, text):
        assert harmless(text) == f"'{text}"
        table = Table([Column(text), Column("Amount", Kind.MONEY)], [(text, Decimal("-20.00"))], (text, Decimal(0)))
        for row in csv.reader(io.StringIO(table.as_csv(), newline="")):
            assert row[0].startswith("'")
        assert "-20.00" in table.as_csv(), "a number stays a number"

    @pytest.mark.parametrize("text", ["Dr Rao", "A-017", "10 %", "O'Neil, Shaun", 'said "no"', "रवि", "a=b", ""])
    def test_other_texts_stay_as_they_are(self, text):
        written = Table([Column("Name")], [(text,)]).as_csv()
        assert list(csv.reader(io.StringIO(written, newline="")))[1:] == [[text] if text else []] or text == ""

    def test_units_stand_in_the_headings_and_values_are_plain(self):
        columns = [
            Column("Source"),
            Column("Called", Kind.COUNT),
            Column("Median", Kind.MINUTES),
            Column("Share", Kind.SHARE),
            Column("Taken", Kind.MONEY),
            Column("Opened", Kind.MOMENT),
            Column("Date", Kind.DATE),
        ]
        row = ("Online", 1200, None, Decimal("9.8"), Decimal("1234567.50"), NOW, NOW.date())
        table = Table(columns, [row], None, "INR")
        assert table.as_csv().splitlines() == [
            "Source,Called,Median (minutes),Share (percent),Taken (INR),Opened,Date",
            "Online,1200,,9.8,1234567.50,2026-11-21 10:24,2026-11-21",
        ]
        shown = [cell.text for cell in table.shown[0]]
        assert shown == ["Online", "1,200", "–", "9.8 %", "₹12,34,567.50", "21 Nov, 10:24", "21 Nov 2026"]
        assert [cell.at_the_end for cell in table.shown[0]] == [False, True, True, True, True, False, False]


class TestPictures:
    def test_words_are_escaped_wherever_they_stand(self):
        bad = '<script>alert("1")</script>'
        wait = Wait(2, 1, 1, 5, 9, 9, 9, (5, 9))
        drawn = [
            lanes.waits([lanes.Lane(bad, bad, wait, bad, True)]),
            lanes.promises([lanes.Promise(bad, bad, 50, 90, bad)]),
            bars.bars([bars.Bar(bad, bad, 3, bad)]),
            bars.columns([bars.Day(bad, 3, bad, True, True)], svg.count_scale(3), lambda _: bad, bad),
            bars.people([bars.People(bad, bad, 2, 1, bad, bad)]),
            bars.parts([1, 2], bad),
            blocks.blocks([blocks.Row(bad, bad, [blocks.Cell(9, 1, 0.5, bad)], bad, bad)]),
            amounts.multiples([bad], [amounts.Row(bad, bad, [amounts.Amount(1, bad)])], amounts.Row(bad, bad, [None])),
        ]
        for picture in drawn:
            assert isinstance(picture, SafeString)
            assert "<script" not in picture
            assert "alert(&quot;1&quot;)" in picture
            assert not re.search(r"\sstyle=|\son\w+=|<style", picture)

    def test_few_are_drawn_one_by_one_and_many_as_a_range(self):
        few = lanes.waits([lanes.Lane("Paid", "", Wait(6, 1, 2, 3, 4, 5, 6, (1, 2, 3, 4, 5, 6)), "")])
        assert (few.count("<circle"), few.count('class="t3"'), few.count('class="p90"')) == (6, 0, 0)
        many = lanes.waits([lanes.Lane("Paid", "", Wait(80, 1, 2, 3, 4, 5, 6, tuple(range(80))), "")])
        assert (many.count("<circle"), many.count('class="t3"'), many.count('class="p90"')) == (0, 1, 1)

    def test_a_pile_of_equal_waits_stays_in_its_lane(self):
        drawn = lanes.waits([lanes.Lane("All", "", Wait(30, 5, 5, 5, 5, 5, 5, (5,) * 30), "")])
        heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
        assert len(heights) == 30
        assert 0 < min(heights) <= max(heights) <= 34

    def test_a_slot_that_is_over_full_is_full_and_has_its_stripe(self):
        drawn = blocks.blocks([blocks.Row("Dr Rao", "", [blocks.Cell(9, 1, 7 / 6, "7/6", over=True)], "117 %", "")])
        assert drawn.count('class="ov"') == 1
        assert 'class="t1" x="0%" width="10.44%" y="6" height="24"' in drawn

    def test_what_went_below_zero_is_hollow(self):
        drawn = bars.bars([bars.Bar("Dr Rao", "", -5, "−₹5.00"), bars.Bar("Dr Nair", "", 10, "₹10.00")])
        assert 'class="below" x="0%" width="35%"' in drawn

    @pytest.mark.parametrize(
        ("longest", "step", "steps"),
        [(0, 1, 1), (5, 1, 5), (7, 2, 4), (57, 10, 6), (63, 15, 5), (300, 60, 5), (9000, 1440, 7)],
    )
    def test_a_scale_of_minutes_has_round_steps(self, longest, step, steps):
        scale = svg.minutes_scale(longest)
        assert (scale.step, scale.steps) == (step, steps)
        assert scale.top >= longest

    @pytest.mark.parametrize(("highest", "top"), [(0, 1), (3, 3), (4, 4), (7, 10), (121, 150), (1600, 2000), (56, 60)])
    def test_a_scale_of_counts_has_at_most_three_steps(self, highest, top):
        scale = svg.count_scale(highest)
        assert (scale.top, scale.steps <= 3) == (top, True)

    def test_a_place_is_never_outside_the_picture(self):
        scale = svg.minutes_scale(30)
        assert (scale.at(-5), scale.at(1000)) == (0, 1)

    @pytest.mark.parametrize(("size", "kind"), [(1, "ax"), (0.5, "ax half"), (0.25, "ax short"), (1 / 6, "ax tiny")])
    def test_words_of_short_slots_are_left_out_where_there_is_no_room(self, size, kind):
        drawn = blocks.blocks([blocks.Row("Dr Rao", "", [blocks.Cell(9, size, 0.5, "1/2")], "50 %", "")])
        assert re.search(r'<text class="([^"]+)"[^>]*>1/2<', drawn)[1] == kind
