import { IconAlertTriangle, IconCheck, IconInfoCircle, IconX } from '@tabler/icons-react';
import { useEffect } from 'react';
import { createPortal } from 'react-dom';
import { useTranslation } from '@/i18n';
import { createStore, useStore } from '@/lib/store';
import css from './toast.module.css';

type Tone = 'ok' | 'error' | 'info';
interface ToastAction {
  label: string;
  run: () => void;
}
interface ToastOptions {
  detail?: string;
  action?: ToastAction;
  /** Milliseconds; the default is 5 s, errors stay 8 s. */
  duration?: number;
}
interface ToastEntry extends ToastOptions {
  id: number;
  tone: Tone;
  text: string;
}

const toasts = createStore<readonly ToastEntry[]>([]);
let next = 1;

function show(tone: Tone, text: string, options: ToastOptions = {}): number {
  const id = next++;
  toasts.set((old) => [...old.slice(-2), { id, tone, text, ...options }]);
  return id;
}
const dismiss = (id: number): void => toasts.set((old) => old.filter((entry) => entry.id !== id));

/** Short news at the lower edge. Never the only place of an error that belongs to an input. */
export const toast = {
  ok: (text: string, options?: ToastOptions) => show('ok', text, options),
  error: (text: string, options?: ToastOptions) => show('error', text, options),
  info: (text: string, options?: ToastOptions) => show('info', text, options),
  dismiss,
};

const SIGNS = { ok: IconCheck, error: IconAlertTriangle, info: IconInfoCircle };

function ToastItem({ entry }: { entry: ToastEntry }) {
  const { t } = useTranslation('common');
  const { id, duration = entry.tone === 'error' ? 8000 : 5000 } = entry;
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), duration);
    return () => clearTimeout(timer);
  }, [id, duration]);
  const Sign = SIGNS[entry.tone];
  return (
    <div className={css.toast} data-tone={entry.tone} role={entry.tone === 'error' ? 'alert' : 'status'}>
      <Sign size={16} className={css.sign} />
      <div className={css.text}>
        {entry.text}
        {entry.detail !== undefined && <div className={css.detail}>{entry.detail}</div>}
      </div>
      {entry.action !== undefined && (
        <button
          type="button"
          className={css.action}
          onClick={() => {
            entry.action?.run();
            dismiss(id);
          }}
        >
          {entry.action.label}
        </button>
      )}
      <button type="button" className={css.close} aria-label={t('common:close')} onClick={() => dismiss(id)}>
        <IconX size={14} />
      </button>
    </div>
  );
}

export function ToastHost() {
  const entries = useStore(toasts);
  if (entries.length === 0) return null;
  return createPortal(
    <div className={css.host}>
      {entries.map((entry) => (
        <ToastItem key={entry.id} entry={entry} />
      ))}
    </div>,
    document.body,
  );
}
