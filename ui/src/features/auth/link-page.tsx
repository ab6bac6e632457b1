import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { isApiError, type TicketInfo, ticketQuery, useTicket } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { MIN_PASSWORD } from '@/lib/password-strength';
import { NewPassword } from '@/shell';
import { Button, ButtonLink, SkeletonRows, TextInput } from '@/ui';
import css from './auth.module.css';
import { PublicFrame } from './public-frame';

/** The secret stands behind the # of the address, where no server and no other site sees it. */
const secret = () => location.hash.replace(/^#/, '');

/** Where links of mails lead: an invitation, a new password, the proof of an address. */
export function LinkPage() {
  const { t } = useTranslation('links');
  const [token] = useState(secret);
  const { data, error } = useQuery({ ...ticketQuery(token), enabled: token !== '' });
  if (token === '' || error !== null)
    return (
      <PublicFrame title={t('links:over.title')} lead={t('links:over.text')}>
        <ButtonLink to="/sign-in" kind="primary" size="lg">
          {t('links:toSignIn')}
        </ButtonLink>
      </PublicFrame>
    );
  if (data === undefined)
    return (
      <PublicFrame title={t('links:loading')}>
        <SkeletonRows rows={3} />
      </PublicFrame>
    );
  return data.kind === 'verify' ? <Verify token={token} info={data} /> : <SetPassword token={token} info={data} />;
}

interface Props {
  token: string;
  info: TicketInfo;
}

function SetPassword({ token, info }: Props) {
  const { t } = useTranslation(['links', 'auth']);
  const fmt = useFormat();
  const navigate = useNavigate();
  const [name, setName] = useState(info.name);
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const use = useTicket();
  const isShort = [...password].length < MIN_PASSWORD;
  const at = (field: string) => (isApiError(use.error) ? use.error.at(field) : undefined);
  const whole = isApiError(use.error) && use.error.fields.length === 0 ? use.error.message : null;
  const invited = info.kind === 'invite';
  const submit = async () => {
    setTried(true);
    if (isShort) return;
    try {
      await use.mutateAsync({ token, password, ...(invited && { name: name.trim() }) });
      history.replaceState(null, '', location.pathname);
      await navigate({ to: '/sign-in', search: {}, replace: true });
    } catch {
      // shown at the fields
    }
  };
  return (
    <PublicFrame
      title={t(`links:${info.kind}.title`, { workspace: info.workspace })}
      lead={t(`links:${info.kind}.lead`, { email: info.email, until: fmt.datetime(info.expires_at) })}
    >
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {/* For password managers: whose password it is. */}
        <input type="email" autoComplete="username" value={info.email} readOnly hidden />
        {invited && (
          <TextInput
            label={t('links:name')}
            size="lg"
            autoComplete="name"
            maxLength={100}
            value={name}
            onChange={setName}
            error={at('name')}
          />
        )}
        <NewPassword
          label={t('links:password')}
          size="lg"
          autoFocus
          value={password}
          onChange={setPassword}
          error={tried && isShort ? t('links:short', { count: MIN_PASSWORD }) : at('password')}
        />
        {whole !== null && (
          <p className={css.problem} role="alert">
            {whole}
          </p>
        )}
        <Button type="submit" kind="primary" size="lg" loading={use.isPending}>
          {t(`links:${info.kind}.do`)}
        </Button>
      </form>
    </PublicFrame>
  );
}

function Verify({ token, info }: Props) {
  const { t } = useTranslation('links');
  const use = useTicket();
  if (use.isSuccess)
    return (
      <PublicFrame title={t('links:verify.done')} lead={info.email}>
        <ButtonLink to="/" kind="primary" size="lg">
          {t('links:verify.on')}
        </ButtonLink>
      </PublicFrame>
    );
  return (
    <PublicFrame title={t('links:verify.title')} lead={t('links:verify.lead', { email: info.email })}>
      {use.error !== null && (
        <p className={css.problem} role="alert">
          {use.error.message}
        </p>
      )}
      <Button kind="primary" size="lg" loading={use.isPending} onClick={() => use.mutate({ token })}>
        {t('links:verify.do')}
      </Button>
    </PublicFrame>
  );
}
