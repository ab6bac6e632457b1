import { IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type DuplicateRule,
  type DuplicateRules,
  duplicateRulesQuery,
  errorText,
  isApiError,
  type ObjectType,
  saveDuplicateRules,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan, useObjects } from '@/metadata';
import { Button, ErrorState, Select, SkeletonRows, toast } from '@/ui';
import css from './duplicates.module.css';
import { RuleEditor } from './rule-editor';

/** Settings: by which rules records of an object may be the same. */
export function DuplicateRulesPage() {
  const { t } = useTranslation('duplicates');
  const label = useLabel();
  const objects = useObjects().filter((one) => one.actions.update && one.actions.delete);
  const [key, setKey] = useState('customer');
  const object = objects.find((one) => one.key === key) ?? objects[0];
  const answer = useQuery({ ...duplicateRulesQuery(object?.key ?? key), enabled: object !== undefined });
  return (
    <div className={css.page}>
      <h2>{t('duplicates:rules.title')}</h2>
      <p className="muted">{t('duplicates:rules.text')}</p>
      <div className={css.bar}>
        <Select
          aria-label={t('duplicates:page.object')}
          value={object?.key ?? null}
          onChange={(next) => next !== null && setKey(next)}
          options={objects.map((one) => ({ value: one.key, label: label(one.plural, one.key) }))}
        />
      </div>
      {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={6} />}
      {answer.data !== undefined && object !== undefined && (
        <Rules key={`${object.key}/${answer.data.version}`} object={object} saved={answer.data} />
      )}
    </div>
  );
}

const fresh = (saved: DuplicateRules, name: string): DuplicateRule => {
  const first = saved.fields[0];
  return {
    key: `rule_${Date.now().toString(36)}`,
    label: { 'zh-CN': name, en: name },
    enabled: true,
    parts:
      first === undefined
        ? []
        : [{ field: first.field, method: first.methods[0] ?? 'exact', needed: true, least: 90, weight: 1 }],
    threshold: 90,
    create: true,
    import: true,
    show: true,
    bulk: true,
    action: 'warn',
    sure: false,
  };
};

function Rules({ object, saved }: { object: ObjectType; saved: DuplicateRules }) {
  const { t } = useTranslation(['duplicates', 'common']);
  const can = useCan();
  const client = useQueryClient();
  const [rules, setRules] = useState(saved.rules);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const editable = can('duplicate.manage');
  const dirty = JSON.stringify(rules) !== JSON.stringify(saved.rules);
  const problem = isApiError(error) ? error : null;
  const save = async () => {
    setBusy(true);
    try {
      const next = await saveDuplicateRules(object.key, saved.version, rules);
      client.setQueryData(duplicateRulesQuery(object.key).queryKey, next);
      await client.invalidateQueries({ queryKey: ['duplicates'], refetchType: 'none' });
      toast.ok(t('duplicates:rules.saved'));
    } catch (failed) {
      setError(failed);
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {!editable && <p className="muted">{t('duplicates:rules.readOnly')}</p>}
      {rules.map((rule, at) => (
        <RuleEditor
          key={rule.key}
          object={object}
          rule={rule}
          fields={saved.fields}
          editable={editable}
          errorAt={(place) => problem?.at(`rules.${at}.${place}`)}
          onChange={(next) => setRules(rules.map((one) => (one.key === rule.key ? next : one)))}
          onRemove={() => setRules(rules.filter((one) => one.key !== rule.key))}
        />
      ))}
      {editable && (
        <div className={css.bar}>
          <Button
            icon={<IconPlus size={15} />}
            onClick={() => setRules([...rules, fresh(saved, t('duplicates:rules.untitled'))])}
          >
            {t('duplicates:rules.add')}
          </Button>
          <Button kind="primary" disabled={!dirty} loading={busy} onClick={() => void save()}>
            {t('common:save')}
          </Button>
          {dirty && (
            <Button kind="subtle" onClick={() => setRules(saved.rules)}>
              {t('duplicates:rules.discard')}
            </Button>
          )}
          {dirty && <span className="muted">{t('duplicates:rules.unsaved')}</span>}
        </div>
      )}
    </>
  );
}
