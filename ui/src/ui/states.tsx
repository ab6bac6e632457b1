import {
  type Icon,
  IconAlertTriangle,
  IconDatabaseOff,
  IconFilterOff,
  IconLock,
  IconMapPinOff,
  IconRefresh,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from '@/i18n';
import { Button, ButtonLink } from './button';
import { ApiProblem } from './problem';
import css from './states.module.css';

export type EmptyCause = 'none' | 'no_match' | 'no_permission' | 'not_found';

const ICONS: Record<EmptyCause, Icon> = {
  none: IconDatabaseOff,
  no_match: IconFilterOff,
  no_permission: IconLock,
  not_found: IconMapPinOff,
};

interface EmptyProps {
  /** Why there is nothing: decides icon and words. Both can be overridden. */
  cause: EmptyCause;
  title?: ReactNode;
  text?: ReactNode;
  /** What to do about it: create, import, clear the filters. */
  actions?: ReactNode;
  compact?: boolean;
}

export function EmptyState({ cause, title, text, actions, compact }: EmptyProps) {
  const { t } = useTranslation('common');
  const Sign = ICONS[cause];
  return (
    <div className={css.state} data-compact={compact || undefined} role="status">
      <span className={css.sign}>
        <Sign size={22} stroke={1.5} />
      </span>
      <h2 className={css.title}>{title ?? t(`common:empty.${cause}.title`)}</h2>
      <p className={css.text}>{text ?? t(`common:empty.${cause}.text`)}</p>
      {actions !== undefined && <div className={css.actions}>{actions}</div>}
    </div>
  );
}

/** A whole page that cannot be shown, and the way out of it. */
export function Closed({ cause }: { cause: 'no_permission' | 'not_found' }) {
  const { t } = useTranslation('common');
  return <EmptyState cause={cause} actions={<ButtonLink to="/">{t('common:toHome')}</ButtonLink>} />;
}

interface ErrorProps {
  error: unknown;
  onRetry?: (() => void) | undefined;
  compact?: boolean;
}
/** A failed load: what happened, in the server's words where it gave any, and a way to try again. */
export function ErrorState({ error, onRetry, compact }: ErrorProps) {
  const { t } = useTranslation('common');
  const problem = ApiProblem.of(error);
  if (problem.status === 403)
    return compact ? <EmptyState cause="no_permission" compact /> : <Closed cause="no_permission" />;
  if (problem.status === 404) return compact ? <EmptyState cause="not_found" compact /> : <Closed cause="not_found" />;
  return (
    <div className={css.state} data-compact={compact || undefined} role="alert">
      <span className={css.sign} data-tone="danger">
        <IconAlertTriangle size={22} stroke={1.5} />
      </span>
      <h2 className={css.title}>{t('common:failed.title')}</h2>
      <p className={css.text}>
        {problem.status === 0 && problem.code === 'network' ? t('common:failed.network') : problem.text}
      </p>
      {onRetry !== undefined && (
        <div className={css.actions}>
          <Button icon={<IconRefresh size={15} />} onClick={onRetry}>
            {t('common:retry')}
          </Button>
        </div>
      )}
    </div>
  );
}
