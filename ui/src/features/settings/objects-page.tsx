import { Link, useNavigate } from '@tanstack/react-router';
import { useLabel, useTranslation } from '@/i18n';
import { useObjects } from '@/metadata';
import { ObjectIcon, Panel, Pill, Table } from '@/ui';
import css from './settings.module.css';

export function ObjectsPage() {
  const { t } = useTranslation('settings');
  const label = useLabel();
  const navigate = useNavigate();
  const objects = useObjects();
  return (
    <Panel flush title={t('settings:page.objects')} aside={t('settings:objects.readOnly')}>
      <Table
        label={t('settings:page.objects')}
        rows={objects}
        rowKey={(object) => object.key}
        onRowClick={(object) => navigate({ to: '/settings/objects/$object', params: { object: object.key } })}
        columns={[
          {
            key: 'label',
            label: t('settings:objects.object'),
            cell: (object) => (
              <span className="row">
                <ObjectIcon name={object.icon} />
                <Link
                  to="/settings/objects/$object"
                  params={{ object: object.key }}
                  className={css.plainLink}
                  onClick={(event) => event.stopPropagation()}
                >
                  {label(object.label, object.key)}
                </Link>
              </span>
            ),
          },
          {
            key: 'key',
            label: t('settings:objects.key'),
            cell: (object) => <code className="muted">{object.key}</code>,
          },
          {
            key: 'fields',
            label: t('settings:objects.fields'),
            align: 'right',
            cell: (object) => object.fields.length,
          },
          {
            key: 'kind',
            label: t('settings:objects.kind'),
            minor: true,
            cell: (object) => (
              <span className={css.pills}>
                <Pill color="gray">
                  {object.standard ? t('settings:objects.standard') : t('settings:objects.custom')}
                </Pill>
                {object.hidden && <Pill color="gray">{t('settings:objects.hidden')}</Pill>}
              </span>
            ),
          },
        ]}
      />
    </Panel>
  );
}
