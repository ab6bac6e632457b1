import { IconFilterPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { segmentsQuery, WEB_DIMENSIONS, type WebDimension, webBreakdownQuery, webEventsQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, DateRangePicker, Popover, SegmentedControl, Select } from '@/ui';
import { Toolbar } from '@/ui/figures';
import { NameSelect } from './name-select';
import { SPANS, useWeb } from './search';
import css from './web.module.css';
import { useValueName } from './words';

const CHOICES = 200;

/** Chooses a dimension and one of the values that it has in the span. */
function Chooser({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('web');
  const { ask, go } = useWeb();
  const can = useCan();
  const name = useValueName();
  const [dimension, setDimension] = useState<string>('channel');
  const segments = useQuery({ ...segmentsQuery(), enabled: dimension === 'segment' });
  const others = Object.fromEntries(Object.entries(ask.filter).filter(([key]) => key !== dimension));
  const values = useQuery({
    ...webBreakdownQuery({ ...ask, filter: others }, dimension as WebDimension, CHOICES),
    enabled: dimension !== 'segment',
  });
  const options =
    dimension === 'segment'
      ? (segments.data?.items ?? []).map((one) => ({ value: one.key, label: one.label }))
      : (values.data?.items ?? []).map((one) => ({ value: `=${one.value}`, label: name(dimension, one.value) }));
  return (
    <div className={css.pick}>
      <Select
        label={t('web:filterBy')}
        inPanel
        value={dimension}
        onChange={(next) => next !== null && setDimension(next)}
        options={[
          ...WEB_DIMENSIONS.map((key) => ({ value: key as string, label: t(`web:dimension.${key}`) })),
          ...(can('segment.read') ? [{ value: 'segment', label: t('web:dimension.segment') }] : []),
        ]}
      />
      <Select
        key={dimension}
        label={t('web:filterValue')}
        inPanel
        searchable
        value={null}
        placeholder={t('web:choose')}
        onChange={(next) => {
          if (next === null) return;
          go({ filter: { ...ask.filter, [dimension]: dimension === 'segment' ? next : next.slice(1) } });
          onDone();
        }}
        options={options}
      />
    </div>
  );
}

function Chip({ dimension, value }: { dimension: string; value: string }) {
  const { t } = useTranslation('web');
  const { ask, go } = useWeb();
  const name = useValueName();
  const segments = useQuery({ ...segmentsQuery(), enabled: dimension === 'segment' });
  const text =
    dimension === 'segment'
      ? (segments.data?.items.find((one) => one.key === value)?.label ?? value)
      : name(dimension, value);
  const label = `${t(`web:dimension.${dimension}`)}: ${text}`;
  return (
    <span className={css.chip}>
      <span className="truncate">{label}</span>
      <button
        type="button"
        aria-label={t('web:dropFilter', { name: label })}
        onClick={() => {
          const { [dimension]: _, ...rest } = ask.filter;
          go({ filter: rest });
        }}
      >
        <IconX size={14} aria-hidden />
      </button>
    </span>
  );
}

/** Days, filters and the goal of all reports. */
export function FilterBar({ goal }: { goal: boolean }) {
  const { t } = useTranslation('web');
  const { ask, days, go, search } = useWeb();
  const [open, setOpen] = useState(false);
  const [own, setOwn] = useState<[string | null, string | null] | null>(null);
  const names = useQuery({ ...webEventsQuery({ ...ask, filter: {}, goal: '' }, CHOICES), enabled: goal });
  const shown = own ?? [ask.from, ask.to];
  return (
    <Toolbar>
      <SegmentedControl
        label={t('web:span')}
        value={days === undefined ? 'own' : String(days)}
        onChange={(next) => {
          setOwn(null);
          if (next === 'own') go({ days: undefined, from: ask.from, to: ask.to });
          else go({ days: Number(next), from: undefined, to: undefined });
        }}
        options={[
          ...SPANS.map((span) => ({ value: String(span), label: t(`web:spans.${span}`) })),
          { value: 'own', label: t('web:spans.own') },
        ]}
      />
      {days === undefined && (
        <DateRangePicker
          aria-label={t('web:span')}
          value={shown}
          onChange={(next) => {
            const [from, to] = next;
            if (from !== null && to !== null) {
              setOwn(null);
              go({ days: undefined, from, to });
            } else setOwn(next);
          }}
        />
      )}
      {Object.entries(ask.filter).map(([dimension, value]) => (
        <Chip key={dimension} dimension={dimension} value={value} />
      ))}
      <Popover
        opened={open}
        onChange={setOpen}
        width={280}
        target={
          <Button kind="subtle" icon={<IconFilterPlus size={15} />} onClick={() => setOpen(!open)}>
            {t('web:addFilter')}
          </Button>
        }
      >
        <Chooser onDone={() => setOpen(false)} />
      </Popover>
      {goal && (
        <NameSelect
          label={t('web:goal')}
          hideLabel
          clearable
          placeholder={t('web:goalPurchase')}
          value={search.goal ?? ''}
          onChange={(next) => go({ goal: next })}
          names={(names.data?.items ?? []).map((one) => one.name)}
        />
      )}
    </Toolbar>
  );
}
