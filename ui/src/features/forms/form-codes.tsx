import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type FormCode, type FormShown, type faultsOf, formCodeUrl, type Ref, recordQuery } from '@/api';
import { RecordSelect } from '@/fields/base/record-select';
import { useFormat, useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, ButtonAnchor, IconButton, Panel, TextInput, toast } from '@/ui';
import { Halves, Stack } from '@/ui/figures';
import css from './forms.module.css';

interface Props {
  form: FormShown;
  codes: FormCode[];
  onCodes: (codes: FormCode[]) => void;
  onOpen: (code: string) => void;
  faults: ReturnType<typeof faultsOf>;
  disabled: boolean;
}

/** The address of a form by one of its codes, as the server writes it. */
const addressOf = (form: FormShown, code: FormCode | null): string => {
  if (code === null) return form.address;
  const url = new URL(form.address);
  const parts = { c: code.key, utm_campaign: code.campaign, utm_medium: code.medium, utm_source: code.source };
  for (const [name, value] of Object.entries(parts)) if (value !== '') url.searchParams.set(name, value);
  return url.toString();
};

function Copied({ name, text }: { name: string; text: string }) {
  const { t } = useTranslation('forms');
  const copy = async () => {
    if (await copyText(text)) toast.ok(t('forms:copied', { name }));
  };
  return <Button onClick={() => void copy()}>{t('forms:copy', { name })}</Button>;
}

function Square({ form, code, name }: { form: FormShown; code: string; name: string }) {
  const { t } = useTranslation('forms');
  return (
    <>
      <img className={css.square} src={formCodeUrl(form.id, code, 'svg')} alt={t('forms:square', { name })} />
      <div className={css.buttons}>
        <ButtonAnchor href={formCodeUrl(form.id, code, 'svg')} download={`${name}.svg`}>
          {'SVG'}
        </ButtonAnchor>
        <ButtonAnchor href={formCodeUrl(form.id, code, 'png')} download={`${name}.png`}>
          {'PNG'}
        </ButtonAnchor>
        <Copied
          name={t('forms:address')}
          text={addressOf(form, form.plan.codes.find((one) => one.key === code) ?? null)}
        />
      </div>
    </>
  );
}

function Store({ id, disabled, onChange }: { id: string; disabled: boolean; onChange: (id: string) => void }) {
  const { t } = useTranslation('forms');
  const [chosen, setChosen] = useState<Ref | null>(null);
  const saved = useQuery({ ...recordQuery('store', id), enabled: id !== '' && chosen?.id !== id });
  const title = chosen?.id === id ? chosen.title : (saved.data?.title ?? id);
  return (
    <RecordSelect
      label={t('forms:code.store')}
      object="store"
      disabled={disabled}
      value={id === '' ? null : { id, title, object: 'store' }}
      onChange={(next) => {
        setChosen(next);
        onChange(next?.id ?? '');
      }}
    />
  );
}

/** How people come to a form: its address, how a site shows it, and square codes for posters and links. */
export function FormCodes({ form, codes, onCodes, onOpen, faults, disabled }: Props) {
  const { t } = useTranslation('forms');
  const fmt = useFormat();
  const title = form.plan.words[form.plan.locale]?.title ?? form.name;
  const frame = `<iframe src="${form.address}" title="${title.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" style="width:100%;height:720px;border:0"></iframe>`;
  const change = (at: number, part: Partial<FormCode>) =>
    onCodes(codes.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const text = (at: number, key: 'name' | 'source' | 'medium' | 'campaign') => (
    <TextInput
      label={t(`forms:code.${key}`)}
      required={key === 'name'}
      disabled={disabled}
      value={codes[at]?.[key] ?? ''}
      onChange={(value) => change(at, { [key]: value })}
    />
  );
  const fault = faults.at('plan.codes');
  return (
    <Halves>
      <Stack>
        <Panel title={t('forms:address')}>
          <div className={css.form}>
            {form.status !== 'active' && <p className="muted">{t('forms:notYet')}</p>}
            <p className={css.address}>
              {form.status === 'active' ? (
                <a href={form.address} target="_blank" rel="noopener">
                  {form.address}
                </a>
              ) : (
                form.address
              )}
            </p>
            <Square form={form} code="" name={form.name} />
          </div>
        </Panel>
        <Panel title={t('forms:embed')}>
          <div className={css.form}>
            <p className="muted">{t(form.plan.origins.length > 0 ? 'forms:embedText' : 'forms:embedFirst')}</p>
            <p className={css.address}>{frame}</p>
            <span>
              <Copied name={t('forms:snippet')} text={frame} />
            </span>
          </div>
        </Panel>
      </Stack>
      <Panel
        title={t('forms:codes')}
        aside={
          !disabled && (
            <Button
              icon={<IconPlus size={15} />}
              onClick={() =>
                onCodes([...codes, { key: '', name: '', store: '', source: '', medium: 'qr', campaign: '' }])
              }
            >
              {t('forms:addCode')}
            </Button>
          )
        }
      >
        <div className={css.form}>
          <p className="muted">{t('forms:hint.codes')}</p>
          {fault !== undefined && <p role="alert">{fault}</p>}
          {codes.map((code, at) => {
            const saved = form.plan.codes.find((one) => one.key === code.key && code.key !== '');
            const sums = form.codes[code.key];
            return (
              <div key={at} className={css.part}>
                <div className={css.head}>
                  {text(at, 'name')}
                  {!disabled && (
                    <IconButton
                      label={t('forms:remove', { name: code.name })}
                      icon={<IconTrash size={15} />}
                      onClick={() => onCodes(codes.filter((_, index) => index !== at))}
                    />
                  )}
                </div>
                <Store id={code.store} disabled={disabled} onChange={(store) => change(at, { store })} />
                <div className={css.line}>
                  {text(at, 'source')}
                  {text(at, 'medium')}
                  {text(at, 'campaign')}
                </div>
                {saved === undefined ? (
                  <p className="muted">{t('forms:saveFirst')}</p>
                ) : (
                  <>
                    <button type="button" className={css.opens} onClick={() => onOpen(code.key)}>
                      {t('forms:codeSums', {
                        shown: fmt.number(sums?.shown ?? 0),
                        sent: fmt.number(sums?.sent ?? 0),
                        made: fmt.number(sums?.made ?? 0),
                      })}
                    </button>
                    <Square form={form} code={code.key} name={saved.name} />
                  </>
                )}
              </div>
            );
          })}
        </div>
      </Panel>
    </Halves>
  );
}
