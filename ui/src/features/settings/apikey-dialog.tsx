import { IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { isApiError, type KeyScope, useCreateApiKey } from '@/api';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, Checkbox, Modal, TextInput, toast } from '@/ui';
import guideCss from './assistant.module.css';
import { AssistantGuide } from './assistant-guide';
import css from './settings.module.css';

export const SCOPES: KeyScope[] = ['read', 'write', 'import', 'admin', 'act', 'checkout'];

/** Name and scopes; then the secret, this once. */
export function ApiKeyDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['settings', 'common', 'assistants']);
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<KeyScope[]>(['read']);
  const create = useCreateApiKey();
  const secret = create.data?.key;
  const toggle = (scope: KeyScope, on: boolean) =>
    setScopes((old) => SCOPES.filter((each) => (each === scope ? on : old.includes(each))));
  const copy = async () => {
    if (secret !== undefined && (await copyText(secret))) toast.ok(t('common:copied'));
  };
  if (secret !== undefined)
    return (
      <Modal
        opened
        dismissible={false}
        onClose={onClose}
        title={t('settings:apikeys.made')}
        footer={
          <Button kind="primary" onClick={onClose}>
            {t('settings:apikeys.kept')}
          </Button>
        }
      >
        <div className="stack">
          <p className={css.warnBox} role="status">
            {t('settings:apikeys.once')}
          </p>
          <div className={css.secret}>
            <code>{secret}</code>
            <Button icon={<IconCopy size={15} />} onClick={copy}>
              {t('common:copy')}
            </Button>
          </div>
          <details className={guideCss.filled}>
            <summary>{t('assistants:withKey')}</summary>
            <AssistantGuide brief apiKey={secret} />
          </details>
        </div>
      </Modal>
    );
  const ready = name.trim() !== '' && scopes.length > 0;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('settings:apikeys.add')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button
            kind="primary"
            disabled={!ready}
            loading={create.isPending}
            onClick={() => create.mutate({ name: name.trim(), scopes })}
          >
            {t('common:create')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <TextInput
          label={t('settings:apikeys.name')}
          placeholder={t('settings:apikeys.namePlaceholder')}
          autoFocus
          required
          maxLength={100}
          value={name}
          onChange={setName}
          error={isApiError(create.error) ? create.error.at('name') : undefined}
        />
        <fieldset className={css.scopes}>
          <legend>{t('settings:apikeys.scopes')}</legend>
          {SCOPES.map((scope) => (
            <Checkbox
              key={scope}
              label={t(`settings:scope.${scope}`)}
              description={t(`settings:scopeHelp.${scope}`)}
              checked={scopes.includes(scope)}
              onChange={(on) => toggle(scope, on)}
            />
          ))}
        </fieldset>
        {create.error !== null && (
          <p className={css.bad} role="alert">
            {create.error.message}
          </p>
        )}
      </div>
    </Modal>
  );
}
