"""What every other test stands on: a database that is as the migrations leave it, whatever the test before did."""

import pytest
from django.db import connection

from accounts.models import Facility, Role


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["first", "second"])
def test_what_a_test_commits_is_gone_in_the_next(name):
    assert not Facility.objects.exists()
    Facility.objects.create(name=name, slug=name, time_zone="Asia/Kolkata")


@pytest.mark.django_db
def test_what_migrations_ship_is_there_after_a_test_that_committed():
    assert Role.objects.filter(slug="reception").exists()


@pytest.mark.django_db
def test_the_tests_have_a_server_of_their_own_that_does_not_wait_for_the_disk():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_database()")
        fsync, name = cursor.fetchone()
    assert name.startswith("test_")
    assert fsync == "off" or connection.settings_dict["HOST"]
