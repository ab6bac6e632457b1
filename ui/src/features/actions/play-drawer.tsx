import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { errorText, isApiError, type Play, type PlayDraft, playCountQuery, useDropPlay, useSavePlay } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { useCan } from '@/metadata';
import { Button, confirm, Drawer, Panel, toast } from '@/ui';
import css from './actions.module.css';
import { PlayForm } from './play-form';
import { Result } from './result';

const FRESH: PlayDraft = {
  label: { 'zh-CN': '', en: '' },
  what: { 'zh-CN': '', en: '' },
  on: true,
  stages: [],
  where: null,
  kind: 'task',
  rule: '',
  due: 3,
  reach: [],
  lift: 0.02,
  worth: 'basket',
  amount: 0,
  cost: 0,
  window: 30,
  rest: 60,
  held: 0,
  version: 0,
};

/** How many customers a draft is for, while it is written. */
function Counted({ draft }: { draft: PlayDraft }) {
  const { t } = useTranslation(['actions', 'next']);
  const fmt = useFormat();
  const settled = useDebounced(draft);
  const count = useQuery(playCountQuery(settled));
  if (count.error !== null) return <span className="muted">{t('actions:form.countFailed')}</span>;
  if (count.data === undefined) return <span className="muted">{t('actions:form.counting')}</span>;
  return (
    <span aria-live="polite">
      {t('actions:form.count', { meant: fmt.number(count.data.meant), eligible: fmt.number(count.data.eligible) })}
    </span>
  );
}

/** A play with what came of it, to be changed. */
export function PlayDrawer({ play, onClose }: { play: Play | null; onClose: () => void }) {
  const { t } = useTranslation(['actions', 'next']);
  const label = useLabel();
  const fmt = useFormat();
  const can = useCan();
  const [draft, setDraft] = useState<PlayDraft>(play ?? FRESH);
  const [key, setKey] = useState(play?.key ?? '');
  const [dirty, setDirty] = useState(false);
  const save = useSavePlay();
  const drop = useDropPlay();
  const editable = can('classification.write');
  const faults = isApiError(save.error, 422) ? save.error.fields : [];
  const submit = () =>
    save.mutate(
      { key, draft },
      {
        onSuccess: () => {
          toast.ok(t('actions:form.saved'));
          onClose();
        },
        onError: (error) => {
          if (!isApiError(error, 422)) toast.error(t('next:done.failed'), { detail: errorText(error) });
        },
      },
    );
  const remove = async (one: Play) => {
    const name = label(one.label, one.key);
    const sure = await confirm({
      title: one.standard ? t('actions:form.resetTitle', { name }) : t('actions:form.dropTitle', { name }),
      text: t('actions:form.dropText'),
      confirm: one.standard ? t('actions:form.reset') : t('actions:form.drop'),
      danger: true,
    });
    if (sure) drop.mutate(one.key, { onSuccess: onClose });
  };
  return (
    <Drawer
      opened
      size={640}
      title={play === null ? t('actions:form.new') : label(play.label, play.key)}
      onClose={onClose}
      dirty={dirty}
      footer={
        editable && (
          <>
            {play !== null && (!play.standard || play.changed) && (
              <Button kind="danger-subtle" loading={drop.isPending} onClick={() => void remove(play)}>
                {play.standard ? t('actions:form.reset') : t('actions:form.drop')}
              </Button>
            )}
            <span className="grow" />
            <Button onClick={onClose}>{t('actions:form.cancel')}</Button>
            <Button kind="primary" loading={save.isPending} onClick={submit}>
              {t('actions:form.save')}
            </Button>
          </>
        )
      }
    >
      <div className={css.form}>
        {play !== null && (
          <Panel title={t('actions:column.result')}>
            {play.found?.broken === true && <p role="alert">{t('actions:form.broken')}</p>}
            <Result play={play} />
            {play.found !== null && play.found.held + play.found.resting > 0 && (
              <p className="muted">
                {t('actions:form.held_note', {
                  held: fmt.number(play.found.held),
                  resting: fmt.number(play.found.resting),
                })}
              </p>
            )}
          </Panel>
        )}
        <PlayForm
          draft={draft}
          playKey={play === null ? key : null}
          onKey={setKey}
          faults={faults}
          readOnly={!editable}
          count={<Counted draft={draft} />}
          onChange={(part) => {
            setDirty(true);
            setDraft({ ...draft, ...part });
          }}
        />
      </div>
    </Drawer>
  );
}
