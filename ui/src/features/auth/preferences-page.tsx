import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  errorText,
  type PreferenceChoice,
  type PreferencePurpose,
  type Preferences,
  preferencesQuery,
  savePreferences,
  withdrawEverything,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button, confirm, SkeletonRows, Switch } from '@/ui';
import css from './auth.module.css';
import own from './preferences.module.css';
import { PublicFrame } from './public-frame';

/** The page on which a customer says what they want, without signing in. Looking at it changes nothing. */
export function PreferencesPage() {
  const { t } = useTranslation('consent');
  const [token] = useState(() => location.hash.replace(/^#/, ''));
  const { data, error } = useQuery({ ...preferencesQuery(token), enabled: token !== '' });
  if (token === '' || error !== null)
    return (
      <PublicFrame title={t('consent:pref.unknown')} lead={t('consent:pref.unknownText')}>
        <span />
      </PublicFrame>
    );
  if (data === undefined)
    return (
      <PublicFrame title={t('consent:pref.loading')}>
        <SkeletonRows rows={4} />
      </PublicFrame>
    );
  const who = [data.email, data.phone].filter(Boolean).join(' \u00b7 ');
  const lead =
    who === ''
      ? t('consent:pref.forNobody', { workspace: data.workspace })
      : t('consent:pref.for', { who, workspace: data.workspace });
  return (
    <PublicFrame title={t('consent:pref.title')} lead={lead} wide>
      <Choices token={token} saved={data} />
    </PublicFrame>
  );
}

const keyOf = (purpose: string, channel: string) => `${purpose}.${channel}`;

function Choices({ token, saved }: { token: string; saved: Preferences }) {
  const { t } = useTranslation('consent');
  const label = useLabel();
  const client = useQueryClient();
  const [changed, setChanged] = useState<Record<string, PreferenceChoice>>({});
  const [busy, setBusy] = useState<'' | 'save' | 'all'>('');
  const [problem, setProblem] = useState('');
  const [said, setSaid] = useState('');
  const run = async (what: 'save' | 'all', call: () => Promise<Preferences>) => {
    setBusy(what);
    setProblem('');
    setSaid('');
    try {
      const next = await call();
      client.setQueryData(preferencesQuery(token).queryKey, next);
      setChanged({});
      setSaid(t(what === 'all' ? 'consent:pref.allDone' : 'consent:pref.saved'));
    } catch (error) {
      setProblem(errorText(error));
    } finally {
      setBusy('');
    }
  };
  const all = async () => {
    const yes = await confirm({
      title: t('consent:pref.allSure'),
      text: t('consent:pref.allSureText'),
      confirm: t('consent:pref.all'),
    });
    if (yes) await run('all', () => withdrawEverything(token));
  };
  const about = saved.purposes.find((purpose) => purpose.key === saved.about?.purpose);
  return (
    <>
      {saved.left !== '' && <p className={own.note}>{t('consent:pref.quiet')}</p>}
      {about !== undefined && <p className={own.note}>{t('consent:pref.about', { purpose: label(about.label) })}</p>}
      <ul className={own.list}>
        {saved.purposes.map((purpose) => (
          <Purpose
            key={purpose.key}
            purpose={purpose}
            changed={changed}
            onChange={(choice) => setChanged({ ...changed, [keyOf(choice.purpose, choice.channel)]: choice })}
          />
        ))}
      </ul>
      <div className={own.actions}>
        {problem !== '' && (
          <p className={css.problem} role="alert">
            {problem}
          </p>
        )}
        <p role="status" className={own.small}>
          {said}
        </p>
        <Button
          kind="primary"
          size="lg"
          loading={busy === 'save'}
          disabled={Object.keys(changed).length === 0}
          onClick={() => void run('save', () => savePreferences(token, Object.values(changed)))}
        >
          {t('consent:pref.save')}
        </Button>
        <Button size="lg" loading={busy === 'all'} onClick={() => void all()}>
          {t('consent:pref.all')}
        </Button>
      </div>
    </>
  );
}

interface PurposeProps {
  purpose: PreferencePurpose;
  changed: Record<string, PreferenceChoice>;
  onChange: (choice: PreferenceChoice) => void;
}

function Purpose({ purpose, changed, onChange }: PurposeProps) {
  const { t } = useTranslation('consent');
  const label = useLabel();
  const text = label(purpose.text);
  return (
    <li className={own.purpose}>
      <div>
        <h2>{label(purpose.label, purpose.key)}</h2>
        <span className={own.small}>{label(purpose.description)}</span>
        {text !== '' && (
          <details className={own.small}>
            <summary>{t('consent:pref.words')}</summary>
            <p className={own.words}>{text}</p>
          </details>
        )}
      </div>
      {purpose.locked && <span className={own.small}>{t('consent:pref.locked')}</span>}
      <div className={own.switches}>
        {purpose.channels.map((place) => {
          const choice = changed[keyOf(purpose.key, place.channel)];
          const on = choice?.on ?? place.on;
          return (
            <Switch
              key={place.channel}
              label={
                purpose.channels.length === 1 && place.channel === 'any'
                  ? label(purpose.label)
                  : t(`consent:channel.${place.channel}`)
              }
              {...(place.state === 'pending' && { description: t('consent:pref.pending') })}
              checked={on}
              disabled={purpose.locked && !on}
              onChange={(next) =>
                onChange({ purpose: purpose.key, channel: place.channel, on: next, wording: purpose.wording })
              }
            />
          );
        })}
      </div>
    </li>
  );
}
