import type { View } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button, Modal, Table } from '@/ui';
import type { List } from './use-list';
import { useGranteeName } from './view-grantees';
import css from './view-share.module.css';

const SHOWN = 3;

/** All views of an object that the reader sees: whose they are, whom they are shared with, whose default they are. */
export function AllViewsDialog({ list, onClose }: { list: List; onClose: () => void }) {
  const { t } = useTranslation('sharing');
  const label = useLabel();
  const nameOf = useGranteeName();
  const owner = (view: View) => {
    if (view.builtin) return <span className="muted">{t('sharing:all.builtin')}</span>;
    if (view.owner === null) return <span className="muted">{t('sharing:all.nobody')}</span>;
    return view.mine ? t('sharing:all.mine') : view.owner.title;
  };
  const shared = (view: View) => {
    if (view.builtin) return t('sharing:everyone');
    if (view.shares.length === 0) return <span className="muted">{t('sharing:all.private')}</span>;
    const names = view.shares.map((share) =>
      share.access === 'write' ? t('sharing:all.editor', { name: nameOf(share) }) : nameOf(share),
    );
    const rest = names.length - SHOWN;
    const text = names.slice(0, SHOWN).join(t('sharing:all.comma'));
    return rest > 0 ? t('sharing:all.more', { text, count: rest }) : text;
  };
  return (
    <Modal opened onClose={onClose} title={t('sharing:all.title')} size={720}>
      <Table<View>
        label={t('sharing:all.title')}
        rows={[...list.views]}
        rowKey={(view) => view.id}
        columns={[
          {
            key: 'name',
            label: t('sharing:all.name'),
            cell: (view) => (
              <span className={css.name}>
                <Button
                  kind="subtle"
                  onClick={() => {
                    list.choose(view);
                    onClose();
                  }}
                >
                  {label(view.label, view.name)}
                </Button>
                {view.default !== '' && <span className="muted">{t(`sharing:all.default.${view.default}`)}</span>}
                {view.partial && <span className="muted">{t('sharing:all.partial')}</span>}
              </span>
            ),
          },
          { key: 'owner', label: t('sharing:all.owner'), cell: owner },
          { key: 'shared', label: t('sharing:all.shared'), cell: shared },
        ]}
      />
    </Modal>
  );
}
