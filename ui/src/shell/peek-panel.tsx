import { IconArrowLeft, IconArrowsDiagonal, IconX } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { useTranslation } from '@/i18n';
import { IconButton, SkeletonRows } from '@/ui';
import { ErrorBoundary } from './error-boundary';
import { usePeek } from './peek';
import css from './peek-panel.module.css';
import { useShortcuts } from './shortcuts';

const RecordPeek = lazy(() => import('@/records/peek/record-peek').then((module) => ({ default: module.RecordPeek })));

/** The panel at the right edge (a sheet on phones). Esc goes back one, Enter opens the page. */
export function PeekPanel() {
  const { stack } = usePeek();
  return stack.length === 0 ? null : <OpenPanel />;
}

function OpenPanel() {
  const { t } = useTranslation('shell');
  const { stack, back, close, push } = usePeek();
  const navigate = useNavigate();
  const panel = useRef<HTMLElement>(null);
  const top = stack.at(-1);
  const key = top === undefined ? '' : `${top.object}:${top.id}`;
  const openPage = () => {
    if (top !== undefined) navigate({ to: '/o/$object/$id', params: top });
  };
  useShortcuts([
    { keys: 'esc', label: t('shell:peek.back'), group: t('shell:shortcuts.panel'), run: back },
    { keys: 'alt+enter', label: t('shell:peek.open'), group: t('shell:shortcuts.panel'), run: openPage },
  ]);
  useEffect(() => {
    if (key !== '' && matchMedia('(max-width: 720px)').matches) panel.current?.focus();
  }, [key]);
  if (top === undefined) return null;
  return (
    <aside ref={panel} className={css.panel} aria-label={t('shell:peek.label')} tabIndex={-1}>
      <header className={css.bar}>
        {stack.length > 1 && (
          <IconButton label={t('shell:peek.back')} icon={<IconArrowLeft size={16} />} onClick={back} />
        )}
        <span className="grow" />
        <IconButton label={t('shell:peek.open')} icon={<IconArrowsDiagonal size={16} />} onClick={openPage} />
        <IconButton label={t('shell:peek.close')} icon={<IconX size={16} />} onClick={close} />
      </header>
      <div className={css.body}>
        <ErrorBoundary key={key}>
          <Suspense fallback={<SkeletonRows rows={6} />}>
            <RecordPeek
              key={key}
              object={top.object}
              id={top.id}
              onOpen={(object, id) => push({ object, id })}
              onClose={close}
            />
          </Suspense>
        </ErrorBoundary>
      </div>
    </aside>
  );
}
