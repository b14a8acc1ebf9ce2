import accounts.models
import django.contrib.postgres.fields
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='facility',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='facility',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='facility',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='facility',
            name='languages',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('en', 'English'), ('hi', 'हिन्दी (Hindi)'), ('ar', 'العربية (Arabic)')], max_length=5), default=accounts.models.english, help_text='What patients read and hear, the first one first.', size=None, validators=[accounts.models.validate_languages]),
        ),
        migrations.AddField(
            model_name='facilityevent',
            name='languages',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('en', 'English'), ('hi', 'हिन्दी (Hindi)'), ('ar', 'العربية (Arabic)')], max_length=5), default=accounts.models.english, help_text='What patients read and hear, the first one first.', size=None, validators=[accounts.models.validate_languages]),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='facility',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "accounts_facilityevent" ("currency", "id", "is_active", "languages", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_region", "show_names_on_board", "slug", "time_zone") VALUES (NEW."currency", NEW."id", NEW."is_active", NEW."languages", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."phone_region", NEW."show_names_on_board", NEW."slug", NEW."time_zone"); RETURN NULL;', hash='14ed2381eb5f1c1ef901d0391e4f2dc46e035bc1', operation='INSERT', pgid='pgtrigger_insert_insert_bc6db', table='accounts_facility', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='facility',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "accounts_facilityevent" ("currency", "id", "is_active", "languages", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_region", "show_names_on_board", "slug", "time_zone") VALUES (NEW."currency", NEW."id", NEW."is_active", NEW."languages", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."phone_region", NEW."show_names_on_board", NEW."slug", NEW."time_zone"); RETURN NULL;', hash='a6f681224050dd8427bb01f91a4ea78544cc4309', operation='UPDATE', pgid='pgtrigger_update_update_1d5e8', table='accounts_facility', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='facility',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "accounts_facilityevent" ("currency", "id", "is_active", "languages", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_region", "show_names_on_board", "slug", "time_zone") VALUES (OLD."currency", OLD."id", OLD."is_active", OLD."languages", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."phone_region", OLD."show_names_on_board", OLD."slug", OLD."time_zone"); RETURN NULL;', hash='73e06156ad5ccf483ac62c646cf8aa178fdec68e', operation='DELETE', pgid='pgtrigger_delete_delete_28991', table='accounts_facility', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='facility',
            constraint=models.CheckConstraint(condition=models.Q(('languages__len__gt', 0)), name='facility_speaks_a_language'),
        ),
    ]
