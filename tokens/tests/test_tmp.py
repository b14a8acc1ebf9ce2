import pytest
from tokens.tests.factories import *
pytestmark = pytest.mark.django_db
def test_x():
    m = Morning("considerate", capacity=1)
    a = m.give("online", "Asha")
    m.clock("09:30")
    m.cancel(a, "ill")
    assert m.status(a) == "cancelled"
