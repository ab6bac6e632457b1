import { IconPlus, IconRestore } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer, useState } from 'react';
import {
  type Classification,
  classificationPreviewQuery,
  classificationsQuery,
  errorText,
  isApiError,
  useResetClassification,
  useSaveClassification,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { HUES } from '@/lib/hue';
import { useCan } from '@/metadata';
import { useLeaveGuard } from '@/shell/leave-guard';
import { BackLink, Button, confirm, Page, Panel, toast } from '@/ui';
import { Swatch } from '@/ui/chart';
import { VersionChoice } from '@/ui/version-choice';
import { ClassDrawer } from './class-drawer';
import { ClassList } from './class-list';
import { draftOf, faultsOf, freshKey, isRest, reduceClasses, sameClasses, sendable } from './classes';
import css from './classifications.module.css';
import { Cuts } from './cuts';
import { Effect } from './effect';
import { History } from './history';
import { Moving } from './moving';
import { Quality } from './quality';

function Rules({ rules }: { rules: Classification['classes'] }) {
  const label = useLabel();
  return (
    <ol className={css.versions}>
      {rules.map((rule) => (
        <li key={rule.key}>
          <Swatch color={rule.color}>{label(rule.label, rule.key)}</Swatch>
          {rule.sentence !== undefined && <div className="muted">{label(rule.sentence)}</div>}
        </li>
      ))}
    </ol>
  );
}

export function ClassificationEditor({ classification }: { classification: Classification }) {
  const { t } = useTranslation(['classifications', 'common']);
  const label = useLabel();
  const can = useCan();
  const client = useQueryClient();
  const readOnly = !can('classification.write');
  const [base, setBase] = useState(classification);
  const [{ classes }, dispatch] = useReducer(reduceClasses, classification.classes, draftOf);
  const [editing, setEditing] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const [theirs, setTheirs] = useState<Classification | null>(null);
  const save = useSaveClassification(classification.key);
  const reset = useResetClassification(classification.key);
  const dirty = !sameClasses(classes, base.classes);
  const faults = faultsOf(classes);
  const settled = useDebounced(classes);
  const asked = dirty && faults.size === 0 && settled === classes ? sendable(settled) : null;
  const preview = useQuery(classificationPreviewQuery(classification.key, asked));
  useLeaveGuard(dirty, {
    title: t('classifications:leave.title'),
    text: t('classifications:leave.text'),
    confirm: t('classifications:leave.confirm'),
  });

  const adopt = (next: Classification) => {
    setBase(next);
    setTried(false);
    dispatch({ type: 'load', classes: next.classes });
  };
  // Counts move on while the page is open; what is being edited stays.
  useEffect(() => {
    if (!dirty && classification !== base) {
      setBase(classification);
      dispatch({ type: 'load', classes: classification.classes });
    }
  }, [classification, base, dirty]);

  const submit = (version = base.version) => {
    setTried(true);
    if (faults.size > 0) return;
    save.mutate(
      { classes: sendable(classes), version },
      {
        onSuccess: (saved) => {
          adopt(saved);
          toast.ok(t('common:saved'));
        },
        onError: async (error) => {
          if (!isApiError(error, 412)) {
            toast.error(t('common:failed.save'), { detail: error.message });
            return;
          }
          const { items } = await client.fetchQuery({ ...classificationsQuery(), staleTime: 0 });
          setTheirs(items.find((each) => each.key === classification.key) ?? null);
        },
      },
    );
  };
  const toDefault = async () => {
    const sure = await confirm({
      title: t('classifications:reset.title'),
      text: t('classifications:reset.text'),
      confirm: t('classifications:reset.confirm'),
      danger: true,
    });
    if (!sure) return;
    reset.mutate(undefined, {
      onSuccess: (next) => {
        adopt(next);
        toast.ok(t('classifications:reset.done'));
      },
      onError: (error) => toast.error(t('classifications:reset.failed'), { detail: error.message }),
    });
  };
  const add = () => {
    const key = freshKey(classes);
    const color = HUES.find((hue) => !classes.some((each) => each.color === hue)) ?? 'blue';
    dispatch({ type: 'add', class: { key, label: { 'zh-CN': '', en: '' }, color, where: null } });
  };
  const addRest = () =>
    dispatch({
      type: 'addRest',
      class: { key: freshKey(classes), label: { 'zh-CN': '', en: '' }, color: 'gray', where: null },
    });

  const refused = isApiError(save.error, 422) ? save.error.fields : [];
  const previewRefused = isApiError(preview.error, 422) ? preview.error.fields : [];
  const previewError = preview.error === null || previewRefused.length > 0 ? null : errorText(preview.error);
  const rule = classes.find((each) => each.key === editing);
  const name = label(classification.label, classification.key);
  return (
    <Page
      title={name}
      back={<BackLink to="/classifications" label={t('classifications:back')} />}
      actions={
        !readOnly && (
          <>
            {dirty && <Button onClick={() => adopt(base)}>{t('classifications:discard')}</Button>}
            <Button kind="primary" disabled={!dirty} loading={save.isPending} onClick={() => submit()}>
              {t('common:save')}
            </Button>
          </>
        )
      }
    >
      <div className={css.editor}>
        <p className={css.description}>{label(classification.description)}</p>
        <Effect
          classes={classes}
          original={base.classes}
          preview={dirty ? preview.data : undefined}
          dirty={dirty}
          waiting={settled !== classes || preview.isFetching}
          error={previewError}
        />
        {dirty && faults.size === 0 && preview.data !== undefined && preview.data.moved > 0 && (
          <Moving
            classification={classification.key}
            original={base.classes}
            classes={classes}
            preview={preview.data}
          />
        )}
        <Panel
          flush
          title={t('classifications:classes')}
          aside={<span className={css.wideOnly}>{t('classifications:firstWins')}</span>}
        >
          <ClassList
            classes={classes}
            original={base.classes}
            preview={dirty && faults.size === 0 ? preview.data : undefined}
            tried={tried}
            refused={[...refused, ...previewRefused]}
            readOnly={readOnly}
            dispatch={dispatch}
            onEdit={setEditing}
          />
          {!readOnly && (
            <div className={css.adders}>
              <Button icon={<IconPlus size={15} />} onClick={add}>
                {t('classifications:add')}
              </Button>
              {!isRest(classes, classes.length - 1) && (
                <Button kind="subtle" icon={<IconPlus size={15} />} onClick={addRest}>
                  {t('classifications:addRest')}
                </Button>
              )}
              <span className="grow" />
              <Button kind="subtle" icon={<IconRestore size={15} />} loading={reset.isPending} onClick={toDefault}>
                {t('classifications:reset.action')}
              </Button>
            </div>
          )}
        </Panel>
        <Cuts
          numeric={/"op":"(<|>|between)/.test(JSON.stringify(classification.classes))}
          classification={classification.key}
          readOnly={readOnly}
          onDraft={(next) => {
            dispatch({ type: 'load', classes: next });
            scrollTo({ top: 0, behavior: 'smooth' });
          }}
        />
        <Quality classification={base} />
        <History classification={base} />
      </div>
      <ClassDrawer
        rule={rule}
        onClose={() => setEditing(null)}
        onApply={(where) => {
          if (editing !== null) dispatch({ type: 'where', key: editing, where });
          setEditing(null);
        }}
      />
      {theirs !== null && (
        <VersionChoice
          opened
          onClose={() => setTheirs(null)}
          title={t('classifications:conflict.title')}
          text={t('classifications:conflict.text')}
          theirs={{
            label: t('classifications:conflict.theirs'),
            content: <Rules rules={theirs.classes} />,
            choose: t('classifications:conflict.takeTheirs'),
            onChoose: () => {
              adopt(theirs);
              setTheirs(null);
            },
          }}
          mine={{
            label: t('classifications:conflict.mine'),
            content: <Rules rules={[...classes]} />,
            choose: t('classifications:conflict.keepMine'),
            onChoose: () => {
              setTheirs(null);
              submit(theirs.version);
            },
          }}
        />
      )}
    </Page>
  );
}
