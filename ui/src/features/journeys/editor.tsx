import { IconArrowBackUp, IconSend } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import {
  errorText,
  type Journey,
  type JourneyDefinition,
  journeyCheckQuery,
  journeyCountsQuery,
  useDeleteJourney,
  useMoveJourney,
  useSaveJourney,
} from '@/api';
import { useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { useCan } from '@/metadata';
import { Button, confirm, Dot, Drawer, IconButton, Page, Panel, TextInput, toast } from '@/ui';
import { Canvas } from './canvas';
import { changeStep, insertStep, removeStep, stepIn } from './draft';
import css from './journeys.module.css';
import { PeopleDrawer } from './people';
import { Publish } from './publish';
import { Result } from './result';
import { RulesForm } from './rules-form';
import { Simulation } from './simulation';
import { StepForm } from './step-form';
import { TriggerForm } from './trigger-form';
import { STATUS_HUE } from './words';

const UNDO = 100;

interface Props {
  journey?: Journey;
  first: JourneyDefinition;
  back: ReactNode;
}

/** A journey is drawn at the left; what is wrong, its rules, a look back and what came of it stand at the right. */
export function Editor({ journey, first, back }: Props) {
  const { t } = useTranslation(['journeys', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const [name, setName] = useState(journey?.name ?? '');
  const [past, setPast] = useState<JourneyDefinition[]>([]);
  const [definition, setDefinition] = useState(first);
  const [saved, setSaved] = useState(JSON.stringify(first));
  const [opened, setOpened] = useState<string | null>(null);
  const [people, setPeople] = useState<string | null>(null);
  const asked = (useSearch({ strict: false }) as { publish?: string }).publish !== undefined;
  const [publishing, setPublishing] = useState<Journey | null>(asked && journey !== undefined ? journey : null);
  const save = useSaveJourney();
  const move = useMoveJourney();
  const drop = useDeleteJourney();
  const disabled = !can('campaign.write');
  const problems = useQuery(journeyCheckQuery(useDebounced(definition, 400))).data?.problems ?? [];
  const live = journey !== undefined && journey.published > 0;
  const counts = useQuery({ ...journeyCountsQuery(journey?.id ?? ''), enabled: live }).data;
  const change = (next: JourneyDefinition) => {
    setPast([...past.slice(-UNDO), definition]);
    setDefinition(next);
  };
  const edit = (part: Partial<JourneyDefinition>) => change({ ...definition, ...part });
  const undo = () => {
    const last = past.at(-1);
    if (last === undefined) return;
    setPast(past.slice(0, -1));
    setDefinition(last);
  };
  const dirty = journey === undefined || name !== journey.name || JSON.stringify(definition) !== saved;
  const store = async (publish = false): Promise<Journey | null> => {
    if (!dirty && journey !== undefined) return journey;
    try {
      const got = await save.mutateAsync({
        ...(journey !== undefined && { id: journey.id }),
        version: journey?.version ?? 0,
        name,
        definition,
      });
      setSaved(JSON.stringify(definition));
      if (journey === undefined)
        await navigate({
          to: '/journeys/$id',
          params: { id: got.id },
          search: publish ? { publish: 'ask' } : {},
          replace: true,
        });
      return got;
    } catch (error) {
      toast.error(errorText(error as Error));
      return null;
    }
  };
  const moveTo = async (to: 'pause' | 'resume' | 'stop') => {
    if (journey === undefined) return;
    const yes =
      to !== 'stop' ||
      (await confirm({
        title: t('journeys:stopAsk', { name }),
        text: t('journeys:stopText', { count: counts?.standing.on ?? 0 }),
        confirm: t('journeys:stop'),
        danger: true,
      }));
    if (yes) move.mutate({ id: journey.id, to }, { onError: (error) => toast.error(errorText(error)) });
  };
  const remove = async () => {
    if (journey === undefined) return;
    const yes = await confirm({ title: t('journeys:dropAsk', { name }), confirm: t('common:delete'), danger: true });
    if (!yes) return;
    await drop.mutateAsync(journey.id);
    navigate({ to: '/journeys', search: {} });
  };
  const closePublish = () => {
    setPublishing(null);
    if (asked && journey !== undefined)
      navigate({ to: '/journeys/$id', params: { id: journey.id }, search: {}, replace: true });
  };
  const step = opened === null || opened === '' ? undefined : stepIn(definition, opened);
  return (
    <Page
      title={journey?.name ?? t('journeys:newTitle')}
      back={back}
      actions={
        <>
          {journey !== undefined && (
            <Dot color={STATUS_HUE[journey.status]}>{t(`journeys:statuses.${journey.status}`)}</Dot>
          )}
          {journey?.published === 0 && !disabled && (
            <Button kind="subtle" onClick={remove}>
              {t('common:delete')}
            </Button>
          )}
          {can('campaign.send') && journey?.status === 'live' && (
            <Button onClick={() => moveTo('pause')}>{t('journeys:pause')}</Button>
          )}
          {can('campaign.send') && journey?.status === 'paused' && (
            <Button onClick={() => moveTo('resume')}>{t('journeys:resume')}</Button>
          )}
          {can('campaign.send') && (journey?.status === 'live' || journey?.status === 'paused') && (
            <Button kind="subtle" onClick={() => moveTo('stop')}>
              {t('journeys:stop')}
            </Button>
          )}
          {!disabled && (
            <>
              <IconButton
                label={t('journeys:undo')}
                icon={<IconArrowBackUp size={17} />}
                disabled={past.length === 0}
                onClick={undo}
              />
              <Button
                loading={save.isPending}
                disabled={!dirty || name.trim() === ''}
                onClick={async () => (await store()) !== null && toast.ok(t('journeys:saved'))}
              >
                {t('common:save')}
              </Button>
            </>
          )}
          {can('campaign.send') && (
            <Button
              kind="primary"
              icon={<IconSend size={15} />}
              disabled={
                problems.length > 0 ||
                name.trim() === '' ||
                (!dirty && live && !journey.changed && journey.status === 'live')
              }
              onClick={async () => setPublishing(await store(true))}
            >
              {t('journeys:publish')}
            </Button>
          )}
        </>
      }
    >
      <div className={css.split}>
        <div className={css.form}>
          <TextInput label={t('journeys:name')} disabled={disabled} value={name} onChange={setName} />
          <Canvas
            definition={definition}
            problems={problems}
            inForce={journey?.in_force}
            counts={counts}
            disabled={disabled}
            onInsert={(place, kind) => {
              const [next, key] = insertStep(definition, place, kind);
              change(next);
              if (kind !== 'exit') setOpened(key);
            }}
            onOpen={setOpened}
            onPeople={setPeople}
          />
        </div>
        <div className={css.form}>
          <Panel title={t('journeys:problems')}>
            {problems.length === 0 ? (
              <p className={css.note}>{t('journeys:noProblems')}</p>
            ) : (
              <ul className={css.problems}>
                {problems.map((one) => (
                  <li key={`${one.step}.${one.at}.${one.code}`}>
                    <button type="button" className={css.link} onClick={() => setOpened(one.step)}>
                      {one.message}
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </Panel>
          {live && counts !== undefined && <Result journey={journey} counts={counts} onPeople={() => setPeople('')} />}
          <Simulation definition={definition} id={journey?.id} ready={problems.every((one) => one.at === 'template')} />
          <RulesForm definition={definition} disabled={disabled} onChange={edit} />
        </div>
      </div>
      <Drawer
        opened={opened !== null && (opened === '' || step !== undefined)}
        onClose={() => setOpened(null)}
        size={520}
        title={opened === '' ? t('journeys:trig.title') : step && t(`journeys:kind.${step.kind}`)}
        footer={
          <div className={css.footer}>
            {step !== undefined && !disabled && step.kind !== 'exit' ? (
              <Button
                kind="subtle"
                onClick={() => {
                  change(removeStep(definition, step.key));
                  setOpened(null);
                }}
              >
                {t('journeys:removeStep')}
              </Button>
            ) : (
              <span />
            )}
            <Button kind="primary" onClick={() => setOpened(null)}>
              {t('journeys:done')}
            </Button>
          </div>
        }
      >
        {opened === '' && <TriggerForm definition={definition} disabled={disabled} onChange={edit} />}
        {step !== undefined && (
          <StepForm
            key={step.key}
            definition={definition}
            step={step}
            disabled={disabled}
            onChange={(next) => change(changeStep(definition, next))}
          />
        )}
      </Drawer>
      {journey !== undefined && people !== null && (
        <PeopleDrawer id={journey.id} step={people} definition={definition} onClose={() => setPeople(null)} />
      )}
      {publishing !== null && <Publish journey={publishing} on={counts?.standing.on ?? 0} onClose={closePublish} />}
    </Page>
  );
}
