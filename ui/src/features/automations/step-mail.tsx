import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Mail, type Ref, type TrialMail, usersQuery, useTrial, type Wording } from '@/api';
import { RecordSelect } from '@/fields';
import { useLabel, useTranslation } from '@/i18n';
import { canRead, findObject, useObjects } from '@/metadata';
import { PurposeSelect } from '@/records/consent/purpose-select';
import { Button, SegmentedControl, Select, Textarea, TextInput } from '@/ui';
import css from './automations.module.css';
import { faultAt } from './draft';
import { usePlaces } from './parts';
import own from './step-mail.module.css';
import type { StepProps } from './step-types';

const KINDS = ['field', 'person', 'address'] as const;
const REPLIES = ['', 'owner', 'customer_owner', 'run_as', 'address'] as const;
const LANGUAGES = ['zh-CN', 'en'] as const;
type Language = (typeof LANGUAGES)[number];

/** An e-mail: to whom, what it says in which language, and how it would look for a record. */
export function MailForm(props: StepProps) {
  const { step, onChange } = props;
  const mail = step.mail ?? { to: 'field', subject: '', text: '' };
  const change = (next: Partial<Mail>) => onChange({ ...step, mail: { ...mail, ...next } });
  return (
    <>
      <Receiver {...props} mail={mail} change={change} />
      <ReplyTo {...props} mail={mail} change={change} />
      {(mail.to === 'field' || (mail.purpose ?? '') !== '') && (
        <div className={css.narrow}>
          <PurposeSelect
            value={mail.purpose ?? ''}
            onChange={(purpose) => change({ purpose })}
            error={faultAt(props.faults, 'mail.purpose')}
          />
        </div>
      )}
      <Words {...props} mail={mail} change={change} />
      <Preview {...props} />
    </>
  );
}

interface PartProps extends StepProps {
  mail: Mail;
  change: (next: Partial<Mail>) => void;
}

/** Fields with an address or a colleague, of the record and of those it points at. */
function useAddresses(definition: StepProps['definition']) {
  const label = useLabel();
  const objects = useObjects();
  const own = (findObject(objects, definition.object)?.fields ?? []).filter(canRead);
  const fits = ({ type }: { type: string }) => type === 'email' || type === 'user';
  return own.flatMap((field) => {
    const name = label(field.label, field.key);
    const target = field.type === 'relation' ? findObject(objects, field.target) : undefined;
    const further = (target?.fields ?? [])
      .filter((each) => canRead(each) && fits(each))
      .map((each) => ({ value: `${field.key}.${each.key}`, label: `${name} › ${label(each.label, each.key)}` }));
    return fits(field) ? [{ value: field.key, label: name }, ...further] : further;
  });
}

function Receiver({ definition, faults, mail, change }: PartProps) {
  const { t } = useTranslation('automations');
  const users = useQuery(usersQuery()).data?.items ?? [];
  const addresses = useAddresses(definition);
  return (
    <div className={css.form}>
      <SegmentedControl
        label={t('automations:mail.to')}
        value={mail.to}
        onChange={(to) => change({ to: to as Mail['to'] })}
        options={KINDS.map((kind) => ({ value: kind, label: t(`automations:mail.kind.${kind}`) }))}
      />
      <div className={css.narrow}>
        {mail.to === 'field' && (
          <Select
            label={t('automations:mail.field')}
            searchable
            options={addresses}
            value={mail.field || null}
            onChange={(field) => change({ field: field ?? '' })}
            error={faultAt(faults, 'mail.field')}
          />
        )}
        {mail.to === 'person' && (
          <Select
            label={t('automations:mail.person')}
            searchable
            options={users.map((user) => ({ value: user.id, label: user.name || user.email }))}
            value={mail.person || null}
            onChange={(person) => change({ person: person ?? '' })}
            error={faultAt(faults, 'mail.person')}
          />
        )}
        {mail.to === 'address' && (
          <TextInput
            type="email"
            label={t('automations:mail.address')}
            placeholder="office@example.com"
            value={mail.address ?? ''}
            onChange={(address) => change({ address })}
            error={faultAt(faults, 'mail.address')}
          />
        )}
      </div>
    </div>
  );
}

function ReplyTo({ faults, mail, change }: PartProps) {
  const { t } = useTranslation('automations');
  const said = mail.reply_to ?? '';
  const [own, setOwn] = useState(said !== '' && !(REPLIES as readonly string[]).includes(said));
  return (
    <div className={own ? css.inlineForm : css.narrow}>
      <Select
        label={t('automations:mail.replyTo')}
        options={REPLIES.map((value) => ({ value, label: t(`automations:mail.reply.${value || 'server'}`) }))}
        value={own ? 'address' : said}
        onChange={(value) => {
          setOwn(value === 'address');
          change({ reply_to: value === 'address' ? '' : (value ?? '') });
        }}
        error={own ? undefined : faultAt(faults, 'mail.reply_to')}
      />
      {own && (
        <TextInput
          type="email"
          label={t('automations:mail.replyAddress')}
          placeholder="office@example.com"
          value={said}
          onChange={(address) => change({ reply_to: address })}
          error={faultAt(faults, 'mail.reply_to')}
        />
      )}
    </div>
  );
}

/** The wording for everybody, and one for each language that has its own. */
function Words({ definition, faults, mail, change }: PartProps) {
  const { t } = useTranslation('automations');
  const objects = useObjects();
  const places = usePlaces(findObject(objects, definition.object), objects, true);
  const [language, setLanguage] = useState<'' | Language>('');
  const words: Wording = language === '' ? mail : (mail.translations?.[language] ?? { subject: '', text: '' });
  const at = language === '' ? 'mail' : `mail.translations.${language}`;
  const write = (next: Partial<Wording>) => {
    const changed = { subject: words.subject, text: words.text, ...next };
    if (language === '') {
      change(changed);
      return;
    }
    const { [language]: _, ...others } = mail.translations ?? {};
    const empty = changed.subject === '' && changed.text === '';
    change({ translations: empty ? others : { ...others, [language]: changed } });
  };
  return (
    <div className={css.form}>
      <SegmentedControl
        label={t('automations:mail.language')}
        value={language}
        onChange={(next) => setLanguage(next as '' | Language)}
        options={[
          { value: '', label: t('automations:mail.anyLanguage') },
          ...LANGUAGES.map((each) => ({ value: each, label: t(`automations:mail.in.${each}`) })),
        ]}
      />
      {language !== '' && <p className="muted">{t('automations:mail.languageHelp')}</p>}
      <TextInput
        label={t('automations:mail.subject')}
        maxLength={200}
        value={words.subject}
        onChange={(subject) => write({ subject })}
        error={faultAt(faults, `${at}.subject`)}
      />
      <Textarea
        label={t('automations:mail.text')}
        description={t('automations:mail.textHint')}
        minRows={5}
        value={words.text}
        onChange={(text) => write({ text })}
        error={faultAt(faults, `${at}.text`)}
      />
      <div className={css.narrow}>
        <Select
          aria-label={t('automations:value.place')}
          placeholder={t('automations:value.place')}
          searchable
          options={places}
          value={null}
          onChange={(place) => place !== null && write({ text: `${words.text}{${place}}` })}
        />
      </div>
    </div>
  );
}

/** The mail as it would be for a record; nothing is sent. */
function Preview({ definition, step, runAs }: StepProps) {
  const { t } = useTranslation('automations');
  const trial = useTrial();
  const [record, setRecord] = useState<Ref | null>(null);
  const first = trial.data?.steps[0];
  return (
    <div className={own.preview}>
      <div className={css.inlineForm}>
        <RecordSelect
          label={t('automations:mail.previewWith')}
          object={definition.object}
          value={record}
          onChange={(ref) => setRecord(ref)}
        />
        <span className="row">
          <Button
            disabled={record === null}
            loading={trial.isPending}
            onClick={() =>
              record !== null &&
              trial.mutate({
                definition: { object: definition.object, trigger: { kind: 'manual' }, steps: [step] },
                run_as: runAs,
                record: record.id,
              })
            }
          >
            {t('automations:mail.preview')}
          </Button>
        </span>
      </div>
      {trial.error !== null && (
        <p className={css.fault} role="alert">
          {trial.error.message}
        </p>
      )}
      {first?.mail !== undefined && <MailCard mail={first.mail} />}
      {first !== undefined && first.problem !== '' && (
        <p className={css.problem} role="status">
          {first.problem}
        </p>
      )}
    </div>
  );
}

/** A mail as its receiver would see it. */
export function MailCard({ mail }: { mail: TrialMail }) {
  const { t } = useTranslation('automations');
  return (
    <article className={own.mail} aria-label={t('automations:mail.card')}>
      <div className="muted">
        {t('automations:mail.cardTo')} {mail.name} {`<${mail.to}>`} ·{' '}
        {t(`automations:mail.in.${mail.locale as Language}`)}
      </div>
      <strong>{mail.subject}</strong>
      <div className={own.text}>{mail.text}</div>
    </article>
  );
}
