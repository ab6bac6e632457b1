import type { ReactNode } from 'react';
import type { BehaviourFigures } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import css from './behaviour.module.css';
import { useChannel, useDevice } from './words';

const MINUTE = 60_000;
const HOUR = 60;

function useLength(): (ms: number) => string {
  const { t } = useTranslation('profile');
  return (ms) => {
    const whole = Math.round(ms / MINUTE);
    if (whole < 1) return t('profile:behaved.under');
    if (whole < HOUR) return t('profile:behaved.minutes', { minutes: whole });
    return t('profile:behaved.hours', { hours: Math.floor(whole / HOUR), minutes: whole % HOUR });
  };
}

/** Everything that a customer did, in figures. */
export function Summary({ figures }: { figures: BehaviourFigures }) {
  const { t } = useTranslation('profile');
  const fmt = useFormat();
  const length = useLength();
  const channel = useChannel();
  const device = useDevice();
  const facts: { name: string; value: ReactNode; title?: string }[] = [
    { name: t('profile:behaved.visits'), value: fmt.number(figures.visits) },
    { name: t('profile:behaved.views'), value: fmt.number(figures.views) },
    { name: t('profile:behaved.time'), value: length(figures.engaged_ms) },
    { name: t('profile:behaved.bounce'), value: fmt.percent(figures.bounced / Math.max(figures.visits, 1), 0) },
    {
      name: t('profile:behaved.first'),
      value: fmt.date(figures.first_at),
      title: fmt.datetime(figures.first_at),
    },
    {
      name: t('profile:behaved.last'),
      value: fmt.relative(figures.last_at),
      title: fmt.datetime(figures.last_at),
    },
  ];
  return (
    <section className={css.section}>
      <dl className={css.figures}>
        {facts.map(({ name, value, title }) => (
          <div key={name} className={css.figure} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Days days={figures.days} />
      <div className={css.columns}>
        <Ranked
          name={t('profile:behaved.channels')}
          rows={figures.channels.map(({ key, visits }) => ({ key, label: channel(key), count: visits }))}
        />
        <Ranked
          name={t('profile:behaved.devices')}
          rows={figures.devices.map(({ key, visits }) => ({ key, label: device(key), count: visits }))}
        />
        <Ranked
          name={t('profile:behaved.pages')}
          note={t('profile:behaved.recent')}
          rows={figures.pages.map((page) => ({
            key: `${page.host}${page.path}`,
            label: page.title || page.path,
            title: `${page.host}${page.path}`,
            count: page.views,
          }))}
        />
        <Ranked
          name={t('profile:behaved.products')}
          note={t('profile:behaved.recent')}
          rows={figures.products.map(({ key, visits }) => ({ key, label: key, count: visits }))}
        />
      </div>
    </section>
  );
}

/** Visits day by day: bars, and the same as a list for those who hear the page. */
function Days({ days }: { days: BehaviourFigures['days'] }) {
  const { t } = useTranslation('profile');
  const fmt = useFormat();
  const most = Math.max(...days.map((day) => day.visits), 1);
  if (days.every((day) => day.visits === 0)) return null;
  const say = (day: BehaviourFigures['days'][number]) =>
    t('profile:behaved.dayFigure', { day: fmt.shortDate(day.day), count: day.visits });
  return (
    <div>
      <h3 className={css.small}>{t('profile:behaved.days')}</h3>
      <ol className={css.days}>
        {days.map((day) => (
          <li key={day.day} title={say(day)}>
            <span className={css.bar} style={{ height: `${(day.visits / most) * 100}%` }} data-on={day.visits > 0} />
            <span className="sr-only">{say(day)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

interface RankedProps {
  name: string;
  note?: string;
  rows: { key: string; label: string; title?: string; count: number }[];
}

function Ranked({ name, note, rows }: RankedProps) {
  const fmt = useFormat();
  if (rows.length === 0) return null;
  const most = Math.max(...rows.map((row) => row.count));
  return (
    <div className={css.ranked}>
      <h3 className={css.small}>
        {name}
        {note !== undefined && <span className="muted"> {note}</span>}
      </h3>
      <ol>
        {rows.map((row) => (
          <li key={row.key} title={row.title ?? row.label}>
            <span className={css.share} style={{ width: `${(row.count / most) * 100}%` }} aria-hidden />
            <span className={css.label}>{row.label}</span>
            <span className={css.count}>{fmt.number(row.count)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
