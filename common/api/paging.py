"""Pages of a list: ``?page``, ``?page_size`` up to 200."""

from rest_framework.pagination import PageNumberPagination


class Paging(PageNumberPagination):
    """``{"count", "next", "previous", "results"}``, 50 rows where the client does not say."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
