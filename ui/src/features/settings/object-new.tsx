import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useCreateObject } from '@/api';
import { type Label, useLabel, useTranslation } from '@/i18n';
import { Button, Modal, SegmentedControl, Switch, TextInput, toast } from '@/ui';
import css from './object.module.css';
import { cleanLabel, isBlank, latinKey, objectionsOf } from './object-draft';
import { IconChoice } from './object-icon-choice';
import { LabelInput } from './object-labels';
import { type Names, NamesInput, pluralOf } from './object-names';
import { PatternInput } from './object-pattern';

type Title = 'text' | 'number';
const PLACED = new Set(['label', 'plural', 'title', 'title_number', 'key']);

/** A new kind of record: what it is called, what names its records, whether they belong to customers. */
export function NewObject({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['shape', 'common']);
  const label = useLabel();
  const navigate = useNavigate();
  const [names, setNames] = useState<Names>({ label: {}, plural: {} });
  const [icon, setIcon] = useState('cube');
  const [kind, setKind] = useState<Title>('text');
  const [title, setTitle] = useState<Label>({});
  const [pattern, setPattern] = useState('{yyyymmdd}-{0000}');
  const [ofCustomer, setOfCustomer] = useState(false);
  const [key, setKey] = useState('');
  const create = useCreateObject();
  const objections = objectionsOf(create.error);
  const rest = objections.rest((location) => PLACED.has(location));
  const ready = !isBlank(names.label);
  const save = () => {
    if (!ready || create.isPending) return;
    create.mutate(
      {
        ...(key.trim() !== '' && { key: key.trim() }),
        label: cleanLabel(names.label),
        plural: pluralOf(names),
        icon,
        ...(!isBlank(title) && { title: cleanLabel(title) }),
        ...(kind === 'number' && { title_number: pattern }),
        of_customer: ofCustomer,
      },
      {
        onSuccess: (object) => {
          toast.ok(t('shape:object.created', { name: label(object.label, object.key) }));
          onClose();
          navigate({ to: '/settings/objects/$object', params: { object: object.key } });
        },
      },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      dirty={ready}
      title={t('shape:object.new')}
      size={580}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={!ready} loading={create.isPending} onClick={save}>
            {t('common:create')}
          </Button>
        </>
      }
    >
      <div className={css.fields}>
        <p className={css.intro}>{t('shape:object.intro')}</p>
        <NamesInput value={names} onChange={setNames} objections={objections} autoFocus />
        <IconChoice value={icon} onChange={setIcon} />
        <div className="stack">
          <div className={css.label}>{t('shape:title.label')}</div>
          <SegmentedControl<Title>
            label={t('shape:title.label')}
            value={kind}
            onChange={setKind}
            options={[
              { value: 'text', label: t('shape:title.text') },
              { value: 'number', label: t('shape:title.number') },
            ]}
          />
          <p className={css.help}>{t(`shape:title.${kind}Help`)}</p>
          <LabelInput name={t('shape:title.name')} value={title} onChange={setTitle} error={objections.at('title')} />
          {kind === 'number' && (
            <PatternInput value={pattern} onChange={setPattern} error={objections.at('title_number')} />
          )}
        </div>
        <Switch
          label={t('shape:object.ofCustomer')}
          description={t('shape:object.ofCustomerHelp')}
          checked={ofCustomer}
          onChange={setOfCustomer}
        />
        <details className={css.advanced} open={objections.at('key') !== undefined || undefined}>
          <summary>{t('shape:advanced')}</summary>
          <TextInput
            label={t('shape:key.label')}
            description={t('shape:key.objectHelp')}
            placeholder={latinKey(names.label) || t('shape:key.auto')}
            value={key}
            onChange={setKey}
            maxLength={40}
            error={objections.at('key')}
          />
        </details>
        {rest !== null && (
          <p className={css.refused} role="alert">
            {rest}
          </p>
        )}
      </div>
    </Modal>
  );
}
