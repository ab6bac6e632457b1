import { IconDeviceMobile, IconMail, IconMoon, IconSun } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import {
  faultsOf,
  type MessageBody,
  type MessageDocument,
  type MessageLocale,
  type MessageTemplate,
  type Ref,
  templatePreviewQuery,
  templateQuery,
  templateVersionsQuery,
  useSaveTemplate,
  useTestTemplate,
} from '@/api';
import { RecordSelect } from '@/fields';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import {
  BackLink,
  Button,
  Closed,
  ErrorState,
  IconButton,
  Page,
  Panel,
  SegmentedControl,
  Select,
  SkeletonRows,
  Textarea,
  TextInput,
  toast,
} from '@/ui';
import { Blocks } from './blocks';
import css from './campaigns.module.css';
import { ProviderText, usePartPrice } from './template-text';
import { FieldPicker, OfferChoice } from './template-values';

const LOCALES: readonly MessageLocale[] = ['zh-CN', 'en'];
const WAIT = 400;
/** What stands for a picture: a grey field. */
const BLANK =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 6%22%3E%3Crect width=%2216%22 height=%226%22 fill=%22%23d8dee4%22/%3E%3C/svg%3E';

/** What is asked about while somebody types: the last thing that stood still for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), WAIT);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

interface PreviewProps {
  channel: 'email' | 'sms';
  body: MessageBody;
  locale: MessageLocale;
  customer: Ref | null;
}
function Preview({ channel, body, locale, customer }: PreviewProps) {
  const { t } = useTranslation('campaigns');
  const [narrow, setNarrow] = useState(false);
  const [dark, setDark] = useState(false);
  const price = usePartPrice();
  const ask = useSettled({ channel, body, locale, ...(customer !== null && { customer: customer.id }) });
  const { data, error } = useQuery(templatePreviewQuery(ask));
  if (error !== null && data === undefined) return <ErrorState compact error={error} />;
  if (data === undefined) return <SkeletonRows rows={6} />;
  // The page of the mail follows the reader's screen; here the reader chooses. Pictures of other sites are not fetched.
  const html = data.html
    .replaceAll('(prefers-color-scheme:dark)', dark ? '(min-width:0)' : '(max-width:0)')
    .replaceAll(/<img src="[^"]*"/g, `<img src="${BLANK}"`);
  return (
    <div className={css.form}>
      {channel === 'email' && data.html !== '' && (
        <>
          <div className={css.blockHead}>
            <span>{data.subject}</span>
            <IconButton
              label={t('campaigns:templates.narrow')}
              icon={<IconDeviceMobile size={16} />}
              aria-pressed={narrow}
              onClick={() => setNarrow(!narrow)}
            />
            <IconButton
              label={t(dark ? 'campaigns:templates.light' : 'campaigns:templates.dark')}
              icon={dark ? <IconSun size={16} /> : <IconMoon size={16} />}
              onClick={() => setDark(!dark)}
            />
          </div>
          <iframe
            className={css.frame}
            title={t('campaigns:templates.preview')}
            sandbox=""
            srcDoc={html}
            data-narrow={narrow || undefined}
            data-dark={dark || undefined}
          />
          {data.html.includes('<img ') && <p className={css.note}>{t('campaigns:templates.noPictures')}</p>}
        </>
      )}
      {channel === 'sms' && data.text !== '' && (
        <>
          <pre className={css.plain}>{data.text}</pre>
          <p className={css.note}>
            {t('campaigns:templates.length', {
              units: data.length.units,
              parts: data.length.parts,
              room: data.length.room,
            })}{' '}
            {!data.signed && t('campaigns:templates.unsigned')}
            {data.price > 0 && t('campaigns:templates.price', { price: price(data.price) })}
          </p>
        </>
      )}
      <FieldPicker fields={data.fields} />
      {data.findings.length > 0 && (
        <ul className={css.findings} aria-label={t('campaigns:templates.findings')}>
          {data.findings.map((finding) => (
            <li key={`${finding.at} ${finding.code} ${finding.what}`} data-severe={finding.severe || undefined}>
              {finding.text}
            </li>
          ))}
        </ul>
      )}
      {channel === 'email' && data.text !== '' && (
        <details>
          <summary>{t('campaigns:templates.plain')}</summary>
          <pre className={css.plain}>{data.text}</pre>
        </details>
      )}
    </div>
  );
}

interface DocProps {
  channel: 'email' | 'sms';
  locale: MessageLocale;
  doc: MessageDocument;
  set: (change: MessageDocument) => void;
  errorAt: (place: string) => string | undefined;
  disabled: boolean;
}
function Words({ channel, locale, doc, set, errorAt, disabled }: DocProps) {
  const { t } = useTranslation('campaigns');
  const at = `body.documents.${locale}`;
  const find = (place: string) => errorAt(place) ?? errorAt(place.replace(/^body\./, ''));
  const offer = <OfferChoice doc={doc} set={set} error={find(`${at}.offer`)} disabled={disabled} />;
  if (channel === 'sms')
    return (
      <div className={css.form}>
        <Textarea
          label={t('campaigns:templates.text')}
          description={t('campaigns:templates.smsHelp')}
          disabled={disabled}
          value={doc.text ?? ''}
          onChange={(text) => set({ ...doc, text })}
          error={find(`${at}.text`)}
        />
        <ProviderText doc={doc} set={set} at={`${at}.`} find={find} disabled={disabled} />
        {offer}
      </div>
    );
  return (
    <div className={css.form}>
      <TextInput
        label={t('campaigns:templates.subject')}
        disabled={disabled}
        value={doc.subject ?? ''}
        onChange={(subject) => set({ ...doc, subject })}
        error={find(`${at}.subject`)}
      />
      <TextInput
        label={t('campaigns:templates.preheader')}
        description={t('campaigns:templates.preheaderHelp')}
        disabled={disabled}
        value={doc.preheader ?? ''}
        onChange={(preheader) => set({ ...doc, preheader })}
        error={find(`${at}.preheader`)}
      />
      <Blocks
        at={`${at}.blocks`}
        blocks={doc.blocks ?? []}
        disabled={disabled}
        errorAt={find}
        onChange={(blocks) => set({ ...doc, blocks })}
      />
      {offer}
    </div>
  );
}

function Versions({ template }: { template: MessageTemplate }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const navigate = useNavigate();
  const list = useQuery(templateVersionsQuery(template.id)).data?.items ?? [];
  const { version } = useSearch({ strict: false }) as { version?: number };
  if (list.length < 2) return null;
  return (
    <Select
      label={t('campaigns:templates.version')}
      value={String(version ?? list[0]?.version ?? template.version)}
      onChange={(next) =>
        navigate({
          to: '/templates/$id',
          params: { id: template.id },
          search: next === null || Number(next) === list[0]?.version ? {} : { version: Number(next) },
          replace: true,
        })
      }
      options={list.map((each) => ({
        value: String(each.version),
        label: t('campaigns:templates.versionOf', {
          version: each.version,
          name: each.by.title,
          at: fmt.relative(each.at),
        }),
      }))}
    />
  );
}

const EMPTY: MessageDocument = {
  blocks: [
    { kind: 'heading', text: '' },
    { kind: 'text', text: '' },
  ],
};

const EMPTY_TEXT: MessageDocument = { text: '' };

function Editor({ template, old, back }: { template?: MessageTemplate; old: boolean; back: ReactNode }) {
  const { t } = useTranslation(['campaigns', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const own = useSession().user.locale;
  const [name, setName] = useState(template?.name ?? '');
  const [channel, setChannel] = useState<'email' | 'sms'>(template?.channel ?? 'email');
  const first: MessageLocale = own === 'en' ? 'en' : 'zh-CN';
  const [body, setBody] = useState<MessageBody>(template?.body ?? { locale: first, documents: { [first]: EMPTY } });
  const [locale, setLocale] = useState<MessageLocale>(body.locale);
  const [customer, setCustomer] = useState<Ref | null>(null);
  const save = useSaveTemplate();
  const test = useTestTemplate();
  const faults = faultsOf(save.error);
  const disabled = !can('campaign.write') || old;
  const dirty =
    template === undefined || name !== template.name || JSON.stringify(body) !== JSON.stringify(template.body);
  const doc = body.documents[locale];
  const setDoc = (next: MessageDocument) => setBody({ ...body, documents: { ...body.documents, [locale]: next } });
  const submit = () =>
    save.mutate(
      { ...(template !== undefined && { id: template.id }), version: template?.version ?? 0, name, channel, body },
      {
        onSuccess: (saved) => {
          toast.ok(t('campaigns:templates.saved', { name: saved.name }));
          if (template === undefined)
            navigate({ to: '/templates/$id', params: { id: saved.id }, search: {}, replace: true });
        },
      },
    );
  const tryOut = () =>
    template !== undefined &&
    test.mutate(
      { id: template.id, locale, customer: customer?.id ?? '' },
      {
        onSuccess: ({ to }) => toast.ok(t('campaigns:templates.tested', { to })),
        onError: (error) => toast.error(error.message),
      },
    );
  return (
    <Page
      title={template?.name ?? t('campaigns:templates.newTitle')}
      back={back}
      actions={
        !disabled && (
          <>
            {template !== undefined && channel === 'email' && (
              <Button icon={<IconMail size={15} />} loading={test.isPending} disabled={dirty} onClick={tryOut}>
                {t('campaigns:templates.test')}
              </Button>
            )}
            <Button kind="primary" loading={save.isPending} disabled={!dirty} onClick={submit}>
              {t('common:save')}
            </Button>
          </>
        )
      }
    >
      <div className={css.split}>
        <div className={css.form}>
          <Panel>
            <div className={css.form}>
              <TextInput
                label={t('campaigns:name')}
                disabled={disabled}
                value={name}
                onChange={setName}
                error={faults.at('name')}
              />
              <div className={css.line}>
                {template === undefined && (
                  <SegmentedControl<'email' | 'sms'>
                    label={t('campaigns:channel')}
                    value={channel}
                    onChange={(next) => {
                      setChannel(next);
                      if (doc === EMPTY || doc === EMPTY_TEXT) setDoc(next === 'sms' ? EMPTY_TEXT : EMPTY);
                    }}
                    options={(['email', 'sms'] as const).map((key) => ({
                      value: key,
                      label: t(`campaigns:channels.${key}`),
                    }))}
                  />
                )}
                <SegmentedControl<MessageLocale>
                  label={t('campaigns:templates.language')}
                  value={locale}
                  onChange={setLocale}
                  options={LOCALES.map((key) => ({ value: key, label: t(`campaigns:locales.${key}`) }))}
                />
                {template !== undefined && <Versions template={template} />}
              </div>
              {old && <p className={css.note}>{t('campaigns:templates.old')}</p>}
            </div>
          </Panel>
          <Panel title={t('campaigns:templates.content')}>
            {doc === undefined ? (
              <div className={css.form}>
                <p className={css.note}>
                  {t('campaigns:templates.noDocument', { locale: t(`campaigns:locales.${body.locale}`) })}
                </p>
                {!disabled && (
                  <span>
                    <Button onClick={() => setDoc(body.documents[body.locale] ?? EMPTY)}>
                      {t('campaigns:templates.addDocument')}
                    </Button>
                  </span>
                )}
              </div>
            ) : (
              <Words channel={channel} locale={locale} doc={doc} set={setDoc} errorAt={faults.at} disabled={disabled} />
            )}
          </Panel>
          {faults.rest !== null && (
            <p className={css.fault} role="alert">
              {faults.rest}
            </p>
          )}
        </div>
        <Panel title={t('campaigns:templates.preview')}>
          <div className={css.form}>
            <RecordSelect
              label={t('campaigns:templates.as')}
              object="customer"
              value={customer}
              onChange={(ref) => setCustomer(ref)}
            />
            <Preview channel={channel} body={body} locale={locale} customer={customer} />
          </div>
        </Panel>
      </div>
    </Page>
  );
}

/** A template with what it looks like to somebody. */
export function TemplatePage() {
  const { t } = useTranslation('campaigns');
  const { id } = useParams({ strict: false }) as { id: string };
  const { version } = useSearch({ strict: false }) as { version?: number };
  const can = useCan();
  const fresh = id === 'new';
  const { data, error, refetch } = useQuery({
    ...templateQuery(id, version ?? 0),
    enabled: !fresh && can('campaign.read'),
  });
  const back = <BackLink to="/templates" label={t('campaigns:templates.back')} />;
  if (!can(fresh ? 'campaign.write' : 'campaign.read'))
    return (
      <Page title={t('campaigns:templates.title')} back={back}>
        <Closed cause="no_permission" />
      </Page>
    );
  if (fresh) return <Editor key="new" old={false} back={back} />;
  if (data === undefined)
    return (
      <Page title={t('campaigns:templates.title')} back={back}>
        {error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />}
      </Page>
    );
  return <Editor key={`${data.id}:${data.version}`} template={data} old={version !== undefined} back={back} />;
}
