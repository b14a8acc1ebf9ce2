"""Pictures as SVG, drawn on the server. Pure: numbers in, escaped markup out.

Widths are in per cent of the picture and heights in pixels, so one picture is as readable at 360 px as at 1920. There
is no style and no script in them: marks have classes, and `reports.css` says how they look. What a picture shows is
its name for those who do not see it; the table under it has the numbers.
"""
