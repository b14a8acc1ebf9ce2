"""What money asks of a facility, which is a table of a floor below: accounts knows neither bills nor the ledger."""

import pgtrigger

from accounts.models import Facility

# Waits for whoever writes the facility's first bill or shift just now: a row that refers to it holds it FOR KEY SHARE.
_CURRENCY_STAYS = """
PERFORM FROM accounts_facility WHERE id = OLD.id FOR UPDATE;
IF EXISTS (SELECT FROM billing_bill WHERE facility_id = OLD.id)
   OR EXISTS (SELECT FROM billing_shift WHERE facility_id = OLD.id)
   OR EXISTS (SELECT FROM billing_ledgertransaction WHERE facility_id = OLD.id) THEN
    RAISE EXCEPTION 'the money of facility % is in %', OLD.id, OLD.currency USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


class FacilityWithMoney(Facility):
    """A facility as billing sees it: no amount says its currency, so the currency stays once there are amounts."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name="currency_stays",
                operation=pgtrigger.UpdateOf("currency"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__currency__df=pgtrigger.F("new__currency")),
                func=_CURRENCY_STAYS,
            )
        ]
