import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { MessageDocument } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useMinor, useSession } from '@/metadata';
import { Button, IconButton, TextInput } from '@/ui';
import css from './campaigns.module.css';

/** Prices of text messages are told in thousandths of the smallest coin, and shown so where that is less than one. */
const FINE = 1000;
const FINE_DIGITS = 3;
export function usePartPrice() {
  const fmt = useFormat();
  const minor = useMinor();
  const { currency } = useSession().workspace;
  return (price: number) =>
    price % FINE === 0
      ? minor.text(price / FINE)
      : `${fmt.number(minor.value(price) / FINE, minor.digits + FINE_DIGITS)} ${currency}`;
}

/** The places of a text: {{ customer.name | default: "…" }} is named name. */
function placesOf(text: string): { key: string; value: string }[] {
  const out: { key: string; value: string }[] = [];
  for (const [value, path = ''] of text.matchAll(/\{\{\s*([\w.]+)[^}]*\}\}/g)) {
    const name = path.split('.').at(-1) ?? '';
    let key = name;
    for (let n = 2; out.some((each) => each.key === key); n++) key = `${name}${n}`;
    out.push({ key, value });
  }
  return out;
}

interface Props {
  doc: MessageDocument;
  set: (change: MessageDocument) => void;
  at: string;
  find: (place: string) => string | undefined;
  disabled: boolean;
}
/** What a provider is given that sends only texts that it approved: their code, and the values for their places. */
export function ProviderText({ doc, set, at, find, disabled }: Props) {
  const { t } = useTranslation(['campaigns', 'common']);
  const params = doc.params ?? [];
  const places = placesOf(doc.text ?? '');
  const change = (index: number, next: { key?: string; value?: string }) =>
    set({ ...doc, params: params.map((each, i) => (i === index ? { ...each, ...next } : each)) });
  return (
    <details open={(doc.code ?? '') !== '' || params.length > 0 || undefined}>
      <summary>{t('campaigns:provider.title')}</summary>
      <div className={css.form}>
        <p className={css.note}>{t('campaigns:provider.text')}</p>
        <TextInput
          label={t('campaigns:provider.code')}
          placeholder={t('campaigns:provider.codeExample')}
          disabled={disabled}
          value={doc.code ?? ''}
          onChange={(code) => set({ ...doc, code: code.trim() })}
          error={find(`${at}code`)}
        />
        {params.map((param, index) => (
          <div key={String(index)} className={css.line}>
            <TextInput
              label={t('campaigns:provider.key', { number: index + 1 })}
              disabled={disabled}
              value={param.key}
              onChange={(key) => change(index, { key })}
              error={find(`${at}params.${index}`)}
            />
            <TextInput
              label={t('campaigns:provider.value', { number: index + 1 })}
              disabled={disabled}
              value={param.value}
              onChange={(value) => change(index, { value })}
            />
            {!disabled && (
              <div className={css.tight}>
                <IconButton
                  label={t('campaigns:provider.drop', { number: index + 1 })}
                  icon={<IconTrash size={16} />}
                  onClick={() => set({ ...doc, params: params.filter((_, i) => i !== index) })}
                />
              </div>
            )}
          </div>
        ))}
        {!disabled && (
          <span className="row">
            <Button
              icon={<IconPlus size={15} />}
              onClick={() => set({ ...doc, params: [...params, { key: '', value: '' }] })}
            >
              {t('campaigns:provider.add')}
            </Button>
            {places.length > 0 && params.length === 0 && (
              <Button onClick={() => set({ ...doc, params: places })}>{t('campaigns:provider.fill')}</Button>
            )}
          </span>
        )}
      </div>
    </details>
  );
}
