import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  errorText,
  RECOMMEND_KINDS,
  type RecommendKind,
  type RecommendOverview,
  type RecommendRules,
  type Ref,
  recommendPreviewQuery,
  recommendRulesQuery,
  saveRecommendRules,
} from '@/api';
import { RecordSelect } from '@/fields/base/record-select';
import { useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { useCan } from '@/metadata';
import { ProductList } from '@/records/recommend/product-list';
import { usePeek } from '@/shell';
import {
  Button,
  EmptyState,
  ErrorState,
  MultiSelect,
  NumberInput,
  Panel,
  SegmentedControl,
  SkeletonRows,
  Switch,
  toast,
} from '@/ui';
import { Halves } from '@/ui/figures';
import css from './recommend-page.module.css';

const SWITCHES = ['on_sale', 'not_returned', 'for_audience'] as const;
const NUMBERS = { not_bought_days: 3650, per_category: 100, per_brand: 100 } as const;
const LISTS = { without_categories: 'categories', without_brands: 'brands' } as const;

/** What the business lets be shown, tried on a customer before it is saved. */
export function RulesEditor({ overview }: { overview: RecommendOverview }) {
  const answer = useQuery(recommendRulesQuery());
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={8} />;
  return <Editor saved={answer.data} overview={overview} />;
}

function Editor({ saved, overview }: { saved: RecommendRules; overview: RecommendOverview }) {
  const { t } = useTranslation(['recommend', 'common']);
  const client = useQueryClient();
  const may = useCan()('classification.write');
  const [draft, setDraft] = useState(saved);
  const dirty = JSON.stringify(draft) !== JSON.stringify(saved);
  const set = (change: Partial<RecommendRules>) => setDraft({ ...draft, ...change });
  const save = useMutation({
    mutationFn: () => saveRecommendRules(draft),
    onSuccess: (next) => {
      client.setQueryData(recommendRulesQuery().queryKey, next);
      setDraft(next);
      void client.invalidateQueries({ queryKey: ['recommend', 'customer'] });
      toast.ok(t('common:saved'));
    },
    onError: (error) => toast.error(errorText(error)),
  });
  return (
    <Halves>
      <Panel title={t('recommend:rules.title')}>
        <div className={css.form}>
          {SWITCHES.map((key) => (
            <Switch
              key={key}
              label={t(`recommend:rules.${key}`)}
              description={t(`recommend:rules.help.${key}`)}
              checked={draft[key]}
              disabled={!may}
              onChange={(next) => set({ [key]: next })}
            />
          ))}
          {(Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]).map((key) => (
            <NumberInput
              key={key}
              label={t(`recommend:rules.${key}`)}
              description={t(`recommend:rules.help.${key}`)}
              value={draft[key]}
              min={0}
              max={NUMBERS[key]}
              decimals={0}
              disabled={!may}
              onChange={(next) => set({ [key]: next ?? 0 })}
            />
          ))}
          {(Object.keys(LISTS) as (keyof typeof LISTS)[]).map((key) => (
            <MultiSelect
              key={key}
              label={t(`recommend:rules.${key}`)}
              searchable
              value={draft[key]}
              disabled={!may}
              onChange={(next) => set({ [key]: next })}
              options={[...new Set([...overview[LISTS[key]], ...draft[key]])].map((name) => ({
                value: name,
                label: name,
              }))}
            />
          ))}
          {may && (
            <div className={css.actions}>
              <Button kind="primary" disabled={!dirty} loading={save.isPending} onClick={() => save.mutate()}>
                {t('common:save')}
              </Button>
              {dirty && (
                <Button kind="subtle" onClick={() => setDraft(saved)}>
                  {t('recommend:rules.discard')}
                </Button>
              )}
            </div>
          )}
        </div>
      </Panel>
      <Preview rules={draft} />
    </Halves>
  );
}

function Preview({ rules }: { rules: RecommendRules }) {
  const { t } = useTranslation('recommend');
  const { open } = usePeek();
  const [customer, setCustomer] = useState<Ref | null>(null);
  const [kind, setKind] = useState<RecommendKind>('personal');
  const settled = useDebounced(rules, 250);
  const answer = useQuery({
    ...recommendPreviewQuery(customer?.id ?? '', kind, settled),
    enabled: customer !== null,
  });
  return (
    <Panel title={t('recommend:rules.preview')}>
      <div className={css.form}>
        <RecordSelect object="customer" label={t('recommend:rules.customer')} value={customer} onChange={setCustomer} />
        <SegmentedControl<RecommendKind>
          label={t('recommend:list.kind')}
          value={kind}
          onChange={setKind}
          options={RECOMMEND_KINDS.map((value) => ({ value, label: t(`recommend:kind.${value}`) }))}
        />
        {customer === null && (
          <EmptyState compact cause="none" title={t('recommend:rules.choose')} text={t('recommend:rules.chooseText')} />
        )}
        {customer !== null && answer.isError && (
          <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />
        )}
        {customer !== null && answer.isPending && <SkeletonRows rows={6} />}
        {customer !== null && answer.data !== undefined && (
          <ProductList
            data={answer.data}
            label={t('recommend:rules.preview')}
            onOpen={(ref) => open({ object: ref.object, id: ref.id })}
          />
        )}
      </div>
    </Panel>
  );
}
