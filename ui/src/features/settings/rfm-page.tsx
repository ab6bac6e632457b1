import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type RfmState, rfmQuery, useSaveRfmCuts } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { Button, confirm, ErrorState, NumberInput, Panel, prose, RadioGroup, SkeletonRows, Stat, toast } from '@/ui';
import { type Band, badCut, bands, type Cuts, DIMENSIONS, type Dimension, isBarren, minorUnits } from './rfm';
import css from './settings.module.css';

function useShow() {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  const { workspace } = useSession();
  const units = minorUnits(workspace.currency);
  const one = (value: number, dimension: Dimension): string => {
    if (dimension === 'm') return fmt.money({ amount: String(value / units), currency: workspace.currency });
    return fmt.number(value, 1);
  };
  const range = (band: Band, dimension: Dimension): string => {
    if (isBarren(band)) return t('settings:rfm.nobody');
    // Amounts are continuous to the eye: "above" reads better than a cent more.
    const low = band.low === null || dimension !== 'm' ? band.low : band.low - 1;
    if (low === null) return `\u2264 ${one(band.high ?? 0, dimension)}`;
    const open = dimension === 'm' ? '> ' : '\u2265 ';
    if (band.high === null) return `${open}${one(low, dimension)}`;
    if (low === band.high) return one(low, dimension);
    return `${one(low, dimension)} \u2013 ${one(band.high, dimension)}`;
  };
  return { one, range, units };
}

function Bands({ cuts }: { cuts: Cuts }) {
  const { t } = useTranslation('settings');
  const { range } = useShow();
  return (
    <div className={css.scroll}>
      <table className={css.bands} aria-label={t('settings:rfm.bands')}>
        <thead>
          <tr>
            <th scope="col">{t('settings:rfm.score')}</th>
            {DIMENSIONS.map((dimension) => (
              <th key={dimension} scope="col">
                {t(`settings:rfm.${dimension}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[5, 4, 3, 2, 1].map((score) => (
            <tr key={score}>
              <th scope="row">{score}</th>
              {DIMENSIONS.map((dimension) => {
                const band = bands(cuts[dimension], dimension).find((each) => each.score === score);
                return (
                  <td key={dimension}>
                    <Link
                      to="/o/$object"
                      params={{ object: 'customer' }}
                      search={{ where: encodeCondition({ trait: `${dimension}_score`, op: '=', value: score }) }}
                      className={prose.plain}
                    >
                      {band === undefined ? '\u2013' : range(band, dimension)}
                    </Link>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Draft = Record<Dimension, (number | null)[]>;

function Editor({ state }: { state: RfmState }) {
  const { t } = useTranslation(['settings', 'common']);
  const { units } = useShow();
  const save = useSaveRfmCuts();
  const scale = (dimension: Dimension) => (dimension === 'm' ? units : 1);
  const [mode, setMode] = useState(state.mode);
  const [draft, setDraft] = useState<Draft>(() => ({
    r: [...state.cuts.r],
    f: [...state.cuts.f],
    m: state.cuts.m.map((value) => value / units),
  }));
  const bad = mode === 'saved' ? DIMENSIONS.find((dimension) => badCut(draft[dimension]) !== null) : undefined;
  const same =
    mode === state.mode &&
    (mode === 'quintile' ||
      DIMENSIONS.every((dimension) =>
        draft[dimension].every((value, at) => (value ?? 0) * scale(dimension) === state.cuts[dimension][at]),
      ));
  const submit = async () => {
    const sure = await confirm({
      title: t('settings:rfm.saveTitle'),
      text: t('settings:rfm.saveText'),
      confirm: t('common:save'),
    });
    if (!sure) return;
    const cut = (dimension: Dimension) => draft[dimension].map((value) => Math.round((value ?? 0) * scale(dimension)));
    save.mutate(mode === 'saved' ? { mode, cuts: { r: cut('r'), f: cut('f'), m: cut('m') } } : { mode }, {
      onSuccess: () => toast.ok(t('settings:rfm.saved')),
      onError: (error) => toast.error(t('common:failed.save'), { detail: error.message }),
    });
  };
  return (
    <Panel title={t('settings:rfm.how')}>
      <div className="stack">
        <RadioGroup
          value={mode}
          onChange={setMode}
          options={(['quintile', 'saved'] as const).map((each) => ({
            value: each,
            label: t(`settings:rfm.mode.${each}`),
            description: t(`settings:rfm.modeHelp.${each}`),
          }))}
        />
        {mode === 'saved' && (
          <div className={css.cuts}>
            {DIMENSIONS.map((dimension) => (
              <fieldset key={dimension} className={css.cutGroup}>
                <legend>{t(`settings:rfm.${dimension}`)}</legend>
                {draft[dimension].map((value, at) => (
                  <NumberInput
                    key={at}
                    aria-label={t('settings:rfm.cut', { name: t(`settings:rfm.${dimension}`), number: at + 1 })}
                    value={value}
                    min={0}
                    decimals={dimension === 'm' ? 2 : 0}
                    error={badCut(draft[dimension]) === at ? t('settings:rfm.ascending') : undefined}
                    onChange={(next) =>
                      setDraft((old) => ({
                        ...old,
                        [dimension]: old[dimension].map((each, place) => (place === at ? next : each)),
                      }))
                    }
                  />
                ))}
              </fieldset>
            ))}
          </div>
        )}
        <div>
          <Button kind="primary" disabled={bad !== undefined || same} loading={save.isPending} onClick={submit}>
            {t('common:save')}
          </Button>
        </div>
      </div>
    </Panel>
  );
}

export function RfmPage() {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  const can = useCan();
  const { one } = useShow();
  const { data, error, isPending, refetch } = useQuery(rfmQuery());
  if (isPending) return <SkeletonRows rows={6} />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => refetch()} />;
  // Means are what one compares with published figures: finer than the bands.
  const mean = (dimension: Dimension): string =>
    dimension === 'm' ? one(data.means.m, 'm') : fmt.number(data.means[dimension], dimension === 'f' ? 3 : 2);
  return (
    <div className={css.wideForm}>
      <Panel title={t('settings:page.rfm')} aside={t(`settings:rfm.mode.${data.mode}`)}>
        <p className="muted">{t('settings:rfm.about')}</p>
        <div className={css.stats}>
          <Stat label={t('settings:rfm.customers')} value={fmt.number(data.customers)}>
            {t('settings:rfm.anchor', { day: fmt.date(data.anchor) })}
          </Stat>
          {DIMENSIONS.map((dimension) => (
            <Stat
              key={dimension}
              label={t('settings:rfm.mean', { name: t(`settings:rfm.${dimension}`) })}
              value={mean(dimension)}
            />
          ))}
        </div>
        <Bands cuts={data.cuts} />
      </Panel>
      {can('classification.write') && <Editor key={`${data.mode}${JSON.stringify(data.cuts)}`} state={data} />}
    </div>
  );
}
