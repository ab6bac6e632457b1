import { IconDownload } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import {
  type ConversionSample,
  errorText,
  type Field,
  type FieldType,
  leftFile,
  type ObjectType,
  useTryConversion,
  useWorkStep,
  type WorkDetail,
  workQuery,
  worksQuery,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonAnchor, Drawer, NumberInput, Progress, Select, SkeletonRows, Table, toast } from '@/ui';
import css from './object.module.css';
import { UseList } from './object-uses';

interface Props {
  object: ObjectType;
  field: Field;
  onClose: () => void;
}

const open = (state: string) => state === 'queued' || state === 'running';

/** The side panel in which a field gets another type: first it is tried, then done, and it can be taken back. */
export function ConvertPanel({ object, field, onClose }: Props) {
  const { t } = useTranslation(['convert', 'common', 'settings']);
  const label = useLabel();
  const works = useQuery(worksQuery(object.key));
  const [fresh, setFresh] = useState(false);
  const last = works.data?.items.find((work) => work.kind === 'convert' && work.target === field.key);
  const shown = last !== undefined && !fresh && last.state !== 'cancelled' && last.state !== 'undone';
  return (
    <Drawer opened onClose={onClose} title={t('convert:title', { name: label(field.label, field.key) })} size={600}>
      {works.data === undefined && <SkeletonRows rows={5} />}
      {works.data !== undefined && !shown && (
        <Choose object={object} field={field} onTried={() => setFresh(false)} onClose={onClose} />
      )}
      {shown && <Conversion object={object} id={last.id} onAgain={() => setFresh(true)} onClose={onClose} />}
    </Drawer>
  );
}

function Choose({ object, field, onTried, onClose }: Props & { onTried: () => void }) {
  const { t } = useTranslation(['convert', 'common', 'settings', 'shape', 'formula']);
  const [type, setType] = useState<FieldType | null>(null);
  const [scale, setScale] = useState(0);
  const [max, setMax] = useState(5);
  const attempt = useTryConversion(object.key, field.key);
  const chooses = type === 'choice' || type === 'multi_choice';
  const begin = async () => {
    if (type === null) return;
    try {
      await attempt.mutateAsync({
        type,
        ...((type === 'number' || type === 'percent') && { scale }),
        ...(type === 'rating' && { max }),
      });
      onTried();
    } catch {
      // said below
    }
  };
  return (
    <div className={css.fields}>
      <p className="muted">{t('convert:about')}</p>
      <Select
        label={t('convert:to')}
        description={t('convert:now', { type: t(`settings:type.${field.type}`) })}
        required
        value={type}
        onChange={(next) => setType(next as FieldType | null)}
        options={(field.conversions ?? []).map((each) => ({ value: each, label: t(`settings:type.${each}`) }))}
      />
      {(type === 'number' || type === 'percent') && (
        <NumberInput
          label={t('shape:field.scale')}
          value={scale}
          onChange={(next) => setScale(next ?? 0)}
          min={0}
          max={6}
        />
      )}
      {type === 'rating' && (
        <NumberInput
          label={t('formula:rating.most')}
          value={max}
          onChange={(next) => setMax(next ?? 5)}
          min={2}
          max={10}
        />
      )}
      {chooses && (field.options ?? []).length === 0 && <p className={css.help}>{t('convert:optionsMade')}</p>}
      {attempt.isError && (
        <p className={css.refused} role="alert">
          {errorText(attempt.error)}
        </p>
      )}
      <div className={css.foot}>
        <Button onClick={onClose}>{t('common:cancel')}</Button>
        <Button kind="primary" disabled={type === null} loading={attempt.isPending} onClick={() => void begin()}>
          {t('convert:try')}
        </Button>
      </div>
    </div>
  );
}

interface ConversionProps {
  object: ObjectType;
  id: string;
  onAgain: () => void;
  onClose: () => void;
}

/** A conversion from trying to done. */
function Conversion({ object, id, onAgain, onClose }: ConversionProps) {
  const { t } = useTranslation(['convert', 'common', 'settings']);
  const client = useQueryClient();
  const { data } = useQuery(workQuery(object.key, id));
  const step = useWorkStep(object.key);
  const state = data?.state;
  useEffect(() => {
    if (state === 'done' || state === 'failed') void client.invalidateQueries({ queryKey: ['objects'] });
  }, [state, client]);
  if (data === undefined) return <SkeletonRows rows={6} />;
  const go = async (next: 'start' | 'cancel' | 'undo') => {
    try {
      await step.mutateAsync({ id, step: next });
      if (next === 'undo') {
        toast.ok(t('convert:undone'));
        onClose();
      }
      if (next === 'cancel') onAgain();
    } catch {
      // said below
    }
  };
  const types = {
    from: t(`settings:type.${data.from}`),
    to: t(`settings:type.${data.to?.type}`),
  };
  const filling = data.phase === 'filling';
  return (
    <div className={css.fields}>
      <h3 className={css.label}>{t('convert:fromTo', types)}</h3>
      {open(data.state) && <Working data={data} filling={filling} />}
      {data.state === 'checked' && <Report object={object} data={data} />}
      {data.state === 'done' && (
        <p role="status">
          {t('convert:done', { converted: data.given - data.found, left: data.found, archive: data.archive ?? '' })}
        </p>
      )}
      {data.state === 'failed' && (
        <p className={css.refused} role="alert">
          {t('convert:failed')} {data.error}
        </p>
      )}
      {step.isError && (
        <p className={css.refused} role="alert">
          {errorText(step.error)}
        </p>
      )}
      <div className={css.foot}>
        {(open(data.state) || data.state === 'checked') && (
          <Button loading={step.isPending} onClick={() => void go('cancel')}>
            {t(filling ? 'convert:stop' : 'convert:other')}
          </Button>
        )}
        {data.state === 'checked' && (
          <Button
            kind="primary"
            loading={step.isPending}
            disabled={data.breaks.length > 0}
            onClick={() => void go('start')}
          >
            {t('convert:start')}
          </Button>
        )}
        {data.state === 'done' && (
          <Button loading={step.isPending} onClick={() => void go('undo')}>
            {t('convert:undo')}
          </Button>
        )}
        {(data.state === 'done' || data.state === 'failed') && <Button onClick={onAgain}>{t('convert:again')}</Button>}
      </div>
    </div>
  );
}

function Working({ data, filling }: { data: WorkDetail; filling: boolean }) {
  const { t } = useTranslation('convert');
  const text = t(filling ? 'convert:filling' : 'convert:trying', { seen: data.seen, total: data.total });
  return (
    <div>
      <Progress value={data.total === 0 ? null : Math.min(1, data.seen / data.total)} label={text} />
      <p className={css.help} role="status">
        {text}
      </p>
      {filling && <p className={css.help}>{t('convert:background')}</p>}
    </div>
  );
}

/** What would become of the values, before anything is changed. */
function Report({ object, data }: { object: ObjectType; data: WorkDetail }) {
  const { t } = useTranslation('convert');
  const can = useCan();
  const good = data.given - data.found;
  return (
    <>
      <dl className={css.tally}>
        <div>
          <dt>{t('convert:given')}</dt>
          <dd>{t('convert:count', { count: data.given })}</dd>
        </div>
        <div>
          <dt>{t('convert:good')}</dt>
          <dd>{t('convert:count', { count: good })}</dd>
        </div>
        <div data-bad={data.found > 0 || undefined}>
          <dt>{t('convert:left')}</dt>
          <dd>{t('convert:count', { count: data.found })}</dd>
        </div>
      </dl>
      {data.bad.length > 0 && (
        <section>
          <h3 className={css.label}>{t('convert:leftExamples')}</h3>
          <p className={css.help}>{t('convert:leftKept')}</p>
          <Samples samples={data.bad} label={t('convert:leftExamples')} />
          {can('export.run') && (
            <ButtonAnchor href={leftFile(object.key, data.id)} download="" icon={<IconDownload size={15} />}>
              {t('convert:download')}
            </ButtonAnchor>
          )}
        </section>
      )}
      {data.good.length > 0 && (
        <section>
          <h3 className={css.label}>{t('convert:examples')}</h3>
          <Samples samples={data.good} label={t('convert:examples')} />
        </section>
      )}
      {data.breaks.length > 0 ? (
        <section className={css.refused} role="alert">
          <div>
            <p>{t('convert:breaks')}</p>
            <UseList uses={data.breaks} />
          </div>
        </section>
      ) : (
        data.uses.length > 0 && (
          <section>
            <h3 className={css.label}>{t('convert:uses')}</h3>
            <UseList uses={data.uses} />
          </section>
        )
      )}
      <p className={css.help}>{t('convert:safe')}</p>
    </>
  );
}

function Samples({ samples, label }: { samples: readonly ConversionSample[]; label: string }) {
  const { t } = useTranslation('convert');
  return (
    <div className={css.boxed}>
      <Table
        label={label}
        rows={samples}
        rowKey={(sample) => `${sample.record?.id ?? ''}${sample.before}`}
        columns={[
          {
            key: 'record',
            label: t('convert:record'),
            cell: (sample) =>
              sample.record === null ? (
                ''
              ) : (
                <Link to="/o/$object/$id" params={{ object: sample.record.object, id: sample.record.id }}>
                  {sample.record.title || sample.record.id}
                </Link>
              ),
          },
          { key: 'before', label: t('convert:before'), cell: (sample) => sample.before },
          { key: 'after', label: t('convert:after'), cell: (sample) => sample.reason ?? sample.after ?? '' },
        ]}
      />
    </div>
  );
}
