import pytest
from django.test import Client
from reception.tests.factories import Hall, text
pytestmark = pytest.mark.django_db
def test_smoke():
    hall = Hall(capacity=2)
    a = hall.patient("Lakshmi", phone="+919845011213", birth_year=1972)
    token = hall.give(a, "online", slot=0)
    c = hall.client("reception")
    print(text(c.get("/kiosk/")))
    r = c.post("/kiosk/begin/"); print(r, r.url)
    print(text(c.get("/kiosk/")))
    print(text(c.get("/kiosk/find/")))
    r = c.post("/kiosk/find/", {"phone": "98450 11213", "year": "1973"}); print(r.status_code, text(r))
    r = c.post("/kiosk/find/", {"phone": "98450 11213", "year": "1972"}, follow=True); print(r.status_code, text(r))
    print(text(c.get("/kiosk/departments/")))
    b = hall.patient("Ravi", phone="+919845011214", birth_year=1972)
    r = c.post(f"/kiosk/find/?department={hall.department.pk}", {"phone": "98450 11214", "year": "1972"}, follow=True); print(r.status_code, text(r))
    print(c.get("/desk/").status_code, c.get("/kiosk/end/").status_code)
    r = c.post("/kiosk/end/", {"username": "x", "password": "y"}); print(r.status_code, text(r))
