import { useState } from 'react';
import { isApiError, type Unit, type UnitInput, type User, useSaveUnit } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Modal, MultiSelect, Select, TextInput, toast } from '@/ui';
import css from './settings.module.css';

/** An existing unit, or the beginning of a new one. */
export type UnitDraft = { unit: Unit } | { unit?: undefined; kind: Unit['kind']; parent?: string };

interface Props {
  draft: UnitDraft;
  units: readonly Unit[];
  people: readonly User[];
  onClose: () => void;
}

/** Everything below a department, which it cannot be put under. */
function below(units: readonly Unit[], of: string): Set<string> {
  const out = new Set([of]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const unit of units)
      if (unit.parent !== null && out.has(unit.parent) && !out.has(unit.id)) {
        out.add(unit.id);
        grown = true;
      }
  }
  return out;
}

export function UnitDialog({ draft, units, people, onClose }: Props) {
  const { t } = useTranslation(['rights', 'common']);
  const unit = draft.unit;
  const kind = draft.unit === undefined ? draft.kind : draft.unit.kind;
  const [name, setName] = useState(unit?.name ?? '');
  const [parent, setParent] = useState<string | null>(
    draft.unit === undefined ? (draft.parent ?? null) : draft.unit.parent,
  );
  const [members, setMembers] = useState<string[]>(unit?.members ?? []);
  const [head, setHead] = useState<string | null>(unit?.head ?? null);
  const save = useSaveUnit();
  const fault = (field: string) => (isApiError(save.error) ? save.error.at(field) : undefined);
  const whole = isApiError(save.error) && save.error.fields.length === 0 ? save.error.message : null;
  const forbidden = unit === undefined ? new Set<string>() : below(units, unit.id);
  const submit = async () => {
    if (name.trim() === '') return;
    const had = unit?.members ?? [];
    const change = {
      name: name.trim(),
      ...(kind === 'department' && { parent: parent ?? '' }),
      head: head ?? '',
      add: members.filter((id) => !had.includes(id)),
      remove: had.filter((id) => !members.includes(id)),
    };
    const input: UnitInput = unit === undefined ? { create: { kind, ...change } } : { id: unit.id, change };
    save.mutate(input, {
      onSuccess: () => {
        toast.ok(t('common:saved'));
        onClose();
      },
    });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={unit === undefined ? t(`rights:org.new.${kind}`) : unit.name}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={name.trim() === ''} loading={save.isPending} onClick={submit}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <TextInput
          label={t('rights:org.name')}
          value={name}
          onChange={setName}
          maxLength={100}
          autoFocus
          required
          error={fault('name')}
        />
        {kind === 'department' && (
          <Select
            label={t('rights:org.parent')}
            placeholder={t('rights:org.top')}
            searchable
            clearable
            options={units
              .filter((each) => each.kind === 'department' && !forbidden.has(each.id))
              .map((each) => ({ value: each.id, label: each.name }))}
            value={parent}
            onChange={setParent}
            error={fault('parent')}
          />
        )}
        <Select
          label={t('rights:org.head')}
          description={t('rights:org.headHelp')}
          searchable
          clearable
          options={people
            .filter((user) => !user.disabled || user.id === head)
            .map((user) => ({ value: user.id, label: user.name || user.email }))}
          value={head}
          onChange={setHead}
          error={fault('head')}
        />
        <MultiSelect
          label={t('rights:org.members')}
          description={t(`rights:org.membersHelp.${kind}`)}
          searchable
          options={people
            .filter((user) => !user.disabled || members.includes(user.id))
            .map((user) => ({ value: user.id, label: user.name || user.email }))}
          value={members}
          onChange={setMembers}
          error={fault('add')}
        />
        {whole !== null && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
      </div>
    </Modal>
  );
}
