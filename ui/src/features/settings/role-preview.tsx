import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type RoleDraft, type RoleSight, usePreviewRole, usersQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, findObject, useObjects, useSession } from '@/metadata';
import { Button, ObjectIcon, Panel, Select, Table } from '@/ui';
import css from './roles.module.css';

/** How much somebody would see with the role as it stands in the form. */
export function RolePreview({ draft }: { draft: RoleDraft }) {
  const { t } = useTranslation('rights');
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const me = useSession().user;
  const users = useQuery(usersQuery());
  const preview = usePreviewRole();
  const [user, setUser] = useState<string>(me.id);
  const count = (n: number, more: boolean) => (more ? `${fmt.number(n)}+` : fmt.number(n));
  const fields = (sight: RoleSight) =>
    [...sight.hidden, ...sight.masked]
      .map((key) => label(findField(findObject(objects, sight.object), key)?.label, key))
      .join(t('rights:comma'));
  return (
    <Panel title={t('rights:preview.title')}>
      <p className="muted">{t('rights:preview.text')}</p>
      <div className={css.previewBar}>
        <Select
          label={t('rights:preview.as')}
          searchable
          options={(users.data?.items ?? []).map((each) => ({ value: each.id, label: each.name || each.email }))}
          value={user}
          onChange={(next) => next !== null && setUser(next)}
        />
        <Button loading={preview.isPending} onClick={() => preview.mutate({ role: draft, user })}>
          {t('rights:preview.run')}
        </Button>
      </div>
      {preview.isError && (
        <p className={css.bad} role="alert">
          {preview.error.message}
        </p>
      )}
      {preview.data !== undefined && (
        <Table
          label={t('rights:preview.title')}
          rows={preview.data.items}
          rowKey={(sight) => sight.object}
          columns={[
            {
              key: 'object',
              label: t('rights:matrix.object'),
              cell: (sight) => {
                const object = findObject(objects, sight.object);
                return (
                  <span className={css.objectIn}>
                    <ObjectIcon name={object?.icon ?? ''} />
                    {label(object?.plural, sight.object)}
                  </span>
                );
              },
            },
            {
              key: 'seen',
              label: t('rights:preview.seen'),
              align: 'right',
              cell: (sight) => (
                <span>
                  <strong>{count(sight.seen, sight.seen_more)}</strong>
                  <span className="muted"> / {count(sight.total, sight.total_more)}</span>
                </span>
              ),
            },
            {
              key: 'fields',
              label: t('rights:preview.fields'),
              minor: true,
              cell: (sight) => <span className="muted">{fields(sight) || t('rights:preview.none')}</span>,
            },
          ]}
        />
      )}
    </Panel>
  );
}
