import { IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { isApiError, useDefaultView, useSaveView, type View, type ViewAudience, type ViewShare } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useCan } from '@/metadata';
import { Avatar, Button, EmptyState, IconButton, Modal, SegmentedControl, Select, toast } from '@/ui';
import type { List } from './use-list';
import { granteeOf, keyOf, useGranteeName, useGrantees } from './view-grantees';
import css from './view-share.module.css';

interface Props {
  list: List;
  view: View;
  onClose: () => void;
}

/** Whom a view is shared with, who may change it, and whom the object opens with it for. */
export function ViewShareDialog({ list, view, onClose }: Props) {
  const { t } = useTranslation(['sharing', 'common']);
  const label = useLabel();
  const wide = useCan()('view.share');
  const save = useSaveView(list.object.key);
  const byDefault = useDefaultView(list.object.key);
  const nameOf = useGranteeName();
  const options = useGrantees(wide);
  const [to, setTo] = useState<string | null>(null);
  const [access, setAccess] = useState<ViewShare['access']>('read');
  const [usual, setUsual] = useState<string | null>(null);
  const failure = save.error ?? byDefault.error;
  const problem = isApiError(failure) ? (failure.fields[0]?.message ?? failure.message) : null;
  const taken = new Set(view.shares.map(keyOf));
  const fixed = (share: ViewShare) => !wide && (share.kind === 'everyone' || share.kind === 'role');
  const put = (shares: ViewShare[]) =>
    save.mutateAsync({
      id: view.id,
      version: view.version,
      view: { shares: shares.map(({ kind, to: whom, access: how }) => ({ kind, to: whom, access: how })) },
    });
  const add = async () => {
    if (to === null) return;
    try {
      await put([...view.shares, { ...granteeOf(to), name: '', access }]);
      setTo(null);
      toast.ok(t('sharing:done'));
    } catch {
      // Told below the form.
    }
  };
  const change = (share: ViewShare, next: ViewShare['access'] | null) =>
    void put(
      view.shares.flatMap((each) => {
        if (keyOf(each) !== keyOf(share)) return [each];
        return next === null ? [] : [{ ...each, access: next }];
      }),
    ).catch(() => undefined);
  const setDefault = async (key: string, on: boolean) => {
    const { kind, to: whom } = granteeOf(key);
    try {
      await byDefault.mutateAsync({ id: view.id, for: kind as ViewAudience, to: whom, on });
      setUsual(null);
      toast.ok(t('common:saved'));
    } catch {
      // Told below the form.
    }
  };
  const already = new Set(view.defaults.map(keyOf));
  const openers = options.filter(
    ({ value }) => !value.startsWith('user ') && !already.has(value) && (view.shared || taken.has(value)),
  );
  return (
    <Modal opened onClose={onClose} title={t('sharing:title', { name: label(view.label, view.name) })} size={560}>
      {view.owner !== null && <p className={css.note}>{t('sharing:owner', { name: view.owner.title })}</p>}
      <p className={css.note}>{t('sharing:rights')}</p>
      {view.manage && (
        <div className={css.form}>
          <Select
            label={t('sharing:with')}
            placeholder={t('sharing:pick')}
            searchable
            options={options.filter(({ value }) => !taken.has(value) && value !== `user ${view.owner?.id ?? ''}`)}
            value={to}
            onChange={setTo}
          />
          <div className={css.row}>
            <SegmentedControl
              label={t('sharing:how')}
              value={access}
              onChange={(next) => setAccess(next as ViewShare['access'])}
              options={[
                { value: 'read', label: t('sharing:access.read') },
                { value: 'write', label: t('sharing:access.write') },
              ]}
            />
            <Button kind="primary" disabled={to === null} loading={save.isPending} onClick={() => void add()}>
              {t('sharing:add')}
            </Button>
          </div>
        </div>
      )}
      {problem !== null && (
        <p className={css.bad} role="alert">
          {problem}
        </p>
      )}
      {view.shares.length === 0 && !view.builtin && (
        <EmptyState compact cause="none" title={t('sharing:none')} text={t('sharing:noneText')} />
      )}
      <ul className={css.list} aria-label={t('sharing:with')}>
        {view.shares.map((share) => (
          <li key={keyOf(share)}>
            <Avatar name={nameOf(share)} size={26} shape="round" />
            <span className={css.text}>
              <span className="truncate">{nameOf(share)}</span>
              <span className="muted truncate">{t(`sharing:kind.${share.kind}`)}</span>
            </span>
            {view.manage && !fixed(share) ? (
              <>
                <SegmentedControl
                  label={t('sharing:howFor', { name: nameOf(share) })}
                  value={share.access}
                  disabled={save.isPending}
                  onChange={(next) => change(share, next as ViewShare['access'])}
                  options={[
                    { value: 'read', label: t('sharing:access.read') },
                    { value: 'write', label: t('sharing:access.write') },
                  ]}
                />
                <IconButton
                  label={t('sharing:remove', { name: nameOf(share) })}
                  icon={<IconTrash size={16} />}
                  disabled={save.isPending}
                  onClick={() => change(share, null)}
                />
              </>
            ) : (
              <span className="muted">{t(`sharing:access.${share.access}`)}</span>
            )}
          </li>
        ))}
      </ul>
      {wide && (
        <section className={css.usual} aria-label={t('sharing:default.title')}>
          <h3>{t('sharing:default.title')}</h3>
          <p className={css.note}>{t('sharing:default.help')}</p>
          {view.defaults.map((each) => (
            <div key={keyOf(each)} className={css.opener}>
              <span className="truncate">{nameOf(each)}</span>
              <span className="muted">{t(`sharing:kind.${each.kind}`)}</span>
              <IconButton
                label={t('sharing:default.remove', { name: nameOf(each) })}
                icon={<IconTrash size={16} />}
                onClick={() => void setDefault(keyOf(each), false)}
              />
            </div>
          ))}
          {openers.length > 0 ? (
            <div className={cx(css.row, css.wide)}>
              <Select
                aria-label={t('sharing:default.for')}
                placeholder={t('sharing:default.for')}
                searchable
                options={openers}
                value={usual}
                onChange={setUsual}
              />
              <Button
                disabled={usual === null}
                loading={byDefault.isPending}
                onClick={() => usual !== null && void setDefault(usual, true)}
              >
                {t('sharing:default.set')}
              </Button>
            </div>
          ) : (
            <p className="muted">{t('sharing:default.nobody')}</p>
          )}
        </section>
      )}
    </Modal>
  );
}
