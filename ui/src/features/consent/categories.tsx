import { IconPlus, IconX } from '@tabler/icons-react';
import type { ConsentCategory, ConsentPolicy } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, IconButton, Select, TextInput } from '@/ui';
import css from './consent-settings.module.css';
import { SaveBar } from './save-bar';
import { usePolicy } from './use-policy';

/** What the categories of an event's consent speak about. */
export function Categories({ policy }: { policy: ConsentPolicy }) {
  const { t } = useTranslation('consent');
  const label = useLabel();
  const can = useCan();
  const { draft, setDraft, busy, save, dirty, reset, errorAt } = usePolicy(policy);
  const may = can('consent.manage');
  const list = draft.categories;
  const set = (categories: ConsentCategory[]) => setDraft({ ...draft, categories });
  const put = (at: number, change: Partial<ConsentCategory>) =>
    set(list.map((each, index) => (index === at ? { ...each, ...change } : each)));
  const problem = errorAt('categories');
  return (
    <>
      <p className="muted">{t('consent:settings.categoriesText')}</p>
      <ul className={css.list}>
        {list.map((line, at) => {
          const purpose = draft.purposes.find((each) => each.key === line.purpose);
          return (
            <li key={at} className={css.row}>
              <TextInput
                label={t('consent:settings.category')}
                value={line.category}
                disabled={!may}
                onChange={(category) => put(at, { category })}
              />
              <Select
                label={t('consent:purpose')}
                value={line.purpose}
                disabled={!may}
                onChange={(key) => {
                  const next = draft.purposes.find((each) => each.key === key);
                  put(at, { purpose: key ?? '', channel: next?.channels.at(-1) ?? 'any' });
                }}
                options={draft.purposes.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
              />
              <Select
                label={t('consent:channels')}
                value={line.channel}
                disabled={!may}
                onChange={(channel) => put(at, { channel: channel ?? 'any' })}
                options={(purpose?.channels ?? []).map((value) => ({
                  value,
                  label: t(`consent:channel.${value}`),
                }))}
              />
              {may && (
                <IconButton
                  label={t('consent:settings.removeCategory')}
                  icon={<IconX size={16} />}
                  onClick={() => set(list.filter((_, index) => index !== at))}
                />
              )}
            </li>
          );
        })}
      </ul>
      {problem !== undefined && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      {may && (
        <div className={css.bar}>
          <Button
            icon={<IconPlus size={16} />}
            onClick={() => {
              const first = draft.purposes[0];
              set([...list, { category: '', purpose: first?.key ?? '', channel: first?.channels[0] ?? 'any' }]);
            }}
          >
            {t('consent:settings.addCategory')}
          </Button>
          <span className={css.grow} />
          <SaveBar dirty={dirty} busy={busy} onSave={() => void save()} onReset={reset} />
        </div>
      )}
    </>
  );
}
