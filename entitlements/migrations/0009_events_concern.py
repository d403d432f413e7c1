"""What the events recorded so far concern: as it is written with each new one, from rows that never change."""

from django.db import migrations

# The bytes that are hashed are left alone; only the columns by which events are found and shown are filled.
FILL = """
ALTER TABLE audit_event DISABLE TRIGGER append_only;
UPDATE audit_event event SET scope = CASE event.subject_type
    WHEN 'approvals.changerequest' THEN ARRAY(
        SELECT DISTINCT coalesce(scope.account_id, scope.product_id)
          FROM approvals_revision revision
          JOIN approvals_item item ON item.revision_id = revision.id
          JOIN approvals_itemscope scope ON scope.item_id = item.id
         WHERE revision.change_request_id = event.subject_id)
    WHEN 'approvals.policy' THEN '{}'
    WHEN 'approvals.freeze' THEN ARRAY(
        SELECT named::uuid
          FROM approvals_freeze lull, jsonb_array_elements_text(lull.account_ids || lull.product_ids) named
         WHERE lull.id = event.subject_id)
    WHEN 'approvals.accountingperiod' THEN '{}'
    WHEN 'approvals.authoritylimit' THEN '{}'
    WHEN 'approvals.standardtemplate' THEN '{}'
    WHEN 'entitlements.regiongroup' THEN '{}'
    WHEN 'entitlements.account' THEN ARRAY[event.subject_id]
    WHEN 'entitlements.product' THEN ARRAY[event.subject_id]
    WHEN 'entitlements.feature' THEN ARRAY(
        SELECT product_id FROM entitlements_feature WHERE id = event.subject_id)
    WHEN 'entitlements.release' THEN ARRAY(
        SELECT product_id FROM entitlements_release WHERE id = event.subject_id)
    WHEN 'entitlements.sku' THEN ARRAY(
        SELECT product_id FROM entitlements_sku WHERE id = event.subject_id)
    WHEN 'entitlements.skurevision' THEN ARRAY(
        SELECT sku.product_id FROM entitlements_skurevision revision
          JOIN entitlements_sku sku ON sku.id = revision.sku_id WHERE revision.id = event.subject_id)
    WHEN 'entitlements.deployment' THEN ARRAY(
        SELECT unnest(ARRAY[account_id, product_id]) FROM entitlements_deployment WHERE id = event.subject_id)
    WHEN 'entitlements.agreement' THEN ARRAY(
        SELECT DISTINCT unnest(licensee_id || covered_accounts) FROM entitlements_agreement
         WHERE id = event.subject_id)
    WHEN 'entitlements.orderline' THEN ARRAY(
        SELECT unnest(ARRAY[agreement.licensee_id, sku.product_id])
          FROM entitlements_orderline line
          JOIN entitlements_agreement agreement ON agreement.id = line.agreement_id
          JOIN entitlements_skurevision revision ON revision.id = line.sku_revision_id
          JOIN entitlements_sku sku ON sku.id = revision.sku_id
         WHERE line.id = event.subject_id)
    WHEN 'entitlements.entitlement' THEN ARRAY(
        SELECT unnest(ARRAY[entitlement.account_id, sku.product_id])
          FROM entitlements_entitlement entitlement JOIN entitlements_sku sku ON sku.id = entitlement.sku_id
         WHERE entitlement.id = event.subject_id)
    WHEN 'entitlements.person' THEN ARRAY(
        SELECT account_id FROM entitlements_person WHERE id = event.subject_id)
    END,
    records = CASE event.subject_type WHEN 'approvals.changerequest' THEN ARRAY(
        SELECT item.record_id
          FROM approvals_changerequest request
          JOIN approvals_item item ON item.revision_id = request.current_revision_id
         WHERE request.id = event.subject_id
         ORDER BY item.position LIMIT 100)
    ELSE '{}' END
 WHERE scope IS NULL;
ALTER TABLE audit_event ENABLE TRIGGER append_only;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('entitlements', '0008_evidence_of_terms'),
        ('approvals', '0021_reminders'),
        ('audit', '0002_explorer'),
    ]

    operations = [
        migrations.RunSQL(sql=FILL, reverse_sql=migrations.RunSQL.noop),
    ]
