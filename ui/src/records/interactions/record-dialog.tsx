import { useState } from 'react';
import {
  type CustomerInteraction,
  type InteractionDraft,
  isApiError,
  RECORDABLE,
  type Recordable,
  type Ref,
  recordInteraction,
} from '@/api';
import { RecordSelect } from '@/fields/base/record-select';
import { useFormat, useTranslation } from '@/i18n';
import { utcToZoned, zonedToUtc } from '@/lib/day';
import { Button, DatePicker, Modal, NumberInput, SegmentedControl, Select, Textarea, TextInput } from '@/ui';
import css from './interactions.module.css';
import { useDeedName, usePlatforms } from './words';

interface Props {
  customer: string;
  opened: boolean;
  onClose: () => void;
  onDone: (made: CustomerInteraction) => void;
}

/** Records what a customer did: what, when, of which content, where, and what was said. */
export function RecordDialog(props: Props) {
  const { t } = useTranslation('interaction');
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={t('interaction:record')} size={520}>
      {props.opened && <Form {...props} />}
    </Modal>
  );
}

const OF_CONTENT: readonly Recordable[] = [
  'Content Liked',
  'Content Commented',
  'Content Shared',
  'Content Saved',
  'Live Stream Watched',
];
const ON_PLATFORM: readonly Recordable[] = [
  'Message Received',
  'Message Sent',
  'Brand Mentioned',
  'Account Followed',
  'Account Unfollowed',
];
const OF_PRODUCT: readonly Recordable[] = ['Product Reviewed', 'Item Tried On'];
const WITH_MINUTES: readonly Recordable[] = ['Store Visited', 'Call Made', 'Live Stream Watched'];
const MOST_TEXT = 2000;

function Form({ customer, onClose, onDone }: Props) {
  const { t } = useTranslation(['interaction', 'common']);
  const { timeZone } = useFormat();
  const name = useDeedName();
  const platforms = usePlatforms();
  const [now] = useState(() => utcToZoned(new Date().toISOString(), timeZone));
  const [what, setWhat] = useState<Recordable>('Store Visited');
  const [day, setDay] = useState<string | null>(now.day);
  const [clock, setClock] = useState(now.clock);
  const [content, setContent] = useState<Ref | null>(null);
  const [store, setStore] = useState<Ref | null>(null);
  const [product, setProduct] = useState<Ref | null>(null);
  const [platform, setPlatform] = useState<string | null>(null);
  const [direction, setDirection] = useState<'in' | 'out'>('in');
  const [minutes, setMinutes] = useState<number | null>(null);
  const [rating, setRating] = useState<number | null>(null);
  const [text, setText] = useState('');
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const at = (field: string) =>
    isApiError(fault) ? fault.fields.find((one) => one.location.endsWith(field))?.message : undefined;
  const send = async () => {
    const draft: InteractionDraft = { name: what };
    // What was not changed is now, to the second.
    if (day !== null && (day !== now.day || clock !== now.clock))
      draft.at = zonedToUtc(day, clock || '00:00', timeZone);
    if (OF_CONTENT.includes(what) && content !== null) draft.content = content.id;
    if ((what === 'Store Visited' || what === 'Item Tried On') && store !== null) draft.store = store.id;
    if (OF_PRODUCT.includes(what) && product !== null) draft.product = product.id;
    if (ON_PLATFORM.includes(what) && platform !== null) draft.platform = platform;
    if (what === 'Call Made') draft.direction = direction;
    if (WITH_MINUTES.includes(what) && minutes !== null) draft.minutes = minutes;
    if (what === 'Product Reviewed' && rating !== null) draft.rating = rating;
    if (text.trim() !== '') draft.text = text.trim();
    setBusy(true);
    setFault(null);
    try {
      onDone(await recordInteraction(customer, draft));
    } catch (failure) {
      setFault(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Select
        label={t('interaction:what')}
        value={what}
        onChange={(next) => setWhat((next as Recordable | null) ?? 'Store Visited')}
        options={RECORDABLE.map((value) => ({ value: value as string, label: name(value) }))}
      />
      <div className={css.when}>
        <div className={css.grow}>
          <DatePicker label={t('interaction:when')} value={day} onChange={setDay} maxDate={now.day} error={at('at')} />
        </div>
        <TextInput
          type="time"
          aria-label={t('interaction:clock')}
          value={clock}
          onChange={setClock}
          style={{ width: 96 }}
        />
      </div>
      {OF_CONTENT.includes(what) && (
        <RecordSelect
          label={t('interaction:content')}
          object="content"
          value={content}
          onChange={setContent}
          error={at('content')}
        />
      )}
      {(what === 'Store Visited' || what === 'Item Tried On') && (
        <RecordSelect label={t('interaction:store')} object="store" value={store} onChange={setStore} />
      )}
      {OF_PRODUCT.includes(what) && (
        <RecordSelect label={t('interaction:product')} object="product" value={product} onChange={setProduct} />
      )}
      {ON_PLATFORM.includes(what) && (
        <Select
          label={t('interaction:platform')}
          clearable
          value={platform}
          onChange={setPlatform}
          options={platforms}
        />
      )}
      {what === 'Call Made' && (
        <SegmentedControl
          label={t('interaction:direction')}
          value={direction}
          onChange={setDirection}
          options={[
            { value: 'in', label: t('interaction:in') },
            { value: 'out', label: t('interaction:out') },
          ]}
        />
      )}
      {WITH_MINUTES.includes(what) && (
        <NumberInput label={t('interaction:minutes')} min={0} max={1440} value={minutes} onChange={setMinutes} />
      )}
      {what === 'Product Reviewed' && (
        <NumberInput label={t('interaction:rating')} min={1} max={5} value={rating} onChange={setRating} />
      )}
      <Textarea
        label={t('interaction:text')}
        minRows={2}
        maxRows={8}
        value={text}
        onChange={(next) => setText(next.slice(0, MOST_TEXT))}
      />
      {fault instanceof Error && (
        <p className={css.problem} role="alert">
          {fault.message}
        </p>
      )}
      <div className={css.bar}>
        <span className={css.grow} />
        <Button onClick={onClose}>{t('common:cancel')}</Button>
        <Button type="submit" kind="primary" loading={busy} disabled={day === null}>
          {t('common:save')}
        </Button>
      </div>
    </form>
  );
}
