import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type ChurnRule,
  type ChurnRuleInput,
  errorText,
  previewChurnRule,
  segmentsQuery,
  usersQuery,
  useSaveChurnRule,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { ConditionBuilder } from '@/records/conditions';
import { Button, Checkbox, Modal, NumberInput, Select, Switch, Textarea, TextInput, toast } from '@/ui';
import css from './churn.module.css';

const NEW: ChurnRuleInput = {
  name: '',
  off: false,
  risk: 70,
  segment: '',
  where: null,
  owner: true,
  person: '',
  due: 3,
  rest: 60,
  back: 30,
  most: 20,
  note: '',
};
const DAYS = ['due', 'rest', 'back'] as const;

const inputOf = (rule: ChurnRule): ChurnRuleInput => ({
  version: rule.version,
  name: rule.name,
  off: rule.off,
  risk: rule.risk,
  segment: rule.segment,
  where: rule.where,
  owner: rule.owner,
  person: rule.person.id,
  due: rule.due,
  rest: rule.rest,
  back: rule.back,
  most: rule.most,
  note: rule.note,
});

/** A rule that warns: whom it is about, who gets the task, and how often. */
export function RuleDialog({ rule, onClose }: { rule: ChurnRule | null; onClose: () => void }) {
  const { t } = useTranslation(['churn', 'common']);
  const fmt = useFormat();
  const [value, setValue] = useState<ChurnRuleInput>(rule === null ? NEW : inputOf(rule));
  const [narrow, setNarrow] = useState(value.where !== null);
  const [whole, setWhole] = useState(true);
  const save = useSaveChurnRule();
  const preview = useMutation({ mutationFn: previewChurnRule });
  const segments = useQuery(segmentsQuery()).data?.items ?? [];
  const users = useQuery(usersQuery()).data?.items ?? [];
  const set = (part: Partial<ChurnRuleInput>) => setValue((before) => ({ ...before, ...part }));
  const sent = { ...value, where: narrow ? value.where : null };
  const ready = value.name.trim() !== '' && value.person !== '' && whole;
  const submit = () =>
    save.mutate(
      { id: rule?.id ?? '', rule: sent },
      {
        onSuccess: () => {
          toast.ok(t('common:saved'));
          onClose();
        },
      },
    );
  const error = save.error ?? preview.error;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(rule === null ? 'churn:rule.new' : 'churn:rule.edit')}
      footer={
        <>
          <Button disabled={!ready} loading={preview.isPending} onClick={() => preview.mutate(sent)}>
            {t('churn:rule.preview')}
          </Button>
          <Button kind="primary" disabled={!ready} loading={save.isPending} onClick={submit}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <TextInput
          label={t('churn:rule.name')}
          description={t('churn:rule.nameHelp')}
          value={value.name}
          onChange={(name) => set({ name })}
        />
        <div className={css.pair}>
          <NumberInput
            label={t('churn:rule.risk')}
            description={t('churn:rule.riskHelp')}
            value={value.risk}
            min={0}
            max={99}
            onChange={(next) => set({ risk: next ?? 0 })}
          />
          <Select
            label={t('churn:rule.segment')}
            value={value.segment}
            onChange={(next) => set({ segment: next ?? '' })}
            options={[
              { value: '', label: t('churn:everyone') },
              ...segments.map((one) => ({ value: one.key, label: one.label })),
            ]}
          />
        </div>
        <Checkbox label={t('churn:rule.where')} checked={narrow} onChange={setNarrow} />
        {narrow && (
          <ConditionBuilder
            object="customer"
            where={value.where}
            showProblems={false}
            onChange={(where, state) => {
              setWhole(state.complete);
              if (state.complete) set({ where });
            }}
          />
        )}
        <Checkbox label={t('churn:rule.owner')} checked={value.owner} onChange={(owner) => set({ owner })} />
        <Select
          label={t(value.owner ? 'churn:rule.standIn' : 'churn:rule.person')}
          value={value.person === '' ? null : value.person}
          onChange={(next) => set({ person: next ?? '' })}
          options={users.map((one) => ({ value: one.id, label: one.name }))}
        />
        <div className={css.pair}>
          {DAYS.map((key) => (
            <NumberInput
              key={key}
              label={t(`churn:rule.${key}`)}
              value={value[key]}
              min={key === 'back' ? 1 : 0}
              max={365}
              onChange={(next) => set({ [key]: next ?? 0 })}
            />
          ))}
          <NumberInput
            label={t('churn:rule.most')}
            value={value.most}
            min={1}
            max={500}
            onChange={(next) => set({ most: next ?? 1 })}
          />
        </div>
        <Textarea label={t('churn:rule.note')} value={value.note} onChange={(note) => set({ note })} />
        <Switch label={t('churn:rule.on')} checked={!value.off} onChange={(on) => set({ off: !on })} />
        {preview.data !== undefined && (
          <p className={css.would} role="status">
            {t('churn:rule.would', { found: fmt.number(preview.data.found), now: fmt.number(preview.data.now) })}
          </p>
        )}
        {error !== null && <p role="alert">{errorText(error)}</p>}
      </div>
    </Modal>
  );
}
