import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Segment, segmentRulesQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Panel, Pill } from '@/ui';
import css from './segments.module.css';

/** The automation rules that watch a segment or name it; nothing where there are none. */
export function SegmentRules({ segment }: { segment: Segment }) {
  const { t } = useTranslation('segments');
  const can = useCan();
  const rules = useQuery(segmentRulesQuery(segment.key)).data?.items ?? [];
  if (rules.length === 0) return null;
  return (
    <Panel title={t('segments:rules.title')}>
      <ul className={css.vennList}>
        {rules.map((rule) => (
          <li key={rule.id} className="row">
            {can('automation.manage') ? (
              <Link to="/settings/automations/$id" params={{ id: rule.id }} search={{}} className="truncate">
                {rule.name}
              </Link>
            ) : (
              <span className="truncate">{rule.name}</span>
            )}
            <span className="muted">{t(`segments:rules.${rule.how}`)}</span>
            {rule.state !== 'on' && <Pill color="gray">{t(`segments:rules.${rule.state}`)}</Pill>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
