import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { isApiError, type SessionPlace, sessionsQuery, useEndSessions, useUpdateMe } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { MIN_PASSWORD } from '@/lib/password-strength';
import { NewPassword, problemText } from '@/shell';
import { Button, ErrorState, Panel, PasswordInput, Pill, SkeletonRows, toast } from '@/ui';
import { FactorPanel } from './factor-panel';
import { PasskeyPanel } from './passkey-panel';
import css from './settings.module.css';
import { SignIns, useDeviceName } from './sign-ins';

function Password() {
  const { t } = useTranslation(['settings', 'common']);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const update = useUpdateMe();
  const isShort = [...next].length < MIN_PASSWORD;
  const short = tried && isShort ? t('settings:password.short', { count: MIN_PASSWORD }) : undefined;
  const differs = tried && next !== again ? t('settings:password.differs') : undefined;
  const save = () => {
    setTried(true);
    if (current === '' || isShort || next !== again) return;
    update.mutate(
      { current_password: current, new_password: next },
      {
        onSuccess: () => {
          toast.ok(t('settings:password.changed'));
          setCurrent('');
          setNext('');
          setAgain('');
          setTried(false);
        },
      },
    );
  };
  const at = (name: string) => (isApiError(update.error) ? update.error.at(name) : undefined);
  const whole = problemText(update.error, 'current_password', 'new_password');
  const toggleLabel = t('settings:password.show');
  return (
    <Panel title={t('settings:password.title')}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <PasswordInput
          label={t('settings:password.current')}
          autoComplete="current-password"
          toggleLabel={toggleLabel}
          value={current}
          onChange={setCurrent}
          error={at('current_password')}
        />
        <NewPassword
          label={t('settings:password.new')}
          value={next}
          onChange={setNext}
          error={short ?? at('new_password')}
        />
        <PasswordInput
          label={t('settings:password.again')}
          autoComplete="new-password"
          toggleLabel={toggleLabel}
          value={again}
          onChange={setAgain}
          error={differs}
        />
        {whole !== undefined && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
        <p className="muted">{t('settings:password.ends')}</p>
        <div>
          <Button type="submit" kind="primary" loading={update.isPending} disabled={current === '' || next === ''}>
            {t('settings:password.change')}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function Place({ place, onEnd }: { place: SessionPlace; onEnd: () => void }) {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  const name = useDeviceName()(place.device);
  const Sign = place.device.phone ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <li className={css.place}>
      <Sign size={22} stroke={1.5} aria-hidden />
      <div className={css.placeText}>
        <span>
          {name} {place.current && <Pill color="green">{t('settings:sessions.current')}</Pill>}
        </span>
        <span className="muted">
          {place.address} {'\u00b7'} {t('settings:sessions.since', { when: fmt.datetime(place.created_at) })}{' '}
          {!place.current && `\u00b7 ${t('settings:sessions.seen', { when: fmt.relative(place.seen_at) })}`}
        </span>
      </div>
      {!place.current && (
        <Button onClick={onEnd} aria-label={t('settings:sessions.endOf', { name })}>
          {t('settings:sessions.end')}
        </Button>
      )}
    </li>
  );
}

function Sessions() {
  const { t } = useTranslation('settings');
  const { data, error, refetch } = useQuery(sessionsQuery());
  const end = useEndSessions();
  const finish = (id?: string) =>
    end.mutate(id, {
      onSuccess: () => toast.ok(t('settings:sessions.ended')),
      onError: (failed) => toast.error(failed.message),
    });
  const items = data?.items ?? [];
  return (
    <Panel
      title={t('settings:sessions.title')}
      aside={
        items.length > 1 && (
          <Button kind="danger-subtle" onClick={() => finish()} loading={end.isPending}>
            {t('settings:sessions.endOthers')}
          </Button>
        )
      }
    >
      {data === undefined && error === null && <SkeletonRows rows={2} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      <ul className={css.places}>
        {items.map((place) => (
          <Place key={place.id} place={place} onEnd={() => finish(place.id)} />
        ))}
      </ul>
    </Panel>
  );
}

/** How the person signs in, where they are signed in, and who tried to be them. */
export function SecurityPage() {
  const { t } = useTranslation('settings');
  return (
    <div className={css.narrow}>
      <PasskeyPanel />
      <FactorPanel />
      <Sessions />
      <Password />
      <Panel flush title={t('settings:page.signins')}>
        <SignIns whose="mine" />
      </Panel>
    </div>
  );
}
