"""What may be allowed about money. How much a role may give away or take off is data: discount and credit limits."""

from accounts.permissions import register

register("billing.view", "See bills, payments and prices", roles=["billing-staff", "reception", "manager"])
register("billing.bill", "Make bills", roles=["billing-staff", "reception"])
register("billing.price", "Bill at other prices than those of the list", roles=["billing-staff", "reception"])
register("billing.discount", "Give discounts, up to the role's limit", roles=["billing-staff", "manager"])
register("billing.void", "Void bills that nobody has paid", roles=["billing-staff", "manager"])
register("billing.credit", "Take something off an issued bill by a credit note", roles=["billing-staff", "manager"])
register("billing.take", "Take payments and advances, and have a shift", roles=["billing-staff"])
register("billing.refund", "Give money back", roles=["billing-staff"])
register("billing.petty", "Spend petty cash out of a drawer", roles=["billing-staff", "manager"])
register("billing.shifts", "See and close the shifts of others, and move their cash", roles=["manager"])
register("billing.ledger", "See the ledger and its proof", roles=["manager"])
register("billing.edit", "Change prices, taxes, limits and the rules of billing", roles=["manager"])
