import { useState } from 'react';
import { isApiError, useAddPasskey } from '@/api';
import { useTranslation } from '@/i18n';
import { TextInput } from '@/ui';
import { EnrolForm } from './enrol-form';
import { usePasskeyProblem } from './passkey-words';
import { RecoveryCodes } from './recovery-codes';

interface Props {
  /** The password was given a moment ago, or there is none. */
  proved: boolean;
  /** A step of signing in, which the role demands. */
  demanded?: boolean;
  onDone: () => void;
}

/** Makes a passkey: password and name, the browser's own dialogue, and recovery codes with the first second factor. */
export function PasskeySetup({ proved, demanded = false, onDone }: Props) {
  const { t } = useTranslation(['ways', 'auth']);
  const [name, setName] = useState('');
  const add = useAddPasskey();
  const told = usePasskeyProblem();
  const at = (field: string) => (isApiError(add.error) ? add.error.at(field) : undefined);
  if (add.data !== undefined && add.data.length > 0) return <RecoveryCodes codes={add.data} onKept={onDone} />;
  const said = at('password') ?? at('name');
  return (
    <EnrolForm
      demanded={demanded}
      proved={proved}
      text={t(demanded ? 'ways:passkey.enrolText' : 'ways:passkey.about')}
      passwordLabel={t('ways:passkey.password')}
      passwordError={at('password')}
      problem={said === undefined && add.error !== null ? told(add.error) : undefined}
      submitLabel={t('ways:passkey.make')}
      pending={add.isPending}
      waiting={t('ways:passkey.waiting')}
      onSubmit={(password) =>
        add.mutate({ password, name: name.trim() }, { onSuccess: (codes) => codes.length === 0 && onDone() })
      }
    >
      <TextInput
        size="lg"
        label={t('ways:passkey.name')}
        placeholder={t('ways:passkey.nameHint')}
        description={t('ways:passkey.nameHelp')}
        maxLength={60}
        value={name}
        onChange={setName}
        error={at('name')}
      />
    </EnrolForm>
  );
}
