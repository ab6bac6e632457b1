import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { IdentityReview, IdentitySide, RecordData } from '@/api';
import { FieldView, isEmptyValue, useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { findField, useObject } from '@/metadata';
import { short, useNamespaceName } from '@/records/identity/names';
import { usePeek } from '@/shell';
import { Button, Pill, RadioGroup } from '@/ui';
import css from './identities.module.css';

interface Props {
  review: IdentityReview;
  current: boolean;
  busy: boolean;
  onFocus: () => void;
  onMerge: (customer: string | undefined) => void;
  onDecide: (to: 'not_same' | 'later' | 'open') => void;
}

const FIELDS = ['phone', 'email', 'external_id', 'region', 'birthday', 'created_at'] as const;

/** One question with both sides beside each other, and the answers below. */
export function ReviewCard({ review, current, busy, onFocus, onMerge, onDecide }: Props) {
  const { t } = useTranslation('identities');
  const fmt = useFormat();
  const nameOf = useNamespaceName();
  const navigate = useNavigate();
  const customers = review.sides.flatMap((side) => (side.customer === null ? [] : [side.customer]));
  const candidates = review.sides.filter((side) => side.profile === undefined).flatMap((side) => side.customer ?? []);
  const [chosen, setChosen] = useState(candidates[0]?.id ?? '');
  const answered = review.state === 'not_same' || review.state === 'joined';
  const different = [...new Set(customers.map((one) => one.id))];
  return (
    <article className={cx(css.card, current && css.current)} onFocus={onFocus} aria-current={current || undefined}>
      <header className={css.head}>
        <strong>{t(`identities:kind.${review.kind}`)}</strong>
        {review.evidence.map((one) => (
          <Pill key={`${one.namespace}/${one.text}`} color="amber">
            {nameOf(one.namespace)} {one.text}
          </Pill>
        ))}
        <span className={css.when}>
          {t('identities:showed', { count: review.count, when: fmt.relative(review.last_at) })}
        </span>
      </header>
      <div className={css.sides}>
        {review.sides.map((side) => (
          <Side key={`${side.profile ?? ''}/${side.customer?.id ?? ''}`} side={side} />
        ))}
      </div>
      {candidates.length > 1 && !answered && (
        <div className={css.choice}>
          <RadioGroup
            label={t('identities:which')}
            value={chosen}
            onChange={setChosen}
            options={candidates.map((one) => ({ value: one.id, label: one.title || one.id }))}
          />
        </div>
      )}
      <footer className={css.foot}>
        {answered ? (
          <span className="muted">
            {t(`identities:answered.${review.state === 'joined' ? 'joined' : 'not_same'}`, {
              who: review.by?.title ?? '',
              when: review.at === null ? '' : fmt.relative(review.at),
            })}
          </span>
        ) : (
          <Button
            kind="primary"
            disabled={busy}
            onClick={() => onMerge(review.kind === 'customer' ? chosen : undefined)}
          >
            {t('identities:same')}
          </Button>
        )}
        {!answered && different.length > 1 && review.kind === 'profiles' && (
          <Button
            disabled={busy}
            onClick={() =>
              navigate({ to: '/merge/$object', params: { object: 'customer' }, search: { ids: different.join(',') } })
            }
          >
            {t('identities:byField')}
          </Button>
        )}
        {!answered && (
          <Button disabled={busy} onClick={() => onDecide('not_same')}>
            {t('identities:notSame')}
          </Button>
        )}
        {review.state !== 'joined' && (
          <Button kind="subtle" disabled={busy} onClick={() => onDecide(review.state === 'open' ? 'later' : 'open')}>
            {t(review.state === 'open' ? 'identities:later' : 'identities:reopen')}
          </Button>
        )}
      </footer>
    </article>
  );
}

function Side({ side }: { side: IdentitySide }) {
  const { t } = useTranslation('identities');
  const nameOf = useNamespaceName();
  const fmt = useFormat();
  const { open } = usePeek();
  const { customer } = side;
  return (
    <section className={css.side}>
      {customer === null ? (
        <strong>{t('identities:visitor', { id: short(side.profile ?? '') })}</strong>
      ) : (
        <button type="button" className={css.title} onClick={() => open({ object: 'customer', id: customer.id })}>
          {customer.title || customer.id}
        </button>
      )}
      <dl className={css.facts}>
        {customer !== null && <Fields record={customer} />}
        {side.identifiers.map((one) => (
          <div key={one.id}>
            <dt>{nameOf(one.namespace)}</dt>
            <dd title={t('identities:seen', { first: fmt.date(one.first_at), last: fmt.relative(one.last_at) })}>
              {one.text}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Fields({ record }: { record: RecordData }) {
  const object = useObject('customer');
  const context = useFieldContext();
  const fmt = useFormat();
  if (object === undefined) return null;
  return FIELDS.map((key) => {
    const field = findField(object, key);
    if (key === 'created_at')
      return (
        <div key={key}>
          <dt>{labelText(field?.label, context.language, key)}</dt>
          <dd>{fmt.date(record.created_at)}</dd>
        </div>
      );
    if (field === undefined || isEmptyValue(record.fields[key])) return null;
    return (
      <div key={key}>
        <dt>{labelText(field.label, context.language, key)}</dt>
        <dd>
          <FieldView field={field} value={record.fields[key]} context={context} />
        </dd>
      </div>
    );
  });
}
