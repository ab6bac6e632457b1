import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { REFERENCE_URL, referenceQuery } from '@/api';
import { useLabel, useLanguage, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { ButtonAnchor, EmptyState, ErrorState, Panel, SearchInput, SkeletonRows } from '@/ui';
import { groupsOf } from './reference';
import css from './reference.module.css';
import { OperationRow } from './reference-operation';

/** Every operation of the interface, with the objects and fields of this workspace. */
export function ReferencePage() {
  const { t, i18n } = useTranslation('reference');
  const label = useLabel();
  const objects = useObjects();
  const navigate = useNavigate();
  const { op } = useSearch({ strict: false }) as { op?: string };
  const { data, error, isPending, refetch } = useQuery(referenceQuery(useLanguage()));
  const [search, setSearch] = useState('');
  const wanted = useDeferredValue(search);
  const groups = useMemo(
    () =>
      data === undefined
        ? []
        : groupsOf(
            data,
            wanted,
            objects.map((each) => each.key),
          ),
    [data, wanted, objects],
  );
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());

  // An address that names an operation leads to it.
  const named = useRef(op);
  useEffect(() => {
    if (data === undefined || named.current === undefined) return;
    document.getElementById(named.current)?.scrollIntoView({ block: 'center' });
    named.current = undefined;
  }, [data]);

  const titleOf = (key: string) => {
    const object = key.startsWith('records.') ? findObject(objects, key.slice('records.'.length)) : undefined;
    if (object !== undefined) return label(object.label, object.key);
    const name = key.split('.')[0] ?? key;
    return i18n.exists(`reference:group.${name}`) ? (t(`reference:group.${name}` as never) as string) : key;
  };
  const choose = (id: string) =>
    navigate({ to: '.', search: (id === op ? {} : { op: id }) as never, replace: true, resetScroll: false });
  const toggle = (key: string) =>
    setShown((old) => {
      const next = new Set(old);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  const first = groups[0]?.key;
  const isOpen = (group: (typeof groups)[number]) =>
    wanted.trim() !== '' ||
    shown.has(group.key) !== (group.key === first) ||
    group.operations.some(({ id }) => id === op);

  return (
    <div className={css.reference}>
      <Panel
        title={t('reference:title')}
        aside={
          <ButtonAnchor href={REFERENCE_URL} download="openapi.json" icon={<IconDownload size={15} />}>
            {t('reference:download')}
          </ButtonAnchor>
        }
      >
        <div className={css.intro}>
          <p>{t('reference:intro')}</p>
          <p>
            {t('reference:address')} <code>{`${window.location.origin}/api/v1`}</code>
          </p>
          <p>
            {t('reference:keys')} <Link to="/settings/apikeys">{t('reference:toKeys')}</Link>
          </p>
        </div>
        <SearchInput
          aria-label={t('reference:search')}
          placeholder={t('reference:search')}
          value={search}
          onChange={setSearch}
        />
      </Panel>
      {isPending && <SkeletonRows rows={12} />}
      {error !== null && <ErrorState error={error} onRetry={() => refetch()} />}
      {data !== undefined && groups.length === 0 && <EmptyState cause="no_match" />}
      {data !== undefined &&
        groups.map((group) => {
          const open = isOpen(group);
          return (
            <section key={group.key} className={css.group}>
              <h3>
                <button type="button" className={css.groupLine} aria-expanded={open} onClick={() => toggle(group.key)}>
                  <span>{titleOf(group.key)}</span>
                  <span className="muted">{t('reference:count', { count: group.operations.length })}</span>
                </button>
              </h3>
              {open && (
                <ul className={css.operations}>
                  {group.operations.map((operation) => (
                    <OperationRow
                      key={operation.id}
                      document={data}
                      operation={operation}
                      open={operation.id === op}
                      onToggle={() => choose(operation.id)}
                    />
                  ))}
                </ul>
              )}
            </section>
          );
        })}
    </div>
  );
}
