"""The addresses of the usage console."""

from __future__ import annotations

from django.urls import path

from portal.pages import usage_actions as actions
from portal.pages import usage_console as console
from portal.pages import usage_names as names

urlpatterns = [
    path("", console.summary, name="usage"),
    path("records/", console.records, name="usage_records"),
    path("records/<int:record_id>/act", actions.act_on_record, name="usage_record"),
    path("rematch", actions.rematch, name="usage_rematch"),
    path("quarantine/", console.quarantine, name="usage_quarantine"),
    path("quarantine/<int:row_id>/act", actions.act_on_quarantined, name="usage_quarantined"),
    path("messages/", console.messages, name="usage_messages"),
    path("messages/<str:message_id>/", console.message, name="usage_message"),
    path("messages/<str:message_id>/act", actions.act_on_message, name="usage_message_act"),
    path("missing/", console.missing, name="usage_missing"),
    path("sites/", console.months, name="usage_months"),
    path("names/", names.names, name="usage_names"),
    path("names/<int:name_id>/act", names.act_on_name, name="usage_name"),
]
