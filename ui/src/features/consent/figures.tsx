import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ConsentFigure, type ConsentPolicy, consentFiguresQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './consent-settings.module.css';

const STATES = ['given', 'pending', 'expired', 'withdrawn'] as const;

/** How many customers agreed and refused, by purpose and channel; each figure opens the list. */
export function Figures({ policy }: { policy: ConsentPolicy }) {
  const { t } = useTranslation('consent');
  const label = useLabel();
  const answer = useQuery(consentFiguresQuery());
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  const items = answer.data?.items;
  if (items === undefined) return <SkeletonRows rows={6} />;
  if (items.length === 0)
    return (
      <EmptyState cause="none" title={t('consent:settings.noFigures')} text={t('consent:settings.noFiguresText')} />
    );
  const of = (purpose: string, channel: string, state: string) =>
    items.find((each) => each.purpose === purpose && each.channel === channel && each.state === state);
  const rows = policy.purposes.flatMap((purpose) =>
    purpose.channels
      .filter((channel) => items.some((each) => each.purpose === purpose.key && each.channel === channel))
      .map((channel) => ({ purpose, channel })),
  );
  return (
    <div className={css.scroll}>
      <table className={css.figures}>
        <thead>
          <tr>
            <th>{t('consent:purpose')}</th>
            <th>{t('consent:channels')}</th>
            {STATES.map((state) => (
              <th key={state} data-number>
                {t(`consent:state.${state}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ purpose, channel }) => (
            <tr key={`${purpose.key}.${channel}`}>
              <td>{label(purpose.label, purpose.key)}</td>
              <td>{t(`consent:channel.${channel}`)}</td>
              {STATES.map((state) => (
                <td key={state} data-number>
                  <Count figure={of(purpose.key, channel, state)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Count({ figure }: { figure: ConsentFigure | undefined }) {
  const { t } = useTranslation('consent');
  const fmt = useFormat();
  if (figure === undefined) return <span className="muted">0</span>;
  return (
    <Link
      to="/o/$object"
      params={{ object: 'customer' }}
      search={{ where: encodeCondition({ trait: figure.trait, op: '=', value: figure.state }) }}
      title={t('consent:settings.showList')}
    >
      {fmt.number(figure.count)}
    </Link>
  );
}
