import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { errorText, type Layout, layoutsQuery, type ObjectType, useRemoveLayout, useSetLayout } from '@/api';
import { useLabel, useLanguage, useTranslation } from '@/i18n';
import { canRead } from '@/metadata';
import { Button, confirm, ErrorState, Panel, Select, SkeletonRows, toast } from '@/ui';
import { FieldsChoice } from './object-display';
import css from './object-layout.module.css';
import { addSection, draftOf, type LayoutDraft, toLayout } from './object-layout-draft';
import { Sections } from './object-layout-sections';
import { TabsOrder } from './object-layout-tabs';

/** Wide values make poor figures. */
const POOR = new Set(['long_text', 'json', 'relation_many', 'address']);

interface EditorProps {
  object: ObjectType;
  role: string;
  layout: Layout | undefined;
  /** Called when it is stored. */
  onRemoved: () => void;
}

/** One layout: sections of fields, tabs, highlights. Saved as a whole. */
function Editor({ object, role, layout, onRemoved }: EditorProps) {
  const { t } = useTranslation(['layout', 'common']);
  const language = useLanguage();
  const label = useLabel();
  const [saved, setSaved] = useState(layout);
  const [draft, setDraft] = useState<LayoutDraft>(() => draftOf(object, layout));
  const [touched, setTouched] = useState(false);
  const store = useSetLayout(object.key);
  const remove = useRemoveLayout(object.key);
  const change = (next: LayoutDraft) => {
    setTouched(true);
    setDraft(next);
  };
  const save = async () => {
    try {
      const stored = await store.mutateAsync(toLayout(role, draft));
      setSaved(stored.items.find((each) => (each.role ?? '') === role));
      setTouched(false);
      toast.ok(t('common:saved'));
    } catch {
      // said below
    }
  };
  const reset = async () => {
    const sure = await confirm({
      title: t('layout:reset.title'),
      text: t(role === '' ? 'layout:reset.textAll' : 'layout:reset.textRole'),
      confirm: t('layout:reset.do'),
      danger: true,
    });
    if (!sure) return;
    try {
      await remove.mutateAsync(role);
      toast.ok(t('common:saved'));
      onRemoved();
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <div className={css.editor}>
      <p className="muted">{t('layout:about')}</p>
      <Sections object={object} draft={draft} onChange={change} />
      <div>
        <Button
          icon={<IconPlus size={15} />}
          onClick={() => change(addSection(draft, { [language]: t('layout:newSection') }))}
        >
          {t('layout:addSection')}
        </Button>
      </div>
      <Panel title={t('layout:highlights')}>
        <FieldsChoice
          label={t('layout:highlightsOf')}
          help={t('layout:highlightsHelp')}
          fields={object.fields.filter((field) => canRead(field) && !POOR.has(field.type) && field.key !== 'id')}
          keys={draft.highlights}
          onChange={(highlights) => change({ ...draft, highlights: highlights.slice(0, 6) })}
        />
      </Panel>
      <Panel title={t('layout:tabs')}>
        <TabsOrder object={object} draft={draft} onChange={change} />
      </Panel>
      {store.isError && (
        <p className={css.refused} role="alert">
          {errorText(store.error)}
        </p>
      )}
      <div className={css.foot}>
        {saved !== undefined && (
          <Button kind="subtle" loading={remove.isPending} onClick={() => void reset()}>
            {t(role === '' ? 'layout:reset.all' : 'layout:reset.role')}
          </Button>
        )}
        <span className="grow" />
        <Button
          kind="primary"
          loading={store.isPending}
          disabled={!touched || draft.sections.length === 0}
          onClick={() => void save()}
          aria-label={t('layout:saveOf', { name: label(object.label, object.key) })}
        >
          {t('common:save')}
        </Button>
      </div>
    </div>
  );
}

/** The layouts of an object: that of everyone, and those of roles. */
export function ObjectLayout({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['layout', 'settings']);
  const { data, error, refetch } = useQuery(layoutsQuery(object.key));
  const [role, setRole] = useState('');
  // A role that gets a layout of its own starts from what its people see.
  const [started, setStarted] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  if (error !== null) return <ErrorState error={error} onRetry={() => refetch()} />;
  if (data === undefined) return <SkeletonRows rows={8} />;
  const of = (key: string) => data.items.find((layout) => (layout.role ?? '') === key);
  const nameOf = (key: string, name?: string) => {
    if (key === '') return t('layout:everyone');
    return name ?? t(`settings:role.${key}`);
  };
  const own = of(role);
  const editing = role === '' || own !== undefined || started === role;
  return (
    <div className="stack">
      <div className={css.who}>
        <Select
          label={t('layout:for')}
          value={role === '' ? '~' : role}
          onChange={(next) => {
            setStarted(null);
            setRole(next === '~' || next === null ? '' : next);
          }}
          options={[{ key: '', name: undefined }, ...data.roles].map((each) => ({
            value: each.key === '' ? '~' : each.key,
            label:
              each.key !== '' && of(each.key) !== undefined
                ? t('layout:hasOwn', { name: nameOf(each.key, each.name) })
                : nameOf(each.key, each.name),
          }))}
        />
        {!editing && (
          <div className={css.none}>
            <p className="muted">{t('layout:noOwn')}</p>
            <Button kind="primary" onClick={() => setStarted(role)}>
              {t('layout:makeOwn')}
            </Button>
          </div>
        )}
      </div>
      {editing && (
        <Editor
          key={`${role}:${round}`}
          object={object}
          role={role}
          layout={own ?? of('')}
          onRemoved={() => {
            setStarted(null);
            setRound(round + 1);
          }}
        />
      )}
    </div>
  );
}
