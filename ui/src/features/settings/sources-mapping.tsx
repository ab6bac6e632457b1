import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { isApiError, type SourceMapping, type TriedEvent, useTryMapping } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Panel, Pill, SegmentedControl, Textarea, TextInput } from '@/ui';
import css from './settings.module.css';
import own from './sources.module.css';

export const STANDARD_MAPPING: SourceMapping = {
  kind: 'track',
  each: '',
  event: 'event',
  user_id: 'user_id',
  anonymous_id: '',
  time: 'timestamp',
  message_id: 'id',
  properties: '',
};
const SAMPLE = `{
  "id": "1001",
  "event": "Order Paid",
  "user_id": "u1",
  "timestamp": "2026-11-11T20:00:00+08:00",
  "amount": 199
}`;
const PARTS = ['event', 'user_id', 'anonymous_id', 'time', 'message_id', 'properties', 'each'] as const;

interface Props {
  mapping: SourceMapping;
  onChange: (mapping: SourceMapping) => void;
  fault: (field: string) => string | undefined;
}

/** How the calls of another program become events, and what comes of a sample. */
export function MappingEditor({ mapping, onChange, fault }: Props) {
  const { t } = useTranslation('sources');
  const [sample, setSample] = useState(SAMPLE);
  const attempt = useTryMapping();
  const problem = (field: string) =>
    isApiError(attempt.error) ? (attempt.error.at(field) ?? attempt.error.at(`mapping.${field}`)) : undefined;
  return (
    <Panel title={t('sources:mapping.title')}>
      <div className={css.form}>
        <p className="muted">{t('sources:mapping.text')}</p>
        <SegmentedControl
          label={t('sources:mapping.kind')}
          value={mapping.kind}
          onChange={(kind) => onChange({ ...mapping, kind })}
          options={[
            { value: 'track', label: t('sources:mapping.track') },
            { value: 'identify', label: t('sources:mapping.identify') },
          ]}
        />
        <div className={own.parts}>
          {PARTS.filter((part) => part !== 'event' || mapping.kind === 'track').map((part) => (
            <TextInput
              key={part}
              label={t(`sources:mapping.${part}`)}
              description={t(`sources:mapping.${part}Help`)}
              value={mapping[part]}
              onChange={(value) => onChange({ ...mapping, [part]: value })}
              error={fault(`mapping.${part}`) ?? problem(part)}
            />
          ))}
        </div>
        <Textarea
          label={t('sources:mapping.sample')}
          description={t('sources:mapping.sampleHelp')}
          minRows={6}
          maxRows={16}
          value={sample}
          onChange={setSample}
          error={attempt.error !== null && !PARTS.some(problem) ? attempt.error.message : undefined}
        />
        <div>
          <Button
            icon={<IconPlayerPlay size={15} />}
            loading={attempt.isPending}
            onClick={() => attempt.mutate({ mapping, sample })}
          >
            {t('sources:mapping.try')}
          </Button>
        </div>
        {attempt.data !== undefined && (
          <ul className={own.tried} aria-live="polite">
            {attempt.data.items.map((each, at) => (
              <Tried key={at} event={each} />
            ))}
          </ul>
        )}
      </div>
    </Panel>
  );
}

function Tried({ event }: { event: TriedEvent }) {
  const { t } = useTranslation('sources');
  const fmt = useFormat();
  return (
    <li>
      <div className="row">
        <strong>{event.name || t('sources:mapping.noName')}</strong>
        {event.code === '' ? (
          <Pill color="green">{t('sources:mapping.good')}</Pill>
        ) : (
          <Pill color="red">{t('sources:mapping.bad')}</Pill>
        )}
      </div>
      {event.code !== '' && <p className={css.bad}>{event.message}</p>}
      <div className="muted">
        {event.user_id !== '' && <div>{t('sources:mapping.forUser', { user: event.user_id })}</div>}
        {event.anonymous_id !== '' && <div>{t('sources:mapping.forVisitor', { user: event.anonymous_id })}</div>}
        <div>{event.no_time ? t('sources:mapping.now') : fmt.datetime(event.at)}</div>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls sideways must be reachable by keyboard */}
      <section className={own.code} tabIndex={0} aria-label={t('sources:mapping.properties')}>
        <pre>{JSON.stringify(event.properties, null, 2)}</pre>
      </section>
    </li>
  );
}
