import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ChurnRule, churnRulesQuery, errorText, useDropChurnRule, useRunChurnRules } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Behind } from '@/records/churn/parts';
import { Button, confirm, EmptyState, ErrorState, Panel, Pill, SkeletonRows, toast } from '@/ui';
import css from './churn.module.css';
import { RuleDialog } from './rule-dialog';

function Results({ rule }: { rule: ChurnRule }) {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const { made, open, done, done_back, other, other_back, running } = rule.results;
  if (made === 0) return <p>{t('churn:rule.noneMade')}</p>;
  const part = (count: number, all: number) => (all === 0 ? '\u2013' : fmt.percent(count / all, 0));
  return (
    <>
      <p>
        <Behind object="task" where={{ field: 'subject', op: '=', value: rule.name }} label={t('churn:rule.tasks')}>
          {t('churn:rule.made', { made: fmt.number(made), open: fmt.number(open), done: fmt.number(done) })}
        </Behind>
      </p>
      <p title={t('churn:rule.backMeans')}>
        {t('churn:rule.came', {
          days: rule.back,
          done: `${fmt.number(done_back)}/${fmt.number(done)}`,
          doneShare: part(done_back, done),
          other: `${fmt.number(other_back)}/${fmt.number(other)}`,
          otherShare: part(other_back, other),
          running: fmt.number(running),
        })}
      </p>
    </>
  );
}

/** Rules that make tasks about customers who may be leaving, and what came of them. */
export function Rules() {
  const { t } = useTranslation(['churn', 'common']);
  const label = useLabel();
  const may = useCan()('automation.manage');
  const { data, error, refetch } = useQuery(churnRulesQuery());
  const drop = useDropChurnRule();
  const run = useRunChurnRules();
  const [edited, setEdited] = useState<ChurnRule | null | undefined>();
  if (data === undefined)
    return error === null ? <SkeletonRows rows={5} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  const remove = async (rule: ChurnRule) => {
    const sure = await confirm({
      title: t('churn:rule.remove', { name: rule.name }),
      text: t('churn:rule.removeText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (sure) drop.mutate(rule.id);
  };
  return (
    <Panel
      flush
      title={t('churn:rules')}
      aside={
        may && (
          <>
            {data.items.length > 0 && (
              <Button
                kind="subtle"
                loading={run.isPending}
                onClick={() => run.mutate(undefined, { onSuccess: () => toast.ok(t('churn:rule.running')) })}
              >
                {t('churn:rule.run')}
              </Button>
            )}
            <Button kind="subtle" onClick={() => setEdited(null)}>
              {t('churn:rule.new')}
            </Button>
          </>
        )
      }
    >
      {data.items.length === 0 && (
        <EmptyState compact cause="none" title={t('churn:rule.empty')} text={t('churn:rule.emptyText')} />
      )}
      {data.items.map((rule) => (
        <section key={rule.id} className={css.rule} aria-label={rule.name}>
          <div className={css.head}>
            <strong>{rule.name}</strong>
            {rule.off && <Pill color="gray">{t('churn:rule.off')}</Pill>}
            {may && (
              <>
                <Button kind="subtle" onClick={() => setEdited(rule)}>
                  {t('common:edit')}
                </Button>
                <Button kind="subtle" onClick={() => void remove(rule)}>
                  {t('common:delete')}
                </Button>
              </>
            )}
          </div>
          <p>{label(rule.sentence)}</p>
          <p>
            {t(rule.owner ? 'churn:rule.toOwner' : 'churn:rule.toPerson', {
              person: rule.person.title,
              due: rule.due,
              rest: rule.rest,
              most: rule.most,
            })}
          </p>
          <Results rule={rule} />
        </section>
      ))}
      {drop.error !== null && <p role="alert">{errorText(drop.error)}</p>}
      <p className={css.foot}>{t('churn:rulesMean')}</p>
      {edited !== undefined && <RuleDialog rule={edited} onClose={() => setEdited(undefined)} />}
    </Panel>
  );
}
