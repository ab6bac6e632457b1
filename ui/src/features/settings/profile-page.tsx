import { useState } from 'react';
import { isApiError, useUpdateMe } from '@/api';
import { LANGUAGE_NAMES, LANGUAGES, type Language, setLanguage, useLanguage, useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { useSession } from '@/metadata';
import { setSingleKeys, singleKeysStore } from '@/shell';
import {
  type Appearance,
  appearanceStore,
  type Density,
  densityStore,
  setAppearance,
  setDensity,
} from '@/theme/appearance';
import { Avatar, Button, Panel, SegmentedControl, Switch, TextInput, toast } from '@/ui';
import { AddressPanel } from './profile-address';
import css from './settings.module.css';

function Person() {
  const { t } = useTranslation(['settings', 'common']);
  const { user, role, role_name } = useSession();
  const [name, setName] = useState(user.name);
  const update = useUpdateMe();
  const save = () =>
    update.mutate(
      { name: name.trim() },
      { onSuccess: () => toast.ok(t('common:saved')), onError: (error) => toast.error(error.message) },
    );
  return (
    <Panel title={t('settings:page.profile')}>
      <div className={css.person}>
        <Avatar name={name || user.email} size={44} shape="round" />
        <div>
          <div>{user.email}</div>
          <div className="muted">{role_name ?? t(`settings:role.${role}`)}</div>
        </div>
      </div>
      <form
        className={css.line}
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <TextInput
          label={t('settings:profile.name')}
          value={name}
          onChange={setName}
          maxLength={100}
          error={isApiError(update.error) ? update.error.at('name') : undefined}
        />
        <Button type="submit" loading={update.isPending} disabled={name.trim() === '' || name.trim() === user.name}>
          {t('common:save')}
        </Button>
      </form>
    </Panel>
  );
}

function Look() {
  const { t } = useTranslation('settings');
  const language = useLanguage();
  const appearance = useStore(appearanceStore);
  const density = useStore(densityStore);
  const singleKeys = useStore(singleKeysStore);
  const update = useUpdateMe();
  // What is chosen counts on this browser at once; the account keeps it for others.
  const chooseLanguage = async (next: Language) => {
    await setLanguage(next);
    update.mutate({ locale: next });
  };
  const chooseAppearance = (next: Appearance) => {
    setAppearance(next);
    update.mutate({ theme: next === 'auto' ? 'system' : next });
  };
  return (
    <Panel title={t('settings:profile.look')}>
      <div className={css.settings}>
        <div className={css.setting}>
          <span>{t('settings:profile.language')}</span>
          <SegmentedControl
            label={t('settings:profile.language')}
            value={language}
            onChange={chooseLanguage}
            options={LANGUAGES.map((each) => ({ value: each, label: LANGUAGE_NAMES[each] }))}
          />
        </div>
        <div className={css.setting}>
          <span>{t('settings:profile.theme')}</span>
          <SegmentedControl<Appearance>
            label={t('settings:profile.theme')}
            value={appearance}
            onChange={chooseAppearance}
            options={(['light', 'dark', 'auto'] as const).map((each) => ({
              value: each,
              label: t(`settings:theme.${each}`),
            }))}
          />
        </div>
        <div className={css.setting}>
          <span>{t('settings:profile.density')}</span>
          <SegmentedControl<Density>
            label={t('settings:profile.density')}
            value={density}
            onChange={setDensity}
            options={(['normal', 'compact'] as const).map((each) => ({
              value: each,
              label: t(`settings:density.${each}`),
            }))}
          />
        </div>
        <Switch
          label={t('settings:profile.singleKeys')}
          description={t('settings:profile.singleKeysHelp')}
          checked={singleKeys}
          onChange={setSingleKeys}
        />
      </div>
    </Panel>
  );
}

export function ProfilePage() {
  return (
    <div className={css.narrow}>
      <Person />
      <AddressPanel />
      <Look />
    </div>
  );
}
